"""`history.jsonl`: a line of JSON for each run, the newest last."""

from __future__ import annotations

import msgspec

from orchestrator.history import KEPT
from orchestrator.model.run import Report


def render(report: Report) -> bytes:
    """Return the history with this run at its end; each line is a `Point`."""
    points = [*report.history, report.point][-KEPT:]
    return b"".join(msgspec.json.encode(point, order="deterministic") + b"\n" for point in points)
