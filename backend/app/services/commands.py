"""What the services are asked to do: requests after they were found valid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from backend.app.models import State

CountedVersion = Literal[1, 4, 7]
Patchable = Literal["owner", "label", "metadata"]

PATCHABLE: tuple[Patchable, ...] = ("owner", "label", "metadata")


@dataclass(frozen=True)
class MintByCount:
    """Mint `count` UUIDs of a version that needs no input."""

    version: CountedVersion
    count: int = 1


@dataclass(frozen=True)
class MintByName:
    """Compute the version 5 UUID of a name in a namespace."""

    namespace: UUID
    name: str


MintCommand = MintByCount | MintByName


@dataclass(frozen=True)
class NamespaceDraft:
    """A namespace to be created."""

    name: str
    description: str | None = None
    quota: int = 100


@dataclass(frozen=True)
class RecordDraft:
    """A UUID to be registered."""

    uuid: str
    owner: str
    label: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordPatch:
    """A change of a record, as a JSON merge patch says it.

    Attributes:
        members: The members that the patch has; one that is not here stays as it is.
    """

    members: frozenset[Patchable]
    owner: str = ""
    label: str | None = None
    metadata: dict[str, str | None] | None = None


@dataclass(frozen=True)
class Transition:
    """A change of a record's state."""

    to: State
    reason: str | None = None


@dataclass(frozen=True)
class RecordFilter:
    """Which records of a namespace to list."""

    state: State | None = None
    owner: str | None = None


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list to read: at most `limit` items, those after the position `after`."""

    limit: int = 20
    after: int = 0
