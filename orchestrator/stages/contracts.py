"""Verify each pact against the app on a loopback port, with the real Pact core."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Final

from orchestrator import text
from orchestrator.adapters import generated, pact, pact_modules, scenarios
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project
from orchestrator.contracts import supply
from orchestrator.contracts.verifying import Verifying
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Contracts, Interaction, Verification
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.problem import Problem
from orchestrator.model.stage import StageResult
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "contracts"
_NOTICES: Final = (Code.RESULTS_NOT_PUBLISHED, Code.NAMED_TWICE)  # that leave the stage's end as it is


def run(context: Context) -> StageResult:
    """Verify the pacts: those that change nothing at the same time, then the others one after the other.

    Raises:
        OrchestratorError: pacts are asked for and there are none.
        OrchestratorError: the app can't be started, or the broker gives no pacts.
    """
    project, settings = context.project, context.project.settings.contracts
    given = supply.fetched(project)
    files = pact.find(project)
    if settings.pacts == () and not files:
        return skipped(NAME, "no pacts: `contracts.pacts` is empty")
    if not files and settings.pacts is None:
        return skipped(NAME, f"no pacts: none of {', '.join(pact.DEFAULT_PACTS)} exists")
    if not files:
        raise OrchestratorError(
            Code.NO_PACTS,
            f"`contracts.pacts` = {', '.join(settings.pacts or ())} matches no file",
            hint="Run the consumers' tests that write the pacts, or mend the globs.",
        )
    pacts, problems = pact.read_all(files, project)
    if not pacts:
        raise OrchestratorError(Code(problems[0].code), problems[0].message, hint=problems[0].hint)
    problems += [*pact.unmatched(project), *pact.named_twice(pacts, project.root)]
    _write_modules(pacts, project)
    context.app()  # what can't be started at all is told as such
    verifying = Verifying(
        project,
        pacts,
        app=context.app,
        document=context.document_or_none(),
        deadline=time.monotonic() + settings.timeout,
        watch=lambda done, total: context.teller.advanced(done, total, "interactions"),
    )

    def known() -> tuple[Contracts, str]:
        found = given.judged(verifying.interactions)
        return Contracts(interactions=found), _summary(found)

    with keep_on_interrupt(known):
        verifying.run()
        scenarios.keep_played(project, verifying.played)
    interactions = given.judged(verifying.interactions)
    problems += given.published(project, interactions)
    found = Contracts(interactions=interactions)
    if time.monotonic() >= verifying.deadline:
        return timed_out(NAME, found, _summary(interactions), settings.timeout, "contracts.timeout")
    return completed(NAME, found, _summary(interactions), *problems, error=_error(found, problems, verifying.fault))


def _write_modules(pacts: Sequence[Pact], project: Project) -> None:
    """Write a pytest module a consumer, for people: the stage itself gives whole pacts to the core."""
    modules = pact_modules.render(pacts, project)
    inputs = fingerprint(*itertools.chain.from_iterable(sorted(modules.items())))
    generated.write(modules, inputs, pact_modules.folder(project), project.root)


def _error(
    found: Contracts, problems: list[Problem], fault: OrchestratorError | None = None
) -> OrchestratorError | None:
    """Return why not everything could be verified; None: everything was, for better or worse."""
    faults = [p for p in problems if p.code not in _NOTICES]
    if faults:
        first = faults[0]
        return OrchestratorError(Code(first.code), first.message, hint=first.hint)
    if fault:
        return fault
    not_run = [i for i in found.interactions if i.result is Verification.NOT_RUN]
    if not_run:
        return OrchestratorError(
            Code.VERIFIER_FAILED,
            f"{text.plural(len(not_run), 'interaction')} not verified, first {not_run[0].description!r}: "
            f"{not_run[0].error}",
            hint="The Pact core's output is in .orchestrator/logs.",
        )
    states = [i for i in found.interactions if i.result is Verification.STATE_FAILED]
    if states:
        code, _, message = states[0].error.partition(": ")
        return OrchestratorError(
            Code(code),
            f"{text.plural(len(states), 'interaction')} without a provider state: {message}",
            hint="Write the state under `contracts.states`, or mend it; the app's output is in .orchestrator/logs.",
        )
    return None


def _summary(interactions: Sequence[Interaction]) -> str:
    held = sum(i.result is Verification.VERIFIED for i in interactions)
    consumers = len({i.consumer for i in interactions})
    return f"{held:,} of {text.plural(len(interactions), 'interaction')} hold, of {text.plural(consumers, 'consumer')}"
