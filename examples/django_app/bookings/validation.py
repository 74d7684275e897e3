"""Reading requests strictly: what the OpenAPI document does not allow is an error, never a guess."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

from bookings.rules import Slot, parse_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SEATS = 1_000
MAX_MINUTES = 720
MAX_TITLE = 80

# Neither control characters nor halves of surrogate pairs, and no space at the start.
TITLE = re.compile("[^\x00-\x20\x7f\ud800-\udfff][^\x00-\x1f\x7f\ud800-\udfff]*")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
CLOCK = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")
DIGITS = re.compile("[0-9]{1,9}")


class InvalidError(Exception):
    """The request is not what it has to be."""


@dataclass(frozen=True)
class NewBooking:
    """A booking that somebody asks for."""

    title: str
    day: date
    slot: Slot
    attendees: int


def read_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidError: If it is not one, or not JSON in UTF-8, or has a number that is none.
    """
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise InvalidError("the body has to be JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise InvalidError("the body has to be an object")
    return value


def read_booking(values: Mapping[str, Any]) -> NewBooking:
    """Check the values of a booking.

    Raises:
        InvalidError: If one is missing, unknown, or not what it has to be.
    """
    names = ["title", "day", "start", "minutes", "attendees"]
    if missing := [name for name in names if name not in values]:
        raise InvalidError(f"missing: {', '.join(missing)}")
    if len(values) > len(names):
        raise InvalidError(f"there is more than {', '.join(names)}")
    title = _text(values, "title", TITLE)
    if len(title) > MAX_TITLE:
        raise InvalidError(f"title may have {MAX_TITLE} characters at most")
    return NewBooking(
        title=title,
        day=read_day(_text(values, "day", DAY)),
        slot=Slot(parse_clock(_text(values, "start", CLOCK)), _number(values, "minutes", MAX_MINUTES)),
        attendees=_number(values, "attendees", MAX_SEATS),
    )


def read_day(text: str) -> date:
    """Read a date as `YYYY-MM-DD`.

    Raises:
        InvalidError: If it is not one.
    """
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidError("day has to be a date, YYYY-MM-DD")


def read_seats(text: str) -> int:
    """Read a number of seats out of a query.

    Raises:
        InvalidError: If it is not one.
    """
    if DIGITS.fullmatch(text) and 1 <= int(text) <= MAX_SEATS:
        return int(text)
    raise InvalidError(f"seats has to be a whole number from 1 to {MAX_SEATS}")


def _text(values: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = values[name]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidError(f"{name} is not valid")
    return value


def _number(values: Mapping[str, Any], name: str, maximum: int) -> int:
    value = values[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON does not tell 2.0 from 2
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        raise InvalidError(f"{name} has to be a whole number from 1 to {maximum}")
    return value


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(name)
