"""How far the damage of a mutant gets in the project's own tests: the whole engine on small Flask apps."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.mutation import MutantStatus, OracleGap, Step
from tests.mutation.subjects import Judged, judge

HEAD = """
from datetime import datetime, timezone
from secrets import randbelow
from uuid import uuid4

from flask import Flask, Response, jsonify, redirect

app = Flask(__name__)
"""
TESTS = """
import pytest
from pkg.app import app


@pytest.fixture
def client():
    return app.test_client()
"""


def judged(root: Path, code: str, tests: str, **settings: object) -> Judged:
    return judge(
        root, {"pkg/__init__.py": "", "pkg/app.py": HEAD + code, "tests/test_app.py": TESTS + tests}, **settings
    )


def steps(found: Judged, function: str) -> set[Step | None]:
    """Return how far the judged mutants of a function got."""
    return {
        m.layers.get("unit")
        for m in found.mutants
        if m.function == function and (m.status.is_detected or m.status.is_undetected)
    }


def gap(found: Judged, change: str, test: str = "") -> OracleGap:
    """Return the gap of the one test, or of the one whose name ends so."""
    (one,) = [g for g in found[change].gaps if g.test.endswith(test)]
    return one


def places(one: OracleGap) -> list[tuple[str, str, str]]:
    return [(d.place, d.before, d.after) for d in one.differences]


def test_each_step_is_told_from_the_others(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
def price(count):
    return count * 7

def checked(count):
    return count * 5

def without_effect(count):
    return count * 3

def alone(count):
    return count * 2

def never(count):
    return count * 9

@app.get("/total/<int:count>")
def total(count):
    without_effect(count)
    return jsonify(total=price(count), checked=checked(count))
""",
        """
from pkg.app import alone

def test_total(client):
    assert client.get("/total/2?a=b").get_json()["checked"] == 10

def test_alone():
    alone(2)
""",
    )
    assert steps(found, "price") == {Step.PROPAGATED}
    assert steps(found, "checked") == {Step.REVEALED}
    assert steps(found, "without_effect") == {Step.REACHED}
    assert steps(found, "alone") == {Step.REACHED_UNSEEN}
    assert steps(found, "never") == {Step.NOT_REACHED}
    one = gap(found, "count * 8")
    assert (one.layer, one.test, one.request, one.number) == (
        "unit",
        "tests/test_app.py::test_total",
        "GET /total/2?a=b",
        1,
    )
    assert places(one) == [("$.total", "14", "16")]


PRICES = """
def price(count):
    return count * 7

@app.get("/total/<int:count>")
def total(count):
    return jsonify(total=price(count), at=datetime.now(timezone.utc).isoformat())
"""


def test_the_assertion_that_is_missing_is_proposed_when_the_test_has_noticed_with_it(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        PRICES,
        """
class TestTotal:
    @pytest.mark.parametrize("again", [1, 2])
    def test_total(self, client, again):
        assert client.get("/total/2").status_code == 200
""",
    )
    proposal = gap(found, "count * 8", "[1]").proposal
    assert proposal
    assert proposal.assertion == 'assert response.get_json()["total"] == 14'
    assert gap(found, "count * 8", "[2]").proposal is None  # one is enough
    source = (tmp_path / "tests" / "test_app.py").read_text()
    assert source.splitlines()[proposal.line - 3].strip().startswith("assert client.get")
    assert "+        response = client.get" in proposal.diff


def test_an_assertion_is_proposed_where_helpers_send_the_request_and_look_at_the_response(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        PRICES,
        """
from functools import wraps

def asked(client, count):
    return client.get(f"/total/{count}")

def good(response, status):
    assert response.status_code == status
    return response

def twice(function):
    @wraps(function)
    def again(*args, **kwargs):
        function(*args, **kwargs)
        function(*args, **kwargs)
    return again

@twice
def test_total(client):
    good(asked(client, int("2")), 200)
""",
    )
    (one,) = found["count * 8"].gaps
    assert one.proposal
    assert one.proposal.assertion == 'assert response.get_json()["total"] == 14'
    assert '+    response = asked(client, int("2"))\n+    good(response, 200)' in one.proposal.diff


def test_an_assertion_that_is_not_true_for_all_parameters_is_not_proposed(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        PRICES,
        """
@pytest.mark.parametrize("count", [2, 3])
def test_total(client, count):
    assert client.get(f"/total/{count}").status_code == 200
""",
    )
    assert steps(found, "price") == {Step.PROPAGATED}
    assert {g.proposal for m in found.mutants for g in m.gaps if m.function == "price"} == {None}


def test_what_varies_by_itself_is_no_damage_and_hides_none(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
RECORDS = {}

def without_effect(count):
    return count * 3

def now():
    return datetime.now(timezone.utc).isoformat()

def fresh():
    return str(uuid4())

def drawn():
    return randbelow(1000) + 5

@app.post("/records")
def create():
    without_effect(1)
    record = {"id": fresh(), "at": now(), "size": 1, "drawn": drawn()}
    RECORDS[record["id"]] = record
    return jsonify(record), 201

@app.get("/records/<key>")
def read(key):
    return jsonify({**RECORDS[key], "again": len(key) + 1})
""",
        """
def test_records(client):
    made = client.post("/records").get_json()
    assert client.get("/records/" + made["id"]).status_code == 200
""",
    )
    assert steps(found, "without_effect") == {Step.REACHED}
    assert steps(found, "drawn") - {Step.REVEALED} == {Step.REACHED}
    assert steps(found, "fresh") == {Step.PROPAGATED}
    assert places(gap(found, "str(None)"))[0][2] == '"None"'
    assert places(gap(found, "len(key) - 1")) == [("$.again", "37", "35")]
    assert steps(found, "now") == {Step.PROPAGATED}
    assert places(gap(found, "datetime.now(None)"))[0][:2] == ("$.at", "a date and time with its zone")


def test_what_other_tests_left_behind_is_no_damage(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
VISITS = []

def without_effect(count):
    return count * 3

@app.get("/visits")
def visits():
    without_effect(1)
    VISITS.append(1)
    return jsonify(visits=len(VISITS))
""",
        """
@pytest.mark.parametrize("n", range(4))
def test_visits(client, n):
    assert client.get("/visits").status_code == 200
""",
    )
    assert steps(found, "without_effect") == {Step.REACHED}
    assert found["VISITS.append(2)"].layers == {"unit": Step.REACHED}


def test_headers_redirects_cookies_and_bytes_are_looked_at_and_streams_are_left_alone(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
def location():
    return "/target"

def kind():
    return "a"

def binary():
    return bytes([255, 7])

def endless(step):
    while True:
        yield str(step + 3)

@app.get("/moved")
def moved():
    return redirect(location())

@app.get("/target")
def target():
    response = Response(binary(), headers={"X-Kind": kind()})
    response.set_cookie("kind", kind())
    return response

@app.get("/stream")
def stream():
    return Response(endless(1))
""",
        """
def test_moved(client):
    assert client.get("/moved").status_code == 302

def test_target(client):
    assert client.get("/target").status_code == 200

def test_stream(client):
    response = client.get("/stream")
    assert next(response.response)
    response.close()
""",
    )
    assert places(gap(found, '"XX/targetXX"'))[0] == ("header location", '"/target"', '"XX/targetXX"')
    named = [place for place, _, _ in places(gap(found, '"XXaXX"'))]
    assert {"header x-kind", "header set-cookie"} <= set(named)
    assert places(gap(found, "bytes([255, 8])"))[0][0] == "body"
    assert steps(found, "endless") == {Step.REACHED, Step.REVEALED}


def test_damage_of_code_that_runs_at_import_is_seen_too(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
LIMIT = 4
LIMITS = dict(most=LIMIT + 5)

@app.get("/limits")
def limits():
    return jsonify(LIMITS)
""",
        """
def test_limits(client):
    assert client.get("/limits").status_code == 200
""",
    )
    assert places(gap(found, "LIMIT + 6")) == [("$.most", "9", "10")]
    assert found["LIMIT + 6"].layers == {"unit": Step.PROPAGATED}


def test_what_was_seen_is_known_in_the_next_run_though_another_test_has_changed(tmp_path: Path) -> None:
    code = """
def price(count):
    return count * 7

@app.get("/total/<int:count>")
def total(count):
    return jsonify(total=price(count))
"""
    tests = """
def test_total(client):
    assert client.get("/total/2").status_code == 200

def test_other(client):
    assert client.get("/total/3").status_code == 200
"""
    first = judged(tmp_path, code, tests)
    assert [g.request for g in first["count * 8"].gaps] == ["GET /total/2", "GET /total/3"]
    again = judged(tmp_path, code, tests.replace("total/3", "total/4"))
    assert [g.request for g in again["count * 8"].gaps] == ["GET /total/2", "GET /total/4"]
    assert again["count * 8"].layers == {"unit": Step.PROPAGATED}
    held = judged(tmp_path, code, tests.replace("total/3", "total/4"))
    assert held.result.reused
    assert held["count * 8"].gaps == again["count * 8"].gaps


def test_where_no_exchange_is_watched_the_step_of_a_survivor_is_not_known(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "\ndef price(count):\n    return count * 7\n",
        "\nfrom pkg.app import price\n\ndef test_price():\n    assert price(0) == 0\n",
        mode="fresh",
    )
    survivors = [m for m in found.mutants if m.status is MutantStatus.SURVIVED]
    assert survivors
    assert {str(m.layers) for m in survivors} == {"{}"}
    assert {m.layers["unit"] for m in found.mutants if m.status is MutantStatus.KILLED} == {Step.REVEALED}


def test_it_is_told_what_a_test_checks_where_nothing_else_differed(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """
def price(count):
    return count * 7

def both(count):
    return count * 5

@app.get("/total/<int:count>")
def total(count):
    if count > 90:
        return jsonify(error="too many"), 400
    return jsonify(total=price(count), one=both(count), other=both(count))

@app.get("/alone")
def alone():
    return jsonify(seen=3 + 4)
""",
        """
from pkg.app import both

def test_total(client):
    told = client.get("/total/2").get_json()
    assert told["total"] == 14
    assert (told["one"], told["other"]) == (10, 10)

def test_too_many(client):
    assert client.get("/total/91").status_code == 400

def test_alone(client):
    client.get("/alone")
    assert both(1) == 5
""",
    )
    assert [(m.checked.request, m.checked.status, m.checked.place) for m in [found["count * 8"]] if m.checked] == [
        ("GET /total/2", 200, "$.total")
    ]
    assert found["count * 6"].checked is None  # two fields, or none: one can't tell which is looked at
    assert found["count > 91"].checked is not None
    assert found["count > 91"].checked.place == "status"
