"""What shields.io makes a badge of, where the file is published: https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

from orchestrator import codec
from orchestrator.model.run import Report
from orchestrator.report.badge import LABEL, badge


def render(report: Report) -> bytes:
    """Return the document."""
    shown = badge(report)
    said = {"schemaVersion": 1, "label": LABEL, "message": shown.message, "color": shown.color.removeprefix("#")}
    # With `isError` nobody who shows the badge can give it the colour of one that passes.
    return codec.to_json(said | ({"isError": True} if shown.failing else {}))
