from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import pytest as adapter
from orchestrator.config import KnownRed
from orchestrator.model.suite import Exchange, FileCoverage, Outcome
from tests import builders
from tests.record import DATA

RECORD = (DATA / "pytest" / "9.2.0" / "record.ndjson").read_text("utf-8").splitlines()
COVERAGE = (DATA / "coverage" / "7.17.3" / "coverage.json").read_bytes()
PREFIX = "tests/test_shop.py::"


def line(test: str, outcome: str = "passed", message: str = "", **more: Any) -> str:
    return json.dumps({"test": test, "outcome": outcome, "message": message, "seconds": 0.1, "exchanges": [], **more})


def outcomes(*lines: str) -> dict[str, Outcome]:
    return {t.id: t.outcome for t in adapter.parse_record(lines).tests}


def test_a_recorded_session_is_read() -> None:
    found = adapter.parse_record(RECORD)
    assert (found.exit_status, found.broken) == (1, ())
    assert {t.id.removeprefix(PREFIX): t.outcome.value for t in found.tests if t.outcome is not Outcome.PASSED} == {
        "test_that_is_red": "failed",
        "test_that_is_skipped": "skipped",
        "test_that_is_known_to_fail": "xfailed",
        "test_whose_set_up_fails": "error",
    }
    assert len(found.tests) == 11
    assert all(0 <= t.seconds < 10 for t in found.tests)


def test_a_recorded_test_keeps_its_requests_and_its_message() -> None:
    tests = {t.id.removeprefix(PREFIX): t for t in adapter.parse_record(RECORD).tests}
    assert tests["test_reading_an_item"].exchanges == (Exchange(method="GET", path="/v1/items/1", status=200),)
    assert tests["test_that_is_red"].message == "assert 90 == 91"
    assert tests["test_whose_set_up_fails"].message == "RuntimeError: set-up fails"  # without its colour
    assert "not today" in tests["test_that_is_skipped"].message


def test_a_known_red_test_has_its_reason() -> None:
    known = [KnownRed(test="*is_red", reason="ticket 7"), KnownRed(test="*", reason="the first that matches counts")]
    reasons = {t.id: t.known_red for t in adapter.parse_record(RECORD, known_red=known).tests}
    assert reasons[PREFIX + "test_that_is_red"] == "ticket 7"
    assert set(reasons.values()) == {"ticket 7", "the first that matches counts"}


def test_a_known_red_test_may_have_brackets_in_its_name() -> None:
    known = [KnownRed(test="a::b[x-1]", reason="r")]
    (test,) = adapter.parse_record([line("a::b[x-1]", "failed")], known_red=known).tests
    assert test.known_red == "r"


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        ("failed", "passed", "failed"),
        ("error", "passed", "error"),
        ("passed", "failed", "failed"),
        ("passed", "passed", "passed"),
        ("skipped", "passed", "passed"),
        ("failed", "error", "error"),
    ],
)
def test_a_test_that_was_run_again_is_red_if_it_ever_was(first: str, second: str, stays: str) -> None:
    assert outcomes(line("a", first), line("a", second)) == {"a": Outcome(stays)}


@pytest.mark.parametrize("length", [0, 1, 30, 60])
def test_a_last_line_that_is_cut_off_is_left_out(length: int) -> None:
    found = adapter.parse_record([*RECORD[:4], RECORD[4][:length]])
    assert len(found.tests) == 3
    assert found.exit_status is None


def test_files_that_cannot_be_collected_are_told() -> None:
    found = adapter.parse_record([json.dumps({"collection": "tests/test_b.py", "message": "E\x1b[1m  boom"})])
    assert found.broken == (("tests/test_b.py", "E  boom"),)
    assert found.tests == ()


def test_an_empty_record_is_a_session_that_never_was() -> None:
    found = adapter.parse_record([])
    assert (found.tests, found.broken, found.exit_status) == ((), (), None)


def test_hostile_names_and_messages_leave_harmless() -> None:
    exchange = {"method": "G\x00", "path": "/\ud800", "status": 200}
    lines = [line("a::b[\ud800\x1b[31m]", "failed", "\n\u202eboom", exchanges=[exchange])]
    (test,) = adapter.parse_record(lines).tests
    assert (test.id, test.message) == ("a::b[\\ud800]", "\\u202eboom")
    assert test.exchanges[0] == Exchange(method="G\\x00", path="/\\ud800", status=200)


def test_progress_counts_what_has_ended(tmp_path: Path) -> None:
    record = tmp_path / "record.ndjson"
    assert adapter.progress(record) == (0, None)
    record.write_text("\n".join(RECORD[:1]))
    assert adapter.progress(record) == (0, 11)
    record.write_text("\n".join(RECORD[:4]))
    assert adapter.progress(record) == (3, 11)
    record.write_text(line("a", "failed", 'it said {"test": "b", "collected": 9}'))
    assert adapter.progress(record) == (1, None)


def test_recorded_coverage_is_read() -> None:
    root = Path("/p")
    found = {f.path: f for f in adapter.parse_coverage(COVERAGE, root, root)}
    assert set(found) == {"shop/__init__.py", "shop/app.py", "shop/prices.py", "shop/words.py"}
    assert found["shop/words.py"] == FileCoverage(path="shop/words.py", statements=2, covered=2)
    raw = json.loads(COVERAGE)["files"]["shop/app.py"]["summary"]
    assert (found["shop/app.py"].statements, found["shop/app.py"].covered) == (
        raw["num_statements"],
        raw["covered_lines"],
    )
    assert 0 < found["shop/app.py"].covered < found["shop/app.py"].statements


def test_paths_of_coverage_are_relative_to_the_project_wherever_the_tests_run() -> None:
    summary = {"summary": {"num_statements": 3, "covered_lines": 1}}
    data = json.dumps({"files": {"app.py": summary, "../lib/x.py": summary, "/else/y.py": summary}}).encode()
    found = adapter.parse_coverage(data, Path("/p"), Path("/p/service"))
    assert {f.path for f in found} == {"service/app.py", "lib/x.py", "/else/y.py"}


def test_generated_and_quarantined_tests_are_left_out(tmp_path: Path) -> None:
    project = builders.project(
        tmp_path, tests={"options": ["-p", "no:randomly"], "deselect": ["a::b"]}, properties={"directory": "gen"}
    )
    assert adapter.selection(project, quarantined=["c::d"]) == [
        "-p",
        "no:randomly",
        "--ignore=gen",
        "--deselect=a::b",
        "--deselect=c::d",
    ]


def test_the_generated_folder_is_relative_to_where_the_tests_run(tmp_path: Path) -> None:
    project = builders.project(tmp_path, directory="service", properties={"directory": "tests/generated"})
    assert "--ignore=../tests/generated" in adapter.selection(project)


def test_the_interpreter_says_what_it_has(tmp_path: Path) -> None:
    found = adapter.installed(builders.project(tmp_path))
    assert "pytest" in found
    assert found.versions["pytest"] == pytest.__version__
    assert found.python.startswith("3.")
