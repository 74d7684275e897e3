"""The application on a day of our choosing, with its store open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from loans.app import create_app

TOKEN = "a token for the tests"


@dataclass
class Calendar:
    today: date = date(2025, 3, 3)

    def forward(self, days: int) -> None:
        self.today += timedelta(days=days)


class Desk:
    """What a librarian does, as requests."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self._isbn = 9780000000000

    def add_book(self, **values: Any) -> dict[str, Any]:
        self._isbn += 1
        book = {"isbn": str(self._isbn), "title": "Emma", "author": "Jane Austen", **values}
        response = self.client.post("/books", json=book)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def lend(self, book_id: int, member: str = "M00001") -> dict[str, Any]:
        response = self.client.post("/loans", json={"book_id": book_id, "member": member})
        assert response.status_code == 201, response.text
        return dict(response.json())


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def app(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("LOANS_TOKEN", TOKEN)
    monkeypatch.delenv("LOANS_DATABASE", raising=False)
    return create_app(today=lambda: calendar.today)


@pytest.fixture
def reader(app: FastAPI) -> Iterator[TestClient]:
    """Anybody: no token."""
    with TestClient(app) as client:
        yield client


@pytest.fixture
def librarian(app: FastAPI, reader: TestClient) -> TestClient:
    """Somebody with the token; the reader's client keeps the store open."""
    assert reader.app is app
    return TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def desk(librarian: TestClient) -> Desk:
    return Desk(librarian)
