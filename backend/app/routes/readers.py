"""From the values of a request to the commands of the services: what `openapi/uuid-service.yaml` allows."""

from __future__ import annotations

import re
from typing import cast
from uuid import UUID

from backend.app.models import State
from backend.app.services.commands import (
    PATCHABLE,
    CountedVersion,
    MintByCount,
    MintByName,
    MintCommand,
    NamespaceDraft,
    PageRequest,
    RecordDraft,
    RecordFilter,
    RecordPatch,
    Transition,
)
from backend.app.services.minting import WELL_KNOWN_NAMESPACES
from backend.app.services.paging import read_cursor
from backend.app.services.records import MAX_METADATA_ENTRIES, TRANSITIONS
from backend.app.utils.requests import only_query_parameters, query_parameter
from backend.app.utils.validation import (
    Members,
    Reader,
    RefusedValue,
    T,
    decimal,
    integer,
    json_array,
    json_object,
    matching,
    nullable,
    one_line,
    read_at,
)

MAX_COUNT = 1000
MAX_BATCH = 50
MAX_LIMIT = 100
MAX_QUOTA = 10_000

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REGISTRABLE_UUID = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
_NAMESPACE_NAME = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
_OWNER = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_METADATA_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_CURSOR = re.compile(r"[0-7][0-9a-f]{15}")
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ETAG = re.compile(r'"[1-9][0-9]{0,8}"')


def any_uuid(value: object) -> UUID:
    """Reads a UUID in its 36 character form."""
    return UUID(matching(value, _UUID, "a UUID of 36 characters"))


def canonical_uuid(value: object) -> str:
    """Reads a UUID and writes it in lower case."""
    return str(any_uuid(value))


def registrable_uuid(value: object) -> str:
    """Reads a UUID that can be registered, and writes it in lower case."""
    return matching(value, _REGISTRABLE_UUID, "an RFC 9562 UUID of version 1 to 8").lower()


def namespace_name(value: object) -> str:
    """Reads the name of a namespace."""
    return matching(value, _NAMESPACE_NAME, "3 to 40 lower case letters, digits or dashes, a letter first")


def owner(value: object) -> str:
    """Reads the owner of a record."""
    return matching(value, _OWNER, "2 to 40 lower case letters, digits, dots, dashes or underscores")


def label(value: object) -> str:
    """Reads the label of a record."""
    return one_line(value, 1, 120)


def line(value: object) -> str:
    """Reads any other line of text, which may be empty."""
    return one_line(value, 0, 200)


def state(value: object) -> State:
    """Reads the state of a record."""
    if not isinstance(value, str) or value not in TRANSITIONS:
        raise RefusedValue(f"must be one of {', '.join(TRANSITIONS)}")
    return value


def metadata(value: object) -> dict[str, str]:
    """Reads the metadata of a record."""
    return _entries(value, line)


def metadata_patch(value: object) -> dict[str, str | None]:
    """Reads a merge patch of metadata."""
    return _entries(value, nullable(line))


def idempotency_key(value: object) -> str:
    """Reads the header `Idempotency-Key`."""
    return matching(value, _IDEMPOTENCY_KEY, "8 to 64 letters, digits, dashes or underscores")


def expected_revision(value: object) -> int | None:
    """Reads the header `If-Match`: a revision, or None for any."""
    if value == "*":
        return None
    return int(matching(value, _ETAG, "one ETag of the service, or *").strip('"'))


def mint_command(value: object) -> MintCommand:
    """Reads the body of mintUuids; which members there are depends on the version."""
    if _version(json_object(value)) == 5:
        members = Members(value, known=("version", "namespace", "name"))
        return MintByName(
            namespace=members.required("namespace", _name_space),
            name=members.required("name", lambda text: one_line(text, 1, 255)),
        )
    members = Members(value, known=("version", "count"))
    return MintByCount(
        version=members.required("version", _counted_version),
        count=members.optional("count", lambda number: integer(number, 1, MAX_COUNT), 1),
    )


def namespace_draft(value: object) -> NamespaceDraft:
    """Reads the body of createNamespace."""
    members = Members(value, known=("name", "description", "quota"))
    return NamespaceDraft(
        name=members.required("name", namespace_name),
        description=members.optional("description", line, None),
        quota=members.optional("quota", lambda number: integer(number, 1, MAX_QUOTA), NamespaceDraft.quota),
    )


def record_draft(value: object) -> RecordDraft:
    """Reads the body of registerRecord, or an item of registerRecords."""
    members = Members(value, known=("uuid", "owner", "label", "metadata"))
    return RecordDraft(
        uuid=members.required("uuid", registrable_uuid),
        owner=members.required("owner", owner),
        label=members.optional("label", label, None),
        metadata=members.optional("metadata", metadata, {}),
    )


def record_drafts(value: object) -> list[RecordDraft]:
    """Reads the body of registerRecords."""
    return Members(value, known=("items",)).required("items", _drafts)


def record_patch(value: object) -> RecordPatch:
    """Reads the body of updateRecord."""
    members = Members(value, known=PATCHABLE)
    named = frozenset(name for name in PATCHABLE if name in members)
    if not named:
        raise RefusedValue("must have at least one member")
    return RecordPatch(
        members=named,
        owner=members.optional("owner", owner, ""),
        label=members.optional("label", nullable(label), None),
        metadata=members.optional("metadata", nullable(metadata_patch), None),
    )


def transition(value: object) -> Transition:
    """Reads the body of transitionRecord."""
    members = Members(value, known=("to", "reason"))
    return Transition(
        to=members.required("to", state),
        reason=members.optional("reason", line, None),
    )


def page_request(*filters: str) -> PageRequest:
    """Reads which page of a list is wanted.

    Args:
        filters: The other parameters that the query may have.
    """
    only_query_parameters(("limit", "cursor", *filters))
    return PageRequest(
        limit=query_parameter("limit", lambda text: decimal(text, 1, MAX_LIMIT), PageRequest.limit),
        after=query_parameter("cursor", _position, PageRequest.after),
    )


def record_filter() -> RecordFilter:
    """Reads which records of a namespace are wanted."""
    return RecordFilter(
        state=query_parameter("state", state, None),
        owner=query_parameter("owner", owner, None),
    )


def _entries(value: object, read: Reader[T]) -> dict[str, T]:
    entries = json_object(value)
    if len(entries) > MAX_METADATA_ENTRIES:
        raise RefusedValue(f"must have at most {MAX_METADATA_ENTRIES} members")
    for key in entries:
        if not _METADATA_KEY.fullmatch(key):
            raise RefusedValue(
                "must be named with 1 to 40 lower case letters, digits, dots, dashes or underscores"
            ).inside(key)
    return {key: read_at(key, entry, read) for key, entry in entries.items()}


def _drafts(value: object) -> list[RecordDraft]:
    return [read_at(place, item, record_draft) for place, item in enumerate(json_array(value, 1, MAX_BATCH))]


def _version(members: dict[str, object]) -> int:
    if "version" not in members:
        raise RefusedValue("is required").inside("version")
    return read_at("version", members["version"], lambda number: integer(number, 1, 7))


def _counted_version(value: object) -> CountedVersion:
    version = integer(value, 1, 7)
    if version not in (1, 4, 7):
        raise RefusedValue("must be 1, 4, 5 or 7")
    return cast("CountedVersion", version)


def _name_space(value: object) -> UUID:
    if isinstance(value, str) and value in WELL_KNOWN_NAMESPACES:
        return WELL_KNOWN_NAMESPACES[value]
    return any_uuid(value)


def _position(value: object) -> int:
    return read_cursor(matching(value, _CURSOR, "a cursor of the service"))
