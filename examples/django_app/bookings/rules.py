"""When rooms can be booked, and what they cost: plain functions of plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OPENS = 8 * 60
CLOSES = 20 * 60
LARGE_ROOM_SEATS = 12
CENTS_PER_QUARTER = 500
LARGE_ROOM_CENTS_PER_QUARTER = 900
HALF_DAY_MINUTES = 240
HALF_DAY_DISCOUNT_PERCENT = 20


class ConflictError(Exception):
    """The booking makes sense, and cannot be had."""


@dataclass(frozen=True)
class Slot:
    """A part of a day, in minutes after midnight."""

    start: int
    minutes: int

    @property
    def end(self) -> int:
        """The first minute that is free again."""
        return self.start + self.minutes


def parse_clock(text: str) -> int:
    """The minutes after midnight when a clock shows `HH:MM`."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def format_clock(minutes: int) -> str:
    """What a clock shows so many minutes after midnight."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def overlap(one: Slot, other: Slot) -> bool:
    """Whether there is a minute that both slots have; one may start when the other ends."""
    return one.start < other.end and other.start < one.end


def check_booking(slot: Slot, attendees: int, seats: int, taken: Iterable[Slot]) -> None:
    """Check that a room with so many seats can be booked.

    Raises:
        ConflictError: If the house is closed, the room too small, or the room taken.
    """
    if slot.start < OPENS or slot.end > CLOSES:
        raise ConflictError(f"the house is open from {format_clock(OPENS)} to {format_clock(CLOSES)}")
    if attendees > seats:
        raise ConflictError(f"the room has {seats} seats")
    for other in taken:
        if overlap(slot, other):
            raise ConflictError(f"the room is taken from {format_clock(other.start)} to {format_clock(other.end)}")


def price_cents(seats: int, minutes: int) -> int:
    """What a room costs: by the started quarter of an hour, and less for half a day or more."""
    quarter = LARGE_ROOM_CENTS_PER_QUARTER if seats >= LARGE_ROOM_SEATS else CENTS_PER_QUARTER
    price = -(-minutes // 15) * quarter
    if minutes >= HALF_DAY_MINUTES:
        price -= price * HALF_DAY_DISCOUNT_PERCENT // 100
    return price
