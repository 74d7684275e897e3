"""Texts that a regular expression lets through, as few and as plain as show what it is about.

They are ordinary ones on purpose: a `.` is a letter or a digit here, and no slash or line break, and `.*` is at least
one of them. So what is refused of them is something that the expression is meant to let through, and no oversight.
"""

from __future__ import annotations

import functools
import importlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

# The standard library's own reading of expressions; it has had this form since long before Python 3.11.
_parser: Any = importlib.import_module("re._parser")

T = TypeVar("T")

_ROUNDS: Final = 8
_MORE: Final = 2  # repetitions beyond the least
_MOST: Final = 64  # repetitions that are written out
_LONGEST: Final = 2_000  # characters of an expression that is read, and of a text
_PLAIN: Final = "1a-A_ .:/"  # by which a set of characters is represented, the first of them that are in it
_EDGES: Final = ("AT_BEGINNING", "AT_BEGINNING_STRING", "AT_END", "AT_END_STRING")  # what is written fits them, or not
_KINDS: Final = {
    "CATEGORY_DIGIT": "1",
    "CATEGORY_WORD": "a1",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_SPACE": "a1",
    "CATEGORY_NOT_WORD": "-",
}


class _UnknownError(Exception):
    """The expression has something of which no example is made."""


@functools.lru_cache(maxsize=1024)
def examples(expression: str) -> tuple[str, ...]:
    """Return texts that an expression matches as a whole; none, if it can't be read, looks around or is too long."""
    if len(expression) > _LONGEST:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what will mean something else one day
            whole = re.compile(expression, re.ASCII)
            parsed = _parser.parse(expression, re.ASCII)
        made = dict.fromkeys(_Writer(number).text(parsed) for number in range(_ROUNDS))
    except (re.error, RecursionError, OverflowError, _UnknownError):
        return ()
    return tuple(one for one in made if whole.fullmatch(one))


def common(expressions: Sequence[str]) -> tuple[str, ...]:
    """Return texts that several expressions all match as a whole; none, if one of them can't be read."""
    found = [set(examples(one)) for one in expressions]
    return tuple(one for one in examples(expressions[0]) if all(one in other for other in found)) if found else ()


class _Writer:
    """Writes one text; each round takes other ways where there are several.

    Args:
        number: Of the round.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._choices = 0
        self._groups: dict[int, str] = {}
        self._writers: dict[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda value: self._one_of(_without([("LITERAL", value)])),
            "ANY": lambda _: self._one_of("a1"),
            "IN": lambda value: self._one_of(_among(value)),
            "BRANCH": lambda value: self.text(self._one_of(value[1])),
            "SUBPATTERN": self._group,
            "ATOMIC_GROUP": self.text,
            "GROUPREF": lambda value: self._groups.get(value, ""),
            "MAX_REPEAT": self._repeated,
            "MIN_REPEAT": self._repeated,
            "POSSESSIVE_REPEAT": self._repeated,
            "AT": lambda value: "" if str(value) in _EDGES else _unknown(value),
        }

    def text(self, parsed: Iterable[tuple[Any, Any]]) -> str:
        """Return a text that is as an expression asks, but for what is around it.

        Raises:
            _UnknownError: the expression has something of which no example is made.
        """
        return _bounded("".join(self._writers.get(str(kind), _unknown)(value) for kind, value in parsed))

    def _one_of(self, ways: Sequence[T]) -> T:
        self._choices += 1
        return ways[(self._number >> (self._choices % 3)) % len(ways)]

    def _group(self, value: Any) -> str:
        made = self.text(value[3])
        self._groups[value[0]] = made
        return made

    def _repeated(self, value: Any) -> str:
        least, most, inner = int(value[0]), int(value[1]), value[2]
        if most > _MOST:  # `*` is written where `+` is meant
            least = max(least, 1)
        count = self._one_of(range(least, min(most, least + _MORE) + 1))
        return self.text(inner) * count if count <= _MOST else _unknown(value)  # at most that much too long


def _bounded(written: str) -> str:
    """Return a text that is not too long: groups in each other would make it longer than there is room for."""
    return written if len(written) <= _LONGEST else _unknown(written)


def _unknown(value: Any) -> str:
    raise _UnknownError


def _among(value: Sequence[tuple[Any, Any]]) -> str:
    """Return a few of the characters in a set."""
    kinds = [(str(kind), inner) for kind, inner in value]
    if kinds[0][0] == "NEGATE":
        return _without(kinds[1:])
    return "".join(dict.fromkeys(one for kind, inner in kinds for one in _few(kind, inner)))


def _without(kinds: Sequence[tuple[str, Any]]) -> str:
    """Return a few of the characters that are not in a set."""
    found = [one for one in _PLAIN if not any(_has(kind, inner, one) for kind, inner in kinds)]
    return "".join(found[:2]) or _unknown(kinds)


def _few(kind: str, value: Any) -> Iterator[str]:
    """Yield a few of the characters that a part of a set stands for."""
    if kind == "LITERAL":
        yield chr(value)
    elif kind == "RANGE":
        low, high = value
        plain = [one for one in _PLAIN if low <= ord(one) <= high]
        yield from plain or (chr(low),)
    else:
        yield from _KINDS[str(value)]


def _has(kind: str, value: Any, character: str) -> bool:
    if kind == "LITERAL":
        return chr(value) == character
    if kind == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    return _matches_kind(str(value), character)


def _matches_kind(kind: str, character: str) -> bool:
    letters = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}
    name = kind.removeprefix("CATEGORY_")
    found = re.fullmatch(letters[name.removeprefix("NOT_")], character, re.ASCII) is not None
    return found is not name.startswith("NOT_")
