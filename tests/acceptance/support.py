"""A small project to run the product on, and a way to run it as a user does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from orchestrator import history
from orchestrator.model.run import Report
from orchestrator.model.stage import StageResult

SHOP = Path(__file__).parents[1] / "projects" / "shop"


class Ended(msgspec.Struct, frozen=True):
    """How a command ended: exit status and what it printed."""

    code: int
    output: str


def copy_of(project: Path, folder: Path) -> Path:
    """Return a copy of a project, without what earlier runs left in it."""
    left = shutil.ignore_patterns(".orchestrator", "reports", "generated", "__pycache__", ".pytest_cache")
    return Path(shutil.copytree(project, folder / project.name, ignore=left))


def orchestrator(project: Path, *arguments: str, **variables: str) -> Ended:
    """Run the command in a project, as a user in a plain terminal would."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return Ended(done.returncode, done.stdout + done.stderr)


def environment(**variables: str) -> dict[str, str]:
    """Return our environment without what the test run itself put there."""
    own = ("PYTEST_", "COVERAGE_", "COV_", "ORCHESTRATOR_")
    return {k: v for k, v in os.environ.items() if not k.startswith(own)} | {"PACT_DO_NOT_TRACK": "true"} | variables


def report_of(project: Path) -> Report:
    """Return the report that the last run wrote."""
    return history.read(project / "reports" / "run.json")


def stage(project: Path, name: str) -> StageResult:
    """Return what the last run says of a stage."""
    found = report_of(project).run.stage(name)
    assert found is not None, f"{name} is not part of the run"
    return found


def edit(file: Path, before: str, after: str) -> None:
    """Replace the one place in a file where `before` stands."""
    content = file.read_text("utf-8")
    assert content.count(before) == 1, f"{before!r} stands {content.count(before)} times in {file}"
    file.write_text(content.replace(before, after), "utf-8")


def setting(project: Path, line: str) -> None:
    """Put a line into the settings, in place of one with the same key."""
    file = project / "pyproject.toml"
    key = re.escape(line.partition(" = ")[0])
    content = re.sub(rf"(?m)^{key} = .*\n", "", file.read_text("utf-8"))
    file.write_text(content.replace("[tool.orchestrator]\n", f"[tool.orchestrator]\n{line}\n"), "utf-8")
