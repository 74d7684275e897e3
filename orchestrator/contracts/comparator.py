"""Pacts held against an OpenAPI document, without running anything: bi-directional contract testing.

What is looked at and how it is called is that of `@pactflow/openapi-pact-comparator`. What only we say has codes of
its own, `findings.OURS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters import bundle, source
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.contracts import contents, interactions, matchers, requests, responses
from orchestrator.contracts.context import Context, unresolved, why_unread
from orchestrator.contracts.description import Description, mapping
from orchestrator.contracts.findings import Finding, existing, finding, written
from orchestrator.contracts.interactions import Interaction, UnreadableError
from orchestrator.contracts.operations import Operations
from orchestrator.contracts.validation import Validation
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Incompatibility
from orchestrator.model.description import NotCompared
from orchestrator.model.fingerprint import fingerprint

_MESSAGES: Final = "they are messages, and OpenAPI describes none"


def compare(pacts: Sequence[Pact], document: Document, *, root: Path | None = None) -> tuple[Incompatibility, ...]:
    """Return where pacts and a document say different things.

    Args:
        pacts: Read anew from their files: they hold more than what a `Pact` does.
        document: The document.
        root: What files are named relative to; None: they are named as they are.

    Raises:
        OrchestratorError: a pact can't be read any more.
    """
    comparator = Comparator(document.whole, base_path=document.base_path)
    found: dict[str, Incompatibility] = {}
    for pact in pacts:
        raw = _read(pact.file)
        for one in comparator.pact(raw):
            made = _incompatibility(one, raw, pact.consumer, _name(pact.file, root))
            found.setdefault(made.fingerprint, made)
    return tuple(found.values())


def not_compared(pacts: Sequence[Pact], *, root: Path | None = None) -> tuple[NotCompared, ...]:
    """Return which interactions of pacts are not held against a document, and why.

    Args:
        pacts: The pacts.
        root: What files are named relative to; None: they are named as they are.
    """
    return tuple(
        NotCompared(consumer=pact.consumer, pact=_name(pact.file, root), count=count, reason=_MESSAGES)
        for pact in pacts
        if (count := sum(one.is_message for one in pact.interactions))
    )


def _name(file: Path, root: Path | None) -> str:
    return source.relative(file, root) if root else file.as_posix()


def check(pact: Mapping[str, Any], document: Mapping[str, Any], *, base_path: str = "") -> tuple[Finding, ...]:
    """Return where a pact and a document say different things.

    Args:
        pact: As it is in its file.
        document: As it is in its file.
        base_path: What may come before every path beside what the document says.
    """
    return tuple(Comparator(document, base_path=base_path).pact(pact))


class Comparator:
    """Holds pacts against one document, whose schemas are compiled once.

    Args:
        document: As it is in its file, with all that it refers to.
        base_path: What may come before every path beside what the document says.
    """

    def __init__(self, document: Mapping[str, Any], *, base_path: str = "") -> None:
        self._description = Description(document)
        self._operations = Operations(self._description, base_path)
        self._validation = Validation(self._description)

    def pact(self, raw: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield the findings about all interactions of a pact; messages are left out."""
        version = interactions.version_of(raw)
        listed = raw.get("interactions")
        for index, one in enumerate(listed if isinstance(listed, list) else ()):
            for found in self.interaction(one, version):
                yield msgspec.structs.replace(found, index=index)

    def interaction(self, raw: Any, version: int) -> tuple[Finding, ...]:
        """Return the findings about one interaction.

        Args:
            raw: As the pact has it.
            version: Of the Pact specification.
        """
        if not interactions.is_http(raw):
            return ()
        try:
            return tuple(self._findings(interactions.read(raw, version)))
        except UnreadableError as error:
            return (finding("interaction.unreadable", f"the interaction can't be read: {error}", ()),)
        except (RecursionError, ValueError) as error:  # nested too deeply, or text that is none
            return (finding("interaction.unreadable", f"the interaction can't be held against anything: {error}", ()),)

    def _findings(self, interaction: Interaction) -> Iterator[Finding]:
        route = self._operations.find(interaction.method, interaction.path)
        if route is None:
            message = f"the document has no {interaction.method} {interaction.path}"
            if told := self._operations.unread(interaction.path):
                message += f": what it says of this path is in {told}, {why_unread(told)}"
            yield finding("request.path-or-method.unknown", message, ("request", "path"), ("paths",))
            return
        context = Context(
            interaction=interaction,
            description=self._description,
            operations=self._operations,
            validation=self._validation,
            operation=route.operation,
            variables=route.variables,
            answer=self._operations.answer(route.operation, interaction.status),
        )
        for one in list(requests.path(context)) or self._about(context):
            yield msgspec.structs.replace(one, operation=text.one_line(route.operation.label))

    def _about(self, context: Context) -> Iterator[Finding]:
        for part in context.operation.unread:
            yield unresolved(part.what, part.told, ("request",), part.at)
        for part in context.answer.unread if context.answer else ():
            yield unresolved(part.what, part.told, ("response",), part.at)
        yield from requests.check(context)
        yield from responses.check(context)
        yield from contents.check(context)
        yield from matchers.check(context)


def _read(file: Path) -> dict[str, Any]:
    try:
        return mapping(json.loads(file.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise OrchestratorError(
            Code.PACT_UNREADABLE,
            f"{file.name} can't be read: {error}",
            hint="Write it again with the consumer's tests.",
        ) from error


def _incompatibility(one: Finding, pact: Mapping[str, Any], consumer: str, file: str) -> Incompatibility:
    raw = pact["interactions"][one.index]
    description = text.one_line(str(mapping(raw).get("description", "")))
    at = written(existing(raw, one.at_pact))
    document = bundle.shown(one.at_document)
    return Incompatibility(
        fingerprint=fingerprint("incompatibility", consumer, description, one.code, written(one.at_pact), document),
        code=one.code,
        level=one.level,
        message=one.message,
        consumer=consumer,
        description=description,
        pact=file,
        at_pact=f"/interactions/{one.index}{at}",
        at_document=document,
        operation=one.operation,
    )
