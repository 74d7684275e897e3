"""The request that is missing is found: the whole engine on small Flask apps."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.mutation import MutantStatus, Step
from tests.mutation import test_layers
from tests.mutation.subjects import Judged


def judged(root: Path, code: str, tests: str, budget: float = 10) -> Judged:
    return test_layers.judged(root, code, tests, **{"search-budget": budget})


ORDERS = """
from flask import request

def price(count):
    if count >= 10:
        return count * 6
    return count * 7

@app.post("/orders")
def order():
    return jsonify(total=price(request.get_json()["count"])), 201
"""
FEW = """
def test_order(client):
    answer = client.post("/orders", json={"count": 2})
    assert answer.get_json()["total"] == 14
"""
TESTS = f"""{FEW}
def test_many(client):
    assert client.post("/orders", json={{"count": 20}}).get_json()["total"] == 120
"""


def test_a_request_that_shows_a_survivor_is_found_with_the_assertion_that_holds(tmp_path: Path) -> None:
    found = judged(tmp_path, ORDERS, TESTS)
    mutant = found["if count > 10:"]
    assert (mutant.status, mutant.layers, mutant.gaps) == (MutantStatus.SURVIVED, {"unit": Step.REACHED}, ())
    gap = mutant.input_gap
    assert gap
    assert (gap.request, gap.call) == ("POST /orders", 'client.post("/orders", json={"count": 10})')
    assert [(d.place, d.before, d.after) for d in gap.differences] == [("$.total", "60", "70")]
    assert gap.proposal
    added = [line for line in gap.proposal.diff.splitlines()[2:] if line.startswith("+")]
    assert added == [
        '+    response = client.post("/orders", json={"count": 10})',
        '+    assert response.get_json()["total"] == 60',
    ]
    assert mutant.proposals == (("", gap.proposal),)


def test_where_no_request_shows_it_the_number_of_those_tried_is_told(tmp_path: Path) -> None:
    code = ORDERS.replace("return count * 7", "return count * 7 + len(str(count)[:0])")
    found = judged(tmp_path, code, TESTS)
    gaps = [m.input_gap for m in found.mutants if m.status is MutantStatus.SURVIVED and "[:1]" not in m.diff]
    assert gaps
    assert any(gap and gap.tried > 20 and not gap.request for gap in gaps)


def test_the_condition_that_no_test_meets_is_told(tmp_path: Path) -> None:
    found = judged(tmp_path, ORDERS, FEW)
    mutant = found["return count / 6"]
    assert (mutant.status, mutant.condition) == (MutantStatus.NO_TESTS, "line 13: `if count >= 10` is never true")
    assert found["return count * 8"].condition == ""


def test_nothing_is_searched_where_the_budget_is_nothing(tmp_path: Path) -> None:
    found = judged(tmp_path, ORDERS, TESTS, budget=0)
    assert found["if count > 10:"].input_gap is None
    assert "search" not in found.result.seconds


def test_what_was_found_is_known_in_the_next_run(tmp_path: Path) -> None:
    first = judged(tmp_path, ORDERS, TESTS)["if count > 10:"].input_gap
    second = judged(tmp_path, ORDERS, TESTS)
    assert second["if count > 10:"].input_gap == first
    assert "search" not in second.result.seconds
