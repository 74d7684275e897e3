"""Clients of the API, and a house with two rooms."""

from __future__ import annotations

import pytest
from bookings.models import Room
from django.test import Client

KEY = "a key for the tests"


@pytest.fixture(autouse=True)
def _key(settings) -> None:
    settings.ROOMS_API_KEY = KEY


@pytest.fixture
def visitor() -> Client:
    """Anybody: no key."""
    return Client()


@pytest.fixture
def reception() -> Client:
    """Somebody with the key."""
    return Client(headers={"X-Api-Key": KEY})


@pytest.fixture
def linden(db) -> Room:
    return Room.objects.create(name="Linden", seats=4)


@pytest.fixture
def hall(db) -> Room:
    return Room.objects.create(name="Hall", seats=60)
