from __future__ import annotations

import gzip
import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

from orchestrator.model.contracts import Contracts, Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.run import Report
from orchestrator.report import sarif
from orchestrator.report.problems import found
from tests import builders
from tests.builders import finding, interaction, mutant, mutation, properties, run, stage
from tests.report.hostile import STRINGS
from tests.report.runs import broken, compared, small
from tests.report.schemas import hold
from tests.report.test_problems import waived, with_settings


def made(report: Report) -> dict[str, Any]:
    """The only run of the document, which is what the schema says."""
    document = json.loads(sarif.render(report))
    hold(document, "sarif-schema-2.1.0.json")
    (only,) = document["runs"]
    for result in only["results"]:
        assert only["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        for location in result["locations"]:
            uri = location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "a")
            assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})+", uri)
            assert not uri.startswith("/")
    return dict(only)


def results(report: Report, kind: str) -> list[dict[str, Any]]:
    return [r for r in made(report)["results"] if r["ruleId"].startswith(f"{kind}/")]


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_the_document_is_valid(said: str) -> None:
    only = made(builders.report(builders.full_run(said)))
    assert len(only["results"]) == len(made(builders.report(builders.full_run()))["results"])


@pytest.mark.parametrize("report", [builders.report(), builders.report(broken()), compared()])
def test_every_thing_that_is_wrong_is_a_result(report: Report) -> None:
    told = {r["partialFingerprints"]["orchestrator/v1"] for r in made(report)["results"]}
    assert told == {one.fingerprint for one in found(report)}


def test_a_rule_is_listed_once_however_many_results_it_has() -> None:
    rules = made(builders.report(run(mutation(*[MutantStatus.SURVIVED] * 3))))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["gate/mutation-score", "mutant/survived"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "warning"]


def test_a_survivor_is_a_warning_at_its_place() -> None:
    (result,) = results(builders.report(run(mutation(MutantStatus.SURVIVED))), "mutant")
    assert result["level"] == "warning"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/prices.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7, "startColumn": 12, "endLine": 7, "endColumn": 13},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "total", "kind": "function"}]


def test_foreign_text_is_no_link() -> None:
    (result,) = results(builders.report(run(properties(finding(message="see [this](https://evil.test)")))), "property")
    assert "see [this] (https://evil.test)" in result["message"]["text"]


def test_a_path_is_percent_encoded() -> None:
    of = Mutation(mutants=(mutant(path="my shop/100%/ä#?.py"),), critical=())
    (result,) = results(builders.report(run(of)), "mutant")
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20shop/100%25/%C3%A4%23%3F.py"
    assert unquote(uri) == "my shop/100%/ä#?.py"


def test_what_has_no_file_is_put_to_one_that_is_known() -> None:
    of = run(properties(finding()), provenance=with_settings(openapi_path='"openapi/a.yaml"'))
    (gate,) = results(builders.report(of), "gate")
    assert gate["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "openapi/a.yaml", "uriBaseId": "%SRCROOT%"}},
            "logicalLocations": [{"fullyQualifiedName": "property-findings"}],
        }
    ]


def test_where_no_file_is_known_only_the_name_is_told() -> None:
    first, *_ = results(builders.report(broken()), "stage")
    assert first["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "generate"}]}]


def test_a_thing_without_a_file_and_a_name_has_no_location() -> None:
    of = Contracts(interactions=(interaction("a", Verification.MISMATCH, pact="/elsewhere/web.json"),))
    (result,) = results(builders.report(run(of)), "contract")
    assert result["locations"] == []


def test_what_was_compared_says_whether_it_is_new() -> None:
    then = run(properties(finding()))
    now = run(properties(finding(), finding("GET /b")), mutation(MutantStatus.SURVIVED))
    said = {r["message"]["text"][:6]: r.get("baselineState") for r in results(compared(now, then), "property")}
    assert said == {"GET /a": "unchanged", "GET /b": "new"}
    assert "baselineState" not in results(compared(now, then), "mutant")[0]


def test_what_somebody_answers_for_is_suppressed() -> None:
    (result,) = results(waived(builders.report(small()), "f-GET /a-not_a_server_error"), "property")
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Ada answers for it until 2026-03-01: ticket 7",
        }
    ]
    assert result["level"] == "note"
    assert [("suppressions" in r) for r in results(builders.report(small()), "mutant")] == [False, False, True]


def test_the_verdict_is_told() -> None:
    report = builders.report(small())
    only = made(report)
    assert only["properties"]["exitCode"] == report.verdict.exit_code == 1
    assert only["properties"]["headline"] == report.verdict.headline
    assert only["properties"]["gates"] == [{"id": g.id, "verdict": g.verdict.value} for g in report.verdict.gates]
    (invocation,) = only["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)


def test_a_run_that_broke_off_was_not_successful() -> None:
    (invocation,) = made(builders.report(broken()))["invocations"]
    assert not invocation["executionSuccessful"]


def test_notices_of_stages_are_told() -> None:
    notice = Problem(code="QO613", message="in vain")
    (invocation,) = made(builders.report(run(stage(name="mutation", notices=(notice,)))))["invocations"]
    assert invocation["toolExecutionNotifications"] == [{"level": "warning", "message": {"text": "QO613 in vain"}}]


def test_no_more_results_are_told_than_a_host_shows_and_the_worst_are() -> None:
    of = run(mutation(*[MutantStatus.SURVIVED] * (sarif.MOST + 20)), properties(finding()))
    report = builders.report(of)
    data = sarif.render(report)
    only = made(report)
    assert len(only["results"]) == sarif.MOST
    assert [r["level"] for r in only["results"]][:4] == ["error", "error", "error", "warning"]
    (said,) = only["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith(f"{len(found(report)) - sarif.MOST} results left out")
    assert len(gzip.compress(data)) < 10_000_000


def test_the_longest_messages_fit_into_what_a_host_takes() -> None:
    findings = (finding(check=str(n), message=f"{n}" * 4_000, curl="c" * 4_000) for n in range(2_000))
    assert len(gzip.compress(sarif.render(builders.report(run(properties(*findings)))))) < 10_000_000


def test_the_same_report_gives_the_same_bytes() -> None:
    assert sarif.render(compared()) == sarif.render(compared())
