"""What the OpenAPI document promises, beside what pacts, the last release and the app say."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from orchestrator.model.contracts import DocumentChange, Incompatibility, Level

_ANY: Final = re.escape("*")


def described_as(status: int) -> tuple[str, ...]:
    """Return what the responses with a status may be called in a document, the closest first."""
    return str(status), f"{status // 100}XX", f"{status // 100}xx", "default"


def pattern_of(path: str) -> str:
    """Return the regular expression of the paths that a field's path means: `*` in it is any name."""
    return re.escape(path).replace(_ANY, r"[^.\[]+")


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that only one side knows.

    Attributes:
        operation: Method and path.
        routed: Whether the app routes it and the document does not describe it; else it is the other way round.
    """

    operation: str
    routed: bool


class FieldUse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of a response body.

    Attributes:
        path: `$.items[].id`.
        described: Whether the document has it.
        seen: In how many recorded responses it was.
        consumers: Whose pacts read it.
    """

    path: str
    described: bool
    seen: int = 0
    consumers: tuple[str, ...] = ()


class ResponseUse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The responses of an operation with one status.

    Attributes:
        operation: The operation's label.
        status: `200`, or the document's `4XX` or `default`.
        described: Whether the document has it.
        seen: How many were recorded, by those who asked: `suite`, `property`, `contract`.
        consumers: Whose pacts expect it.
        fields: Of its body, where it is JSON.
    """

    operation: str
    status: str
    described: bool
    seen: dict[str, int] = {}
    consumers: tuple[str, ...] = ()
    fields: tuple[FieldUse, ...] = ()


class NotCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Interactions of a pact that were not held against the document.

    Attributes:
        consumer: Whose pact.
        pact: The pact's file.
        count: How many.
        reason: Why not, for a person.
    """

    consumer: str
    pact: str
    count: int
    reason: str


class Description(msgspec.Struct, frozen=True, kw_only=True, tag="description", omit_defaults=True):
    """The result of the description stage. None: not computed.

    Attributes:
        incompatibilities: Where pacts and the document say different things.
        not_compared: Which interactions of pacts were left out, and why.
        released: What the document was compared with; empty: nothing.
        changes: What has changed in it since then.
        drift: What only the app or only the document knows.
        responses: Which responses and fields are described, seen and read.
    """

    incompatibilities: tuple[Incompatibility, ...] | None = None
    not_compared: tuple[NotCompared, ...] = ()
    released: str = ""
    changes: tuple[DocumentChange, ...] | None = None
    drift: tuple[Drift, ...] | None = None
    responses: tuple[ResponseUse, ...] | None = None

    @property
    def errors(self) -> tuple[Incompatibility, ...]:
        """Where a pact asks for what the document does not promise."""
        return tuple(i for i in self.incompatibilities or () if i.level is Level.ERROR)

    @property
    def breaking(self) -> tuple[DocumentChange, ...]:
        """The changes that break a consumer that uses what has changed."""
        return tuple(c for c in self.changes or () if c.level is Level.ERROR)

    @property
    def felt(self) -> tuple[DocumentChange, ...]:
        """The changes that break an interaction of a known consumer."""
        return tuple(c for c in self.changes or () if c.broken)
