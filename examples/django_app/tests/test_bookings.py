from __future__ import annotations

import json

import pytest
from bookings.models import Booking

pytestmark = pytest.mark.django_db

MEETING = {"title": "Planning", "day": "2030-05-06", "start": "10:00", "minutes": 90, "attendees": 3}


def book(client, room, **change):
    body = json.dumps({**MEETING, **change})
    return client.post(f"/api/rooms/{room.id}/bookings", body, content_type="application/json")


def test_a_room_is_booked(reception, visitor, linden):
    response = book(reception, linden)
    assert response.status_code == 201
    booking = response.json()
    assert response.headers["Location"] == f"/api/bookings/{booking['id']}"
    assert booking == {
        "id": booking["id"],
        "room": linden.id,
        "title": "Planning",
        "day": "2030-05-06",
        "start": "10:00",
        "end": "11:30",
        "attendees": 3,
        "price_cents": 3_000,
    }
    assert visitor.get(response.headers["Location"]).json() == booking


def test_a_booking_takes_the_room_for_its_time_and_day(reception, linden, hall):
    assert book(reception, linden).status_code == 201
    taken = book(reception, linden, start="11:00", minutes=15)
    assert taken.status_code == 409
    assert taken.json() == {"detail": "the room is taken from 10:00 to 11:30"}
    assert book(reception, linden, start="11:30").status_code == 201
    assert book(reception, linden, day="2030-05-07").status_code == 201
    assert book(reception, hall).status_code == 201


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"attendees": 5}, "the room has 4 seats"),
        ({"start": "07:59"}, "the house is open from 08:00 to 20:00"),
        ({"start": "19:00", "minutes": 61}, "the house is open from 08:00 to 20:00"),
    ],
)
def test_the_rules_of_the_house(reception, linden, change, detail):
    response = book(reception, linden, **change)
    assert response.status_code == 409
    assert response.json() == {"detail": detail}
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"title": ""}, "title is not valid"),
        ({"title": None}, "title is not valid"),
        ({"title": " Planning"}, "title is not valid"),
        ({"title": "Plan\x00ning"}, "title is not valid"),
        ({"title": "\ud800"}, "title is not valid"),
        ({"title": "P" * 81}, "title may have 80 characters at most"),
        ({"day": "2030-02-30"}, "day has to be a date, YYYY-MM-DD"),
        ({"day": "20300506"}, "day is not valid"),
        ({"day": 20300506}, "day is not valid"),
        ({"start": "24:00"}, "start is not valid"),
        ({"start": "9:00"}, "start is not valid"),
        ({"start": "09:00\n"}, "start is not valid"),
        ({"minutes": 0}, "minutes has to be a whole number from 1 to 720"),
        ({"minutes": 721}, "minutes has to be a whole number from 1 to 720"),
        ({"minutes": 1.5}, "minutes has to be a whole number from 1 to 720"),
        ({"minutes": "60"}, "minutes has to be a whole number from 1 to 720"),
        ({"attendees": True}, "attendees has to be a whole number from 1 to 1000"),
        ({"attendees": 10**400}, "attendees has to be a whole number from 1 to 1000"),
        ({"attendees": 1001}, "attendees has to be a whole number from 1 to 1000"),
        ({"coffee": True}, "there is more than title, day, start, minutes, attendees"),
    ],
)
def test_a_booking_that_is_not_one(reception, hall, change, detail):
    response = book(reception, hall, **change)
    assert response.status_code == 400
    assert response.json() == {"detail": detail}
    assert not Booking.objects.exists()


def test_a_booking_with_half_of_it_missing(reception, linden):
    body = {"title": "Planning", "start": "10:00", "attendees": 3}
    response = reception.post(f"/api/rooms/{linden.id}/bookings", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json() == {"detail": "missing: day, minutes"}


@pytest.mark.parametrize("change", [{"title": "É" * 80}, {"minutes": 1}, {"minutes": 60.0}, {"attendees": 1}])
def test_a_booking_at_the_limits(reception, hall, change):
    assert book(reception, hall, **change).status_code == 201


def test_the_longest_day_of_the_largest_room(reception, hall):
    hall.seats = 1000
    hall.save()
    assert book(reception, hall, start="08:00", minutes=720, attendees=1000).status_code == 201


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"{", "the body has to be JSON in UTF-8"),
        (b'"\xff"', "the body has to be JSON in UTF-8"),
        (b"NaN", "the body has to be JSON in UTF-8"),
        (b"1" * 5000, "the body has to be JSON in UTF-8"),
        (b"[" * 100_000, "the body has to be JSON in UTF-8"),
        (b"[]", "the body has to be an object"),
    ],
)
def test_a_body_that_is_not_an_object(reception, linden, content, detail):
    response = reception.post(f"/api/rooms/{linden.id}/bookings", content, content_type="application/json")
    assert response.status_code == 400
    assert response.json() == {"detail": detail}


def test_a_body_of_another_kind(reception, linden):
    response = reception.post(f"/api/rooms/{linden.id}/bookings", json.dumps(MEETING), content_type="text/plain")
    assert response.status_code == 415
    assert response.json() == {"detail": "the body has to be application/json"}


def test_the_bookings_of_a_room(reception, visitor, linden, hall):
    later = book(reception, linden, start="15:00").json()
    next_day = book(reception, linden, day="2030-05-07").json()
    first = book(reception, linden).json()
    book(reception, hall)
    path = f"/api/rooms/{linden.id}/bookings"
    assert visitor.get(path).json() == {"bookings": [first, later, next_day]}
    assert visitor.get(path, {"day": "2030-05-07"}).json() == {"bookings": [next_day]}
    assert visitor.get(path, {"day": "2030-05-08"}).json() == {"bookings": []}


@pytest.mark.parametrize("day", ["", "today", "2030-5-6", "2030-02-30", "0000-01-01", "2030-W10-1", "2030-05-06\x00"])
def test_a_day_that_is_not_one(visitor, linden, day):
    response = visitor.get(f"/api/rooms/{linden.id}/bookings", {"day": day})
    assert response.status_code == 400
    assert response.json() == {"detail": "day has to be a date, YYYY-MM-DD"}


def test_a_cancelled_booking_is_gone(reception, visitor, linden):
    path = book(reception, linden).headers["Location"]
    response = reception.delete(path)
    assert response.status_code == 204
    assert response.content == b""
    assert visitor.get(path).status_code == 404
    assert reception.delete(path).status_code == 404
    again = book(reception, linden)
    assert again.status_code == 201
    assert again.headers["Location"] != path


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": ""}, {"X-Api-Key": "a key for the test"}, {"X-Api-Key": "ké"}])
def test_writing_takes_the_key(reception, visitor, linden, headers):
    path = book(reception, linden).headers["Location"]
    for response in (
        visitor.post(f"/api/rooms/{linden.id}/bookings", MEETING, content_type="application/json", headers=headers),
        visitor.delete(path, headers=headers),
    ):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'ApiKey realm="rooms"'
        assert response.json() == {"detail": "a valid key is needed"}
    assert Booking.objects.count() == 1


def test_nobody_can_write_if_there_is_no_key(settings, visitor, linden):
    settings.ROOMS_API_KEY = ""
    body = json.dumps(MEETING)
    path = f"/api/rooms/{linden.id}/bookings"
    response = visitor.post(path, body, content_type="application/json", headers={"X-Api-Key": ""})
    assert response.status_code == 401
