"""Other Python tools for mutation testing, as their users start them: what each found, for `benchmarks/mutation.py`.

Each has an environment of its own with nothing in it but the subject, pytest, and what the tool asks for.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

WORKERS = str(os.cpu_count() or 1)
# What each tool calls what; ours and mutmut's words are among them.
KILLED = {"killed", "timeout", "timed_out", "timedout", "crashed", "segfault", "suspicious", "caught by type check"}
SURVIVED = {"survived"}
NOT_REACHED = {"no tests", "nocoverage", "no_coverage"}


class Tool(msgspec.Struct, frozen=True):
    """A tool.

    Attributes:
        needs: What its environment has beside pytest and the subject.
        command: Makes the command line from the source folder, the glob of what is mutated, and the folder of tests.
        words: Gives its word for each mutant, from the project and what it printed.
    """

    needs: tuple[str, ...]
    command: Callable[[str, str, str], Sequence[str]]
    words: Callable[[Path, str], list[str]]


def counted(words: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return the counts of a tool; what it did not judge is no mutant."""
    killed = sum(word in KILLED for word in words)
    survived = sum(word in SURVIVED for word in words)
    unreached = sum(word in NOT_REACHED for word in words)
    judged = killed + survived + unreached
    return {
        "mutants": judged,
        "killed": killed,
        "survived": survived,
        "not_reached": unreached,
        "not_judged": len(words) - judged,
        "seconds": seconds,
        "rate": round(judged / seconds, 2),
    }


def run(name: str, project: Path, source: str, critical: str, tests: str) -> dict[str, Any]:
    """Run a tool in its environment, cold; return its counts."""
    tool = TOOLS[name]
    binaries = project.parent / "venv" / "bin"
    program, *arguments = tool.command(source, critical, tests)
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(binaries.parent),
    }
    clock = time.monotonic()
    done = subprocess.run(
        [str(binaries / program), *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    seconds = round(time.monotonic() - clock, 2)
    try:
        words = [word.lower() for word in tool.words(project, done.stdout)]
    except (OSError, ValueError, KeyError) as error:
        return {"seconds": seconds, "said": f"{error!r}: {(done.stdout + done.stderr)[-300:]}"}
    return counted(words, seconds)


def _fermut(project: Path, _printed: str) -> list[str]:
    return [outcome["status"] for outcome in json.loads((project / "fermut.json").read_text("utf-8"))["outcomes"]]


def _stryker(project: Path, _printed: str) -> list[str]:
    """Read the schema of mutation-testing-elements."""
    files = json.loads((project / "peer.json").read_text("utf-8"))["files"].values()
    return [mutant["status"] for file in files for mutant in file["mutants"]]


def _fest(_project: Path, printed: str) -> list[str]:
    return [mutant["status"] for mutant in json.loads(printed[printed.index("{") :])["results"]]


TOOLS = {
    "fermut": Tool(
        ("fermut", "ty"),
        lambda source, _, tests: (
            *("fermut", "run", source, "--tests", tests, "--jobs", WORKERS, "--no-diff-only"),
            *("--json", "fermut.json", "--no-history"),
        ),
        _fermut,
    ),
    "irradiate": Tool(
        ("irradiate",),
        lambda source, _, tests: (
            *("irradiate", "run", source, "--tests-dir", tests, "--workers", WORKERS),
            *("--report", "json", "-o", "peer.json"),
        ),
        _stryker,
    ),
    "fest": Tool(
        ("fest-mutate", "pytest-cov"),
        lambda _, critical, __: ("fest", "run", "-s", critical, "-w", WORKERS, "-b", "subprocess", "-o", "json"),
        _fest,
    ),
}
