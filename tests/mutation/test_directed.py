"""A number that stands nowhere is found by coming nearer to it: the whole engine on small Flask apps."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.adapters.session import Change
from orchestrator.model.mutation import InputGap, MutantStatus, Step
from orchestrator.mutation.asking import Asker
from orchestrator.mutation.directed import Course
from orchestrator.mutation.number_places import number_places
from orchestrator.mutation.proposals import Subject
from orchestrator.mutation.variants import Hints
from tests.mutation.test_search import FEW, judged

ORDERS = """
from flask import request

SIZES = [120, 77, 903]

def price(count):
    if count * 3 >= sum(SIZES) + 64:
        return count * 6
    return count * 7

@app.post("/orders")
def order():
    return jsonify(total=price(request.get_json()["count"])), 201
"""
MANY = """
def test_many(client):
    assert client.post("/orders", json={"count": 2000}).get_json()["total"] == 12000
"""
NAMES = """
from flask import request

def shortened(name):
    if len(name) > sum(range(9)):
        return name[:5] + "…"
    return name

@app.get("/names/<int:number>")
def name(number):
    return jsonify(name=shortened(request.args.get("name", "")))
"""
OF_NAMES = """
def named(client, name):
    return client.get("/names/1", query_string={"name": name})

def test_name(client):
    assert named(client, name="Ada").get_json() == {"name": "Ada"}
    assert named(client, name="A" * 50).get_json() == {"name": "AAAAA…"}
"""


def added(gap: InputGap) -> list[str]:
    """The lines that a proposal adds."""
    assert gap.proposal
    return [line[5:] for line in gap.proposal.diff.splitlines()[2:] if line.startswith("+")]


def test_the_number_at_which_a_survivor_differs_is_found(tmp_path: Path) -> None:
    mutant = judged(tmp_path, ORDERS, FEW + MANY)["if count * 3 > sum(SIZES) + 64:"]
    gap = mutant.input_gap
    assert gap
    assert (mutant.status, gap.directed) == (MutantStatus.SURVIVED, True)
    assert added(gap) == [
        'response = client.post("/orders", json={"count": 388})',
        'assert response.get_json()["total"] == 2328',
    ]


def test_one_with_which_code_is_executed_that_no_test_executes_is_found(tmp_path: Path) -> None:
    mutant = judged(tmp_path, ORDERS, FEW)["return count / 6"]
    gap = mutant.input_gap
    assert gap
    assert (mutant.status, mutant.layers) == (MutantStatus.NO_TESTS, {"unit": Step.NOT_REACHED})
    count = int(re.findall(r"\d+", gap.call)[0])
    assert count >= 388
    assert added(gap)[1] == f'assert response.get_json()["total"] == {6 * count}'


def test_the_length_of_a_text_is_a_number_too(tmp_path: Path) -> None:
    gap = judged(tmp_path, NAMES, OF_NAMES)["if len(name) >= sum(range(9)):"].input_gap
    assert gap
    assert gap.call == 'named(client, name="x" * 36)'


def test_a_search_that_had_no_time_goes_on_in_the_next_run(tmp_path: Path) -> None:
    change = "if count * 3 > sum(SIZES) + 64:"
    gap = judged(tmp_path, ORDERS, FEW + MANY, budget=0.01)[change].input_gap
    assert not (gap and (gap.directed or gap.request))
    gap = judged(tmp_path, ORDERS, FEW + MANY)[change].input_gap
    assert gap
    assert gap.request


def test_where_no_number_matters_nothing_more_is_sent(tmp_path: Path) -> None:
    code = ORDERS.replace("count * 3 >= sum(SIZES) + 64", "len(str(sum(SIZES))) > 4 and count")
    gap = judged(tmp_path, code, FEW)["if len(str(sum(SIZES))) > 5 and count:"].input_gap
    assert gap
    assert (gap.request, gap.directed) == ("", True)
    assert gap.tried <= 120


def course(nearest: dict[int, float]) -> Course:
    source = "def test_one(client):\n    client.get('/1', 5)\n"
    test = Subject("test_app.py::test_one", "/test_app.py", source)
    watch = Change(path="/app.py", first=1, last=1, lines=(), function=True)
    return Course(watch, Asker(test), number_places("client.get('/1', 5)", Hints()), nearest)


def test_a_course_goes_through_its_places_each_number_with_its_neighbours() -> None:
    seen: list[str] = []
    with course({0: 100.0}) as going:
        while (asked := going.next()) is not None:
            seen += asked.calls.values()
            assert not going.tell({0: 100.0, 1: 3.0})
    assert seen[:2] == ["client.get('/0', 5)", "client.get('/1', 5)"]  # below 0 there is no other
    assert "client.get('/1', -1)" in seen


def test_it_ends_when_the_sides_have_met() -> None:
    with course({0: 100.0, 1: 5.0}) as going:
        assert going.next()
        assert going.tell({0: 0.0})
        assert going.next()
        assert not going.tell({0: 0.0, 1: 5.0})
        assert going.next()
        assert going.tell({1: 0.0})
        assert going.next() is None
