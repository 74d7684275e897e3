"""Commands that put what is wrong beside the code, when a job of GitHub Actions prints them.

Source of the format: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands; how values
are written: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from orchestrator import text
from orchestrator.model.run import Report
from orchestrator.report.problems import Found, Level, found

MOST: Final = 10  # of a level, in one step; a job shows 50 in all, which these never reach


def render(report: Report) -> bytes:
    """Return the commands, a line each."""
    return "".join(f"{line}\n" for line in lines(report)).encode()


def lines(report: Report) -> list[str]:
    """Return the commands: at most ten errors and ten warnings, worst first, and how many more there are.

    What somebody answers for is no news, so it is not among them.
    """
    listed = [one for one in found(report) if one.accepted is None]
    told: list[Found] = []
    for level in Level:
        told += islice((one for one in listed if one.level is level), MOST)
    commands = [_command(one) for one in told]
    if left_out := len(listed) - len(told):
        commands.append(f"::notice title=API quality::{left_out:,} more are in the report.")
    return commands


def data(value: str) -> str:
    """Return foreign text as the message of a command."""
    return text.visible(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def parameter(value: str) -> str:
    """Return foreign text as the value of a command's parameter."""
    return data(value).replace(":", "%3A").replace(",", "%2C")


def _command(one: Found) -> str:
    parameters = {"file": one.file, "line": str(one.line or "") if one.file else "", "title": one.title}
    said = ",".join(f"{name}={parameter(value)}" for name, value in parameters.items() if value)
    name = "notice" if one.level is Level.NOTE else str(one.level)
    return f"::{name} {said}::{data(one.message or one.title)}"
