"""Hold the OpenAPI document against the pacts, the last release, the app's routes and what was seen."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from orchestrator import text
from orchestrator.adapters import git, openapi, pact, scenarios
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project
from orchestrator.contracts import comparator, drift, felt, usage
from orchestrator.contracts.usage import Seen
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.description import Description
from orchestrator.model.stage import StageResult
from orchestrator.model.suite import Suite
from orchestrator.stages.context import Context, completed, skipped

NAME = "description"


def run(context: Context) -> StageResult:
    """Find where the document and everybody else disagree.

    Raises:
        OrchestratorError: the document or the one of the last release can't be read.
    """
    project = context.project
    if not project.settings.openapi.path:
        return skipped(NAME, "no OpenAPI document: `openapi.path` is not set")
    document = context.document()
    pacts = _pacts(project)
    before = _released(project)
    routes = context.app().routes() if project.settings.app.target else None
    found = Description(
        incompatibilities=comparator.compare(pacts, document, root=project.root) if pacts else None,
        not_compared=comparator.not_compared(pacts, root=project.root),
        released=project.settings.openapi.released,
        changes=felt.changes(before, document, pacts) if before else None,
        drift=drift.drift(routes, document) if routes is not None else None,
        responses=usage.usage(document, _seen(context, pacts), pacts),
    )
    return completed(NAME, found, _summary(found))


def _pacts(project: Project) -> list[Pact]:
    """Return the pacts that can be read: those that can't are the contracts stage's fault to tell."""
    return pact.read_all(pact.find(project), project)[0]


def _released(project: Project) -> Document | None:
    """Return the document of the last release; None: none is named.

    Raises:
        OrchestratorError: it can't be read.
    """
    told, settings = project.settings.openapi.released, project.settings.openapi
    if not told:
        return None
    in_git = git.named(told)
    if in_git is None:
        file = project.root / told
        beside = openapi.beside(file, project.root)
        return openapi.parse(openapi.read_file(file, told), told, base_path=settings.base_path, beside=beside)
    revision, path = in_git[0], in_git[1] or settings.path
    data = git.file_at(project.root, revision, path)
    if data is None:
        raise OrchestratorError(
            Code.DOCUMENT_MISSING,
            f"`openapi.released` = {told!r}: git has no {path} in {revision} here",
            hint="Fetch that revision: a shallow clone of CI has only the newest one.",
        )
    folder = posixpath.dirname(path)
    return openapi.parse(
        data,
        f"git:{revision}:{path}",
        base_path=settings.base_path,
        beside=lambda name: git.file_at(project.root, revision, posixpath.normpath(posixpath.join(folder, name))),
    )


def _seen(context: Context, pacts: Sequence[Pact]) -> Iterator[Seen]:
    """Yield what was answered while tests, generated tests and pacts ran."""
    suite, contracts = context.data(Suite), context.data(Contracts)
    for test in suite.tests if suite else ():
        for exchange in test.exchanges:
            yield Seen(exchange.operation, "suite", exchange.status)
    if "properties" in context.results:
        for operation, status, body in scenarios.answers(context.project):
            yield Seen(operation, "property", status, body)
    statuses = {
        (one.consumer, described.description): described.status for one in pacts for described in one.interactions
    }
    for interaction in contracts.interactions if contracts else ():
        expected = statuses.get((interaction.consumer, interaction.description))
        if expected is not None and interaction.result is Verification.VERIFIED:
            yield Seen(interaction.operation, "contract", expected)


def _summary(found: Description) -> str:
    parts = []
    if found.incompatibilities is not None:
        parts.append(f"{text.plural(len(found.errors), 'place')} where a pact asks for more than the document promises")
    for reason in dict.fromkeys(one.reason for one in found.not_compared):
        count = sum(one.count for one in found.not_compared if one.reason == reason)
        parts.append(f"{text.plural(count, 'interaction')} not compared ({reason})")
    if found.changes is not None:
        parts.append(
            f"{text.plural(len(found.breaking), 'breaking change')} since {found.released}, "
            f"{len(found.felt)} of them felt by a known consumer"
        )
    if found.drift is not None:
        routed = sum(one.routed for one in found.drift)
        parts.append(
            f"{routed} undocumented routes, {len(found.drift) - routed} operations that the app does not route"
        )
    silent = [r for r in found.responses or () if r.described and not r.seen]
    parts.append(f"{text.plural(len(silent), 'described response')} never seen")
    return ", ".join(parts)
