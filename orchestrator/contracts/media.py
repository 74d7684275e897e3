"""Media types: which of those that one side offers is meant by what the other one asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
READABLE: Final = (JSON, FORM, MULTIPART)  # bodies of these are held against schemas

_QUALITY: Final = re.compile(r";q=([01](?:\.\d*)?)")


def matching(asked: str, offered: Sequence[str]) -> str | None:
    """Return the offered type that is meant; None: none is.

    The nearest likeness wins: the same with parameters, without, another of the same suffix (`+json`), what an
    offered wildcard covers, what a wildcard that is asked for covers.

    Args:
        asked: A `Content-Type`, or an `Accept` with several types and qualities.
        offered: Types, perhaps with parameters and wildcards.
    """
    wanted = _by_quality(asked)
    have = [_tidy(o) for o in offered]
    bare_wanted, bare_have = [_bare(w) for w in wanted], [_bare(h) for h in have]
    likenesses: tuple[tuple[list[str], list[str], Callable[[str, str], bool]], ...] = (
        (wanted, have, _same),
        (bare_wanted, bare_have, _same),
        (bare_wanted, bare_have, _alike),
        (bare_wanted, bare_have, _covered),
        (bare_wanted, bare_have, _anything_offered),
        (bare_wanted, bare_have, _covers),
        (bare_wanted, bare_have, _anything_asked),
    )
    for left, right, alike in likenesses:
        for one in left:
            for number, other in enumerate(right):
                if alike(one, other):
                    return offered[number]
    return None


def bare(content_type: str) -> str:
    """Return a media type without its parameters."""
    return _bare(_tidy(content_type))


def parameter(content_type: str, name: str) -> str:
    """Return a parameter of a media type; empty: it has none of that name."""
    for part in content_type.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def readable(content_type: str, types: Iterable[str] = READABLE) -> bool:
    """Whether a body of a type can be held against a schema."""
    return matching(content_type, tuple(types)) is not None


def _by_quality(asked: str) -> list[str]:
    types = [_tidy(one) for one in asked.split(",")]
    return [_QUALITY.sub("", one) for one in sorted(types, key=_quality, reverse=True)]


def _quality(media: str) -> float:
    found = _QUALITY.search(media)
    return float(found[1]) if found else 1.0


def _tidy(media: str) -> str:
    return "".join(media.split()).lower()


def _bare(media: str) -> str:
    return media.partition(";")[0]


def _family(media: str) -> tuple[str, str]:
    """Return the type and what a subtype ends with: `application/problem+json` is a kind of JSON."""
    kind, _, subtype = media.partition("/")
    return kind, subtype.rpartition("+")[2]


def _same(asked: str, offered: str) -> bool:
    return asked == offered


def _alike(asked: str, offered: str) -> bool:
    return _family(asked) == _family(offered)


def _covers(pattern: str, media: str) -> bool:
    kind, subtype = _family(pattern)
    return subtype == "*" and kind == _family(media)[0]


def _covered(asked: str, offered: str) -> bool:
    return _covers(offered, asked)


def _anything_offered(asked: str, offered: str) -> bool:
    return offered == "*/*"


def _anything_asked(asked: str, offered: str) -> bool:
    return asked == "*/*"
