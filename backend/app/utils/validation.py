"""Strict readers for values that came with a request.

A reader takes a value and returns it with its type, or raises `RefusedValue`. The readers see types as JSON Schema
does: `true` is no integer, `1.0` is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeVar

T = TypeVar("T")
D = TypeVar("D")

Reader = Callable[[object], T]

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SHOWN_CHARACTERS = 80


class RefusedValue(ValueError):  # noqa: N818 - it is not an error of the service
    """A value breaks its schema.

    Attributes:
        detail: What the value must be; never the value itself.
        pointer: Where inside of the value the fault is, as a JSON pointer.
    """

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    def inside(self, name: str | int) -> RefusedValue:
        """Returns the same refusal as seen from the object or array that holds the value."""
        return RefusedValue(self.detail, f"/{_pointer_token(name)}{self.pointer}")


class Members:
    """Reads the members of a JSON object; those that nobody asked for are refused at once."""

    def __init__(self, value: object, known: Collection[str]) -> None:
        self._values = json_object(value)
        for name in self._values:
            if name not in known:
                raise RefusedValue("is not known").inside(name)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def required(self, name: str, read: Reader[T]) -> T:
        """Reads a member that must be there."""
        if name not in self._values:
            raise RefusedValue("is required").inside(name)
        return read_at(name, self._values[name], read)

    def optional(self, name: str, read: Reader[T], default: D) -> T | D:
        """Reads a member that may be missing."""
        return self.required(name, read) if name in self._values else default


def read_at(name: str | int, value: object, read: Reader[T]) -> T:
    """Reads a part of a value, so that a refusal says which part."""
    try:
        return read(value)
    except RefusedValue as refusal:
        raise refusal.inside(name) from None


def json_object(value: object) -> dict[str, object]:
    """Reads a JSON object."""
    if not isinstance(value, dict):
        raise RefusedValue("must be an object")
    return value


def json_array(value: object, minimum: int, maximum: int) -> list[object]:
    """Reads a JSON array with a limited number of items."""
    if not isinstance(value, list) or not minimum <= len(value) <= maximum:
        raise RefusedValue(f"must be an array of {minimum} to {maximum} items")
    return value


def integer(value: object, minimum: int, maximum: int) -> int:
    """Reads an integer; a number like 1.0 is one."""
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int) or not minimum <= number <= maximum:
        raise RefusedValue(f"must be an integer from {minimum} to {maximum}")
    return number


def decimal(value: object, minimum: int, maximum: int) -> int:
    """Reads an integer from the text of a parameter."""
    if not isinstance(value, str) or not re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
        raise RefusedValue(f"must be an integer from {minimum} to {maximum}")
    return integer(int(value), minimum, maximum)


def matching(value: object, pattern: re.Pattern[str], meaning: str) -> str:
    """Reads a string that matches a pattern as a whole."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RefusedValue(f"must be {meaning}")
    return value


def one_line(value: object, minimum: int, maximum: int) -> str:
    """Reads a line of text: Unicode characters (no lone surrogates) other than control characters."""
    if not isinstance(value, str) or not minimum <= len(value) <= maximum:
        raise RefusedValue(f"must be a string of {minimum} to {maximum} characters")
    if _CONTROL_CHARACTERS.search(value) or _SURROGATES.search(value):
        raise RefusedValue("must be one line of text without control characters")
    return value


def nullable(read: Reader[T]) -> Reader[T | None]:
    """Makes a reader that takes null as well."""
    return lambda value: None if value is None else read(value)


def shown(name: str) -> str:
    """Makes a name from a request safe to show: ASCII, and not long."""
    return name.encode("ascii", "backslashreplace").decode()[:_SHOWN_CHARACTERS]


def _pointer_token(name: str | int) -> str:
    return shown(str(name).replace("~", "~0").replace("/", "~1"))
