"""Run the project's own pytest suite once: outcomes, true durations, coverage, the operations it calls."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from orchestrator import text
from orchestrator.adapters import openapi, pytest
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.problem import Problem
from orchestrator.model.stage import StageResult
from orchestrator.model.suite import Outcome, Suite, Test
from orchestrator.mutation.unchanged import LastRun
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "suite"
_WORTH_SHARING = 5.0  # seconds of tests


def run(context: Context) -> StageResult:
    """Run the suite.

    Raises:
        OrchestratorError: every test is red, or nothing can be collected.
    """
    project, tests = context.project, context.project.settings.tests
    if not any((project.directory / path.partition("::")[0]).exists() for path in tests.paths):
        return skipped(NAME, f"no tests: {', '.join(tests.paths)} does not exist")
    installed = context.installed()
    if context.is_only_needed(NAME) and (held := LastRun(project, installed).suite()):
        reused = msgspec.structs.replace(held.data, reused=True) if isinstance(held.data, Suite) else None
        return msgspec.structs.replace(held, data=reused, summary=f"{held.summary}: nothing has changed since")
    if "pytest" not in installed:
        raise OrchestratorError(
            Code.TOOL_NOT_INSTALLED,
            "pytest is not installed in the app's interpreter",
            hint="Install it there, or name another interpreter with `python`.",
        )
    workers = _workers(context) if "pytest-xdist" in installed else 1
    measured = tests.coverage and installed.measures_coverage and bool(project.source)
    record = project.state / "suite" / "record.ndjson"

    def known_so_far() -> tuple[Suite | None, str]:
        lines = record.read_text("utf-8").splitlines() if record.exists() else []
        suite = Suite(tests=pytest.parse_record(lines, known_red=tests.known_red).tests, workers=workers)
        return suite, _summary(suite)

    has_changed = context.is_only_needed(NAME)  # else it would have been held
    are_judged = context.plans_mutation and (has_changed or not LastRun(project, installed).suite())
    if workers == 1 and are_judged:  # with more workers the suite has all cores
        context.ahead.begin(installed)
    with keep_on_interrupt(known_so_far):
        finished, recorded, coverage = pytest.run(
            project,
            workers=workers,
            coverage=measured,
            watch=lambda done, total: context.teller.advanced(done, total, "tests"),
        )
    suite = Suite(
        tests=_with_operations(recorded.tests, context.document_or_none()), workers=workers, coverage=coverage
    )
    _last_seconds(context).write_text(str(sum(t.seconds for t in suite.tests)), "utf-8")
    if finished.timed_out:
        return timed_out(NAME, suite, _summary(suite), tests.timeout, "tests.timeout")
    error = _error(suite, recorded, finished.tail())
    if error is None and are_judged:
        context.ahead.begin(installed, suite.quarantined)
    return completed(NAME, suite, _summary(suite), *_notices(suite), error=error)


def _workers(context: Context) -> int:
    """Return how many processes share the suite: starting them is not worth it for a suite that is quick alone."""
    setting = context.project.settings.tests.workers
    if setting != "auto":
        return max(1, setting)
    try:
        seconds = float(_last_seconds(context).read_text("utf-8"))
    except (OSError, ValueError):
        seconds = _WORTH_SHARING
    return (os.cpu_count() or 1) if seconds >= _WORTH_SHARING else 1


def _last_seconds(context: Context) -> Path:
    """Return the file that remembers how long the tests took, all together, the last time."""
    return context.project.state / "suite-seconds"


def _with_operations(tests: tuple[Test, ...], document: openapi.Document | None) -> tuple[Test, ...]:
    """Name the operation of each exchange."""
    if document is None:
        return tests
    named = []
    for test in tests:
        exchanges = []
        for exchange in test.exchanges:
            operation = document.match(exchange.method, exchange.path)
            exchanges.append(msgspec.structs.replace(exchange, operation=operation.label) if operation else exchange)
        named.append(msgspec.structs.replace(test, exchanges=tuple(exchanges)))
    return tuple(named)


def _error(suite: Suite, recorded: pytest.Recorded, output: str) -> OrchestratorError | None:
    """Return why the suite as a whole says nothing; None: it says something."""
    if recorded.broken:
        file, message = recorded.broken[0]
        return OrchestratorError(
            Code.COLLECTION_FAILED,
            f"{text.plural(len(recorded.broken), 'test file')} can't be collected, first {file}: "
            f"{text.one_line(message.splitlines()[-1] if message else '')}",
            hint="Run pytest on it by hand with the app's interpreter.",
            detail=message,
        )
    if not suite.tests:
        if recorded.exit_status == pytest.NO_TESTS:
            return OrchestratorError(
                Code.NO_TESTS, "pytest collected no test", hint="Check `tests.paths` and `tests.deselect`."
            )
        return OrchestratorError(
            Code.COLLECTION_FAILED,
            f"pytest ended before its first test: {text.one_line(output.splitlines()[-1] if output else '')}",
            hint="Run pytest by hand with the app's interpreter; check `tests.options`.",
            detail=text.clean(output),
        )
    if all(t.outcome.is_red or t.outcome is Outcome.SKIPPED for t in suite.tests):
        return OrchestratorError(
            Code.ALL_TESTS_RED,
            f"no test of the unmutated code passes (of {len(suite.tests)}); the first: "
            f"{suite.tests[0].id}: {suite.tests[0].message}",
            hint="Make the suite pass first; nothing can be said about mutants without it.",
        )
    return None


def _notices(suite: Suite) -> list[Problem]:
    red = [t for t in suite.tests if t.is_quarantined]
    if not red:
        return []
    named = ", ".join(t.id for t in red[:3]) + (", …" if len(red) > 3 else "")
    return [
        Problem(
            code=Code.TESTS_QUARANTINED,
            message=f"{text.plural(len(red), 'red test')} quarantined: {named}",
            hint="They fail on the unmutated code, so they may not kill mutants. Mend them, or list them under "
            "`tests.known-red` with a reason.",
        )
    ]


def _summary(suite: Suite) -> str:
    parts = [f"{suite.count(Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED):,} of {len(suite.tests):,} tests pass"]
    red = suite.count(Outcome.FAILED, Outcome.ERROR)
    skipped_tests = suite.count(Outcome.SKIPPED)
    if red:
        parts.append(f"{red} red")
    if skipped_tests:
        parts.append(f"{skipped_tests} skipped")
    if suite.covered is not None:
        parts.append(f"{text.percent(suite.covered)} of statements covered")
    return ", ".join(parts)
