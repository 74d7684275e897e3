"""What the tests share: a clock that stands still, names for UUIDs and keys, and a check of problem documents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from werkzeug.test import TestResponse

from backend.app.clock import UTC
from backend.app.settings import ApiKey

NOON: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOON_TEXT: Final = "2026-03-01T12:00:00.000000Z"

READER: Final = ApiKey("reader", frozenset({"read"}), "reader-secret")
WRITER: Final = ApiKey("writer", frozenset({"write"}), "writer-secret")
EDITOR: Final = ApiKey("editor", frozenset({"read", "write"}), "editor-secret")

MERGE_PATCH: Final = "application/merge-patch+json"


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Moves the clock, backward with negative numbers; returns what it says then."""
        self.now += timedelta(**duration)
        return self.now


def uuid_number(number: int) -> str:
    """Returns a UUID that can be registered, another one for each number."""
    return f"0190a5f0-7c1e-7b3a-9d52-{number:012x}"


def problem_in(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Returns the problem document of a response, after a look at what all of them have."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:uuid-service:problem:{code}"
    assert document["title"]
    assert document["detail"]
    assert document["correlation_id"] == response.headers["X-Request-ID"]
    return document


def only_error_in(response: TestResponse, status: int, code: str) -> dict[str, str]:
    """Returns the one part of the request that a problem document says is wrong."""
    [error] = problem_in(response, status, code)["errors"]
    assert error["detail"]
    wrong: dict[str, str] = error
    return wrong
