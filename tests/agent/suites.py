"""Small suites of a user's, run for real as the product runs them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator import process
from orchestrator.adapters import pytest as adapter
from orchestrator.config import App, Project, Settings, Tests
from orchestrator.model.suite import Outcome, Test

# Another interpreter that has pytest and more clients and plugins than ours, to run the same tests with.
PYTHON = os.environ.get("AGENT_TESTS_PYTHON", "")


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A session that ended.

    Attributes:
        finished: How the process did.
        recorded: What the plugin wrote.
        told: The last values of the progress: how many items ended, of how many.
    """

    finished: process.Finished
    recorded: adapter.Recorded
    told: tuple[int, int | None]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Each test's outcome, by its name without its file."""
        return {name(t): t.outcome for t in self.recorded.tests}

    @property
    def output(self) -> str:
        return self.finished.tail(60)

    def test(self, wanted: str) -> Test:
        return next(t for t in self.recorded.tests if name(t) == wanted)

    def exchanges(self, wanted: str) -> list[tuple[str, str, int]]:
        return [(e.method, e.path, e.status) for e in self.test(wanted).exchanges]


def name(test: Test) -> str:
    return test.id.partition("::")[2]


def project(folder: Path, files: dict[str, str], ini: str = "", **tests: Any) -> Project:
    """Write a project with its tests."""
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n", "utf-8")
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    settings = Settings(
        python=PYTHON,
        app=App(target="shop:app"),
        tests=Tests(paths=("tests",), coverage=False, **({"timeout": 60.0} | tests)),
    )
    return Project(root=folder, file=folder / "orchestrator.toml", settings=settings)


def run(project: Project, *, workers: int = 1, plugins: tuple[str, ...] = ()) -> Ran:
    """Run its suite, without what our own session put into the environment, and quickly: only with these plugins."""
    told: list[tuple[int, int | None]] = [(0, None)]
    with pytest.MonkeyPatch.context() as patch:
        for variable in [v for v in os.environ if v.startswith(("PYTEST_", "COVERAGE_", "COV_"))]:
            patch.delenv(variable)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.setenv("PYTEST_PLUGINS", ",".join([*plugins, *(["xdist.plugin"] if workers > 1 else [])]))
        finished, recorded, _ = adapter.run(
            project, workers=workers, coverage=False, watch=lambda done, total: told.append((done, total))
        )
    return Ran(finished=finished, recorded=recorded, told=told[-1])


def lines(project: Project) -> list[dict[str, Any]]:
    """Return what the plugin wrote, line by line."""
    record = (project.state / "suite" / "record.ndjson").read_text("utf-8")
    return [json.loads(line) for line in record.splitlines()]


@functools.cache
def has(module: str) -> bool:
    """Return whether the suites' interpreter has a module."""
    done = subprocess.run([PYTHON or sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return done.returncode == 0


def needs(*modules: str) -> None:
    """Skip a test whose suite can't run here."""
    for module in modules:
        if not has(module):
            pytest.skip(f"{module} is not installed")
