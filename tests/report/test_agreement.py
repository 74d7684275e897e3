"""The page, the exit status and all siblings say the same of a run, whatever it holds."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from orchestrator import config, gates, history
from orchestrator.config import Gates
from orchestrator.errors import Code
from orchestrator.model.contracts import Verification
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Properties
from orchestrator.model.run import SCHEMA_VERSION, GateVerdict, Report, Run
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.model.suite import Outcome, Suite
from orchestrator.report import badge, html, junit, metrics, past, problems, sarif, shields, stryker, summary
from orchestrator.report.blame import blamed_survivors
from tests import builders
from tests.builders import contracts, finding, mutant, properties, run, stage, suite

PASS, FAIL, WAIVED, UNKNOWN = GateVerdict.PASS, GateVerdict.FAIL, GateVerdict.WAIVED, GateVerdict.NOT_COMPUTED
SIGNS = {"✅": PASS, "❌": FAIL, "⚠️": WAIVED, "➖": UNKNOWN}
KINDS = {PASS: "", FAIL: "failure", WAIVED: "skipped", UNKNOWN: "skipped"}
PROBLEM = Problem(code=Code.STAGE_TIMED_OUT, message="it took too long")
BROKEN = stage(name="other", status=StageStatus.TIMED_OUT, error=PROBLEM)
SKIPPED = stage(name="skipped", status=StageStatus.SKIPPED, reason="not asked for")


def found(count: int) -> Properties:
    return properties(*(finding(check=str(n), fingerprint=f"finding-{n}") for n in range(count)))


def mutated(statuses: list[MutantStatus]) -> Mutation:
    mutants = tuple(mutant(s, str(n), line=n + 1, changed=n % 2 == 0) for n, s in enumerate(statuses))
    return Mutation(mutants=mutants, critical=("*",), changed_since="main")


def of_parts(parts: list[Suite | Properties | Mutation | StageResult | None]) -> Run:
    return run(*(part for part in parts if part is not None))


runs = st.tuples(
    st.none() | st.lists(st.sampled_from(Outcome), max_size=4).map(lambda outcomes: suite(*outcomes)),
    st.none() | st.integers(0, 3).map(found),
    st.none() | st.lists(st.sampled_from(Verification), max_size=4).map(lambda results: contracts(*results)),
    st.none() | st.lists(st.sampled_from(MutantStatus), max_size=6).map(mutated),
    st.none() | st.just(BROKEN),
    st.none() | st.just(SKIPPED),
).map(lambda parts: of_parts(list(parts)))

waivers = st.lists(
    st.builds(
        config.Waiver,
        waives=st.sampled_from(
            ["mutation-score", "property-findings", "suite-success", "no-worse", "finding-0", "m-1"]
        ),
        owner=st.just("ann"),
        reason=st.just("ticket 7"),
        until=st.dates(datetime.date(2025, 12, 1), datetime.date(2026, 2, 1)),
    ),
    max_size=2,
    unique_by=lambda waiver: waiver.waives,
)
asked = st.builds(
    Gates,
    mutation_score=st.sampled_from([False, 0.0, 50.0, 100.0, "no worse"]),
    property_findings=st.sampled_from([False, 0, 1, "no worse"]),
    contract_failures=st.sampled_from([False, 0, 2, "no worse"]),
    suite_success=st.sampled_from([False, 50.0, 98.0]),
    changed_survivors=st.sampled_from([False, 0, 1]),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    of, earlier = draw(runs), draw(st.none() | runs)
    label = draw(st.sampled_from(["baseline", "previous run"]))
    compared = history.compare(of, earlier, label) if earlier else None
    verdict = gates.evaluate(of, compared, draw(asked), draw(waivers))
    return Report(schema=SCHEMA_VERSION, run=of, verdict=verdict, comparison=compared)


def of_page(report: Report) -> dict[str, str]:
    """Each gate's id, and the verdict that the page shows."""
    page = html.render(report).decode()
    rows = re.findall(r'<tr id="gate-([\w-]+)"><td><span class="tag \w+"><span[^>]*>.</span> ([\w ]+)</span>', page)
    return dict(rows)


def junit_of(report: Report) -> ET.Element:
    return ET.fromstring(junit.render(report))  # noqa: S314 - we have just written it


@settings(max_examples=60, deadline=None)
@given(reports())
def test_every_output_has_the_same_verdict_on_every_gate(report: Report) -> None:
    expected = [(gate.id, gate.verdict) for gate in report.verdict.gates]
    assert {**of_page(report)} == {name: verdict.value for name, verdict in expected}

    (result,) = msgspec.json.decode(sarif.render(report))["runs"]
    assert [(g["id"], g["verdict"]) for g in result["properties"]["gates"]] == expected
    said = {
        r["partialFingerprints"]["orchestrator/v1"]: r for r in result["results"] if r["ruleId"].startswith("gate/")
    }
    assert len(said) == sum(verdict in (FAIL, WAIVED) for _, verdict in expected)

    lines = summary.render(report).decode().splitlines()
    signs = [SIGNS[line.split("|")[1].strip()] for line in lines if re.match(r"\| (✅|❌|⚠️|➖) \|", line)]
    assert sorted(signs) == sorted(verdict for _, verdict in expected)

    cases = junit_of(report).findall(".//testsuite[@name='gates']/testcase")
    assert [next((c.tag for c in case), "") for case in cases] == [KINDS[verdict] for _, verdict in expected]

    samples = [s for family in text_string_to_metric_families(metrics.render(report).decode()) for s in family.samples]
    states = {s.labels["gate"]: s.labels["verdict"] for s in samples if s.name.endswith("gate_verdict") and s.value}
    assert states == {name: verdict.value for name, verdict in expected}


@settings(max_examples=60, deadline=None)
@given(reports())
def test_every_output_passes_or_fails_as_the_exit_status_does(report: Report) -> None:
    code, passed = report.verdict.exit_code, report.verdict.passed
    page = html.render(report).decode()
    assert f"</span> {'Passes' if passed else 'Fails'}</strong> <span>{report.verdict.headline}</span>" in page
    (result,) = msgspec.json.decode(sarif.render(report))["runs"]
    assert result["properties"]["exitCode"] == result["invocations"][0]["exitCode"] == code
    assert summary.render(report).decode().startswith("## ✅" if passed else "## ❌")
    samples = {
        s.name: s.value for f in text_string_to_metric_families(metrics.render(report).decode()) for s in f.samples
    }
    assert samples["orchestrator_exit_code"] == code
    assert msgspec.json.decode(past.render(report).splitlines()[-1])["exit_code"] == code
    assert bool(msgspec.json.decode(shields.render(report)).get("isError")) == (not passed)
    assert ("fails" in badge.render(report).decode()) == bool({g.id for g in report.verdict.failing} - {"judged"})
    root = junit_of(report)
    if not passed:  # CI that reads the JUnit report alone must not be green
        assert root.findall(".//failure") or root.findall(".//error")


@settings(max_examples=60, deadline=None)
@given(reports())
def test_every_output_knows_the_same_survivors_findings_and_mismatches(report: Report) -> None:
    of = report.run
    survivors = {m.fingerprint for m in of.mutation.mutants if m.status.is_undetected} if of.mutation else set()
    findings = {f.fingerprint for f in of.properties.findings} if of.properties else set()
    failures = {i.fingerprint for i in of.contracts.failures} if of.contracts else set()

    page = html.render(report).decode()
    assert set(re.findall(r'id="mutant-([^"]+)"', page)) == survivors
    assert set(re.findall(r'<article class="card" id="finding-([^"]+)"', page)) == findings
    assert set(re.findall(r'<article class="card" id="interaction-([^"]+)"', page)) == failures

    wrong = {(one.kind, one.fingerprint) for one in problems.found(report)}
    for kind, fingerprints in (("survivor", survivors), ("finding", findings), ("interaction", failures)):
        assert {fingerprint for name, fingerprint in wrong if name == kind} == fingerprints

    of_stryker = [m for file in msgspec.json.decode(stryker.render(report))["files"].values() for m in file["mutants"]]
    assert {m["id"] for m in of_stryker if m["status"] in ("Survived", "NoCoverage")} == survivors

    cases = junit_of(report).findall(".//testsuite[@name='survivors']/testcase")
    failed = {case.get("name", "").split()[-1] for case in cases if case.find("failure") is not None}
    assert failed == blamed_survivors(report)
    assert len(cases) == len(survivors)


def test_a_waived_finding_fails_no_output() -> None:
    waiver = config.Waiver(waives="finding-0", owner="ann", reason="r", until=datetime.date(2026, 2, 1))
    of = run(builders.generated(), found(1))
    report = Report(schema=SCHEMA_VERSION, run=of, verdict=gates.evaluate(of, None, Gates(), [waiver]))
    assert report.verdict.passed
    assert not junit_of(report).findall(".//failure")
    (result,) = msgspec.json.decode(sarif.render(report))["runs"]
    assert [r["level"] for r in result["results"]] == ["note"]
