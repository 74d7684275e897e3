"""Namespaces."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from backend.app.models.base import Base


class Namespace(Base):
    """A place for records, with room for `quota` of them."""

    __tablename__ = "namespaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    quota: Mapped[int]
    created_at: Mapped[datetime]
