"""Break the critical paths on purpose, and see which tests notice: mutmut's own run, in this version."""

from __future__ import annotations

import os

from orchestrator import text
from orchestrator.adapters import mutmut, source
from orchestrator.adapters.source import Function
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation, Unmutated
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Properties
from orchestrator.model.stage import StageResult
from orchestrator.model.suite import Outcome, Suite
from orchestrator.mutation import critical
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "mutation"
_KEEPS_FUNCTION = ("staticmethod", "classmethod")


def run(context: Context) -> StageResult:
    """Judge the mutants of the critical paths.

    Raises:
        OrchestratorError: no critical path is found, mutmut is missing, or it broke down.
    """
    project, settings = context.project, context.project.settings.mutation
    if not settings.critical:
        return skipped(NAME, "no critical paths: `mutation.critical` is empty")
    suite = context.data(Suite)
    if suite is None or not any(t.outcome is Outcome.PASSED for t in suite.tests):
        return skipped(NAME, "no test of the unmutated code passes")
    installed = context.installed()
    if "mutmut" not in installed:
        raise OrchestratorError(
            Code.MUTMUT_MISSING,
            "mutmut is not installed in the app's interpreter",
            hint='Install it there beside pytest: pip install "mutmut~=3.8".',
        )
    properties = context.data(Properties)
    reached = properties.reached if properties else None
    selection = critical.select(project, reached)
    if not selection.functions:
        raise _unmatched(selection) or OrchestratorError(Code.NO_CRITICAL_PATH, "no critical path is found")
    known = source.functions(project)
    quarantined = [t.id for t in suite.tests if t.is_quarantined]
    unmatched = _unmatched(selection)
    mutable = [f for f in selection.functions if not _is_left_alone(f)]
    if not mutable:
        nothing = Mutation(mutants=(), critical=settings.critical, unmutated=_unmutated(selection.functions, ()))
        return completed(NAME, nothing, _summary(nothing), *_notices(nothing), error=unmatched)
    copy = mutmut.prepare(project, mutable, quarantined, installed.versions)

    def found() -> tuple[Mutation, str]:
        mutants = mutmut.read(project, copy, selection.functions, reached)
        mutation = Mutation(
            mutants=mutants, critical=settings.critical, unmutated=_unmutated(selection.functions, mutants)
        )
        return mutation, _summary(mutation)

    if not copy.complete:
        with keep_on_interrupt(found):
            finished = mutmut.run(
                project,
                copy,
                mutable,
                known,
                workers=settings.workers or os.cpu_count() or 1,
                has_xdist="pytest-xdist" in installed,
                watch=lambda done, total: context.teller.advanced(done, total, "mutants"),
            )
        mutation, summary = found()
        if finished.timed_out:
            return timed_out(NAME, mutation, summary, settings.timeout, "mutation.timeout")
        if finished.code or not mutation.mutants:
            error = OrchestratorError(
                Code.MUTMUT_FAILED,
                f"mutmut ended with {finished.code}: {_last_words(finished.tail(40))}",
                hint=f"Its output is in {finished.where}.",
                detail=text.clean(finished.tail(40)),
            )
            return completed(NAME, mutation, summary, *selection.problems, error=error)
        mutmut.finish(project)
    mutation, summary = found()
    reused = ", nothing changed since the last run" if copy.complete else ""
    return completed(NAME, mutation, summary + reused, *_notices(mutation), error=unmatched)


def _unmatched(selection: critical.Selection) -> OrchestratorError | None:
    """Return why not all of the critical paths were found; a rename must not shrink what is mutated unseen."""
    if not selection.problems:
        return None
    first = selection.problems[0]
    return OrchestratorError(Code(first.code), first.message, hint=first.hint)


def _is_left_alone(function: Function) -> bool:
    """Whether mutmut passes over a function because of its decorators."""
    return bool(function.decorators) and function.decorators not in [(d,) for d in _KEEPS_FUNCTION]


def _unmutated(chosen: tuple[Function, ...], mutants: tuple[Mutant, ...]) -> tuple[Unmutated, ...]:
    """Return the critical functions that mutmut leaves alone because they are decorated."""
    mutated = {(m.path, m.function) for m in mutants}
    return tuple(
        Unmutated(
            path=f.path,
            function=f.name,
            line=f.line,
            reason=f"decorated with @{text.one_line(f.decorators[0], limit=60)}, which mutmut leaves alone",
        )
        for f in chosen
        if _is_left_alone(f) and (f.path, f.name) not in mutated
    )


def _notices(mutation: Mutation) -> list[Problem]:
    if not mutation.unmutated:
        return []
    return [
        Problem(
            code=Code.NOT_MUTATED,
            message=f"{text.plural(len(mutation.unmutated), 'critical function')} not mutated, because decorated: "
            f"{', '.join(u.function for u in mutation.unmutated[:3])}{', …' if len(mutation.unmutated) > 3 else ''}",
            hint="Nothing is known about them. Handlers are best kept thin, their rules in functions of their own.",
        )
    ]


def _last_words(output: str) -> str:
    lines = [line for line in output.replace("\r", "\n").splitlines() if line.strip()]
    return text.one_line(lines[-1]) if lines else "without a word"


def _summary(mutation: Mutation) -> str:
    detected = sum(m.status.is_detected for m in mutation.mutants)
    parts = [f"{detected:,} of {text.plural(len(mutation.mutants), 'mutant')} detected"]
    survived = mutation.count(MutantStatus.SURVIVED)
    untested = mutation.count(MutantStatus.NO_TESTS)
    if survived:
        parts.append(f"{survived} survived")
    if untested:
        parts.append(f"{untested} without a test")
    if mutation.score is not None:
        parts.append(f"score {text.percent(mutation.score)}")
    return ", ".join(parts)
