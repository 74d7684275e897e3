from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.run import Report
from orchestrator.report import code_quality
from orchestrator.report.problems import found
from tests import builders
from tests.builders import finding, mutant, mutation, properties, run
from tests.report.hostile import STRINGS
from tests.report.runs import broken, compared, small
from tests.report.schemas import hold
from tests.report.test_problems import waived

# As https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format describes it.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\.?/)", "minLength": 1},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
        "additionalProperties": False,
    },
}


def made(report: Report) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(code_quality.render(report))
    hold(entries, SCHEMA)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    return entries


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_the_list_is_valid(said: str) -> None:
    report = builders.report(builders.full_run(said))
    assert len(made(report)) == sum(bool(one.file) for one in found(report))  # some of it is no path in a project


@pytest.mark.parametrize("report", [builders.report(), builders.report(broken()), compared()])
def test_every_thing_that_is_wrong_in_a_file_is_an_entry(report: Report) -> None:
    assert len(made(report)) == sum(bool(one.file) for one in found(report))


def test_an_entry_says_what_is_wrong_and_where() -> None:
    *_, entry = made(builders.report(run(mutation(MutantStatus.SURVIVED))))
    assert entry["location"] == {"path": "shop/prices.py", "lines": {"begin": 7}}
    assert (entry["check_name"], entry["severity"]) == ("mutant/survived", "major")
    assert "`1` becomes `2`" in entry["description"]


def test_a_long_description_is_cut() -> None:
    entries = made(builders.report(run(properties(finding(message="long " * 500)))))
    assert [len(entry["description"]) < 550 for entry in entries] == [True]


def test_the_severity_is_that_of_the_finding() -> None:
    of = properties(*(finding(check=s, severity=s) for s in ("critical", "high", "medium", "low")))
    entries = made(builders.report(run(of)))
    assert [entry["severity"] for entry in entries] == ["blocker", "critical", "major", "minor"]


def test_what_somebody_answers_for_is_only_told() -> None:
    entries = made(waived(builders.report(small()), "i-read b"))
    (entry,) = (entry for entry in entries if entry["check_name"] == "contract/mismatch")
    assert entry["severity"] == "info"
    assert "(accepted: Ada answers for it until 2026-03-01: ticket 7)" in entry["description"]


def test_two_things_of_one_fingerprint_are_two_entries_and_keep_theirs() -> None:
    one, other = mutant(), mutant(line=9)
    entries = made(builders.report(run(Mutation(mutants=(one, other), critical=()))))
    (alone,) = made(builders.report(run(Mutation(mutants=(one,), critical=()))))
    assert entries[0]["fingerprint"] == alone["fingerprint"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert code_quality.render(compared()) == code_quality.render(compared())
