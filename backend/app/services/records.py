"""Records: registered UUIDs, their state and their history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.app.clock import Clock
from backend.app.models import Event, EventType, Namespace, Record, State
from backend.app.services import namespaces
from backend.app.services.commands import PageRequest, RecordDraft, RecordFilter, RecordPatch, Transition
from backend.app.services.errors import (
    ConflictError,
    InvalidTransitionError,
    MetadataLimitError,
    QuotaExceededError,
    RecordDeletedError,
    RecordNotFoundError,
    RecordRetiredError,
    StaleRevisionError,
    UuidDeletedError,
    UuidTakenError,
)
from backend.app.services.paging import Page, cut_page

MAX_METADATA_ENTRIES = 16

# Which states a state leads to; a retired record stays retired.
TRANSITIONS: dict[State, frozenset[State]] = {
    "active": frozenset({"suspended", "retired"}),
    "suspended": frozenset({"active", "retired"}),
    "retired": frozenset(),
}

_EVENT_OF_STATE: dict[State, EventType] = {
    "active": "activated",
    "suspended": "suspended",
    "retired": "retired",
}


def register(session: Session, clock: Clock, namespace_name: str, draft: RecordDraft, actor: str) -> Record:
    """Registers a UUID.

    Args:
        session: A session that writes.
        clock: Says when it is registered.
        namespace_name: The namespace it goes to.
        draft: The UUID and what is said about it.
        actor: Who registers it.

    Raises:
        NamespaceNotFoundError: There is no such namespace.
        UuidTakenError: It is registered already, be it in another namespace.
        UuidDeletedError: It was registered once.
        QuotaExceededError: The namespace has no room.
    """
    return _register(session, clock(), namespaces.find(session, namespace_name), draft, actor)


def register_batch(
    session: Session, clock: Clock, namespace_name: str, drafts: Sequence[RecordDraft], actor: str
) -> list[Record | ConflictError]:
    """Registers several UUIDs in order, each for itself.

    Returns:
        For each draft the record, or why it was refused.

    Raises:
        NamespaceNotFoundError: There is no such namespace.
    """
    namespace = namespaces.find(session, namespace_name)
    now = clock()
    return [_try_register(session, now, namespace, draft, actor) for draft in drafts]


def find(session: Session, uuid: str) -> Record:
    """Finds a record by its UUID in lower case.

    Raises:
        RecordNotFoundError: The UUID was never registered.
        RecordDeletedError: The record was deleted.
    """
    record = session.scalar(select(Record).where(Record.uuid == uuid))
    if record is None:
        raise RecordNotFoundError(f"The UUID {uuid} was never registered.")
    if record.deleted_at is not None:
        raise RecordDeletedError(f"The record {uuid} was deleted.")
    return record


def list_page(session: Session, namespace_name: str, wanted: RecordFilter, page: PageRequest) -> Page[Record]:
    """Lists the records of a namespace in the order in which they were registered.

    Raises:
        NamespaceNotFoundError: There is no such namespace.
    """
    namespace = namespaces.find(session, namespace_name)
    query = select(Record).where(
        Record.namespace_id == namespace.id, Record.deleted_at.is_(None), Record.id > page.after
    )
    if wanted.state is not None:
        query = query.where(Record.state == wanted.state)
    if wanted.owner is not None:
        query = query.where(Record.owner == wanted.owner)
    found = session.scalars(query.order_by(Record.id).limit(page.limit + 1)).all()
    return cut_page(found, page.limit, lambda record: record.id)


def update(
    session: Session, clock: Clock, uuid: str, patch: RecordPatch, *, expected_revision: int | None, actor: str
) -> Record:
    """Changes what is said about a UUID; a patch that changes nothing leaves the revision as it is.

    Args:
        session: A session that writes.
        clock: Says when it is changed.
        uuid: The record's UUID in lower case.
        patch: What to change.
        expected_revision: The revision that the change was made from; None takes any.
        actor: Who changes it.

    Raises:
        RecordNotFoundError: The UUID was never registered.
        RecordDeletedError: The record was deleted.
        StaleRevisionError: The record has another revision.
        RecordRetiredError: The record is retired.
        MetadataLimitError: The record would have too many metadata entries.
    """
    record = find(session, uuid)
    if expected_revision is not None and expected_revision != record.revision:
        raise StaleRevisionError(record.revision)
    if record.state == "retired":
        raise RecordRetiredError(f"The record {uuid} is retired.")
    owner = patch.owner if "owner" in patch.members else record.owner
    label = patch.label if "label" in patch.members else record.label
    entries = merge_metadata(record.entries, patch.metadata) if "metadata" in patch.members else record.entries
    if (owner, label, entries) != (record.owner, record.label, record.entries):
        record.owner, record.label, record.entries = owner, label, entries
        _add_event(session, record, "updated", clock(), actor)
    return record


def merge_metadata(entries: dict[str, str], patch: dict[str, str | None] | None) -> dict[str, str]:
    """Applies a merge patch (RFC 7396) to metadata.

    Raises:
        MetadataLimitError: There would be too many entries.
    """
    if patch is None:
        return {}
    merged = {key: value for key, value in {**entries, **patch}.items() if value is not None}
    if len(merged) > MAX_METADATA_ENTRIES:
        raise MetadataLimitError(f"A record has at most {MAX_METADATA_ENTRIES} metadata entries.")
    return merged


def transition(session: Session, clock: Clock, uuid: str, wanted: Transition, actor: str) -> Record:
    """Changes the state of a record.

    Raises:
        RecordNotFoundError: The UUID was never registered.
        RecordDeletedError: The record was deleted.
        InvalidTransitionError: Its state does not lead to the one asked for.
    """
    record = find(session, uuid)
    if wanted.to not in TRANSITIONS[record.state]:
        raise InvalidTransitionError(f"A record that is {record.state} can't become {wanted.to}.")
    record.state = wanted.to
    _add_event(session, record, _EVENT_OF_STATE[wanted.to], clock(), actor, reason=wanted.reason)
    return record


def delete(session: Session, clock: Clock, uuid: str) -> None:
    """Deletes a record: its place becomes free, its UUID does not.

    Raises:
        RecordNotFoundError: The UUID was never registered.
        RecordDeletedError: The record was deleted already.
    """
    record = find(session, uuid)
    record.deleted_at = _not_before(record.updated_at, clock())


def list_events(session: Session, uuid: str, page: PageRequest) -> Page[Event]:
    """Lists what happened to a record, oldest first.

    Raises:
        RecordNotFoundError: The UUID was never registered.
        RecordDeletedError: The record was deleted.
    """
    record = find(session, uuid)
    found = session.scalars(
        select(Event)
        .where(Event.record_id == record.id, Event.sequence > page.after)
        .order_by(Event.sequence)
        .limit(page.limit + 1)
    ).all()
    return cut_page(found, page.limit, lambda event: event.sequence)


def _register(session: Session, now: datetime, namespace: Namespace, draft: RecordDraft, actor: str) -> Record:
    _require_free(session, draft.uuid)
    if namespaces.use_of(session, namespace).remaining == 0:
        raise QuotaExceededError(f"The namespace {namespace.name!r} is at its quota of {namespace.quota}.")
    record = Record(
        uuid=draft.uuid,
        namespace=namespace,
        owner=draft.owner,
        label=draft.label,
        entries=draft.metadata,
        state="active",
        revision=0,
        created_at=now,
        updated_at=now,
    )
    session.add(record)
    session.flush()
    _add_event(session, record, "registered", now, actor)
    return record


def _try_register(
    session: Session, now: datetime, namespace: Namespace, draft: RecordDraft, actor: str
) -> Record | ConflictError:
    try:
        return _register(session, now, namespace, draft, actor)
    except ConflictError as refusal:
        return refusal


def _require_free(session: Session, uuid: str) -> None:
    try:
        find(session, uuid)
    except RecordNotFoundError:
        return
    except RecordDeletedError as error:
        raise UuidDeletedError(f"The UUID {uuid} was registered and deleted.") from error
    raise UuidTakenError(f"The UUID {uuid} is registered already.")


def _add_event(
    session: Session, record: Record, kind: EventType, now: datetime, actor: str, *, reason: str | None = None
) -> None:
    """Writes down what happened; revision and time of the record follow."""
    record.revision += 1
    record.updated_at = _not_before(record.updated_at, now)
    session.add(
        Event(
            record_id=record.id,
            sequence=record.revision,
            type=kind,
            at=record.updated_at,
            actor=actor,
            reason=reason,
        )
    )
    session.flush()


def _not_before(last: datetime, now: datetime) -> datetime:
    """Keeps a history in order when the clock was set back."""
    return max(last, now)
