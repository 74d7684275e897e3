"""Verify each pact against the app on a loopback port, with the real Pact core."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from orchestrator import text
from orchestrator.adapters import generated, pact, pact_modules, scenarios
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project
from orchestrator.contracts import supply
from orchestrator.contracts.supply import Supply
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.contracts import Contracts, Interaction, Verification
from orchestrator.model.fingerprint import fingerprint
from orchestrator.model.problem import Problem
from orchestrator.model.stage import StageResult
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "contracts"


def run(context: Context) -> StageResult:
    """Verify the pacts, one after the other.

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
    problems += pact.unmatched(project)
    _write_modules(pacts, project)
    interactions: list[Interaction] = []
    context.app()  # what can't be started at all is told as such
    deadline = time.monotonic() + settings.timeout
    with keep_on_interrupt(lambda: (Contracts(interactions=tuple(interactions)), _summary(interactions))):
        fault = _verify(context, pacts, given, interactions, deadline)
    problems += given.published(project, interactions)
    found = Contracts(interactions=tuple(interactions))
    if time.monotonic() >= deadline:
        return timed_out(NAME, found, _summary(interactions), settings.timeout, "contracts.timeout")
    return completed(NAME, found, _summary(interactions), *problems, error=_error(found, problems, fault))


def _verify(
    context: Context, pacts: Sequence[Pact], given: Supply, interactions: list[Interaction], deadline: float
) -> OrchestratorError | None:
    """Add every interaction with its result; return why the app was gone for some of them.

    An app that dies, or has hung, is started anew for the next pact. If that is not possible, the rest is not run.
    """
    project, document = context.project, context.document_or_none()
    total = sum(len(p.interactions) for p in pacts)
    fault: OrchestratorError | None = None
    stopped = ""
    played = {}
    for one in pacts:
        context.teller.advanced(len(interactions), total, "interactions")
        left = deadline - time.monotonic()
        if left <= 0:
            stopped = stopped or pact.TIME_IS_UP
        try:
            if not stopped:
                app = context.app()
                app.reset()
                app.record()
                found, gone = pact.verify(one, app, project, document, timeout=left)
                interactions.extend(given.judged(found))
                fault = fault or gone
                if app.has_hung:
                    app.end()
                elif app.is_alive:
                    played[one.file.name] = app.played()
                continue
        except OrchestratorError as error:
            fault, stopped = fault or error, pact.told(error)
        interactions.extend(pact.interpret(one, {"error": stopped}, (), document, root=project.root))
    scenarios.keep_played(project, played)
    return fault


def _write_modules(pacts: Sequence[Pact], project: Project) -> None:
    """Write a pytest module a consumer, for people: the stage itself gives whole pacts to the core."""
    modules = pact_modules.render(pacts, project)
    inputs = fingerprint(*itertools.chain.from_iterable(sorted(modules.items())))
    generated.write(modules, inputs, pact_modules.folder(project), project.root)


def _error(
    found: Contracts, problems: list[Problem], fault: OrchestratorError | None = None
) -> OrchestratorError | None:
    """Return why not everything could be verified; None: everything was, for better or worse."""
    faults = [p for p in problems if p.code != Code.RESULTS_NOT_PUBLISHED]
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


def _summary(interactions: list[Interaction]) -> str:
    held = sum(i.result is Verification.VERIFIED for i in interactions)
    consumers = len({i.consumer for i in interactions})
    return f"{held:,} of {text.plural(len(interactions), 'interaction')} hold, of {text.plural(consumers, 'consumer')}"
