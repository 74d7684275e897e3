"""Formats of dates and times, as matchers write them (Java's `SimpleDateFormat`), and as schemas name them."""

from __future__ import annotations

import functools
import re
from typing import Final

import jsonschema_rs

_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")
# One moment, a Monday, each part of it in each of its lengths.
_PARTS: Final = """
yyyy=2024 uuuu=2024 yy=24 M=5 MM=05 MMM=May MMMM=May d=6 dd=06 D=127 E=Mon EEE=Mon EEEE=Monday a=AM
H=7 HH=07 h=7 hh=07 m=8 mm=08 s=9 ss=09 S=1 SS=12 SSS=123 SSSSSS=123456 SSSSSSSSS=123456789
X=Z XX=Z XXX=Z x=+00 xx=+0000 xxx=+00:00 Z=+0000 ZZ=+00:00 z=UTC
"""
_MOMENT: Final = dict(part.split("=") for part in _PARTS.split())


def example(pattern: str) -> str | None:
    """Return a moment in a format; None: the format has something that is not known here."""
    written, end = "", 0
    for token in _TOKEN.finditer(pattern):
        letters, quoted = token[2], token[1]
        if token.start() != end or (letters and token[0] not in _MOMENT):
            return None
        end = token.end()
        written += _MOMENT[token[0]] if letters else token[0] if quoted is None else quoted.replace("''", "'") or "'"
    return written if end == len(pattern) else None


@functools.lru_cache(maxsize=256)
def keeps_to(value: str, name: str) -> bool:
    """Whether a text keeps to a format of JSON Schema; all do to one that is none of times."""
    if name not in ("date", "time", "date-time"):
        return True
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True).is_valid(value)
