"""A run: plan the stages, run each, put what they found together."""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib.metadata
import platform
import shlex
import sys
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from orchestrator import __version__, baseline, codec, config, gates, history, matrix, text
from orchestrator.adapters import git
from orchestrator.adapters.agent import Agent
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError, UsageError
from orchestrator.model.problem import Problem
from orchestrator.model.run import SCHEMA_VERSION, Comparison, Point, Provenance, Report, Run
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.mutation import critical
from orchestrator.progress import Teller
from orchestrator.stages import ENTRY_POINTS, STAGES, Stage
from orchestrator.stages.context import Context, Interrupted

REPORT = "report"  # not a stage like the others: it follows every run

_TOLD_VERSIONS = ("schemathesis", "hypothesis", "pact-python", "pact-python-ffi", "pytest", "jinja2")


def stages() -> tuple[Stage, ...]:
    """Return our stages, and those of third parties (entry-point group `orchestrator.stages`) after them.

    Raises:
        UsageError: a third party's stage can't be loaded.
    """
    others = []
    for entry in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda e: e.name):
        try:
            stage = entry.load()
        except Exception as error:
            raise UsageError(
                Code.PLUGIN_BROKEN,
                f"the stage {entry.name!r} of {entry.value} can't be loaded: {error}",
                hint="Mend or uninstall the package that offers it.",
            ) from error
        if not isinstance(stage, Stage):
            raise UsageError(Code.PLUGIN_BROKEN, f"{entry.value} is no orchestrator.stages.Stage", hint="Offer one.")
        others.append(stage)
    return (*STAGES, *others)


def plan(project: Project, asked: Sequence[str]) -> tuple[Stage, ...]:
    """Return the stages to run, in their order: those asked for and what they need; all when none is.

    Raises:
        UsageError: there is no such stage.
    """
    known = {stage.name: stage for stage in stages()}
    for name in asked:
        if name not in known and name != REPORT:
            raise UsageError(
                Code.UNKNOWN_STAGE, f"no stage is called {name!r}", hint=f"There are {', '.join(known)}, {REPORT}."
            )
    wanted = set(asked or known) - {REPORT}
    if "mutation" in wanted and any(map(critical.is_operation, project.settings.mutation.critical)):
        wanted.add("properties")  # what an operation executes is recorded there
    grown: set[str] = set()
    while grown != wanted:
        grown = set(wanted)
        wanted |= {need for name in grown for need in known[name].needs}
    return tuple(stage for stage in known.values() if stage.name in wanted)


class Earlier(msgspec.Struct, frozen=True):
    """A run to compare with, and what it is called: `baseline` or `previous run`."""

    label: str
    run: Run


def earlier(project: Project, folder: Path) -> Earlier | None:
    """Return the run to compare with: the baseline of the settings, else the one before; None: there is none.

    Args:
        project: Whose settings.
        folder: Where the run before was written.

    Raises:
        OrchestratorError: the baseline can't be read. (The run before need not be readable.)
    """
    if project.settings.baseline:
        return Earlier(history.BASELINE, baseline.load(project, project.settings.baseline).run)
    with contextlib.suppress(OrchestratorError):
        return Earlier(history.PREVIOUS, history.read(folder / history.RUN).run)
    return None


def run(
    project: Project,
    planned: Sequence[Stage],
    teller: Teller,
    *,
    asked: Collection[str] = (),
    compared_with: Earlier | None = None,
    before: tuple[Point, ...] = (),
    command: Sequence[str] = (),
) -> Report:
    """Run the stages and return what they found, compared and judged.

    Whatever goes wrong in a stage becomes its result, so that there is always a run to report. Ctrl-C ends the
    stage that runs and skips the rest.
    """
    clock = time.monotonic()
    begun = Run(
        subject=git.subject(project.name, project.root),  # now: somebody may commit while it runs
        started=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=0.0,
        provenance=_provenance(project, None, command),
        stages=(),
    )
    partial = project.state / "partial.json"
    since = compared_with.run.subject.commit if compared_with else ""
    with Context(project, teller, asked, [stage.name for stage in planned], since) as context:
        interrupted = False
        for stage in planned:
            if interrupted:
                result = StageResult(name=stage.name, status=StageStatus.SKIPPED, reason="interrupted before it began")
            else:
                teller.started(stage.name, stage.title)
                result = _result(stage, context)
                interrupted = result.status is StageStatus.INTERRUPTED
            teller.finished(result)
            context.results[stage.name] = result
            so_far = msgspec.structs.replace(
                begun,
                seconds=round(time.monotonic() - clock, 1),
                provenance=_provenance(project, context.started_app, command),
                stages=tuple(context.results.values()),
            )
            found = msgspec.structs.replace(so_far, operations=matrix.link(so_far))
            done = judged(found, compared_with, project, before=before)
            codec.write_atomically(partial, codec.to_json(done))
    return done


def _result(stage: Stage, context: Context) -> StageResult:
    """Run one stage; every way in which it can end is a result."""
    clock = time.monotonic()
    try:
        result = stage.run(context)
    except OrchestratorError as error:
        result = StageResult(name=stage.name, status=StageStatus.ERROR, error=error.problem)
    except (Interrupted, KeyboardInterrupt) as interrupt:
        known = interrupt if isinstance(interrupt, Interrupted) else Interrupted(None)
        result = StageResult(
            name=stage.name,
            status=StageStatus.INTERRUPTED,
            data=known.data,
            summary=known.summary,
            error=Problem(
                code=Code.INTERRUPTED,
                message=f"{stage.name} was interrupted",
                hint="What was known by then is in the report; run again to go on.",
            ),
        )
    except Exception as error:  # noqa: BLE001 - a bug of ours must not cost the other stages' results
        result = StageResult(
            name=stage.name,
            status=StageStatus.ERROR,
            error=Problem(
                code=Code.INTERNAL,
                message=f"a fault in the orchestrator: {type(error).__name__}: {text.one_line(str(error))}",
                hint="Please report it with the traceback in the report.",
                detail=text.clean(traceback.format_exc(), limit=8000),
            ),
        )
    return msgspec.structs.replace(result, seconds=round(time.monotonic() - clock, 3))


def _provenance(project: Project, app: Agent | None, command: Sequence[str]) -> Provenance:
    tools = dict(_tools())
    if app is not None:
        tools |= {f"{name} (app)": version for name, version in sorted(app.versions.items())}
    settings, defaults = config.told(project.settings)
    return Provenance(
        command=text.one_line(shlex.join(command)),
        orchestrator=__version__,
        python=platform.python_version(),
        subject_python=app.python if app else "",
        platform=f"{platform.system()} {platform.machine()}",
        tools=tools,
        settings={k: text.REDACTED if k == "app.environment" else text.one_line(v) for k, v in settings.items()},
        defaults={k: text.one_line(v) for k, v in defaults.items()},
    )


@functools.cache
def _tools() -> Mapping[str, str]:
    return {name: importlib.metadata.version(name) for name in _TOLD_VERSIONS}


def judged(
    run: Run,
    compared_with: Earlier | None,
    project: Project,
    *,
    before: tuple[Point, ...] = (),
    today: datetime.date | None = None,
) -> Report:
    """Compare a run with an earlier one, and judge it by the project's gates.

    Args:
        run: What was found.
        compared_with: The earlier one; None: there is none.
        project: Whose gates and waivers.
        before: The history up to this run.
        today: Until when waivers must hold; None: the day of the run.
    """
    comparison: Comparison | None = None
    if compared_with is not None:
        comparison = history.compare(run, compared_with.run, compared_with.label)
        if len(comparison.not_compared) == len(history.KINDS) and comparison.label != history.BASELINE:
            comparison = None  # the run before broke off early: nothing to say
    settings = project.settings
    verdict = gates.evaluate(run, comparison, settings.gates, settings.waivers, today)
    return Report(schema=SCHEMA_VERSION, run=run, verdict=verdict, comparison=comparison, history=before)


def default_command() -> list[str]:
    """Return the command line as a person would type it."""
    return ["orchestrator", *sys.argv[1:]]
