"""Break the critical paths on purpose, and see which tests notice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from importlib.util import decode_source
from typing import TypeVar

import msgspec

from orchestrator import config, text
from orchestrator.adapters import git, mutmut, pact, scenarios
from orchestrator.adapters.scenarios import CONTRACT, PROPERTY
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import Checked, InputGap, Mutant, MutantStatus, Mutation, OracleGap, Step, Unmutated
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Properties
from orchestrator.model.replacement import replaced
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.model.strength import kills
from orchestrator.model.suite import Outcome, Suite
from orchestrator.mutation import candidates, choice, critical, layers, shards, types
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.cluster import Cluster
from orchestrator.mutation.engine import Engine, Result
from orchestrator.mutation.layers import Layers
from orchestrator.mutation.shards import Shard
from orchestrator.mutation.unchanged import LastRun
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "mutation"

G = TypeVar("G", OracleGap, InputGap, Checked)


def run(context: Context) -> StageResult:
    """Judge the mutants of the critical paths.

    Raises:
        OrchestratorError: no critical path is found, or the tests can't be collected.
    """
    project, settings = context.project, context.project.settings.mutation
    if not settings.critical:
        return skipped(NAME, "no critical paths: `mutation.critical` is empty")
    suite = context.data(Suite)
    if suite is None or not any(t.outcome is Outcome.PASSED for t in suite.tests):
        return skipped(NAME, "no test of the unmutated code passes")
    properties = context.data(Properties)
    reached = properties.reached if properties else None
    selection = critical.select(project, reached)
    unmatched = _unmatched(selection)
    if not selection.functions and not selection.constants and unmatched:
        raise unmatched
    quarantined = suite.quarantined
    last = LastRun(
        project,
        context.installed(),
        [quarantined, [f.place for f in selection.functions], reached, scenarios.are_there(project)],
    )
    if not settings.budget and (kept := last.result()):
        judged = [m for m in kept.mutation.mutants if m.status.is_detected or m.status.is_undetected]
        held = msgspec.structs.replace(kept.mutation, reused=len(judged), seconds={}, self_check=None)
        held = _with_source(held, context)
        summary = f"{_summary(held)}: nothing has changed since the last run"
        return completed(NAME, held, summary, *kept.notices, error=_error(held) or unmatched)
    begun = time.monotonic()
    engine: Engine | Cluster
    if settings.dask:
        engine = Cluster(project, quarantined, context.teller.advanced)
    else:
        lines = sum(function.last - function.line for function in selection.functions)  # about as many as mutants
        engine = Engine(
            project,
            context.installed(),
            quarantined,
            context.teller.advanced,
            collect=partial(context.ahead.session, context.installed(), quarantined),
            expected=lines,
            layers=partial(_layers, context),
            document=context.document_or_none,
        )
    pool = ThreadPoolExecutor(1)
    making = pool.submit(_make, context, selection)  # while the tests are collected

    def known() -> tuple[Mutation, str]:
        made = making.result()
        mutation = _mutation(_with_operations(made.candidates, reached), made.unmutated, engine.result, settings)
        mutation = _with_requests_operations(mutation, context)
        return mutation, _summary(mutation)

    with pool, keep_on_interrupt(known):
        engine.run(lambda: making.result().candidates)
    mutation, summary = known()
    notices = [*engine.result.notices, *making.result().problems, *_notices(mutation)]
    if time.monotonic() - begun > settings.timeout and mutation.count(MutantStatus.NOT_RUN):
        mutation = _with_source(mutation, context)
        result = timed_out(NAME, mutation, summary, settings.timeout, "mutation.timeout")
        return msgspec.structs.replace(result, notices=tuple(notices))
    last.keep(mutation, engine.result.read, notices, context.results["suite"])
    mutation = _with_source(mutation, context)
    return completed(NAME, mutation, summary, *notices, error=_error(mutation) or unmatched)


def _layers(context: Context, stack: ExitStack) -> Layers | None:
    """Begin the property and the contract layer; None: they are not wanted, or nothing was recorded for them.

    Raises:
        OrchestratorError: the app can't be loaded.
    """
    project, settings = context.project, context.project.settings
    wanted = set(settings.mutation.layers)
    if settings.mutation.quick or not settings.app.target or not wanted & {PROPERTY, CONTRACT}:
        return None
    pacts, _ = pact.read_all(pact.find(project), project)
    document = context.document_or_none()
    recorded = scenarios.read(project, pacts, document)
    kept = tuple(s for s in recorded.scenarios if s.layer in wanted)
    if not kept:
        return None
    recorded = msgspec.structs.replace(recorded, scenarios=kept)
    is_served = settings.openapi.path.startswith("/")
    app = context.app() if is_served else context.started_app
    url = app.url if app and is_served else f"http://{recorded.netloc}"
    return layers.begin(project, stack, recorded, document=document, url=url, control=app.control if app else "")


class _Made(msgspec.Struct, frozen=True):
    """What there is to judge, what has no mutant and why, and what a person should know of both."""

    candidates: Sequence[Candidate]
    unmutated: Sequence[Unmutated]
    problems: Sequence[Problem]


def _make(context: Context, selection: critical.Selection) -> _Made:
    """Make the mutants, and say which of them are judged now.

    Raises:
        OrchestratorError: mutmut can't make them, or git does not know the revision of `changed-since`.
    """
    context.ahead.wait_for_mutants()
    project, settings = context.project, context.project.settings.mutation
    found, unmutated = candidates.find(project, selection, workers=settings.processes)
    found, problems = choice.suppressed(project, found)
    if since := settings.changed_since:
        found = choice.changed(found, git.changed_lines(project.root, since), since)
    if settings.shard:
        found = shards.chosen(found, Shard.read(settings.shard))
    checker = mutmut.settings(project).type_check_command
    if checker and not settings.quick:  # a function without its body returns nothing, whatever it promised
        try:
            found = types.checked(project, found, checker)
        except OrchestratorError as error:
            problems = [*problems, error.problem]
    return _Made(found, unmutated, problems)


def joined(parts: Sequence[StageResult]) -> StageResult:
    """Return one result of the stage from those of all shards; if one did not come to its end, that one's.

    Raises:
        UsageError: they are not the shards of one run.
    """
    broken = next((part for part in parts if part.status is not StageStatus.COMPLETED), None)
    data = [part.data for part in parts if isinstance(part.data, Mutation)]
    if not data or len(data) < len(parts):
        return broken or parts[0]
    mutation = shards.joined(data)
    notices = tuple(dict.fromkeys(notice for part in parts for notice in part.notices))
    return msgspec.structs.replace(
        broken or parts[0],
        data=mutation,
        summary=_summary(mutation),
        notices=notices,
        seconds=max(part.seconds for part in parts),
    )


def _with_operations(found: Sequence[Candidate], reached: Mapping[str, Sequence[str]] | None) -> list[Candidate]:
    """Say which operations' requests execute the changed functions."""
    operations: dict[str, list[str]] = {}
    for label, places in (reached or {}).items():
        for place in places:
            operations.setdefault(place, []).append(label)
    replace = msgspec.structs.replace
    return [
        replace(
            c, mutant=replace(c.mutant, operations=tuple(operations.get(f"{c.mutant.path}::{c.mutant.function}", ())))
        )
        for c in found
    ]


def _with_requests_operations(mutation: Mutation, context: Context) -> Mutation:
    """Name the operation of each request that was answered differently."""
    has_requests = any(m.gaps or m.checked or (m.input_gap and m.input_gap.request) for m in mutation.mutants)
    document = context.document_or_none() if has_requests else None
    if document is None:  # or nobody asks for it: the app may have to be started for it
        return mutation
    replace, match = msgspec.structs.replace, document.match

    def named(gap: G) -> G:
        method, _, path = gap.request.partition(" ")
        operation = match(method, path.partition("?")[0])
        return replace(gap, operation=operation.label) if operation else gap

    def with_names(mutant: Mutant) -> Mutant:
        gap = named(mutant.input_gap) if mutant.input_gap and mutant.input_gap.request else mutant.input_gap
        checked = named(mutant.checked) if mutant.checked else None
        return replace(mutant, gaps=tuple(map(named, mutant.gaps)), input_gap=gap, checked=checked)

    return replace(mutation, mutants=tuple(map(with_names, mutation.mutants)))


def _with_source(mutation: Mutation, context: Context) -> Mutation:
    """Add the text of the files that have mutants, and say which mutants change lines that are new."""
    root, replace = context.project.root, msgspec.structs.replace
    sources = {}
    for path in sorted({m.path for m in mutation.mutants}):
        with contextlib.suppress(OSError, SyntaxError, UnicodeDecodeError):
            sources[path] = text.visible(decode_source((root / path).read_bytes()))
    since = context.project.settings.mutation.changed_since or context.since
    if not since or not git.knows(root, since):
        return replace(mutation, sources=sources)
    lines = git.changed_lines(root, since)

    def is_changed(mutant: Mutant) -> bool:
        place = replaced(mutant.diff)
        return any(s.start <= place.end_line and place.line < s.stop for s in lines.get(mutant.path, ()))

    mutants = tuple(replace(m, changed=is_changed(m)) if m.path in lines else m for m in mutation.mutants)
    return replace(mutation, mutants=mutants, sources=sources, changed_since=since)


def _mutation(
    found: Sequence[Candidate], unmutated: Sequence[Unmutated], result: Result, settings: config.Mutation
) -> Mutation:
    return Mutation(
        mutants=tuple(result.applied(c) for c in found),
        critical=settings.critical,
        quick=settings.quick,
        all_tests=settings.all_tests,
        shard=settings.shard,
        unmutated=tuple(unmutated),
        mode=result.mode,
        reused=result.reused,
        seconds=result.seconds,
        self_check=result.self_check,
        document=tuple(result.document),
    )


def _unmatched(selection: critical.Selection) -> OrchestratorError | None:
    """Return why not all of the critical paths were found; a rename must not shrink what is mutated unseen."""
    if not selection.problems:
        return None
    first = selection.problems[0]
    return OrchestratorError(Code(first.code), first.message, hint=first.hint)


def _error(mutation: Mutation) -> OrchestratorError | None:
    """Return what makes the verdicts untrustworthy, or empty."""
    check = mutation.self_check
    if check and check.disagreements:
        first = check.disagreements[0]
        return OrchestratorError(
            Code.SELF_CHECK_FAILED,
            f"plain pytest does not share {text.plural(len(check.disagreements), 'verdict')} of {check.checked}; first "
            f"{first.mutant}: {first.ours.value} here, {first.plain.value} there ({first.detail})",
            hint='Tests that depend on chance or on each other may be the reason. `mutation.mode = "fresh"` judges '
            "every mutant in an interpreter of its own.",
        )
    unreached = mutation.count(MutantStatus.NO_TESTS)
    if unreached and not any(m.status.is_detected or m.status is MutantStatus.SURVIVED for m in mutation.mutants):
        return OrchestratorError(
            Code.NOT_REACHED,
            f"no test executes any of {text.plural(unreached, 'mutant')}",
            hint="Is another copy of the source imported, one that is installed? Install it in editable mode, or set "
            "`import-paths`.",
        )
    return None


def _notices(mutation: Mutation) -> list[Problem]:
    notices = []
    if mutation.unmutated:
        named = ", ".join(u.function or u.path for u in mutation.unmutated[:3])
        more = ", …" if len(mutation.unmutated) > 3 else ""
        notices.append(
            Problem(
                code=Code.NOT_MUTATED,
                message=f"{text.plural(len(mutation.unmutated), 'critical function')} without a mutant: {named}{more}",
                hint="The report says why of each.",
            )
        )
    if mutation.self_check and mutation.self_check.reason:
        notices.append(
            Problem(
                code=Code.SELF_CHECK_IMPOSSIBLE,
                message=f"no verdict was checked: {mutation.self_check.reason}",
                hint="Tests may need files that git ignores. Run pytest in a fresh clone to see it.",
            )
        )
    return notices


def _summary(mutation: Mutation) -> str:
    judged = [m for m in mutation.mutants if m.status.is_detected or m.status.is_undetected]
    detected = sum(m.status.is_detected for m in judged)
    parts = [f"shard {mutation.shard}"] if mutation.shard else []
    parts.append(f"{detected:,} of {text.plural(len(judged), 'mutant')} detected")
    survived = mutation.count(MutantStatus.SURVIVED)
    untested = mutation.count(MutantStatus.NO_TESTS)
    caught = [m for m in judged if m.status is MutantStatus.TYPE_CHECK]
    if caught:
        parts.append(f"{len(caught)} caught by {caught[0].killer}")
    if survived:
        parts.append(f"{survived} survived")
    if seen := sum(m.status is MutantStatus.SURVIVED and m.layers.get("unit") is Step.PROPAGATED for m in judged):
        parts.append(f"{seen} of them seen in a response by a test that passes")
    if untested:
        parts.append(f"{untested} without a test")
    if mutation.score is not None:
        parts.append(f"score {text.percent(mutation.score)}")
    if mutation.reused:
        parts.append(f"{mutation.reused:,} verdicts of an earlier run hold")
    if killing := kills(mutation):
        needless = sum(not test.alone for test in killing)
        parts.append(f"{needless} of {text.plural(len(killing), 'killing test')} kill nothing that others don't")
    check = mutation.self_check
    if check and check.checked:
        agreed = check.checked - len(check.disagreements)
        parts.append(f"{agreed} of {check.checked} verdicts confirmed by plain pytest")
    return ", ".join(parts)
