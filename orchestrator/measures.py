"""The numbers of a run that gates are about, by the gate's id. None: not computed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from orchestrator.model.contracts import Verification
from orchestrator.model.mutation import Mutant, MutantStatus, score
from orchestrator.model.run import Run

Waived = Collection[str]  # fingerprints of what somebody answers for: it is not counted
Measure = Callable[[Run, Waived], float | None]

_NOT_VERIFIED: Final = (Verification.NOT_RUN, Verification.STATE_FAILED)


def measured(run: Run) -> dict[str, float]:
    """Return all numbers of a run that are computed, nothing waived."""
    found = {name: measure(run, ()) for name, measure in MEASURES.items()}
    return {name: value for name, value in found.items() if value is not None}


def _suite_success(run: Run, waived: Waived) -> float | None:
    if run.suite is None:
        return None
    return run.suite.success if run.suite.tests else 0.0  # zero tests are no success


def _suite_seconds(run: Run, waived: Waived) -> float | None:
    result = run.stage("suite")
    return result.seconds if result and run.suite and not run.suite.reused else None


def _property_findings(run: Run, waived: Waived) -> float | None:
    return sum(f.fingerprint not in waived for f in run.properties.findings) if run.properties else None


def _contract_failures(run: Run, waived: Waived) -> float | None:
    return sum(i.fingerprint not in waived for i in run.contracts.failures) if run.contracts else None


def _incompatibilities(run: Run, waived: Waived) -> float | None:
    if run.description is None or run.description.incompatibilities is None:
        return None
    return sum(i.fingerprint not in waived for i in run.description.errors)


def _broken_consumers(run: Run, waived: Waived) -> float | None:
    if run.description is None or run.description.changes is None:
        return None
    if any(change.broken is None for change in run.description.changes):
        return None
    return sum(c.fingerprint not in waived for c in run.description.felt)


def _breaking_changes(run: Run, waived: Waived) -> float | None:
    if run.description is None or run.description.changes is None:
        return None
    return sum(c.fingerprint not in waived for c in run.description.breaking)


def _drift(run: Run, waived: Waived) -> float | None:
    return len(run.description.drift) if run.description and run.description.drift is not None else None


def _operations_called(run: Run, waived: Waived) -> float | None:
    return len({c.operation for c in run.properties.cases if c.sent}) if run.properties else None


def _interactions_verified(run: Run, waived: Waived) -> float | None:
    return sum(i.result not in _NOT_VERIFIED for i in run.contracts.interactions) if run.contracts else None


def _mutants_judged(run: Run, waived: Waived) -> float | None:
    if run.mutation is None:
        return None
    return sum(m.status.is_detected or m.status.is_undetected for m in run.mutation.mutants)


def _mutation_score(run: Run, waived: Waived) -> float | None:
    return run.score


def _changed(run: Run) -> tuple[Mutant, ...] | None:
    """Return the mutants of changed lines; None: it is not known which lines have changed, or not all were judged."""
    if run.mutation is None or not run.mutation.changed_since or run.mutation.shard:
        return None
    changed = tuple(m for m in run.mutation.mutants if m.changed)
    return None if any(m.status is MutantStatus.NOT_RUN for m in changed) else changed


def _changed_score(run: Run, waived: Waived) -> float | None:
    changed = _changed(run)
    return None if changed is None else score(changed)


def _changed_survivors(run: Run, waived: Waived) -> float | None:
    changed = _changed(run)
    if changed is None:
        return None
    return sum(m.status.is_undetected and m.fingerprint not in waived for m in changed)


MEASURES: Final[Mapping[str, Measure]] = {
    "suite-success": _suite_success,
    "suite-seconds": _suite_seconds,
    "property-findings": _property_findings,
    "contract-failures": _contract_failures,
    "incompatibilities": _incompatibilities,
    "broken-consumers": _broken_consumers,
    "breaking-changes": _breaking_changes,
    "drift": _drift,
    "operations": _operations_called,
    "interactions": _interactions_verified,
    "mutants": _mutants_judged,
    "mutation-score": _mutation_score,
    "changed-score": _changed_score,
    "changed-survivors": _changed_survivors,
}
