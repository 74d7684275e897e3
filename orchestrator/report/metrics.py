"""What a run found as Prometheus metrics, for the text file collector or a push gateway.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. What was not
computed has no sample: zero would be a claim. States are a sample each, 1 for the one that holds and 0 for the others.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.model.contracts import Verification
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import GateVerdict, Report, Run
from orchestrator.model.stage import StageStatus
from orchestrator.model.suite import Outcome
from orchestrator.report.problems import SEVERITIES

_PREFIX: Final = "orchestrator"

# The values of one metric, each behind its labels: pairs of name and value.
_Samples = dict[tuple[tuple[str, str], ...], float]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric with its samples. All are gauges: each run says how things stand.

    Attributes:
        name: Its name without the prefix, with its unit at the end.
        help: What it says.
        samples: Its values; empty: not computed.
    """

    name: str
    help: str
    samples: _Samples


def render(report: Report) -> bytes:
    """Return the metrics."""
    return "".join(_exposed(metric) for metric in metrics(report) if metric.samples).encode()


def metrics(report: Report) -> Iterator[Metric]:
    """Return every metric of a report, those without samples too."""
    yield from _run(report)
    yield from _gates(report)
    yield from _stages(report.run)
    yield from _results(report.run)


def label(value: str) -> str:
    """Return foreign text as the value of a label."""
    return text.visible(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _run(report: Report) -> Iterator[Metric]:
    run = report.run
    about = {
        "subject": run.subject.name,
        "commit": run.subject.commit,
        "branch": run.subject.branch,
        "version": run.provenance.orchestrator,
    }
    yield Metric(name="run_info", help="What was analysed, and by which version.", samples={_labels(about): 1})
    yield _single("exit_code", "How the run ended: 0 is passed.", report.verdict.exit_code)
    yield _single("run_timestamp_seconds", "When the run started, since the epoch.", _timestamp(run.started))
    yield _single("run_seconds", "How long the run took.", run.seconds)


def _gates(report: Report) -> Iterator[Metric]:
    gates = report.verdict.gates
    yield Metric(
        name="gate_verdict",
        help="How each gate stands.",
        samples=_states("gate", "verdict", {g.id: g.verdict for g in gates}, GateVerdict),
    )
    yield Metric(
        name="gate_found",
        help="What was found, in the unit of the gate's threshold.",
        samples={_labels({"gate": g.id}): g.found for g in gates if g.found is not None},
    )
    yield Metric(
        name="gate_asked",
        help="The threshold of the gate.",
        samples={_labels({"gate": g.id}): g.asked for g in gates if g.asked is not None},
    )


def _stages(run: Run) -> Iterator[Metric]:
    yield Metric(
        name="stage_status",
        help="Whether each stage ran.",
        samples=_states("stage", "status", {s.name: s.status for s in run.stages}, StageStatus),
    )
    yield Metric(
        name="stage_seconds",
        help="How long each stage took.",
        samples={_labels({"stage": s.name}): s.seconds for s in run.stages if s.status is not StageStatus.SKIPPED},
    )


def _results(run: Run) -> Iterator[Metric]:
    generated, suite, properties = run.generated, run.suite, run.properties
    contracts, mutation, score = run.contracts, run.mutation, run.score
    yield _single(
        "operations",
        "Operations of the OpenAPI document that are tested.",
        len(generated.tested) if generated else None,
    )
    yield _counted(
        "tests", "The project's own tests.", "outcome", Outcome, (t.outcome for t in suite.tests) if suite else None
    )
    yield _single(
        "coverage_ratio",
        "Statements that the project's own tests execute.",
        suite.covered / 100 if suite and suite.covered is not None else None,
    )
    yield _single("cases", "Generated cases that were sent.", properties.sent if properties else None)
    yield _counted(
        "findings",
        "Promises of the OpenAPI document that do not hold.",
        "severity",
        SEVERITIES,
        (f.severity for f in properties.findings) if properties else None,
    )
    yield _counted(
        "interactions",
        "Interactions of the consumers' pacts.",
        "result",
        Verification,
        (i.result for i in contracts.interactions) if contracts else None,
    )
    yield _counted(
        "mutants",
        "Changes to the code of the critical paths.",
        "status",
        MutantStatus,
        (m.status for m in mutation.mutants) if mutation else None,
    )
    yield _single("mutation_score_ratio", "Mutants detected, of those judged.", None if score is None else score / 100)


def _single(name: str, about: str, value: float | None) -> Metric:
    return Metric(name=name, help=about, samples={} if value is None else {(): value})


def _counted(name: str, about: str, by: str, sorts: Iterable[str], found: Iterable[str] | None) -> Metric:
    """Return how many there are of each sort, of those that are known and of others; None: not computed."""
    if found is None:
        return Metric(name=name, help=about, samples={})
    counts = Counter({str(sort): 0 for sort in sorts})
    counts.update(map(str, found))
    return Metric(name=name, help=about, samples={_labels({by: sort}): count for sort, count in counts.items()})


def _states(of: str, by: str, found: Mapping[str, str], states: Iterable[str]) -> _Samples:
    listed = tuple(states)
    return {_labels({of: name, by: str(s)}): float(s == state) for name, state in found.items() for s in listed}


def _labels(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, label(value)) for name, value in values.items())


def _timestamp(started: str) -> float | None:
    """Return when a run started, in seconds since the epoch; None: the run does not say."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(started)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _exposed(metric: Metric) -> str:
    name = f"{_PREFIX}_{metric.name}"
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
    for labels, value in metric.samples.items():
        said = ",".join(f'{key}="{shown}"' for key, shown in labels)
        lines.append(f"{name}{{{said}}} {_number(value)}" if said else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
