"""`orchestrator baseline`: keep a run that is accepted, and hold later ones against it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from orchestrator import baseline, config, history
from orchestrator.commands import CONFIG
from orchestrator.errors import Code, ExitCode, UsageError
from orchestrator.report import comparison, terminal

SAVED = click.argument("saved", type=click.Path(path_type=Path), metavar="[RUN.json]", required=False)


@click.group("baseline")
def command() -> None:
    """Keep a run that is accepted as the baseline, or compare with it.

    \b
    Examples:
      orchestrator baseline save
      orchestrator baseline compare
    """


@command.command("save")
@SAVED
@CONFIG
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: the settings' one.")
def save(*, saved: Path | None, settings_file: Path | None, output: Path | None) -> int:
    """Keep a run, the last one if none is named, as the baseline.

    \b
    Examples:
      orchestrator baseline save
      orchestrator baseline save nightly/run.json -o quality-baseline.json
    """
    project = config.load(Path.cwd(), settings_file)
    report = history.read(saved or project.reports / history.RUN)
    path = output or baseline.place(project)
    baseline.save(report, path)
    console = terminal.console()
    console.print(f"{terminal.escape(os.path.relpath(path))}: the run of {report.run.started}", highlight=False)
    if not project.settings.baseline:
        console.print(
            f'  → name it in the settings: baseline = "{terminal.escape(os.path.relpath(path, project.root))}"',
            highlight=False,
        )
    return ExitCode.PASSED


@command.command("compare")
@SAVED
@CONFIG
@click.option("--with", "told", metavar="RUN", help="What to compare with, instead of the setting's baseline.")
@click.option("--markdown", is_flag=True, help="Write it as Markdown, for a pull request.")
def compare(*, saved: Path | None, settings_file: Path | None, told: str | None, markdown: bool) -> int:
    """Say what is new and what is fixed in a run, the last one if none is named, since the baseline.

    \b
    Examples:
      orchestrator baseline compare
      orchestrator baseline compare --with git:origin/main --markdown
    """
    project = config.load(Path.cwd(), settings_file)
    wanted = told or project.settings.baseline
    if not wanted:
        raise UsageError(
            Code.BASELINE_UNREADABLE,
            "no baseline is set",
            hint="`orchestrator baseline save` keeps the last run; name the file in `baseline`, or after --with.",
        )
    earlier = baseline.load(project, wanted)
    report = history.read(saved or project.reports / history.RUN)
    comparison.say(report.run, history.compare(report.run, earlier.run, history.BASELINE), markdown=markdown)
    return ExitCode.PASSED
