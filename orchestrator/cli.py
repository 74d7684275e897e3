"""The command line."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
import traceback
import webbrowser
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import click
import msgspec
from rich.console import Console
from rich.markup import escape

from orchestrator import __version__, config, history, progress, runner, text
from orchestrator import report as reports
from orchestrator.adapters import agent
from orchestrator.commands import CONFIG, mutant_of_last_run
from orchestrator.errors import Code, ExitCode, OrchestratorError, UsageError, anchor
from orchestrator.mutation.shards import Shard
from orchestrator.report import terminal


def main() -> None:
    """Run the command and exit with its status: 0, or one of `errors.ExitCode`."""
    signal.signal(signal.SIGTERM, _interrupt)  # how CI cancels a job: it ends like Ctrl-C, with a report
    sys.exit(_guarded(lambda: commands.main(standalone_mode=False)))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _guarded(call: Callable[[], Any]) -> int:
    """Turn whatever ends the command into an exit status and a message without a traceback."""
    console = terminal.console(stderr=True)
    try:
        _refuse_platform()
        return int(call() or 0)
    except OrchestratorError as error:
        _say_error(error, console)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        console.print("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: `orchestrator … | head`
        sys.stderr.close()
        return ExitCode.PASSED
    except Exception:  # noqa: BLE001 - the last resort: say that it is our fault
        console.print(traceback.format_exc(), markup=False, highlight=False)
        console.print(f"[red]{Code.INTERNAL}[/] a fault in the orchestrator: please report it with the lines above.")
        return ExitCode.BUG


def _say_error(error: OrchestratorError, console: Console) -> None:
    problem = error.problem
    console.print(f"[red]{problem.code}[/] {escape(problem.message)}", highlight=False, soft_wrap=True)
    if problem.hint:
        console.print(f"  → {escape(problem.hint)}", highlight=False, soft_wrap=True)
    if problem.detail:
        console.print(problem.detail, markup=False, highlight=False, soft_wrap=True)
    console.print(f"  {anchor(problem.code)}", style="dim", highlight=False, soft_wrap=True)


def _refuse_platform() -> None:
    if sys.platform == "win32":
        raise UsageError(
            Code.UNSUPPORTED_PLATFORM,
            "Windows is not supported: the orchestrator needs process groups and fork",
            hint="Use it in WSL: https://learn.microsoft.com/windows/wsl/install",
        )


class _Commands(click.Group):
    """Commands of which some are imported when they are asked for: a run does not wait for them."""

    _lazy: Final = ("baseline", "compare", "contracts", "doctor", "explain", "gate", "init", "merge", "propose")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *self._lazy])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None: there is none of that name."""
        if cmd_name in self._lazy:
            command: click.Command = importlib.import_module(f"orchestrator.commands.{cmd_name}").command
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="orchestrator")
def commands() -> None:
    """If someone broke our API, who would notice?

    \b
    orchestrator init        write the settings for this project
    orchestrator doctor      try every setting, say how to mend what fails
    orchestrator run         run all stages, write reports/quality.html
    orchestrator merge       make one report of the runs of several machines
    orchestrator propose     make the tests that notice survivors
    orchestrator compare     say what is new and what is fixed between two runs
    """


@commands.command()
@CONFIG
@click.option("--stage", "asked", multiple=True, metavar="NAME", help="Only this stage and what it needs; repeatable.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Least mutation score, instead of the gate's.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Another seed than that of the settings.")
@click.option(
    "--baseline", metavar="RUN", help="What to compare with, instead of the setting's: a file, a folder, git:REV."
)
@click.option("--changed-since", metavar="REV", help="Judge only mutants of lines changed since this git revision.")
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Begin no more mutants after that."
)
@click.option("--quick", is_flag=True, default=None, help="A quick look: mutants are functions without their bodies.")
@click.option(
    "--all-tests", is_flag=True, default=None, help="Ask all tests and consumers: who notices what? Takes longer."
)
@click.option("--shard", metavar="K/N", help="Judge the K-th of N parts of the mutants; see `orchestrator merge`.")
@click.option("--dask", metavar="ADDRESS", help="Judge the mutants on the workers of this Dask scheduler.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser at the end.")
def run(
    *,
    settings_file: Path | None,
    asked: tuple[str, ...],
    fail_under: float | None,
    seed: int | None,
    baseline: str | None,
    changed_since: str | None,
    budget: float | None,
    quick: bool | None,
    all_tests: bool | None,
    shard: str | None,
    dask: str | None,
    open_page: bool,
) -> int:
    """Run the stages, write the report, end with the gates' verdict.

    \b
    Examples:
      orchestrator run
      orchestrator run --stage contracts
      orchestrator run --stage properties --seed 7
      orchestrator run --stage mutation --quick
      orchestrator run --stage mutation --changed-since main --budget 60
      orchestrator run --stage mutation --shard 2/4
      orchestrator run --dask tcp://scheduler:8786
      orchestrator run --stage report            (the last run, rendered again)
      orchestrator run --fail-under 80 --open

    \b
    Exit status: 0 passed, 1 a gate failed, 2 usage or settings, 3 a stage did not run,
    4 the app or all of its tests do not work, 70 a fault of ours, 130 interrupted.
    """
    project = _with_options(config.load(Path.cwd(), settings_file), fail_under, seed, baseline)
    if shard is not None:
        Shard.read(shard)
    project = _with_choice(
        project, changed_since=changed_since, budget=budget, quick=quick, all_tests=all_tests, shard=shard, dask=dask
    )
    console = terminal.console()
    if asked == (runner.REPORT,):
        saved = history.read(project.reports / history.RUN)
        terminal.say(saved, reports.write(saved, project.reports), console)
        return saved.verdict.exit_code
    planned = runner.plan(project, asked)
    earlier = runner.earlier(project, project.reports)
    before = history.points(project.reports)
    with progress.teller(console) as teller:
        report = runner.run(
            project,
            planned,
            teller,
            asked=asked,
            compared_with=earlier,
            before=before,
            command=runner.default_command(),
        )
    page = reports.write(report, project.reports)
    terminal.say(report, page, console)
    if open_page:
        webbrowser.open(page.resolve().as_uri())
    return report.verdict.exit_code


def _with_options(
    project: config.Project, fail_under: float | None, seed: int | None, baseline: str | None
) -> config.Project:
    """Put the command line's options over the settings."""
    settings = project.settings
    if fail_under is not None:
        settings = msgspec.structs.replace(
            settings, gates=msgspec.structs.replace(settings.gates, mutation_score=fail_under)
        )
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    if baseline is not None:
        here = baseline if baseline.startswith("git:") else str(Path(baseline).resolve())
        settings = msgspec.structs.replace(settings, baseline=here)
    return msgspec.structs.replace(project, settings=settings)


def _with_choice(project: config.Project, **told: object) -> config.Project:
    """Put the command line's choice of mutants over the settings'."""
    given: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
    if not given:
        return project
    mutation = msgspec.structs.replace(project.settings.mutation, **given)
    return msgspec.structs.replace(project, settings=msgspec.structs.replace(project.settings, mutation=mutation))


@commands.command()
@click.argument("saved", type=click.Path(path_type=Path, dir_okay=False), metavar="RUN.json")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR")
def report(saved: Path, output: Path) -> int:
    """Render a saved run again: the same run gives the same bytes.

    \b
    Example:
      orchestrator report reports/run.json -o /tmp/again
    """
    page = reports.write(history.read(saved), output)
    terminal.console().print(str(page), highlight=False, soft_wrap=True)
    return ExitCode.PASSED


@commands.command()
@CONFIG
@click.argument("fingerprint")
@click.option("--apply", "action", flag_value="apply", help="Write the change into the source.")
@click.option("--undo", "action", flag_value="undo", help="Take it out again.")
def mutant(settings_file: Path | None, fingerprint: str, action: str | None) -> int:
    """Show a mutant of the last run, or put it into the source to see what the tests make of it.

    \b
    Examples:
      orchestrator mutant 3fa29c01d2b4
      orchestrator mutant 3fa29c01d2b4 --apply && pytest; orchestrator mutant 3fa29c01d2b4 --undo
    """
    project = config.load(Path.cwd(), settings_file)
    found = mutant_of_last_run(project, fingerprint)
    if action is None:
        print(found.diff)
        return ExitCode.PASSED
    done = subprocess.run(
        ["git", "apply", *(["--reverse"] if action == "undo" else []), "-"],  # noqa: S607 - whichever git the user has
        input=found.diff + "\n",
        text=True,
        cwd=project.root,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise OrchestratorError(
            Code.UNKNOWN_MUTANT,
            f"the change no longer fits the source: {text.one_line(done.stderr)}",
            hint="The source has changed since the run: run again.",
        )
    print(f"{found.path}:{found.line} {'changed' if action == 'apply' else 'restored'}")
    return ExitCode.PASSED


@commands.command()
@CONFIG
def serve(settings_file: Path | None) -> int:
    """Serve the app as the stages see it, until Ctrl-C.

    \b
    Example, in two terminals:
      orchestrator serve
      API_URL=… API_CONTROL=… pytest tests/generated
    """
    project = config.load(Path.cwd(), settings_file)
    with agent.running(project) as app:
        print(f"API_URL={app.url} API_CONTROL={app.control} pytest {project.settings.properties.directory}", flush=True)
        try:
            while app.is_alive:
                time.sleep(0.2)
        except KeyboardInterrupt:
            return ExitCode.PASSED
        raise app.died()


if __name__ == "__main__":
    main()
