from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from orchestrator.model.contracts import Contracts, Mismatch, Verification
from orchestrator.model.mutation import Disagreement, MutantStatus, SelfCheck
from orchestrator.model.problem import Problem
from orchestrator.model.run import GateVerdict, Report
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome, Suite
from orchestrator.report import junit
from tests import builders
from tests.builders import cases, contracts, finding, interaction, item, mutation, properties, run, stage
from tests.report.hostile import STRINGS


def parsed(report: Report) -> ET.Element:
    return ET.fromstring(junit.render(report))  # noqa: S314 - we wrote it


def suite_of(root: ET.Element, name: str) -> ET.Element:
    (found,) = (s for s in root.iter("testsuite") if s.get("name") == name)
    return found


def kinds(root: ET.Element, name: str) -> dict[str, str]:
    """Of each case of a suite, its name and how it ended."""
    return {
        case.get("name", ""): next((child.tag for child in case), "passed")
        for case in suite_of(root, name).iter("testcase")
    }


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_the_document_is_xml(said: str) -> None:
    root = parsed(builders.report(builders.full_run(said)))
    assert len(list(root.iter("testcase"))) == len(list(parsed(builders.report(builders.full_run())).iter("testcase")))


def test_the_counts_are_those_of_the_cases() -> None:
    root = parsed(builders.report(builders.full_run()))
    assert len(root) == 7
    for element in (root, *root):
        listed = list(element.iter("testcase"))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(attribute, "")) == len(list(element.iter(tag)))
        assert int(element.get("tests", "")) == len(listed)
        assert float(element.get("time", "")) == pytest.approx(sum(float(c.get("time", "")) for c in listed), abs=0.01)


def test_each_outcome_is_said_in_junits_words() -> None:
    of = Suite(tests=tuple(item(f"tests/test_a.py::{o.name}", o, message="m") for o in Outcome))
    assert kinds(parsed(builders.report(run(of))), "suite") == {
        "PASSED": "passed",
        "FAILED": "failure",
        "ERROR": "error",
        "SKIPPED": "skipped",
        "XFAILED": "skipped",
        "XPASSED": "passed",
    }


def test_a_known_red_test_is_skipped_with_its_reason() -> None:
    of = Suite(tests=(item("a::b", Outcome.FAILED, known_red="ticket 7"),))
    (skipped,) = parsed(builders.report(run(of))).findall(".//testsuite[@name='suite']//skipped")
    assert skipped.get("message") == "known red: ticket 7"


def test_an_operation_without_findings_passed() -> None:
    of = properties(finding("GET /a"), finding("GET /a", "other"), sent=(cases("GET /a"), cases("GET /b")))
    assert kinds(parsed(builders.report(run(of))), "properties") == {
        "GET /a not_a_server_error": "failure",
        "GET /a other": "failure",
        "GET /b": "passed",
    }


def test_a_finding_of_an_operation_without_a_response_is_told() -> None:
    of = properties(finding("GET /a", "response_received", response=None), sent=())
    assert kinds(parsed(builders.report(run(of))), "properties") == {"GET /a response_received": "failure"}


def test_an_interaction_that_does_not_hold_failed() -> None:
    root = parsed(builders.report(run(contracts(*Verification))))
    assert list(kinds(root, "contracts").values()) == ["passed", "failure", "failure", "passed", "failure"]


def test_a_verdict_that_plain_pytest_does_not_share_is_an_error() -> None:
    found = Disagreement(
        mutant="x_total_1", ours=MutantStatus.SURVIVED, plain=MutantStatus.KILLED, detail="exit status 1"
    )
    check = SelfCheck(checked=10, disagreements=(found,))
    root = parsed(builders.report(run(mutation(MutantStatus.SURVIVED, self_check=check))))
    assert kinds(root, "self-check") == {"x_total_1": "error"}
    (error,) = suite_of(root, "self-check").iter("error")
    assert (error.get("message"), error.text) == ("survived here, killed by plain pytest", "exit status 1")


def test_verdicts_that_are_all_confirmed_are_no_cases() -> None:
    root = parsed(builders.report(run(mutation(MutantStatus.SURVIVED, self_check=SelfCheck(checked=10)))))
    assert "self-check" not in {suite.get("name") for suite in root}


def test_a_gate_that_was_not_computed_is_skipped() -> None:
    report = builders.report(run(properties(finding())))
    said = {g.title: g.verdict for g in report.verdict.gates}
    words = {GateVerdict.PASS: "passed", GateVerdict.FAIL: "failure", GateVerdict.NOT_COMPUTED: "skipped"}
    assert kinds(parsed(report), "gates") == {title: words[verdict] for title, verdict in said.items()}


def test_a_stage_that_did_not_complete_is_an_error() -> None:
    problem = Problem(code="QO701", message="too slow", hint="raise it", detail="log")
    of = run(
        stage(name="suite"),
        stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts"),
        stage(name="mutation", status=StageStatus.TIMED_OUT, error=problem),
    )
    root = parsed(builders.report(of))
    assert kinds(root, "stages") == {"suite": "passed", "contracts": "skipped", "mutation": "error"}
    error = suite_of(root, "stages").find(".//error")
    assert error is not None
    assert (error.get("message"), error.text) == ("QO701 too slow", "raise it\nlog")


@pytest.mark.parametrize("status", [StageStatus.INTERRUPTED, StageStatus.TIMED_OUT, StageStatus.ERROR])
def test_a_stage_that_broke_off_without_an_error_did_not_pass(status: StageStatus) -> None:
    assert kinds(parsed(builders.report(run(stage(name="suite", status=status)))), "stages") == {"suite": "error"}


def test_the_same_report_gives_the_same_bytes() -> None:
    assert junit.render(builders.report(builders.full_run())) == junit.render(builders.report(builders.full_run()))


def test_a_failed_interaction_says_why() -> None:
    places = (Mismatch(kind="Body", path="$.a", message="no a"), Mismatch(kind="Status", path="", message="404"))
    of = Contracts(
        interactions=(
            interaction("a", Verification.MISMATCH, mismatches=places),
            interaction("b", Verification.STATE_FAILED, error="nobody can"),
        )
    )
    first, second = suite_of(parsed(builders.report(run(of))), "contracts").iter("failure")
    assert (first.get("message"), first.text) == ("mismatch", "Body $.a: no a\nStatus : 404")
    assert (second.get("message"), second.text) == ("nobody can", None)


def test_a_skipped_stage_says_why() -> None:
    skipped = stage(name="contracts", status=StageStatus.SKIPPED, reason="no pacts")
    (found,) = suite_of(parsed(builders.report(run(skipped))), "stages").iter("skipped")
    assert found.get("message") == "no pacts"


def test_a_survivor_fails_only_where_a_gate_fails_because_of_it() -> None:
    of = run(mutation(MutantStatus.SURVIVED, MutantStatus.NO_TESTS, MutantStatus.KILLED))
    assert set(kinds(parsed(builders.report(of, mutation_score=60)), "survivors").values()) == {"failure"}
    assert set(kinds(parsed(builders.report(of, mutation_score=30)), "survivors").values()) == {"skipped"}
