"""`orchestrator compare`: what is new and what is fixed between two saved runs."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator import history, text
from orchestrator.errors import ExitCode
from orchestrator.report import comparison

SAVED = click.Path(path_type=Path)


@click.command("compare")
@click.argument("earlier", type=SAVED, metavar="A.json")
@click.argument("later", type=SAVED, metavar="B.json")
@click.option("--markdown", is_flag=True, help="Write it as Markdown, for a pull request.")
def command(*, earlier: Path, later: Path, markdown: bool) -> int:
    """Say what is new and what is fixed in B since A: two saved runs, or folders that have them.

    \b
    Examples:
      orchestrator compare nightly/run.json reports/run.json
      orchestrator compare base/ reports/ --markdown >> "$GITHUB_STEP_SUMMARY"
    """
    before, after = history.read(earlier).run, history.read(later).run
    comparison.say(after, history.compare(after, before, text.one_line(str(earlier))), markdown=markdown)
    return ExitCode.PASSED
