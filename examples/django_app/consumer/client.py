"""What the sign at the door of a meeting room does with the API of the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests


class TakenError(Exception):
    """The room cannot be booked."""


@dataclass(frozen=True)
class Entry:
    """A line on the sign."""

    number: int
    title: str
    start: str
    end: str


class DoorSign:
    """The API of the house, as far as the sign of one room needs it."""

    def __init__(self, url: str, room_id: int, key: str) -> None:
        self._url = url.rstrip("/")
        self._room = f"/api/rooms/{room_id}"
        self._session = requests.Session()
        self._key = {"X-Api-Key": key}

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def name(self) -> str | None:
        """The name of the room; None if the house does not have it any more."""
        response = self._session.get(f"{self._url}{self._room}", timeout=10)
        if response.status_code == requests.codes.not_found:
            return None
        response.raise_for_status()
        return str(response.json()["name"])

    def agenda(self, day: str) -> list[Entry]:
        """What takes place in the room on a day."""
        bookings = self._ask("GET", f"{self._room}/bookings", params={"day": day})["bookings"]
        return [_entry(booking) for booking in bookings]

    def book_now(self, day: str, start: str) -> Entry:
        """Book half an hour for whoever stands at the door.

        Raises:
            TakenError: If the house says no; the reason is for the person at the door.
        """
        body = {"title": "Walk-in", "day": day, "start": start, "minutes": 30, "attendees": 1}
        return _entry(self._ask("POST", f"{self._room}/bookings", json=body, headers=self._key))

    def leave(self, booking: int) -> None:
        """Give the room back."""
        response = self._session.delete(f"{self._url}/api/bookings/{booking}", headers=self._key, timeout=10)
        response.raise_for_status()

    def _ask(self, method: str, path: str, **kwargs: Any) -> Any:
        response = self._session.request(method, f"{self._url}{path}", timeout=10, **kwargs)
        if response.status_code == requests.codes.conflict:
            raise TakenError(response.json()["detail"])
        response.raise_for_status()
        return response.json()


def _entry(booking: dict[str, Any]) -> Entry:
    return Entry(booking["id"], booking["title"], booking["start"], booking["end"])
