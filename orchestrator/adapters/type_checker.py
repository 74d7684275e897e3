"""The project's own type checker: mypy, pyright, pyrefly or ty, with the command that mutmut's settings give.

Its report is JSON, in the form that each of them has; mutmut knows how to read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from orchestrator import process, text
from orchestrator.adapters import agent
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError


class TypeFault(msgspec.Struct, frozen=True):
    """What a type checker refuses: absolute path, line, and what it says."""

    path: str
    line: int
    message: str


def run(command: Sequence[str], project: Project, directory: Path) -> list[TypeFault]:
    """Run the type checker and return what it refuses.

    Args:
        command: As `type_check_command` of `[tool.mutmut]` gives it.
        project: Whose; programs of its interpreter's environment are found first.
        directory: Where it runs.

    Raises:
        OrchestratorError: it can't be started, takes too long, or writes no JSON.
    """
    log = project.state / "logs" / "types.log"
    beside = str(Path(agent.interpreter(project)).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")])}
    try:
        finished = process.run(
            command,
            directory=directory,
            environment=environment,
            log=log,
            timeout=project.settings.tests.timeout,
        )
        if finished.timed_out:
            raise ValueError("it takes too long")  # noqa: TRY301 - told with the others
        return read(log.read_text("utf-8", errors="replace"), command, directory)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OrchestratorError(
            Code.TYPE_CHECK_FAILED,
            f"pyproject.toml: `tool.mutmut.type_check_command`: {text.one_line(str(error) or type(error).__name__)}",
            hint=f"It must write JSON: `mypy --output=json`, `pyright --outputjson`. Its output is in "
            f"{process.told(log)}.",
        ) from error


def read(output: str, command: Sequence[str], directory: Path) -> list[TypeFault]:
    """Return what a report says.

    Raises:
        ValueError: it is no JSON.
        LookupError: it is JSON, but no report of that checker.
    """
    from mutmut import type_checking  # noqa: PLC0415 - it reads much, and few projects ask for it

    tool = name(command)
    if tool == "mypy":
        report: Any = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    else:
        start = min((at for at in (output.find("{"), output.find("[")) if at >= 0), default=0)
        report, _ = json.JSONDecoder().raw_decode(output[start:])
    try:
        faults = getattr(type_checking, f"parse_{tool}_report")(report)
    except (LookupError, ValueError):
        raise
    except Exception as error:  # mutmut raises plain exceptions
        raise LookupError(str(error)) from error
    here = Path.cwd()
    return [
        TypeFault(
            # Relative paths are made absolute by where we are, not by where the checker was.
            path=str(directory / path.relative_to(here) if (path := f.file_path).is_relative_to(here) else path),
            line=f.line_number,
            message=text.one_line(f.error_description),
        )
        for f in faults
    ]


def name(command: Sequence[str]) -> str:
    """Return which type checker a command runs, as mutmut tells them apart."""
    words = {Path(word).name for word in command}
    return next((known for known in ("pyrefly", "mypy", "ty") if known in words), "pyright")
