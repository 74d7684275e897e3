"""Runs that every output has to cope with."""

from __future__ import annotations

from orchestrator import history
from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.problem import Problem
from orchestrator.model.run import Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome, Suite
from tests import builders
from tests.builders import finding, interaction, item, mutation, properties, run, stage


def broken() -> Run:
    """A run in which no stage came to its end."""
    problem = Problem(code="QO701", message="too slow", hint="raise it", detail="log")
    return run(
        stage(name="generate", status=StageStatus.INTERRUPTED),
        stage(name="suite", status=StageStatus.TIMED_OUT, error=problem),
        stage(name="mutation", status=StageStatus.ERROR, error=problem),
    )


def small() -> Run:
    """A run with one thing of each sort that is wrong."""
    return run(
        Suite(tests=(item("tests/test_a.py::test_a"), item("tests/test_b.py::test_b", Outcome.FAILED, message="no"))),
        properties(finding()),
        Contracts(interactions=(interaction(), interaction("read b", Verification.MISMATCH))),
        mutation(MutantStatus.SURVIVED, MutantStatus.NO_TESTS, MutantStatus.KILLED, MutantStatus.SUPPRESSED),
    )


def compared(now: Run | None = None, then: Run | None = None) -> Report:
    """A report on a run, next to one in which nothing was wrong."""
    of = now or small()
    earlier = then or run(Suite(tests=(item(),)), properties(), Contracts(interactions=()), mutation())
    return builders.report(of, history.compare(of, earlier, "baseline"))
