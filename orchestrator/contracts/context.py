"""What is needed to hold one interaction against the operation that its request is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.contracts.description import Description
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.interactions import Interaction
from orchestrator.contracts.operations import Answer, Operation, Operations
from orchestrator.contracts.schemas import Purpose
from orchestrator.contracts.validation import Fault, UnreadableSchemaError, Validation
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
        for fault in faults:
            yield finding(code, f"{what}{_place(fault)}: {fault.message}", (*at, *fault.at), fault.document)


def _place(fault: Fault) -> str:
    return f" at {'/'.join(fault.at)}" if fault.at else ""
