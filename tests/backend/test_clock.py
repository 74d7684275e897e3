from __future__ import annotations

from datetime import datetime, timedelta, timezone

from backend.app.clock import UTC, timestamp, utc_now
from tests.backend.support import NOON


def test_the_system_clock_knows_its_zone_and_follows_time() -> None:
    before = datetime.now(UTC)
    now = utc_now()

    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(UTC)


def test_a_timestamp_always_has_microseconds() -> None:
    assert timestamp(NOON) == "2026-03-01T12:00:00.000000Z"
    assert timestamp(NOON.replace(microsecond=42)) == "2026-03-01T12:00:00.000042Z"


def test_a_timestamp_is_in_utc() -> None:
    elsewhere = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(elsewhere) == "2026-02-28T23:30:00.000000Z"
