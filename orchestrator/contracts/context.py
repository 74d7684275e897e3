"""What is needed to hold one interaction against the operation that its request is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.contracts import access
from orchestrator.contracts.description import Description
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.interactions import Interaction
from orchestrator.contracts.operations import Answer, Operation, Operations
from orchestrator.contracts.schemas import Purpose
from orchestrator.contracts.validation import UnreadableSchemaError, Validation
from orchestrator.references import Pointer


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction and what the document says of it.

    Attributes:
        interaction: The interaction.
        description: The document.
        operations: Its operations.
        validation: Its schemas.
        operation: The one that the request is for.
        variables: What the request's path has where the operation's template has variables.
        answer: What the document says of the response's status; None: nothing.
    """

    interaction: Interaction
    description: Description
    operations: Operations
    validation: Validation
    operation: Operation
    variables: Mapping[str, str]
    answer: Answer | None

    def held(
        self, code: str, what: str, value: Any, schema: Pointer, at: Pointer, *, purpose: Purpose = Purpose.SENT
    ) -> Iterator[Finding]:
        """Yield a finding for each place where a value does not keep to a schema.

        Args:
            code: The findings'.
            what: What the value is, for a person.
            value: A JSON value.
            schema: Where the schema is in the document.
            at: Where the value is in the interaction.
            purpose: What the schema is prepared for.
        """
        try:
            faults = self.validation.faults(value, schema, purpose)
        except UnreadableSchemaError as error:
            yield finding("document.schema.unreadable", f"the schema of {what} can't be used: {error}", at, schema)
            return
        if self.validation.schemas.has_unread and purpose is not Purpose.DESCRIBED:
            for place, told in access.unread(value, schema, self.validation.schemas):
                yield unresolved(f"{what}{_at(place)}", told, (*at, *place), schema)
        for fault in faults:
            yield finding(code, f"{what}{_at(fault.at)}: {fault.message}", (*at, *fault.at), fault.document)


def unresolved(what: str, told: str, at: Pointer, document: Pointer) -> Finding:
    """Return a finding about something that is described by a reference to what can't be read.

    Args:
        what: It, for a person.
        told: The reference.
        at: Where it is in the interaction.
        document: Where the reference is in the document, or what it is in.
    """
    message = f"{what} is held against nothing: the document refers to {told}, {why_unread(told)}"
    return finding("document.reference.unresolved", message, at, document)


def why_unread(told: str) -> str:
    """Return why what a reference names is not known, as a clause."""
    if told.startswith("#"):
        return "which leads nowhere"
    if re.match(r"[a-z][a-z0-9+.-]+:|//", told, re.IGNORECASE):
        return "and other addresses are not asked"
    return "and there is no such file of the project to be read, or no such place in it"


def _at(place: Pointer) -> str:
    return f" at {'/'.join(place)}" if place else ""
