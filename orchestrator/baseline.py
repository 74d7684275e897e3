"""The run that others are compared with: where it lies, and how it gets there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from orchestrator import codec, history
from orchestrator.adapters import git
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.run import Report

FILE: Final = "quality-baseline.json"  # where none is named


def load(project: Project, told: str) -> Report:
    """Return a baseline.

    Args:
        project: Whose; paths are relative to its folder.
        told: A `run.json`, a folder that has one, or `git:REVISION[:PATH]`.

    Raises:
        OrchestratorError: it can't be read.
    """
    if in_git := git.named(told):
        revision, path = in_git
        return _of_revision(project, revision, path or FILE)
    return history.read(project.root / told, Code.BASELINE_UNREADABLE)


def _of_revision(project: Project, revision: str, path: str) -> Report:
    data = git.file_at(project.root, revision, path)
    if data is not None:
        return history.from_bytes(data, f"{path} of {revision}", Code.BASELINE_UNREADABLE)
    why = f"has no {path}" if git.knows(project.root, revision) else "is no revision that git knows here"
    raise OrchestratorError(
        Code.BASELINE_UNREADABLE,
        f"{revision} {why}",
        hint="Commit what `orchestrator baseline save` writes; a shallow clone of CI has only the newest commit.",
    )


def place(project: Project) -> Path:
    """Return the file that a baseline is saved to: the setting's, if that names one."""
    told = project.settings.baseline
    return project.root / (told if told.endswith(".json") and not git.named(told) else FILE)


def save(report: Report, path: Path) -> None:
    """Keep a report as the baseline, without its history.

    Raises:
        OrchestratorError: the file can't be written.
    """
    codec.write_atomically(path, codec.to_json(without_history(report)))


def without_history(report: Report) -> Report:
    """Return a report that stands for itself alone."""
    return Report(schema=report.schema, run=report.run, verdict=report.verdict)
