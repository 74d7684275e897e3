"""Which survivors a gate fails because of."""

from __future__ import annotations

from orchestrator.model.run import Change, Report


def blamed_survivors(report: Report) -> set[str]:
    """Return the fingerprints of survivors because of which a gate fails.

    All of them where the score is too low, the new ones where the run must be no worse, those of changed lines where
    the gate is about these. What is waived is not blamed.
    """
    failing = {gate.id for gate in report.verdict.failing}
    survivors = [m for m in report.run.mutation.mutants if m.status.is_undetected] if report.run.mutation else []
    blamed: set[str] = set()
    if "mutation-score" in failing:
        blamed |= {m.fingerprint for m in survivors}
    if failing & {"changed-score", "changed-survivors"}:
        blamed |= {m.fingerprint for m in survivors if m.changed}
    if "no-worse" in failing and report.comparison:
        blamed |= {d.fingerprint for d in report.comparison.of(Change.NEW) if d.kind == "survivor"}
    return {fingerprint for fingerprint in blamed if not report.verdict.waived(fingerprint)}
