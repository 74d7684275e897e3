from __future__ import annotations

import pytest

from orchestrator.model.contracts import Verification
from orchestrator.model.properties import Properties
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome
from tests import builders
from tests.builders import cases, contracts, generated, mutation, properties, run, stage, suite


def test_what_a_stage_found_is_reached_by_its_name() -> None:
    of = run(generated(), suite(Outcome.PASSED), properties(), contracts(), mutation())
    assert of.generated == generated()
    assert of.suite == suite(Outcome.PASSED)
    assert of.properties == properties()
    assert of.contracts == contracts()
    assert of.mutation == mutation()
    assert of.stage("suite") is of.stages[1]


def test_what_no_stage_found_is_none() -> None:
    of = run(stage(name="suite", status=StageStatus.ERROR))
    assert of.suite is None
    assert of.generated is None
    assert of.stage("contracts") is None
    assert of.stage("suite") is not None


@pytest.mark.parametrize("result", list(Verification))
def test_an_interaction_fails_unless_it_holds_or_is_pending(result: Verification) -> None:
    fails = result not in (Verification.VERIFIED, Verification.PENDING)
    assert result.is_failure == fails
    assert len(contracts(result).failures) == fails


def test_cases_are_summed() -> None:
    assert properties(sent=(cases(sent=2), cases(sent=3))).sent == 5
    assert Properties(cases=(), findings=(), tests=0, seed=1).sent == 0


def test_a_verdict_lists_its_failing_gates() -> None:
    verdict = builders.report(run(suite(Outcome.FAILED))).verdict
    assert [g.id for g in verdict.failing] == ["suite-success"]
    assert not verdict.passed


def test_excluded_operations_are_not_tested() -> None:
    left_out = builders.operation("GET /b", excluded="r")
    of = generated(operations=(builders.operation(), left_out))
    assert of.tested == (builders.operation(),)
