"""What git knows of the project; a project outside git is fine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from orchestrator import text
from orchestrator.errors import Code, UsageError
from orchestrator.model.run import Subject

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


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


def changed_lines(root: Path, revision: str) -> dict[str, list[range]]:
    """Return the lines that are new or changed since a revision, by path relative to `root`.

    Raises:
        UsageError: there is no such revision, or no git.
    """
    if not knows(root, revision):
        raise UsageError(
            Code.UNKNOWN_REVISION,
            f"git knows no revision {text.one_line(revision)!r} here",
            hint="Fetch it first: a shallow clone of CI has only the newest commit.",
        )
    told = _git(root, "diff", "--unified=0", "--no-color", "--no-ext-diff", "--relative", "--no-prefix", revision)
    found: dict[str, list[range]] = {}
    path = ""
    for line in told.split("\n"):
        if line.startswith("+++ "):
            path = line[4:].strip().strip('"')
        elif (hunk := _HUNK.match(line)) and path != "/dev/null":
            start, count = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(path, []).append(range(start, start + max(1, count)))
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    for new in filter(None, listed.split("\0")):
        found[new] = [range(1, 1 << 30)]
    return found


def named(told: str) -> tuple[str, str] | None:
    """Return the revision and the path that `git:REVISION[:PATH]` names, the path maybe empty; None: it is a file."""
    if not told.startswith("git:"):
        return None
    revision, _, path = told.removeprefix("git:").partition(":")
    return revision, path


def file_at(root: Path, revision: str, path: str) -> bytes | None:
    """Return a file as it is in a revision, its path relative to `root`; None: there is none, or no git."""
    return _output(root, "show", "--end-of-options", f"{revision}:./{path}")


def knows(root: Path, revision: str) -> bool:
    """Whether there is such a commit here."""
    return bool(_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"))


def _git(root: Path, *arguments: str) -> str:
    return (_output(root, *arguments) or b"").decode("utf-8", errors="replace").rstrip("\n")


def _output(root: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
