"""Decide: what must hold, what was found, and how the command ends."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator import config, text
from orchestrator.config import Gates
from orchestrator.errors import ExitCode, exit_code_of
from orchestrator.history import BASELINE, KINDS
from orchestrator.measures import MEASURES
from orchestrator.model.run import Change, Comparison, Gate, GateScope, GateVerdict, Run, Verdict, Waiver
from orchestrator.model.stage import StageStatus


def evaluate(
    run: Run,
    comparison: Comparison | None,
    gates: Gates,
    waivers: Sequence[config.Waiver] = (),
    today: datetime.date | None = None,
) -> Verdict:
    """Return the verdict on a run.

    Args:
        run: What was found.
        comparison: With an earlier run; None: there is none.
        gates: What must hold.
        waivers: What may fail, for a time.
        today: Until when waivers must hold; None: the day of the run.
    """
    told = [_told(waiver, today or datetime.date.fromisoformat(run.started[:10])) for waiver in waivers]
    active = {waiver.waives: waiver for waiver in told if not waiver.expired}
    baseline = comparison if comparison is not None and comparison.label == BASELINE else None
    judged = [gate for measure in _MEASURES if (gate := measure.judge(run, gates, baseline, active.keys())) is not None]
    if gates.no_worse and baseline is not None:
        judged.append(_no_worse(run, baseline, active.keys()))
    judged = [_waived(gate, active) for gate in judged]
    if told:
        judged.append(_all_in_time(told))
    if _nothing_judged(judged, run):
        judged.append(_NOTHING_JUDGED)
    codes = [exit_code_of(s.error.code) for s in run.stages if s.error]
    if any(s.status is StageStatus.INTERRUPTED for s in run.stages):
        codes.append(ExitCode.INTERRUPTED)
    if any(g.verdict is GateVerdict.FAIL for g in judged):
        codes.append(ExitCode.GATE_FAILED)
    exit_code = ExitCode.worst(*codes)
    used = {gate.id for gate in judged if gate.waiver} | _wrong(run)
    return Verdict(
        gates=tuple(judged),
        exit_code=exit_code,
        headline=_headline(judged, run, exit_code),
        waivers=tuple(msgspec.structs.replace(waiver, used=waiver.waives in used) for waiver in told),
    )


def _told(waiver: config.Waiver, today: datetime.date) -> Waiver:
    return Waiver(
        waives=waiver.waives,
        owner=waiver.owner,
        reason=waiver.reason,
        until=waiver.until.isoformat(),
        expired=waiver.until < today,
    )


def _waived(gate: Gate, waivers: Mapping[str, Waiver]) -> Gate:
    """Return a gate that fails as waived, if somebody answers for it."""
    waiver = waivers.get(gate.id)
    if gate.verdict is not GateVerdict.FAIL or waiver is None:
        return gate
    return msgspec.structs.replace(gate, verdict=GateVerdict.WAIVED, waiver=msgspec.structs.replace(waiver, used=True))


def _wrong(run: Run) -> set[str]:
    """Return the fingerprints of what a waiver can speak of."""
    found = {f.fingerprint for f in run.properties.findings} if run.properties else set()
    found |= {i.fingerprint for i in run.contracts.failures} if run.contracts else set()
    return found | ({m.fingerprint for m in run.mutation.mutants if m.status.is_undetected} if run.mutation else set())


def _all_in_time(waivers: Sequence[Waiver]) -> Gate:
    late = [waiver for waiver in waivers if waiver.expired]
    named = ", ".join(f"{w.waives} ({w.owner}, {w.until})" for w in late)
    return Gate(
        id="waivers",
        title="No waiver has expired",
        threshold="none",
        value=f"{len(late)} expired: {named}" if late else text.plural(len(waivers), "waiver") + " in time",
        verdict=GateVerdict.FAIL if late else GateVerdict.PASS,
        asked=0.0,
        found=float(len(late)),
        hint="Mend what it waives, or take on the waiver again with a new day." if late else "",
        evidence="waivers",
    )


def _nothing_judged(gates: Sequence[Gate], run: Run) -> bool:
    """Whether stages that gates speak of were asked for, and not one gate could be computed: zero is no success."""
    asked = any(run.stage(name) for name in KINDS.values())
    return asked and bool(gates) and all(g.verdict is GateVerdict.NOT_COMPUTED for g in gates)


_NOTHING_JUDGED: Final = Gate(
    id="judged",
    title="Something was judged",
    threshold="at least one gate",
    value="none",
    verdict=GateVerdict.FAIL,
    asked=1.0,
    found=0.0,
    hint="The stages that the gates speak of found nothing to measure; each says why.",
    evidence="stages",
)


def _headline(gates: Sequence[Gate], run: Run, exit_code: ExitCode) -> str:
    real = [g for g in gates if g is not _NOTHING_JUDGED]
    failing = [g for g in real if g.verdict is GateVerdict.FAIL]
    broken = [s.name for s in run.stages if s.error]
    parts = []
    if exit_code is ExitCode.INTERRUPTED:
        parts.append("interrupted")
    if failing:
        parts.append(f"{len(failing)} of {text.plural(len(real), 'gate')} failed")
    if broken:
        parts.append(f"{', '.join(broken)} did not complete")
    if parts:
        return "; ".join(parts)
    count = Counter(g.verdict for g in real)
    holding = count[GateVerdict.PASS]
    if not holding and not count[GateVerdict.WAIVED]:
        return "nothing was judged"
    parts = [f"{text.plural(holding, 'gate')} {'holds' if holding == 1 else 'hold'}"]
    parts += [f"{count[v]} {v}" for v in (GateVerdict.WAIVED, GateVerdict.NOT_COMPUTED) if count[v]]
    return ", ".join(parts)


class _Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A gate on one number.

    Attributes:
        id: The key of its threshold in the settings.
        title: What it asks, for a person.
        stage: Where the number comes from.
        evidence: The id of the section of the page that shows why.
        shown: The number as people read it.
        at_least: Whether more is better.
        only_grows: Whether the part of a stage that broke off already shows that the whole would pass.
        unit: What stands behind the threshold.
        scope: What it is about, where that is not the whole run.
        hint: What to do when it fails.
    """

    id: str
    title: str
    stage: str
    evidence: str
    shown: Callable[[float], str]
    at_least: bool
    only_grows: bool = False
    unit: str = ""
    scope: GateScope = GateScope.ABSOLUTE
    hint: str

    def judge(self, run: Run, gates: Gates, baseline: Comparison | None, waived: Collection[str]) -> Gate | None:
        """Return the gate on a run; None: the settings turn it off.

        Args:
            run: What was found.
            gates: What must hold.
            baseline: What "no worse" is held against; None: there is none.
            waived: Fingerprints of what is not counted.
        """
        setting = getattr(gates, self.id.replace("-", "_"))
        if setting is False:
            return None
        relative = setting == config.NO_WORSE
        asked = baseline.measured.get(self.id) if relative and baseline else None if relative else setting
        value = MEASURES[self.id](run, waived)
        holds = value is not None and asked is not None and self._holds(value, asked)
        # None is no pass; nor is the part of a stage that broke off, where the rest could fail the gate.
        unknown = value is None or asked is None or (holds and not self.only_grows and not _is_whole(run, self.stage))
        verdict = GateVerdict.NOT_COMPUTED if unknown else GateVerdict.PASS if holds else GateVerdict.FAIL
        why = "there is no baseline that has it" if asked is None else _why_unknown(run, self)
        hints = {GateVerdict.NOT_COMPUTED: why, GateVerdict.FAIL: self.hint}
        return Gate(
            id=self.id,
            title=self.title,
            threshold=config.NO_WORSE if asked is None else self._asked(asked),
            verdict=verdict,
            value="" if unknown or value is None else self.shown(value),
            scope=GateScope.BASELINE if relative else self.scope,
            asked=None if asked is None else float(asked),
            found=None if unknown or value is None else float(value),
            hint=hints.get(verdict, ""),
            evidence=self.evidence,
        )

    def _holds(self, value: float, asked: float) -> bool:
        return value >= asked - _ROUNDING if self.at_least else value <= asked + _ROUNDING

    def _asked(self, threshold: float) -> str:
        if not self.at_least and threshold == 0:
            return "none"
        return f"{'≥' if self.at_least else '≤'} {math.ceil(threshold * 10 - _ROUNDING) / 10:g}{self.unit}"


_ROUNDING: Final = 1e-9  # what arithmetic may take from a share


def _is_whole(run: Run, stage: str) -> bool:
    result = run.stage(stage)
    return result is not None and result.status is StageStatus.COMPLETED


def _why_unknown(run: Run, measure: _Measure) -> str:
    stage = measure.stage
    result = run.stage(stage)
    if measure.scope is GateScope.CHANGED and run.mutation and not run.mutation.changed_since:
        return "it is not known which lines have changed: set `mutation.changed-since`, or a baseline of a commit"
    if result is None:
        return f"{stage} was not asked for"
    if result.error:
        return f"{stage}: {result.error.message}"
    return result.reason or f"{stage} {'found nothing to measure' if _is_whole(run, stage) else 'did not complete'}"


def _count(value: float) -> str:
    return f"{value:g}"


_MEASURES: Final = (
    _Measure(
        id="suite-success",
        title="The project's own tests pass",
        stage="suite",
        evidence="suite",
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
        shown=lambda v: text.plural(int(v), "finding"),
        at_least=False,
        hint="Each finding has a curl line that shows it: mend the app or the document.",
    ),
    _Measure(
        id="contract-failures",
        title="What consumers rely on holds",
        stage="contracts",
        evidence="mismatches",
        shown=lambda v: f"{text.plural(int(v), 'interaction')} not known to hold",
        at_least=False,
        hint="Each mismatch names the consumer that would break.",
    ),
    _Measure(
        id="incompatibilities",
        title="Pacts ask for nothing that the OpenAPI document does not promise",
        stage="description",
        evidence="incompatibilities",
        shown=lambda v: text.plural(int(v), "place"),
        at_least=False,
        hint="Promise it in the document, or have the consumer ask for less.",
    ),
    _Measure(
        id="broken-consumers",
        title="No change of the document breaks a known consumer",
        stage="description",
        evidence="document-changes",
        shown=lambda v: text.plural(int(v), "change"),
        at_least=False,
        hint="Each change names the consumers and interactions that break: release it with them, or beside the old.",
    ),
    _Measure(
        id="breaking-changes",
        title="The document has no breaking change since the last release",
        stage="description",
        evidence="document-changes",
        shown=lambda v: text.plural(int(v), "breaking change"),
        at_least=False,
        hint="Offer the new beside the old, deprecate the old, remove it when nobody uses it.",
    ),
    _Measure(
        id="drift",
        title="The app and the document know the same operations",
        stage="description",
        evidence="drift",
        shown=lambda v: text.plural(int(v), "operation"),
        at_least=False,
        hint="Describe the routes, or take the operations out of the document.",
    ),
    _Measure(
        id="operations",
        title="Operations were called",
        stage="properties",
        evidence="operations",
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
        shown=text.percent,
        at_least=True,
        unit=" %",
        hint="Each survivor shows the change that nobody noticed: write the assertion that would.",
    ),
    _Measure(
        id="changed-score",
        title="Somebody notices when changed lines break",
        stage="mutation",
        evidence="survivors",
        shown=text.percent,
        at_least=True,
        unit=" %",
        scope=GateScope.CHANGED,
        hint="Survivors on changed lines come first in the report.",
    ),
    _Measure(
        id="changed-survivors",
        title="No mutant of a changed line survives",
        stage="mutation",
        evidence="survivors",
        shown=lambda v: text.plural(int(v), "survivor"),
        at_least=False,
        scope=GateScope.CHANGED,
        hint="Survivors on changed lines come first in the report.",
    ),
)


def _no_worse(run: Run, comparison: Comparison, waived: Collection[str]) -> Gate:
    new = [d for d in comparison.of(Change.NEW) if d.fingerprint not in waived]
    score = MEASURES[_SCORE](run, waived) if "survivor" not in comparison.not_compared else None
    before = comparison.measured.get(_SCORE)
    said = [text.plural(len(new), "new problem")] if new else []
    if score is not None and before is not None and score < before - _ROUNDING:
        said.append(f"score {text.percent(before)} → {text.percent(score)}")
    compared = len(comparison.not_compared) < len(KINDS)
    verdict = GateVerdict.NOT_COMPUTED if not compared else GateVerdict.FAIL if said else GateVerdict.PASS
    return Gate(
        id="no-worse",
        title="No worse than the baseline",
        threshold="nothing new",
        value=", ".join(said) or ("nothing new" if compared else ""),
        scope=GateScope.BASELINE,
        verdict=verdict,
        hint="What is new is listed under “What changed”." if said else "",
        evidence="changes",
    )


_SCORE: Final = "mutation-score"
