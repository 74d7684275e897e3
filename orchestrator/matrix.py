"""Join operations × tests × cases × interactions × mutants: one row an operation."""

from __future__ import annotations

from collections import Counter

from orchestrator.model.run import OperationRow, Run
from orchestrator.model.strength import strengths


def link(run: Run) -> tuple[OperationRow, ...]:
    """Return the operation matrix of a run; empty if the document was not read.

    A cell is None where its stage did not compute it.
    """
    if run.generated is None:
        return ()
    return tuple(_row(run, o.label, o.summary, o.excluded) for o in run.generated.operations)


def _row(run: Run, label: str, summary: str, excluded: str) -> OperationRow:
    suite, properties, contracts, mutation = run.suite, run.properties, run.contracts, run.mutation
    tests = [t for t in suite.tests if any(e.operation == label for e in t.exchanges)] if suite else []
    interactions = [i for i in contracts.interactions if i.operation == label] if contracts else []
    mutants = [m for m in mutation.mutants if label in m.operations] if mutation else []
    reach_known = mutation is not None and properties is not None and properties.reached is not None
    return OperationRow(
        operation=label,
        summary=summary,
        excluded=excluded,
        tests=len(tests) if suite else None,
        red_tests=sum(t.outcome.is_red for t in tests) if suite else None,
        cases=sum(c.sent for c in properties.cases if c.operation == label) if properties else None,
        findings=tuple(f.fingerprint for f in properties.findings if f.operation == label) if properties else None,
        interactions=dict(sorted(Counter(i.consumer for i in interactions).items())) if contracts else None,
        failures=tuple(i.fingerprint for i in interactions if i.result.is_failure),
        mutants=len(mutants) if reach_known else None,
        detected=sum(m.status.is_detected for m in mutants) if reach_known else None,
        survivors=tuple(m.fingerprint for m in mutants if m.status.is_undetected),
        strengths=strengths(mutants) if reach_known else {},
    )
