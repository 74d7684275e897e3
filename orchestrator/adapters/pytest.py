"""The project's own pytest suite: run it in the user's interpreter, read what our plugin and coverage.py wrote."""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator import process, text
from orchestrator.adapters import agent, source
from orchestrator.config import KnownRed, Project
from orchestrator.model.suite import Exchange, FileCoverage, Outcome, Test

PLUGIN: Final = f"{agent.PACKAGE}.suite"
RECORD_VARIABLE: Final = "ORCHESTRATOR_SUITE"

# pytest's exit statuses that are no verdict: https://docs.pytest.org/en/stable/reference/exit-codes.html
USAGE_ERROR: Final = 4
NO_TESTS: Final = 5


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin wrote.

    Attributes:
        tests: In the order in which they ended.
        broken: Files that could not be collected, with the reason.
        exit_status: pytest's; None: the session did not come to its end.
    """

    tests: tuple[Test, ...]
    broken: tuple[tuple[str, str], ...]
    exit_status: int | None


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """Which tools the user's interpreter has, by distribution; the value is the version."""

    versions: dict[str, str]
    python: str

    def __contains__(self, name: str) -> bool:
        return name in self.versions

    @property
    def measures_coverage(self) -> bool:
        """Whether coverage.py is there, and of a version that sees the processes that tests start (7.10)."""
        numbers = [int(n) for n in re.findall(r"\d+", self.versions.get("coverage", "0"))[:2]]
        return numbers >= [7, 10]


_LOOK = """
import importlib.metadata as m, json, platform
found = {}
for d in m.distributions():
    found.setdefault(d.metadata["Name"], d.version)  # the first one is the one that is imported
print(json.dumps({"versions": {k.lower().replace("_", "-"): v for k, v in found.items() if k},
                  "python": platform.python_version()}))
"""


def installed(project: Project) -> Installed:
    """Return what the user's interpreter has."""
    log = project.state / "logs" / "interpreter.log"
    done = process.run(
        [agent.interpreter(project), "-c", _LOOK],
        directory=project.directory,
        environment=agent.environment(project),
        log=log,
        timeout=60,
    )
    if done.code:
        return Installed(versions={}, python="")
    return msgspec.json.decode(done.tail(1), type=Installed)


def selection(project: Project, *, quarantined: Sequence[str] = ()) -> list[str]:
    """Return pytest's arguments that choose the unit layer's items, and the user's own options."""
    tests = project.settings.tests
    generated = os.path.relpath(project.root / project.settings.properties.directory, project.directory)
    deselected = [f"--deselect={name}" for name in (*tests.deselect, *quarantined)]
    return [*tests.options, f"--ignore={generated}", *deselected]


def run(
    project: Project, *, workers: int, coverage: bool, watch: Callable[[int, int | None], None]
) -> tuple[process.Finished, Recorded, tuple[FileCoverage, ...] | None]:
    """Run the suite once.

    Args:
        project: Whose suite.
        workers: How many processes share it; 1: pytest-xdist is not used.
        coverage: Whether to measure statement coverage with coverage.py.
        watch: Told now and then how many items have ended, of how many (None: not known yet).

    Returns:
        How pytest ended, what the plugin wrote, and coverage if it was measured.
    """
    folder = project.state / "suite"
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record.ndjson"
    for old in folder.iterdir():
        old.unlink()
    python = agent.interpreter(project)
    settings_file = folder / "settings.ini"
    if coverage:
        settings_file.write_text(_coverage_settings(project, folder), "utf-8")
    variables = {RECORD_VARIABLE: str(record)}
    command = [
        python,
        *(["-m", "coverage", "run", f"--rcfile={settings_file}"] if coverage else []),
        *("-m", "pytest", "-p", PLUGIN, "-q", "--no-header", "--color=no"),
        *(["-n", str(workers)] if workers > 1 else []),
        *selection(project),
        *project.settings.tests.paths,
    ]
    finished = process.run(
        command,
        directory=project.directory,
        environment=agent.environment(project, variables),
        log=project.state / "logs" / "suite.log",
        timeout=project.settings.tests.timeout,
        watch=lambda: watch(*progress(record)),
    )
    covered = _read_coverage(project, python, settings_file, folder) if coverage else None
    return finished, parse_record(_lines(record), known_red=project.settings.tests.known_red), covered


def progress(record: Path) -> tuple[int, int | None]:
    """Return how many items have ended, and of how many."""
    lines = _lines(record)
    total = next((line.partition('"collected": ')[2].rstrip("}") for line in lines if '"collected": ' in line), "")
    return sum('"test": ' in line for line in lines), int(total) if total.isdigit() and int(total) else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []


def parse_record(lines: Iterable[str], *, known_red: Sequence[KnownRed] = ()) -> Recorded:
    """Return what the plugin's JSON lines say; a last line that is cut off is left out."""
    tests: dict[str, Test] = {}
    broken = []
    exit_status = None
    for line in lines:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            break  # the session was ended while it wrote
        if "test" in record:
            test = _test(record, known_red)
            known = tests.get(test.id)
            if known is None or test.outcome.is_red or not known.outcome.is_red:  # an item may be run again
                tests[test.id] = test
        elif "collection" in record:
            broken.append((text.one_line(record["collection"]), text.clean(record["message"])))
        elif "exit" in record:
            exit_status = int(record["exit"])
    return Recorded(tests=tuple(tests.values()), broken=tuple(broken), exit_status=exit_status)


def _test(record: dict[str, Any], known_red: Sequence[KnownRed]) -> Test:
    name = str(record["test"])
    return Test(
        id=text.clean(name, limit=500),
        outcome=Outcome(record["outcome"]),
        seconds=round(record.get("seconds", 0.0), 4),
        message=text.one_line(str(record["message"])),
        known_red=next((k.reason for k in known_red if k.test == name or fnmatch.fnmatchcase(name, k.test)), ""),
        exchanges=tuple(
            Exchange(
                method=text.one_line(str(e["method"])),
                path=text.clean(str(e["path"]), limit=500),
                status=int(e["status"]),
            )
            for e in record.get("exchanges", ())
        ),
    )


def _coverage_settings(project: Project, folder: Path) -> str:
    sources = "\n    ".join(map(str, project.sources))
    return (
        "[run]\nparallel = true\npatch = subprocess\ndisable_warnings = no-data-collected,module-not-measured\n"
        f"data_file = {folder / 'coverage'}\ninclude =\n    {_globs(sources)}\n"
    )


def _globs(sources: str) -> str:
    return "\n    ".join(s.strip() if s.strip().endswith(".py") else f"{s.strip()}/*" for s in sources.splitlines())


def _read_coverage(project: Project, python: str, settings_file: Path, folder: Path) -> tuple[FileCoverage, ...] | None:
    output = folder / "report.json"
    for command in (["combine", "-q"], ["json", "-q", "-o", str(output), "--ignore-errors"]):
        done = process.run(
            [python, "-m", "coverage", *command, f"--rcfile={settings_file}"],
            directory=project.directory,
            environment=agent.environment(project),
            log=project.state / "logs" / "coverage.log",
            timeout=120,
        )
        if done.code:
            return None
    return parse_coverage(output.read_bytes(), project.root.resolve(), project.directory.resolve())


def parse_coverage(data: bytes, root: Path, directory: Path) -> tuple[FileCoverage, ...]:
    """Return what coverage.py's JSON report says, paths relative to `root`."""
    files = []
    for name, entry in sorted(json.loads(data)["files"].items()):
        path = Path(os.path.normpath(directory / name))
        summary = entry["summary"]
        files.append(
            FileCoverage(
                path=source.relative(path, root),
                statements=summary["num_statements"],
                covered=summary["covered_lines"],
            )
        )
    return tuple(files)
