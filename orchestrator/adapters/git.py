"""What git knows of the project; a project outside git is fine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestrator import text
from orchestrator.model.run import Subject


def subject(name: str, root: Path) -> Subject:
    """Return what is analysed: its commit and branch, and whether the work tree differs from it."""
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return Subject(name=name)
    return Subject(
        name=name,
        commit=commit,
        branch=text.one_line(_git(root, "rev-parse", "--abbrev-ref", "HEAD")),
        dirty=bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
    )


def files(root: Path) -> list[str] | None:
    """Return the files that git tracks or would track below `root`; None: not a git work tree."""
    listed = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return sorted(set(filter(None, listed.split("\0")))) or None


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.rstrip("\n") if done.returncode == 0 else ""
