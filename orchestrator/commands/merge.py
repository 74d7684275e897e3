"""`orchestrator merge`: put the shards of a run together again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from orchestrator import config, history, matrix, report, runner
from orchestrator.commands import CONFIG
from orchestrator.errors import Code, UsageError
from orchestrator.model.run import Run
from orchestrator.model.stage import StageStatus
from orchestrator.report import terminal
from orchestrator.stages import mutation


@click.command("merge")
@click.argument("saved", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="RUN.json…")
@CONFIG
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Default: the settings' reports."
)
def command(*, saved: tuple[Path, ...], settings_file: Path | None, output: Path | None) -> int:
    """Make one report of the runs of all shards, and end with the gates' verdict on the whole.

    What was done in every shard alike, as the suite, is taken from the first one that did it.

    \b
    Example, on three machines and then on one:
      orchestrator run --shard 1/3               (2/3 and 3/3 elsewhere)
      orchestrator merge one/run.json two/run.json three/run.json
    """
    project = config.load(Path.cwd(), settings_file)
    earlier = runner.earlier(project, project.reports)
    run = _joined([history.read(path).run for path in saved])
    done = runner.judged(run, earlier, project, before=history.points(project.reports))
    page = report.write(done, output or project.reports)
    terminal.say(done, page, terminal.console())
    return done.verdict.exit_code


def _joined(runs: Sequence[Run]) -> Run:
    """Return one run from those of all shards.

    Raises:
        UsageError: they don't belong together.
    """
    commits = {run.subject.commit for run in runs}
    if len(commits) > 1:
        raise UsageError(
            Code.SHARDS_UNLIKE,
            f"the shards are of different commits: {', '.join(sorted(c[:12] or 'none' for c in commits))}",
            hint="Run all of them on the same commit.",
        )
    names = list(dict.fromkeys(result.name for run in runs for result in run.stages))
    stages = []
    for name in names:
        results = [result for run in runs if (result := run.stage(name))]
        if name == mutation.NAME:
            stages.append(mutation.joined(results))
        else:
            stages.append(next((r for r in results if r.status is StageStatus.COMPLETED), results[0]))
    run = msgspec.structs.replace(runs[0], stages=tuple(stages), seconds=max(run.seconds for run in runs))
    provenance = msgspec.structs.replace(
        run.provenance, settings={k: v for k, v in run.provenance.settings.items() if k != "mutation.shard"}
    )
    run = msgspec.structs.replace(run, provenance=provenance)
    return msgspec.structs.replace(run, operations=matrix.link(run))
