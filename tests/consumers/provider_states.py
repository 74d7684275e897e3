"""Provider states: what the service has before an interaction of a pact, beside its freshly seeded data.

Runs in the process of the service, so it knows the service and nothing of the consumers' tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from flask import Flask
from sqlalchemy.orm import Session

from backend.app.clock import Clock
from backend.app.models import State
from backend.app.services import namespaces, records
from backend.app.services.commands import (
    MintByCount,
    NamespaceDraft,
    PageRequest,
    RecordDraft,
    RecordFilter,
    RecordPatch,
    Transition,
)
from backend.app.services.errors import NamespaceNotFoundError, RecordNotFoundError
from backend.app.services.idempotency import IdempotencyKey, answer_once
from backend.app.utils.state import service_of

_ACTOR = "provider-state"


class StateError(Exception):
    """The service is not as a state says, and can't be made so."""


def a_namespace_exists(app: Flask, *, name: str, quota: int = 100, description: str | None = None) -> None:
    """There is an empty namespace."""
    with _change(app) as (session, clock):
        namespaces.create(session, clock, NamespaceDraft(name, description, quota))


def no_namespace_has_the_name(app: Flask, *, name: str) -> None:
    """There is no such namespace.

    Raises:
        StateError: There is.
    """
    with _change(app) as (session, _):
        try:
            namespaces.find(session, name)
        except NamespaceNotFoundError:
            return
    raise StateError(f"the seeded data has the namespace {name!r}")


def a_record_exists(
    app: Flask,
    *,
    uuid: str,
    namespace: str,
    owner: str,
    label: str | None = None,
    metadata: dict[str, str] | None = None,
    state: State = "active",
) -> None:
    """There is a record; one that is not active is at its second revision."""
    with _change(app) as (session, clock):
        records.register(session, clock, namespace, RecordDraft(uuid, owner, label, metadata or {}), _ACTOR)
        if state != "active":
            records.transition(session, clock, uuid, Transition(state), _ACTOR)


def a_record_was_relabelled(app: Flask, *, uuid: str, label: str) -> None:
    """A record that exists has one revision more, with another label."""
    patch = RecordPatch(members=frozenset({"label"}), label=label)
    with _change(app) as (session, clock):
        records.update(session, clock, uuid, patch, expected_revision=None, actor=_ACTOR)


def a_record_changed_its_state(app: Flask, *, uuid: str, to: State, reason: str | None = None) -> None:
    """A record that exists has one revision more, in another state."""
    with _change(app) as (session, clock):
        records.transition(session, clock, uuid, Transition(to, reason), _ACTOR)


def a_record_was_deleted(app: Flask, *, uuid: str) -> None:
    """A record that existed is gone."""
    with _change(app) as (session, clock):
        records.delete(session, clock, uuid)


def no_record_has_the_uuid(app: Flask, *, uuid: str) -> None:
    """The UUID was never registered.

    Raises:
        StateError: It is, or was.
    """
    with _change(app) as (session, _):
        try:
            records.find(session, uuid)
        except RecordNotFoundError:
            return
    raise StateError(f"the seeded data has the record {uuid}")


def uuids_were_minted(app: Flask, *, caller: str, key: str, uuids: list[str]) -> None:
    """A caller got these version 7 UUIDs for a request with an idempotency key, just now.

    Raises:
        StateError: The caller used the key before.
    """
    answer = {"version": 7, "count": len(uuids), "uuids": uuids}
    lifetime = timedelta(seconds=service_of(app).settings.idempotency_seconds)
    name = IdempotencyKey(caller, key, lifetime)
    with _change(app) as (session, clock):
        _, repeated = answer_once(session, clock, name, MintByCount(7, len(uuids)), lambda: answer)
    if repeated:
        raise StateError(f"the caller {caller!r} used the key {key!r} before")


def a_page_of_records_was_read(app: Flask, *, namespace: str, limit: int) -> dict[str, Any]:
    """Somebody read the first page of a namespace's records: `records_cursor` is where the next one starts."""
    with _change(app) as (session, _):
        page = records.list_page(session, namespace, RecordFilter(), PageRequest(limit))
    return {"records_cursor": page.next_cursor}


def a_page_of_events_was_read(app: Flask, *, uuid: str, limit: int) -> dict[str, Any]:
    """Somebody read the first page of a record's history: `events_cursor` is where the next one starts."""
    with _change(app) as (session, _):
        page = records.list_events(session, uuid, PageRequest(limit))
    return {"events_cursor": page.next_cursor}


provider_states: Final[dict[str, Callable[..., dict[str, Any] | None]]] = {
    "a namespace exists": a_namespace_exists,
    "no namespace has the name": no_namespace_has_the_name,
    "a record exists": a_record_exists,
    "a record was relabelled": a_record_was_relabelled,
    "a record changed its state": a_record_changed_its_state,
    "a record was deleted": a_record_was_deleted,
    "no record has the UUID": no_record_has_the_uuid,
    "UUIDs were minted": uuids_were_minted,
    "a page of records was read": a_page_of_records_was_read,
    "a page of events was read": a_page_of_events_was_read,
}


@contextmanager
def _change(app: Flask) -> Iterator[tuple[Session, Clock]]:
    """Open a session on the service's database that commits at the end, with the service's clock."""
    service = service_of(app)
    with service.database.writing() as session:
        yield session, service.clock
