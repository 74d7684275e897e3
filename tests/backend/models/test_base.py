from __future__ import annotations

from datetime import timedelta, timezone

from sqlalchemy import text

from backend.app.clock import UTC
from backend.app.database_core import Database
from backend.app.models import Namespace
from tests.backend.support import NOON


def test_a_moment_comes_back_in_utc_whatever_zone_it_came_in(database: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    with database.writing() as session:
        session.add(Namespace(name="payments", description=None, quota=1, created_at=elsewhere))

    with database.reading() as session:
        [namespace] = session.query(Namespace)
        stored = session.scalar(text("SELECT created_at FROM namespaces"))

    assert namespace.created_at == NOON
    assert namespace.created_at.tzinfo is UTC
    assert str(stored).startswith("2026-03-01 12:00:00")
