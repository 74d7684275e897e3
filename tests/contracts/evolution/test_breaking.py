"""Each rule tells its example, and no other rule does."""

from __future__ import annotations

import datetime

import pytest

from orchestrator.contracts import breaking
from orchestrator.contracts.evolution.rules import RULES
from orchestrator.model.contracts import DocumentChange
from tests.contracts.evolution.examples import EXAMPLES, Json

TODAY = datetime.date(2030, 1, 1)


def changes(before: Json, after: Json) -> tuple[DocumentChange, ...]:
    return breaking.changes(before, after, today=TODAY)


def rules(before: Json, after: Json) -> list[str]:
    return [change.rule for change in changes(before, after)]


def test_every_rule_has_an_example() -> None:
    assert EXAMPLES.keys() == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_tells_its_example_and_no_other_does(rule: str) -> None:
    before, after = EXAMPLES[rule]
    (change,) = changes(before, after)
    assert change.rule == rule
    assert change.level is RULES[rule].level
    assert change.message.endswith(".")
