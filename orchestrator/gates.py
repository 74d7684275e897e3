"""Decide: what must hold, what was found, and how the command ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.config import Gates
from orchestrator.errors import ExitCode, exit_code_of
from orchestrator.history import KINDS
from orchestrator.model.contracts import Verification
from orchestrator.model.run import Change, Comparison, Gate, GateVerdict, Run, Verdict
from orchestrator.model.stage import StageStatus


def evaluate(run: Run, comparison: Comparison | None, gates: Gates) -> Verdict:
    """Return the verdict on a run.

    Args:
        run: What was found.
        comparison: With the baseline; None: there is none.
        gates: What must hold.
    """
    judged = tuple(gate for gate in (measure.judge(run, gates) for measure in _MEASURES) if gate is not None)
    if gates.no_worse and comparison is not None and comparison.label == "baseline":
        judged = (*judged, _no_worse(run, comparison))
    codes = [exit_code_of(s.error.code) for s in run.stages if s.error]
    if any(s.status is StageStatus.INTERRUPTED for s in run.stages):
        codes.append(ExitCode.INTERRUPTED)
    if any(g.verdict is GateVerdict.FAIL for g in judged) or _nothing_judged(judged, run):
        codes.append(ExitCode.GATE_FAILED)
    exit_code = ExitCode.worst(*codes)
    return Verdict(gates=judged, exit_code=exit_code, headline=_headline(judged, run, exit_code))


def _nothing_judged(gates: tuple[Gate, ...], run: Run) -> bool:
    """Whether stages that gates speak of were asked for, and not one gate could be computed: zero is no success."""
    asked = any(run.stage(name) for name in KINDS.values())
    return asked and bool(gates) and all(g.verdict is GateVerdict.NOT_COMPUTED for g in gates)


def _headline(gates: tuple[Gate, ...], run: Run, exit_code: ExitCode) -> str:
    failing = [g for g in gates if g.verdict is GateVerdict.FAIL]
    broken = [s.name for s in run.stages if s.error]
    parts = []
    if exit_code is ExitCode.INTERRUPTED:
        parts.append("interrupted")
    if failing:
        parts.append(f"{len(failing)} of {text.plural(len(gates), 'gate')} failed")
    if broken:
        parts.append(f"{', '.join(broken)} did not complete")
    if parts:
        return "; ".join(parts)
    holding = sum(g.verdict is GateVerdict.PASS for g in gates)
    if not holding:
        return "nothing was judged"
    unknown = len(gates) - holding
    return f"{text.plural(holding, 'gate')} {'holds' if holding == 1 else 'hold'}" + (
        f", {unknown} not computed" if unknown else ""
    )


class _Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A gate on one number.

    Attributes:
        id: The key of its threshold in the settings.
        title: What it asks, for a person.
        stage: Where the number comes from.
        evidence: The id of the section of the page that shows why.
        of: The number in a run; None: not computed.
        shown: The number as people read it.
        at_least: Whether more is better.
        only_grows: Whether the part of a stage that broke off already shows that the whole would pass.
        unit: What stands behind the threshold.
        hint: What to do when it fails.
    """

    id: str
    title: str
    stage: str
    evidence: str
    of: Callable[[Run], float | None]
    shown: Callable[[float], str]
    at_least: bool
    only_grows: bool = False
    unit: str = ""
    hint: str

    def judge(self, run: Run, gates: Gates) -> Gate | None:
        """Return the gate on a run; None: the settings turn it off."""
        threshold = getattr(gates, self.id.replace("-", "_"))
        if threshold is False:
            return None
        value = self.of(run)
        holds = value is not None and (value >= threshold if self.at_least else value <= threshold)
        # None is no pass; nor is the part of a stage that broke off, where the rest could fail the gate.
        unknown = value is None or (holds and not self.only_grows and not _is_whole(run, self.stage))
        verdict = GateVerdict.NOT_COMPUTED if unknown else GateVerdict.PASS if holds else GateVerdict.FAIL
        hints = {GateVerdict.NOT_COMPUTED: _why_unknown(run, self.stage), GateVerdict.FAIL: self.hint}
        return Gate(
            id=self.id,
            title=self.title,
            threshold=self._asked(threshold),
            verdict=verdict,
            value="" if unknown or value is None else self.shown(value),
            hint=hints.get(verdict, ""),
            evidence=self.evidence,
        )

    def _asked(self, threshold: float) -> str:
        if not self.at_least and threshold == 0:
            return "none"
        return f"{'≥' if self.at_least else '≤'} {threshold:g}{self.unit}"


def _is_whole(run: Run, stage: str) -> bool:
    result = run.stage(stage)
    return result is not None and result.status is StageStatus.COMPLETED


def _why_unknown(run: Run, stage: str) -> str:
    result = run.stage(stage)
    if result is None:
        return f"{stage} was not asked for"
    if result.error:
        return f"{stage}: {result.error.message}"
    return result.reason or f"{stage} {'found nothing to measure' if _is_whole(run, stage) else 'did not complete'}"


def _suite_success(run: Run) -> float | None:
    if run.suite is None:
        return None
    return run.suite.success if run.suite.tests else 0.0  # zero tests are no success


def _suite_seconds(run: Run) -> float | None:
    result = run.stage("suite")
    return result.seconds if result and run.suite and not run.suite.reused else None


def _operations_called(run: Run) -> float | None:
    return len({c.operation for c in run.properties.cases if c.sent}) if run.properties else None


def _interactions_verified(run: Run) -> float | None:
    unknown = (Verification.NOT_RUN, Verification.STATE_FAILED)
    return sum(i.result not in unknown for i in run.contracts.interactions) if run.contracts else None


def _mutation_score(run: Run) -> float | None:
    """Return the score; None: the mutants are of another kind, or only a part of them."""
    whole = run.mutation is not None and not run.mutation.quick and not run.mutation.shard
    return run.mutation.score if run.mutation and whole else None


def _mutants_judged(run: Run) -> float | None:
    if run.mutation is None:
        return None
    return sum(m.status.is_detected or m.status.is_undetected for m in run.mutation.mutants)


def _count(value: float) -> str:
    return f"{value:g}"


_MEASURES: Final = (
    _Measure(
        id="suite-success",
        title="The project's own tests pass",
        stage="suite",
        evidence="suite",
        of=_suite_success,
        shown=text.percent,
        at_least=True,
        unit=" %",
        hint="Mend the red tests, or list them under `tests.known-red` with a reason.",
    ),
    _Measure(
        id="suite-seconds",
        title="They are quick to run",
        stage="suite",
        evidence="suite",
        of=_suite_seconds,
        shown=lambda v: f"{v:.1f} s",
        at_least=False,
        unit=" s",
        hint="The slowest tests are listed in the report.",
    ),
    _Measure(
        id="property-findings",
        title="What the OpenAPI document promises holds",
        stage="properties",
        evidence="findings",
        of=lambda run: len(run.properties.findings) if run.properties else None,
        shown=lambda v: text.plural(int(v), "finding"),
        at_least=False,
        hint="Each finding has a curl line that shows it: mend the app or the document.",
    ),
    _Measure(
        id="contract-failures",
        title="What consumers rely on holds",
        stage="contracts",
        evidence="mismatches",
        of=lambda run: len(run.contracts.failures) if run.contracts else None,
        shown=lambda v: text.plural(int(v), "mismatch", "mismatches"),
        at_least=False,
        hint="Each mismatch names the consumer that would break.",
    ),
    _Measure(
        id="operations",
        title="Operations were called",
        stage="properties",
        evidence="operations",
        of=_operations_called,
        shown=_count,
        at_least=True,
        only_grows=True,
        hint="Check `openapi.path` and `openapi.exclude`.",
    ),
    _Measure(
        id="interactions",
        title="Interactions were verified",
        stage="contracts",
        evidence="mismatches",
        of=_interactions_verified,
        shown=_count,
        at_least=True,
        only_grows=True,
        hint="Check `contracts.pacts`: an empty pact proves nothing.",
    ),
    _Measure(
        id="mutants",
        title="Mutants were judged",
        stage="mutation",
        evidence="survivors",
        of=_mutants_judged,
        shown=_count,
        at_least=True,
        only_grows=True,
        hint="Check `mutation.critical`.",
    ),
    _Measure(
        id="mutation-score",
        title="Somebody notices when the critical paths break",
        stage="mutation",
        evidence="survivors",
        of=_mutation_score,
        shown=text.percent,
        at_least=True,
        unit=" %",
        hint="Each survivor shows the change that nobody noticed: write the assertion that would.",
    ),
)


def _no_worse(run: Run, comparison: Comparison) -> Gate:
    new = comparison.of(Change.NEW)
    score = _mutation_score(run) if "survivor" not in comparison.not_compared else None
    said = [text.plural(len(new), "new problem")] if new else []
    if score is not None and comparison.score is not None and score < comparison.score - 1e-9:
        said.append(f"score {text.percent(comparison.score)} → {text.percent(score)}")
    compared = len(comparison.not_compared) < len(KINDS)
    verdict = GateVerdict.NOT_COMPUTED if not compared else GateVerdict.FAIL if said else GateVerdict.PASS
    return Gate(
        id="no-worse",
        title="No worse than the baseline",
        threshold="nothing new",
        value=", ".join(said) or ("nothing new" if compared else ""),
        verdict=verdict,
        hint="What is new is listed under “What changed”." if said else "",
        evidence="changes",
    )
