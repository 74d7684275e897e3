"""What all models share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from backend.app.clock import UTC


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: SQLite keeps no zone, so moments are stored in UTC and come back aware of it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns an aware moment into what is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns what is stored into an aware moment."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base of all models."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own spelling
        datetime: UtcDateTime,
        dict[str, str]: JSON,
        dict[str, Any]: JSON,
    }
