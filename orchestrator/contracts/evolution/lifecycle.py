"""Deprecation: when something is said to be going, when it may go, and when it is gone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestrator.contracts.evolution.documents import said
from orchestrator.contracts.evolution.keywords import Aspect

Day = datetime.date

SUNSET: Final = "x-sunset"


def of_property(before: Mapping[str, Any], after: Mapping[str, Any], today: Day) -> Iterator[Aspect]:
    """Yield whether a property is deprecated now, or no more."""
    was, now = before.get("deprecated") is True, after.get("deprecated") is True
    if was and not now:
        yield Aspect("reactivated")
    elif now and not was:
        yield _deprecated(after, today)


def _deprecated(words: Mapping[str, Any], today: Day) -> Aspect:
    said_sunset = words.get(SUNSET)
    if said_sunset is None:
        return Aspect("deprecated")
    sunset = day(said_sunset)
    if sunset is None:
        return Aspect("deprecated-sunset-invalid", after=said(said_sunset))
    return Aspect("sunset-date-too-small" if sunset < today else "deprecated-with-sunset", after=str(sunset))


def of_whole(before: Mapping[str, Any], after: Mapping[str, Any], today: Day) -> Iterator[Aspect]:
    """Yield what has changed in the deprecation of an operation or a parameter."""
    yield from of_property(before, after, today)
    if after.get("deprecated") is not True or before.get(SUNSET) is None:
        return
    if after.get(SUNSET) is None:
        yield Aspect("sunset-deleted", before=said(before[SUNSET]))
        return
    was, now = day(before[SUNSET]), day(after[SUNSET])
    if said(before[SUNSET]) == said(after[SUNSET]) or before.get("deprecated") is not True:
        return
    if was is None or now is None:
        yield Aspect("sunset-parse", said(before[SUNSET]), said(after[SUNSET]))
    elif now < was and now < today:
        yield Aspect("sunset-date-changed-too-small", str(was), str(now))


def removed(words: Mapping[str, Any], today: Day) -> Aspect | None:
    """Return how an operation or a parameter went; None: as it was said that it would."""
    if words.get("deprecated") is not True:
        return Aspect("removed-without-deprecation")
    if words.get(SUNSET) is None:
        return Aspect("removed-with-deprecation")
    sunset = day(words[SUNSET])
    if sunset is None:
        return Aspect("sunset-parse", before=said(words[SUNSET]))
    return Aspect("removed-before-sunset", before=str(sunset)) if today < sunset else None


def day(value: Any) -> Day | None:
    """Return the day that a sunset date is; None: it is none."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return datetime.datetime.fromisoformat(value).date()
    except ValueError:
        return None
