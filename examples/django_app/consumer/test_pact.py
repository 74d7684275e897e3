"""What the door sign expects of the house: running these tests writes `../pacts/`."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from client import DoorSign, Entry, TakenError
from pact import Pact, match

if TYPE_CHECKING:
    from collections.abc import Iterator

PACTS = Path(__file__).parent.parent / "pacts"
KEY = "house-key-of-the-example"
KEY_HEADER = match.regex(KEY, regex=r"^\S+$")
DAY = "2030-05-06"
ROOM = 2
TEN = 600
WALK_IN = {"title": "Walk-in", "day": DAY, "start": "10:00", "minutes": 30, "attendees": 1}


def clock(time: str) -> match.AbstractMatcher[str]:
    """A time of day, and this one as the example."""
    return match.regex(time, regex=r"^\d{2}:\d{2}$")


@pytest.fixture(scope="session", autouse=True)
def _start_anew() -> None:
    """Write whole pacts: what an earlier run expected is not merged into them."""
    for path in PACTS.glob("*.json"):
        path.unlink()


@pytest.fixture
def pact() -> Iterator[Pact]:
    """The agreement, to which each test adds one interaction."""
    pact = Pact("door-sign", "meeting-rooms").with_specification("V4")
    yield pact
    PACTS.mkdir(exist_ok=True)
    pact.write_file(PACTS)


@contextmanager
def door_sign(pact: Pact) -> Iterator[DoorSign]:
    """The sign, talking to what stands in for the house."""
    with pact.serve() as server:
        sign = DoorSign(str(server.url), ROOM, KEY)
        yield sign
        sign.close()


def test_the_name_of_the_room(pact: Pact) -> None:
    """The sign shows it."""
    (
        pact.upon_receiving("a question about the room")
        .given("a room is free", room_id=ROOM)
        .with_request("GET", f"/api/rooms/{ROOM}")
        .will_respond_with(200)
        .with_body({"id": ROOM, "name": match.str("Linden")})
    )
    with door_sign(pact) as sign:
        assert sign.name() == "Linden"


def test_a_room_that_is_not_there_any_more(pact: Pact) -> None:
    """The sign goes dark."""
    (
        pact.upon_receiving("a question about a room that is not there")
        .given("there are no rooms")
        .with_request("GET", f"/api/rooms/{ROOM}")
        .will_respond_with(404)
        .with_body({"detail": match.str("not found")})
    )
    with door_sign(pact) as sign:
        assert sign.name() is None


def test_the_agenda_of_a_day(pact: Pact) -> None:
    """The sign lists it."""
    (
        pact.upon_receiving("a question about a day")
        .given("a room is booked", room_id=ROOM, booking_id=7, day=DAY, start=TEN, minutes=60)
        .with_request("GET", f"/api/rooms/{ROOM}/bookings")
        .with_query_parameters({"day": DAY})
        .will_respond_with(200)
        .with_body(
            {
                "bookings": match.each_like(
                    {
                        "id": match.int(7),
                        "title": match.str("Review"),
                        "day": DAY,
                        "start": clock("10:00"),
                        "end": clock("11:00"),
                    },
                    min=1,
                )
            }
        )
    )
    with door_sign(pact) as sign:
        assert sign.agenda(DAY) == [Entry(7, "Review", "10:00", "11:00")]


def test_booking_a_free_room(pact: Pact) -> None:
    """Half an hour, from now on."""
    (
        pact.upon_receiving("somebody at the door of a free room")
        .given("a room is free", room_id=ROOM)
        .with_request("POST", f"/api/rooms/{ROOM}/bookings")
        .with_header("X-Api-Key", KEY_HEADER)
        .with_body(WALK_IN)
        .will_respond_with(201)
        .with_header("Location", match.regex("/api/bookings/1", regex=r"^/api/bookings/\d+$"))
        .with_body({"id": match.int(1), "title": "Walk-in", "start": "10:00", "end": "10:30"})
    )
    with door_sign(pact) as sign:
        assert sign.book_now(DAY, "10:00") == Entry(1, "Walk-in", "10:00", "10:30")


def test_booking_a_room_that_is_taken(pact: Pact) -> None:
    """The sign shows the reason."""
    (
        pact.upon_receiving("somebody at the door of a room that is taken")
        .given("a room is booked", room_id=ROOM, booking_id=7, day=DAY, start=TEN, minutes=60)
        .with_request("POST", f"/api/rooms/{ROOM}/bookings")
        .with_header("X-Api-Key", KEY_HEADER)
        .with_body(WALK_IN)
        .will_respond_with(409)
        .with_body({"detail": match.regex("the room is taken", regex=r"^the room is taken\b.*$")})
    )
    with door_sign(pact) as sign, pytest.raises(TakenError, match="the room is taken"):
        sign.book_now(DAY, "10:00")


def test_leaving_early(pact: Pact) -> None:
    """The booking is cancelled."""
    (
        pact.upon_receiving("somebody who leaves early")
        .given("a room is booked", room_id=ROOM, booking_id=7, day=DAY, start=TEN, minutes=60)
        .with_request("DELETE", "/api/bookings/7")
        .with_header("X-Api-Key", KEY_HEADER)
        .will_respond_with(204)
    )
    with door_sign(pact) as sign:
        sign.leave(7)
