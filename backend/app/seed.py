"""Demo data: a few namespaces and records with fixed names, which the OpenAPI document uses as examples."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import Flask
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from backend.app.clock import UTC
from backend.app.database_core import Database
from backend.app.models import Base, Namespace
from backend.app.services import namespaces, records
from backend.app.services.commands import NamespaceDraft, RecordDraft, Transition
from backend.app.utils.state import service_of

ACTOR = "seed"
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

ACTIVE = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e01"
TO_UPDATE = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e02"
SUSPENDED = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e03"
TO_DELETE = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e04"
RETIRED = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e05"
DELETED = "0190a5f0-7c1e-7b3a-9d52-6f1c2a4b8e06"
ARCHIVED = ("2ed6657d-e927-568b-95e1-2665a8aea6a2", "c232ab00-9414-11ec-b3c8-9f6bdeced846")

_NAMESPACES = (
    NamespaceDraft("payments", "Payment orders and refunds", quota=100),
    NamespaceDraft("inventory", "Stock items", quota=50),
    NamespaceDraft("archive", "Full on purpose", quota=2),
)
_RECORDS = (
    ("payments", RecordDraft(ACTIVE, "team-ledger", "Order 4711", {"region": "eu-west"})),
    ("payments", RecordDraft(TO_UPDATE, "team-ledger", "Order 4712", {"region": "eu-north"})),
    ("payments", RecordDraft(SUSPENDED, "team-disputes", "Order 4713")),
    ("inventory", RecordDraft(TO_DELETE, "team-stock", "Shelf to be cleared")),
    ("inventory", RecordDraft(RETIRED, "team-stock", "Shelf of last year")),
    ("inventory", RecordDraft(DELETED, "team-stock")),
    *(("archive", RecordDraft(uuid, "team-archive")) for uuid in ARCHIVED),
)


def seed(app: Flask) -> None:
    """Fills an empty database with the demo data."""
    with service_of(app).database.writing() as session:
        _insert(session)


def seed_when_empty(app: Flask) -> None:
    """Fills the database with the demo data, unless there is a namespace already."""
    with service_of(app).database.writing() as session:
        if session.scalar(select(Namespace.id).limit(1)) is None:
            _insert(session)


def reset(app: Flask) -> None:
    """Brings the database back to the demo data and nothing else."""
    with service_of(app).database.writing() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
        _insert(session)


def _insert(session: Session) -> None:
    for table, rows in _rows().items():
        session.execute(insert(table), rows)


@cache
def _rows() -> dict[Table, list[dict[str, Any]]]:
    """Lets the services make the demo data once; copying its rows is much faster than making them again."""
    scratch = Database("sqlite://")
    scratch.create_tables()
    with scratch.writing() as session:
        _fill(session)
        made = {
            table: [dict(row) for row in session.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
        }
    scratch.dispose()
    return {table: rows for table, rows in made.items() if rows}


def _fill(session: Session) -> None:
    clock = _SteppingClock()
    for namespace in _NAMESPACES:
        namespaces.create(session, clock, namespace)
    for name, record in _RECORDS:
        records.register(session, clock, name, record, ACTOR)
    records.transition(session, clock, SUSPENDED, Transition("suspended", "Dispute opened"), ACTOR)
    records.transition(session, clock, RETIRED, Transition("retired"), ACTOR)
    records.delete(session, clock, DELETED)


class _SteppingClock:
    """Says one minute more each time, so that seeded times differ and are the same each time."""

    def __init__(self) -> None:
        self._now = START - timedelta(minutes=1)

    def __call__(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now
