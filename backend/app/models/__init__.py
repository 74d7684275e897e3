"""The tables."""

from backend.app.models.base import Base
from backend.app.models.idempotency import StoredAnswer
from backend.app.models.namespace import Namespace
from backend.app.models.record import Event, EventType, Record, State

__all__ = ["Base", "Event", "EventType", "Namespace", "Record", "State", "StoredAnswer"]
