"""Registered UUIDs and their history."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.app.models.base import Base
from backend.app.models.namespace import Namespace

State = Literal["active", "suspended", "retired"]
EventType = Literal["registered", "updated", "activated", "suspended", "retired"]


class Record(Base):
    """A registered UUID.

    A deleted record keeps its row: its UUID stays taken, and readers learn that it is gone.
    """

    __tablename__ = "records"
    __table_args__ = (Index("records_by_namespace", "namespace_id", "deleted_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespaces.id"))
    owner: Mapped[str]
    label: Mapped[str | None]
    # `metadata` is taken by SQLAlchemy.
    entries: Mapped[dict[str, str]] = mapped_column("metadata")
    state: Mapped[State] = mapped_column(String(16))
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    namespace: Mapped[Namespace] = relationship(lazy="joined", innerjoin=True)


class Event(Base):
    """Something that happened to a record; its sequence number is the revision that it made."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("record_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"))
    sequence: Mapped[int]
    type: Mapped[EventType] = mapped_column(String(16))
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str | None]
