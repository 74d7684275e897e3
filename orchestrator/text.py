"""The only door for untrusted text: responses, test names, pact bodies, tools' output.

Text that comes from outside is passed once through `clean` by the adapter that reads it. What leaves is a
`str` that can be printed on a terminal, written to XML, JSON or Markdown and encoded as UTF-8: characters that
act instead of show (control, bidirectional, zero-width, surrogates) are made visible as an escape.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

BODY_LIMIT: Final = 4_000
LINE_LIMIT: Final = 300
REDACTED: Final = "[redacted]"
_SHORTEST_SECRET: Final = 6

# Cf reorder or hide text, Cc act on a terminal, Cs can't be encoded, Zl and Zp break lines.
_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CREDENTIAL: Final = re.compile(
    r"(?i)(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[-_]?key|password|secret|token)"
    r"(\"?\s*[:=]\s*\"?)((?:bearer|basic|token)\s+)?([^\s\"',;&}]{6,})"
)
_URL_PASSWORD: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]+):([^\s/@]+)@")


def visible(text: str) -> str:
    """Return `text` with every character that acts instead of shows written as an escape.

    Newline and tab stay. Terminal colour sequences are dropped whole: they carry no meaning.
    """
    text = _plain(text)
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(_shown(character) for character in text)


def unbroken(text: str) -> str:
    """Return foreign text whole, neither cut nor redacted, on one line: for names and places that are compared."""
    return visible(text).replace("\n", "\\x0a").replace("\t", "\\x09")


def _plain(text: str) -> str:
    return _ANSI.sub("", text).replace("\r\n", "\n")


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _ACTING:
        return character
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def cut(text: str, limit: int) -> str:
    """Return `text`, or its first `limit` characters and a note of how many are missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} more characters]"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without the given secrets and without what looks like a credential.

    Secrets shorter than six characters are left alone: replacing "a" everywhere hides more than it guards.
    """
    for secret in sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    return _CREDENTIAL.sub(_without_value, text)


def _without_value(match: re.Match[str]) -> str:
    name, separator, scheme, value = match.groups(default="")
    if value.startswith(("$", "[")):  # a variable's name, or redacted already
        return match.group(0)
    return f"{name}{separator}{scheme}{REDACTED}"


def clean(text: str, *, limit: int = BODY_LIMIT, secrets: Iterable[str] = ()) -> str:
    """Return foreign text made safe to show: secrets out, made visible, cut to `limit` characters."""
    hidden = tuple(secrets)
    # Twice: a secret may hold what is made visible, and what is dropped may stand in the middle of one.
    return cut(redact(visible(redact(text, hidden)), hidden), limit)


def one_line(text: str, *, limit: int = LINE_LIMIT, secrets: Iterable[str] = ()) -> str:
    """Return foreign text as one line: the first line that says something, cleaned."""
    hidden = tuple(secrets)
    for line in redact(_plain(redact(text, hidden)), hidden).splitlines():  # a secret may have several lines
        if line.strip():
            return clean(line.strip(), limit=limit, secrets=hidden).replace("\n", " ").replace("\t", " ")
    return ""


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun: `1 mutant`, `2 mutants`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def percent(value: float) -> str:
    """Return a share as people say it, rounded down to a tenth: 97.96 % is not 98 %."""
    return f"{math.floor(value * 10 + 1e-9) / 10:g} %"


def seconds(value: float) -> str:
    """Return a duration as people say it: `0.4 s`, `12 s`, `3 min 5 s`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"
