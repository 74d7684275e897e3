from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from orchestrator import text
from orchestrator.model.contracts import Verification
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Gate, GateVerdict, Report, Subject
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import FileCoverage, Outcome
from orchestrator.report import metrics
from tests import builders
from tests.builders import contracts, finding, generated, mutation, properties, run, stage, suite
from tests.report.hostile import STRINGS
from tests.report.runs import broken

hostile = st.text(st.sampled_from('"\\n\n\t\r{}=, #a\x1b\u2028\ud800'), max_size=20)


def families(report: Report) -> dict[str, Metric]:
    """The metrics as Prometheus reads them, by name without the prefix."""
    found = list(text_string_to_metric_families(metrics.render(report).decode()))
    assert len({family.name for family in found}) == len(found)
    for family in found:
        assert family.documentation.endswith(".")
        assert family.type == "gauge"
        assert len({tuple(sample.labels.items()) for sample in family.samples}) == len(family.samples) > 0
    return {family.name.removeprefix("orchestrator_"): family for family in found}


def by(report: Report, name: str, label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in families(report)[name].samples}


def only(report: Report, name: str) -> float:
    (sample,) = families(report)[name].samples
    return float(sample.value)


def unescaped(value: str) -> str:
    shown, rest = "", iter(value)
    for character in rest:
        if character != "\\":
            shown += character
            continue
        following = next(rest)
        shown += "\n" if following == "n" else following
    return shown


@given(hostile)
def test_a_label_ends_nothing_and_comes_out_as_it_went_in(value: str) -> None:
    written = metrics.label(value)
    assert "\n" not in written
    assert unescaped(written) == text.visible(value)


@given(hostile)
def test_prometheus_reads_the_label_that_was_meant(value: str) -> None:
    (sample,) = families(builders.report(run(subject=Subject(name=value))))["run_info"].samples
    assert sample.labels["subject"] == text.visible(value)


@pytest.mark.parametrize("said", STRINGS)
def test_whatever_foreign_text_holds_the_metrics_can_be_read(said: str) -> None:
    found = families(builders.report(builders.full_run(said)))
    assert found.keys() == families(builders.report(builders.full_run())).keys()
    assert found["run_info"].samples[0].labels["subject"] == text.visible(said)


@pytest.mark.parametrize("report", [builders.report(), builders.report(broken())])
def test_what_was_not_computed_has_no_sample(report: Report) -> None:
    of_gates = {"gate_found"}  # that nothing was judged is known
    assert families(report).keys() - {"stage_status", "stage_seconds"} - of_gates == {
        "run_info",
        "exit_code",
        "run_timestamp_seconds",
        "run_seconds",
        "gate_verdict",
        "gate_asked",
    }


def test_a_zero_that_was_computed_is_one() -> None:
    of = run(suite(), properties(), contracts(), mutation())
    for name, label in (("tests", "outcome"), ("findings", "severity"), ("interactions", "result")):
        assert set(by(builders.report(of), name, label).values()) == {0}
    assert set(by(builders.report(of), "mutants", "status").values()) == {0}
    assert "mutation_score_ratio" not in families(builders.report(of))


def test_how_the_run_ended_is_told() -> None:
    report = builders.report(run(mutation(MutantStatus.SURVIVED)))
    assert only(report, "exit_code") == 1
    assert only(report, "run_seconds") == 12.5
    assert only(report, "run_timestamp_seconds") == 1767323045
    assert families(report)["run_info"].samples[0].labels == {
        "subject": "shop",
        "commit": "0123456789abcdef",
        "branch": "main",
        "version": "0.1.0",
    }


@pytest.mark.parametrize(("started", "seconds"), [("1970-01-01T00:01:00", 60), ("1970-01-01T02:00:00+02:00", 0)])
def test_a_time_without_a_zone_is_utc(started: str, seconds: float) -> None:
    assert only(builders.report(run(started=started)), "run_timestamp_seconds") == seconds


def test_a_time_that_is_none_has_no_sample() -> None:
    assert "run_timestamp_seconds" not in families(builders.report(run(started="yesterday")))


def test_of_each_gate_one_verdict_is_1() -> None:
    report = builders.report(run(mutation(MutantStatus.SURVIVED), properties()))
    samples = families(report)["gate_verdict"].samples
    assert len(samples) == len(report.verdict.gates) * len(GateVerdict)
    holding = {s.labels["gate"]: s.labels["verdict"] for s in samples if s.value == 1}
    assert holding == {g.id: g.verdict.value for g in report.verdict.gates}


def test_the_numbers_of_a_gate_are_told_where_it_has_them() -> None:
    gates = (
        Gate(id="a", title="A", threshold="≥ 98 %", verdict=GateVerdict.PASS, asked=98, found=99.5),
        Gate(id="b", title="B", threshold="none", verdict=GateVerdict.NOT_COMPUTED, asked=0),
        Gate(id="c", title="C", threshold="nothing new", verdict=GateVerdict.PASS),
        Gate(id="d", title="D", threshold="1", verdict=GateVerdict.FAIL, asked=float("inf"), found=float("-inf")),
    )
    report = builders.report()
    report = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, gates=gates))
    assert by(report, "gate_asked", "gate") == {"a": 98, "b": 0, "d": float("inf")}
    assert by(report, "gate_found", "gate") == {"a": 99.5, "d": float("-inf")}


def test_what_is_no_number_is_told_as_such() -> None:
    gate = Gate(id="a", title="A", threshold="1", verdict=GateVerdict.FAIL, found=float("nan"))
    report = builders.report()
    report = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, gates=(gate,)))
    assert str(by(report, "gate_found", "gate")["a"]) == "nan"


def test_each_stage_has_its_status_and_the_time_that_it_took() -> None:
    of = run(
        stage(name="suite", seconds=0.1),
        stage(name="contracts", status=StageStatus.SKIPPED, seconds=0),
        stage(name="mutation", status=StageStatus.TIMED_OUT, seconds=1e20),
    )
    samples = families(builders.report(of))["stage_status"].samples
    assert {s.labels["stage"]: s.labels["status"] for s in samples if s.value} == {
        "suite": "completed",
        "contracts": "skipped",
        "mutation": "timed out",
    }
    assert by(builders.report(of), "stage_seconds", "stage") == {"suite": 0.1, "mutation": 1e20}


def test_what_the_stages_found_is_counted() -> None:
    of = run(
        generated("GET /a", "GET /b"),
        suite(
            Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, coverage=(FileCoverage(path="a", statements=4, covered=3),)
        ),
        properties(finding(), finding(check="b", severity="unheard of")),
        contracts(Verification.VERIFIED, Verification.MISMATCH),
        mutation(MutantStatus.KILLED, MutantStatus.KILLED, MutantStatus.KILLED, MutantStatus.SURVIVED),
    )
    report = builders.report(of)
    assert only(report, "operations") == 2
    assert only(report, "cases") == 3
    assert only(report, "coverage_ratio") == 0.75
    assert only(report, "mutation_score_ratio") == 0.75
    assert by(report, "tests", "outcome") == {
        "passed": 2,
        "failed": 1,
        "error": 0,
        "skipped": 0,
        "xfailed": 0,
        "xpassed": 0,
    }
    assert by(report, "findings", "severity") == {"critical": 1, "high": 0, "medium": 0, "low": 0, "unheard of": 1}
    assert by(report, "interactions", "result")["mismatch"] == 1
    assert by(report, "mutants", "status")["killed"] == 3


@pytest.mark.parametrize("more", [{"quick": True}, {"shard": "1/2"}])
def test_a_score_of_a_part_is_not_told(more: dict[str, object]) -> None:
    of = run(mutation(MutantStatus.KILLED, **more))
    assert "mutation_score_ratio" not in families(builders.report(of))


@given(st.lists(st.sampled_from(MutantStatus), max_size=20))
def test_every_mutant_is_counted_once(statuses: list[MutantStatus]) -> None:
    assert sum(by(builders.report(run(mutation(*statuses))), "mutants", "status").values()) == len(statuses)


def test_the_same_report_gives_the_same_bytes() -> None:
    one, other = builders.report(builders.full_run()), builders.report(builders.full_run())
    assert metrics.render(one) == metrics.render(other)
