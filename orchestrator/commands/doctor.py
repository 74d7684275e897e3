"""`orchestrator doctor`: try every setting, say how to mend what fails."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from orchestrator import config, doctor, progress, text
from orchestrator.commands import CONFIG
from orchestrator.doctor import Check, Sign
from orchestrator.report import terminal

_STYLES = {Sign.GOOD: "green", Sign.BAD: "red", Sign.NOTHING: "dim"}
_WIDTH = 16


@click.command("doctor")
@CONFIG
def command(*, settings_file: Path | None) -> int:
    """Try every setting: one line a check, with how to mend what fails.

    \b
    ✓ works   ✗ does not work   – nothing to try

    \b
    Exit status: 0 when nothing fails, else that of `orchestrator run` for the worst of it.
    """
    console = terminal.console()
    project = config.load(Path.cwd(), settings_file)
    checks = []
    for check in doctor.examine(project, progress.PlainTeller(console)):
        _say(check, console)
        checks.append(check)
    failed = sum(check.sign is Sign.BAD for check in checks)
    verdict = f"{text.plural(failed, 'check')} of {len(checks)} {'fails' if failed == 1 else 'fail'}"
    console.print(verdict if failed else "All is well: `orchestrator run`", highlight=False)
    return doctor.exit_code(checks)


def _say(check: Check, console: Console) -> None:
    code = f"[red]{check.problem.code}[/] " if check.problem else ""
    console.print(
        f"[{_STYLES[check.sign]}]{check.sign}[/] {escape(check.name):<{_WIDTH}} {code}{escape(check.message)}",
        highlight=False,
        soft_wrap=True,
    )
    if check.problem and check.problem.hint:
        console.print(f"{'':<{_WIDTH + 3}}→ {escape(check.problem.hint)}", highlight=False, soft_wrap=True)
