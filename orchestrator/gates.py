"""Decide: what must hold, what was found, and how the command ends."""

from __future__ import annotations

from collections.abc import Callable

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
    judged = tuple(gate for gate in (make(run, gates) for make in _GATES) if gate is not None)
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


def _gate(
    id_: str,
    title: str,
    threshold: str,
    evidence: str,
    *,
    run: Run,
    stage: str,
    value: float | None,
    shown: str,
    holds: Callable[[float], bool],
    hint: str,
    rest_matters: bool = True,
) -> Gate:
    """Return a gate on one number; None as a number is `not computed`, never a pass.

    Nor does a gate pass on the part of a stage that broke off, where the rest could fail it (`rest_matters`).
    """
    passed = value is not None and holds(value)
    if value is None or (passed and rest_matters and not _is_whole(run, stage)):
        return Gate(
            id=id_,
            title=title,
            threshold=threshold,
            verdict=GateVerdict.NOT_COMPUTED,
            hint=_why_unknown(run, stage),
            evidence=evidence,
        )
    return Gate(
        id=id_,
        title=title,
        threshold=threshold,
        value=shown,
        verdict=GateVerdict.PASS if passed else GateVerdict.FAIL,
        hint="" if passed else hint,
        evidence=evidence,
    )


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


def _suite_success(run: Run, gates: Gates) -> Gate | None:
    if gates.suite_success is False:
        return None
    value = run.suite.success if run.suite else None
    if run.suite and not run.suite.tests:
        value = 0.0  # zero tests are no success
    return _gate(
        "suite-success",
        "The project's own tests pass",
        f"≥ {gates.suite_success:g} %",
        "suite",
        run=run,
        stage="suite",
        value=value,
        shown="" if value is None else text.percent(value),
        holds=lambda v: v >= gates.suite_success,
        hint="Mend the red tests, or list them under `tests.known-red` with a reason.",
    )


def _suite_seconds(run: Run, gates: Gates) -> Gate | None:
    if gates.suite_seconds is False:
        return None
    result = run.stage("suite")
    value = result.seconds if result and run.suite else None
    return _gate(
        "suite-seconds",
        "They are quick to run",
        f"≤ {gates.suite_seconds:g} s",
        "suite",
        run=run,
        stage="suite",
        value=value,
        shown="" if value is None else f"{value:.1f} s",
        holds=lambda v: v <= gates.suite_seconds,
        hint="The slowest tests are listed in the report.",
    )


def _property_findings(run: Run, gates: Gates) -> Gate | None:
    if gates.property_findings is False:
        return None
    value = len(run.properties.findings) if run.properties else None
    return _gate(
        "property-findings",
        "What the OpenAPI document promises holds",
        f"≤ {gates.property_findings}" if gates.property_findings else "none",
        "findings",
        run=run,
        stage="properties",
        value=value,
        shown="" if value is None else text.plural(value, "finding"),
        holds=lambda v: v <= gates.property_findings,
        hint="Each finding has a curl line that shows it: mend the app or the document.",
    )


def _contract_failures(run: Run, gates: Gates) -> Gate | None:
    if gates.contract_failures is False:
        return None
    value = len(run.contracts.failures) if run.contracts else None
    return _gate(
        "contract-failures",
        "What consumers rely on holds",
        f"≤ {gates.contract_failures}" if gates.contract_failures else "none",
        "mismatches",
        run=run,
        stage="contracts",
        value=value,
        shown="" if value is None else text.plural(value, "mismatch", "mismatches"),
        holds=lambda v: v <= gates.contract_failures,
        hint="Each mismatch names the consumer that would break.",
    )


def _operations(run: Run, gates: Gates) -> Gate | None:
    if gates.operations is False:
        return None
    value = len({c.operation for c in run.properties.cases if c.sent}) if run.properties else None
    return _gate(
        "operations",
        "Operations were called",
        f"≥ {gates.operations}",
        "operations",
        run=run,
        stage="properties",
        value=value,
        shown="" if value is None else str(value),
        holds=lambda v: v >= gates.operations,
        hint="Check `openapi.path` and `openapi.exclude`.",
        rest_matters=False,
    )


def _interactions(run: Run, gates: Gates) -> Gate | None:
    if gates.interactions is False:
        return None
    value = None
    if run.contracts:
        unknown = (Verification.NOT_RUN, Verification.STATE_FAILED)
        value = sum(i.result not in unknown for i in run.contracts.interactions)
    return _gate(
        "interactions",
        "Interactions were verified",
        f"≥ {gates.interactions}",
        "mismatches",
        run=run,
        stage="contracts",
        value=value,
        shown="" if value is None else str(value),
        holds=lambda v: v >= gates.interactions,
        hint="Check `contracts.pacts`: an empty pact proves nothing.",
        rest_matters=False,
    )


def _mutants(run: Run, gates: Gates) -> Gate | None:
    if gates.mutants is False:
        return None
    value = None
    if run.mutation:
        value = sum(m.status.is_detected or m.status.is_undetected for m in run.mutation.mutants)
    return _gate(
        "mutants",
        "Mutants were judged",
        f"≥ {gates.mutants}",
        "survivors",
        run=run,
        stage="mutation",
        value=value,
        shown="" if value is None else str(value),
        holds=lambda v: v >= gates.mutants,
        hint="Check `mutation.critical`.",
        rest_matters=False,
    )


def _mutation_score(run: Run, gates: Gates) -> Gate | None:
    if gates.mutation_score is False:
        return None
    value = run.mutation.score if run.mutation else None
    return _gate(
        "mutation-score",
        "Somebody notices when the critical paths break",
        f"≥ {gates.mutation_score:g} %",
        "survivors",
        run=run,
        stage="mutation",
        value=value,
        shown="" if value is None else text.percent(value),
        holds=lambda v: v >= gates.mutation_score,
        hint="Each survivor shows the change that nobody noticed: write the assertion that would.",
    )


_GATES: tuple[Callable[[Run, Gates], Gate | None], ...] = (
    _suite_success,
    _suite_seconds,
    _property_findings,
    _contract_failures,
    _operations,
    _interactions,
    _mutants,
    _mutation_score,
)


def _no_worse(run: Run, comparison: Comparison) -> Gate:
    new = comparison.of(Change.NEW)
    score = run.mutation.score if run.mutation and "survivor" not in comparison.not_compared else None
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
