from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.mutation import MutantKind, MutantStatus, Mutation, score
from orchestrator.model.run import Gate, GateVerdict, Report
from orchestrator.model.suite import Outcome, Suite
from orchestrator.report import stryker
from tests import builders
from tests.builders import item, mutant, mutation, oracle_gap, run
from tests.report.hostile import STRINGS
from tests.report.runs import broken, compared, small
from tests.report.schemas import hold

SCHEMA = "mutation-testing-report-schema.json"
SOURCE = "def total(items):\n    # ä 🙂\n    x = '🙂'; return 1\n"
DIFF = "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -3 +3 @@\n-    x = '🙂'; return 1\n+    x = '🙂'; return 2"


def made(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stryker.render(report))
    hold(document, SCHEMA)
    known = [test["id"] for file in document.get("testFiles", {}).values() for test in file["tests"]]
    assert len(set(known)) == len(known)
    for file in document["files"].values():
        lines = file["source"].split("\n")
        for one in file["mutants"]:
            assert {*one.get("killedBy", ()), *one.get("coveredBy", ())} <= set(known)
            start, end = one["location"]["start"], one["location"]["end"]
            assert (start["line"], start["column"]) <= (end["line"], end["column"])
            for place in (start, end):
                assert place["column"] <= len(lines[place["line"] - 1].encode("utf-16-le")) // 2 + 1
    return document


def mutants(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for file in document["files"].values() for one in file["mutants"]]


def stryker_score(listed: Iterable[dict[str, Any]]) -> float | None:
    """As `mutation-testing-metrics` computes it; None: no mutant is valid."""
    counts = Counter(one["status"] for one in listed)
    detected = counts["Killed"] + counts["Timeout"]
    valid = detected + counts["Survived"] + counts["NoCoverage"]
    return 100 * detected / valid if valid else None


def of_one(**more: Any) -> dict[str, Any]:
    (one,) = mutants(
        made(builders.report(run(Suite(tests=(item(),)), Mutation(mutants=(mutant(**more),), critical=()))))
    )
    return one


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_the_document_is_valid(said: str) -> None:
    document = made(builders.report(builders.full_run(said)))
    assert len(mutants(document)) == 4
    assert len(document["files"]) == 2
    assert sum(len(file["tests"]) for file in document["testFiles"].values()) == 5


@pytest.mark.parametrize("report", [builders.report(), builders.report(broken())])
def test_without_a_result_of_the_stage_there_are_no_files(report: Report) -> None:
    assert made(report)["files"] == {}


@given(st.lists(st.tuples(st.sampled_from(MutantStatus), st.sampled_from(["a.py", "b.py"])), max_size=30))
def test_strykers_score_is_ours_for_each_file_and_for_all(found: list[tuple[MutantStatus, str]]) -> None:
    listed = tuple(mutant(status, str(n), path=path) for n, (status, path) in enumerate(found))
    result = Mutation(mutants=listed, critical=())
    document = made(builders.report(run(result)))
    assert len(mutants(document)) == len(listed)
    assert stryker_score(mutants(document)) == result.score
    for path, file in document["files"].items():
        assert stryker_score(file["mutants"]) == score(tuple(m for m in listed if m.path == path))


@pytest.mark.parametrize("status", MutantStatus)
def test_what_is_not_said_by_the_status_is_said_by_the_reason(status: MutantStatus) -> None:
    one = of_one(status=status)
    plain = {MutantStatus.KILLED, MutantStatus.SURVIVED, MutantStatus.TIMEOUT, MutantStatus.NO_TESTS}
    assert ("statusReason" in one) is (status not in plain)


def test_a_reason_tells_what_is_known() -> None:
    killer = "tests/test_a.py::test_a"
    assert of_one(status=MutantStatus.CRASHED, killer=killer, message="died")["statusReason"] == (
        f"the process that ran the tests died of it; {killer}: died"
    )
    assert of_one(status=MutantStatus.SUPPRESSED, reason="logs")["statusReason"] == "suppressed; logs"
    assert of_one(status=MutantStatus.SURVIVED, tests=2)["statusReason"] == "executed by 2 tests"
    assert of_one(status=MutantStatus.NO_TESTS, condition="a")["statusReason"] == "no test meets a"
    assert of_one(status=MutantStatus.KILLED, killer="collection")["statusReason"] == "collection"


def test_a_mutant_is_at_its_place_in_the_source_as_javascript_counts() -> None:
    result = Mutation(mutants=(mutant(diff=DIFF, line=3),), critical=(), sources={"shop/prices.py": SOURCE})
    document = made(builders.report(run(result)))
    assert document["files"]["shop/prices.py"]["source"] == SOURCE
    (one,) = mutants(document)
    # The column of the diff is 21: the character before it takes two units of UTF-16.
    assert one["location"] == {"start": {"line": 3, "column": 22}, "end": {"line": 3, "column": 23}}
    assert (one["replacement"], one["mutatorName"]) == ("2", "NumberLiteral")
    assert one["description"] == "total: `1` becomes `2`"


def test_a_source_that_is_not_known_is_what_the_diffs_show() -> None:
    other = "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -2,2 +2 @@\n def f():\n-    return 0"
    result = Mutation(mutants=(mutant(), mutant(name="2", diff=other)), critical=())
    file = made(builders.report(run(result)))["files"]["shop/prices.py"]
    assert file["source"] == "\ndef f():\n    return 0\n\n\n\n    return 1\n"
    assert file["mutants"][1]["location"] == {"start": {"line": 3, "column": 1}, "end": {"line": 4, "column": 1}}


def test_a_mutant_beyond_the_end_of_the_source_is_at_its_end() -> None:
    result = Mutation(mutants=(mutant(),), critical=(), sources={"shop/prices.py": "a\nbc"})
    (one,) = mutants(made(builders.report(run(result))))
    assert one["location"]["start"] == one["location"]["end"] == {"line": 2, "column": 3}


def test_only_tests_of_the_suite_are_named() -> None:
    killer = "tests/test_a.py::test_a"
    assert of_one(status=MutantStatus.KILLED, killer=killer)["killedBy"] == [killer]
    assert of_one(status=MutantStatus.KILLED, killers=(killer, killer, "web"))["killedBy"] == [killer]
    for foreign in ("collection", "tests/test_gone.py::test", ""):
        one = of_one(status=MutantStatus.KILLED, killer=foreign)
        assert {"killedBy", "coveredBy"}.isdisjoint(one)


def test_a_test_that_sees_a_mutant_executes_it() -> None:
    one = of_one(gaps=(oracle_gap(), oracle_gap("web")))
    assert one["coveredBy"] == ["tests/test_a.py::test_a"]
    assert "killedBy" not in one


def test_tests_are_listed_by_file_under_pytests_names() -> None:
    of = Suite(tests=(item("a.py::test_a"), item("a.py::C::test_b", Outcome.FAILED), item("b.txt")))
    assert made(builders.report(run(of)))["testFiles"] == {
        "a.py": {"tests": [{"id": "a.py::test_a", "name": "test_a"}, {"id": "a.py::C::test_b", "name": "C::test_b"}]},
        "b.txt": {"tests": [{"id": "b.txt", "name": "b.txt"}]},
    }


def test_a_duration_is_in_milliseconds_if_it_is_known() -> None:
    assert of_one(seconds=0.25)["duration"] == 250
    assert "duration" not in of_one()


def test_a_mutant_of_code_that_runs_at_import_is_static() -> None:
    assert of_one(kind=MutantKind.CLASS)["static"] is True
    assert "static" not in of_one()


@pytest.mark.parametrize(
    ("asked", "thresholds"),
    [(98, (98, 98)), (97.5, (98, 97)), (0, (0, 0)), (None, (80, 60)), (float("nan"), (80, 60)), (101, (80, 60))],
)
def test_the_thresholds_are_those_of_the_gate(asked: float | None, thresholds: tuple[int, int]) -> None:
    gate = Gate(id="mutation-score", title="A", threshold="", verdict=GateVerdict.PASS, asked=asked)
    report = builders.report()
    report = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, gates=(gate,)))
    high, low = thresholds
    assert made(report)["thresholds"] == {"high": high, "low": low}


def test_every_mutant_is_in_the_document_by_its_fingerprint() -> None:
    assert [one["id"] for one in mutants(made(builders.report(small())))] == ["m-0", "m-1", "m-2", "m-3"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert stryker.render(compared()) == stryker.render(compared())
    assert msgspec.json.decode(stryker.render(compared()), type=stryker.Document) == stryker.document(compared())


def test_a_mutation_without_mutants_has_no_files() -> None:
    assert made(builders.report(run(mutation())))["files"] == {}
