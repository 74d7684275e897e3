"""Where the service gets the time from, so that tests can give it another one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

UTC = timezone.utc  # Python 3.10 has no datetime.UTC

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Returns the time of the system, aware of its zone."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Writes a moment as the API does: RFC 3339, in UTC, always with microseconds."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
