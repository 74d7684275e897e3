"""`orchestrator gate`: hold a saved run against the gates again."""

from __future__ import annotations

import datetime
from pathlib import Path

import click
import msgspec

from orchestrator import config, history, runner
from orchestrator.commands import CONFIG
from orchestrator.report import terminal


@click.command("gate")
@click.argument("saved", type=click.Path(path_type=Path), metavar="[RUN.json]", required=False)
@CONFIG
@click.option("--baseline", metavar="RUN", help="What to compare with, instead of the setting's.")
def command(*, saved: Path | None, settings_file: Path | None, baseline: str | None) -> int:
    """Hold a saved run, the last one if none is named, against the gates of the settings; nothing is run.

    Waivers count as of today. The exit status is that of a run: 0 passed, 1 a gate failed, and so on.

    \b
    Examples:
      orchestrator gate
      orchestrator gate nightly/run.json --baseline git:origin/main
    """
    project = config.load(Path.cwd(), settings_file)
    if baseline:
        settings = msgspec.structs.replace(project.settings, baseline=baseline)
        project = msgspec.structs.replace(project, settings=settings)
    report = history.read(saved or project.reports / history.RUN)
    earlier = runner.earlier(project, project.reports) if project.settings.baseline else None
    again = runner.judged(report.run, earlier, project, today=datetime.datetime.now(datetime.UTC).date())
    terminal.say(again, None, terminal.console())
    return again.verdict.exit_code
