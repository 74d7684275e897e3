"""The report: one HTML page and its machine-readable siblings, all from one `Report`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from orchestrator import codec
from orchestrator.history import HISTORY, RUN
from orchestrator.model.run import Report
from orchestrator.report import (
    badge,
    code_quality,
    html,
    junit,
    metrics,
    past,
    sarif,
    shields,
    stryker,
    summary,
    workflow_commands,
)

PAGE: Final = "quality.html"

# File name → what makes its bytes.
OUTPUTS: Final[dict[str, Callable[[Report], bytes]]] = {
    PAGE: html.render,
    RUN: codec.to_json,
    "junit.xml": junit.render,
    "summary.md": summary.render,
    HISTORY: past.render,
    "mutation.json": stryker.render,
    "quality.sarif": sarif.render,
    "codequality.json": code_quality.render,
    "annotations.txt": workflow_commands.render,
    "badge.svg": badge.render,
    "badge.json": shields.render,
    "metrics.prom": metrics.render,
}


def write(report: Report, folder: Path) -> Path:
    """Write every output into `folder` and return the page's path. The same report gives the same bytes.

    All are made before the first is written, so that a fault leaves an earlier report whole.

    Raises:
        OrchestratorError: a file can't be written.
    """
    saved = codec.from_json(codec.to_json(report), Report)  # so that a saved run gives what the run itself gave
    made = {name: make(saved) for name, make in OUTPUTS.items()}
    for name, data in made.items():
        codec.write_atomically(folder / name, data)
    return folder / PAGE
