"""What a tool that drives the application from outside needs: sample records, and the states of the pacts.

Django has to be set up: importing `project.wsgi` does that.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from bookings.models import Booking, Room
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE_ROOMS = [("Linden", 4), ("Oak", 8), ("Hall", 60)]
SAMPLE_DAY = date(2030, 5, 6)


def prepare(app: object = None) -> None:
    """Create the tables, and put the sample records into them."""
    call_command("migrate", interactive=False, verbosity=0)
    reset(app)


def reset(app: object = None) -> None:
    """Go back to the sample records: three rooms, and one booking."""
    with transaction.atomic():
        _clear()
        rooms = [Room.objects.create(name=name, seats=seats) for name, seats in SAMPLE_ROOMS]
        rooms[0].bookings.create(title="Stand-up", day=SAMPLE_DAY, start=9 * 60, minutes=15, attendees=4)
    _hang_up()


def a_room(*, room_id: int, seats: int = 8) -> None:
    """There is one room, and it is free."""
    with transaction.atomic():
        _clear()
        Room.objects.create(id=room_id, name="Linden", seats=seats)
    _hang_up()


def a_booking(*, room_id: int, booking_id: int, day: str, start: int, minutes: int) -> None:
    """There is one room, and one booking of it, from so many minutes after midnight."""
    with transaction.atomic():
        _clear()
        room = Room.objects.create(id=room_id, name="Linden", seats=8)
        room.bookings.create(
            id=booking_id,
            title="Review",
            day=date.fromisoformat(day),
            start=start,
            minutes=minutes,
            attendees=5,
        )
    _hang_up()


def no_rooms() -> None:
    """There is nothing to book."""
    with transaction.atomic():
        _clear()
    _hang_up()


def _clear() -> None:
    """Empty the tables, and count from one again."""
    tables = [Booking._meta.db_table, Room._meta.db_table]
    for statement in connection.ops.sql_flush(no_style(), tables, reset_sequences=True):
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _hang_up() -> None:
    """Close this thread's connection, which no request will close; not inside somebody's transaction."""
    if not connection.in_atomic_block:
        connection.close()


provider_states: dict[str, Callable[..., Any]] = {
    "a room is free": a_room,
    "a room is booked": a_booking,
    "there are no rooms": no_rooms,
}
