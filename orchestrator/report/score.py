"""The mutation score of a run as one number, where it may stand alone."""

from __future__ import annotations

from orchestrator.model.run import Run


def whole_score(run: Run) -> float | None:
    """Return the score in percent; None: nothing was judged, or mutants of another kind, or a part of them."""
    mutation = run.mutation
    return None if mutation is None or mutation.quick or mutation.shard else mutation.score
