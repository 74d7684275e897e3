from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from bookings.models import Booking, Room
from django.core.management import call_command
from django.urls import resolve

from tests.quality_hooks import SAMPLE_ROOMS, prepare, provider_states, reset

DOCUMENT = Path(__file__).parent.parent / "openapi.yaml"


def test_the_document_has_the_methods_of_the_views():
    for path, item in yaml.safe_load(DOCUMENT.read_text("utf-8"))["paths"].items():
        view = resolve(path.replace("{room_id}", "1").replace("{booking_id}", "1")).func.view_class
        implemented = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert set(item) - {"parameters"} == implemented, path


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_the_hooks_seed_the_database_and_go_back_to_it(reception):
    prepare()
    seeded = list(Room.objects.values()), list(Booking.objects.values())
    assert [(room["name"], room["seats"]) for room in seeded[0]] == SAMPLE_ROOMS
    assert len(seeded[1]) == 1
    assert reception.delete("/api/bookings/1").status_code == 204
    Room.objects.create(name="Attic", seats=2)
    reset()
    assert (list(Room.objects.values()), list(Booking.objects.values())) == seeded
    assert Room.objects.create(name="Attic", seats=2).id == len(SAMPLE_ROOMS) + 1


@pytest.mark.django_db
def test_the_states_of_the_pacts(visitor):
    provider_states["a room is booked"](room_id=3, booking_id=9, day="2030-05-06", start=600, minutes=60)
    booking = visitor.get("/api/bookings/9").json()
    assert (booking["room"], booking["start"], booking["end"]) == (3, "10:00", "11:00")
    provider_states["a room is free"](room_id=2, seats=6)
    assert visitor.get("/api/rooms").json() == {"rooms": [{"id": 2, "name": "Linden", "seats": 6}]}
    assert visitor.get("/api/rooms/2/bookings").json() == {"bookings": []}
    provider_states["there are no rooms"]()
    assert visitor.get("/api/rooms").json() == {"rooms": []}
