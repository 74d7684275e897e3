"""Run the generated property tests against the app on a loopback port."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from orchestrator import process, text
from orchestrator.adapters import agent, pact_modules, scenarios, schemathesis, source
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.properties import Cases, Phase, Properties
from orchestrator.model.stage import Generated, StageResult
from orchestrator.mutation import critical
from orchestrator.stages.context import Context, completed, keep_on_interrupt, skipped, timed_out

NAME = "properties"


def run(context: Context) -> StageResult:
    """Run the modules and gather what they found.

    Raises:
        OrchestratorError: the app can't be started or reached.
        OrchestratorError: the modules can't be run, or the app died.
    """
    project, settings = context.project, context.project.settings
    if not settings.openapi.path:
        return skipped(NAME, "no OpenAPI document: `openapi.path` is not set")
    if context.data(Generated) is None:
        return skipped(NAME, "the property tests were not generated")
    app = context.app()
    for identity in settings.identities:
        app.identity(identity.name)  # an identity that can't be minted is told before hundreds of 401
    app.reset()
    app.reached()  # forget what start-up and other stages reached
    record = project.state / "properties" / "record.ndjson"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)

    def found() -> schemathesis.Recorded:
        lines = record.read_text("utf-8").splitlines() if record.exists() else []
        return schemathesis.parse_record(
            lines,
            secrets=tuple(app.credentials()) if app.is_alive else (),
            variables=schemathesis.credential_variables(project),
            url="" if settings.app.url else app.url,
        )

    with keep_on_interrupt(lambda: _known(context, found(), None)):
        finished = process.run(
            [sys.executable, "-m", "pytest", *_options(context)],
            directory=project.root,
            environment=_environment(app, record, scenarios.recorded(project) if context.plans_replays else None),
            log=project.state / "logs" / "properties.log",
            timeout=settings.properties.timeout,
            watch=lambda: _tell(context, record),
        )
    recorded = found()
    if not app.is_alive:
        data, summary = _known(context, recorded, None)
        return completed(NAME, data, summary, *recorded.errors, error=app.died())
    scenarios.keep_about(project, app)
    properties, summary = _known(context, recorded, _reached(context, app))
    if finished.timed_out:
        return timed_out(NAME, properties, summary, settings.properties.timeout, "properties.timeout")
    return completed(
        NAME, properties, summary, *recorded.errors[:5], error=_error(context, recorded, properties, finished)
    )


def _options(context: Context) -> list[str]:
    folder = context.project.settings.properties.directory
    return [
        *("-p", schemathesis.RECORDER, "-p", "no:cacheprovider", "-q", "--no-header", "--color=no", "--tb=short"),
        # Neither the user's pytest settings nor their conftest files are meant for these tests.
        *("-c", os.devnull, "--rootdir", ".", "--confcutdir", folder, "--import-mode=importlib"),
        f"--ignore={folder}/{pact_modules.FOLDER}",  # the contracts stage is about these
        folder,
    ]


def _environment(app: agent.Agent, record: object, scenarios: object) -> Mapping[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTEST_ADDOPTS", "CI", "PYTEST_PLUGINS")}
    return {
        **inherited,
        "API_URL": app.url,
        "API_CONTROL": app.control,
        schemathesis.RECORD_VARIABLE: str(record),
        **({schemathesis.SCENARIOS_VARIABLE: str(scenarios)} if scenarios else {}),
    }


def _tell(context: Context, record: object) -> None:
    done, total = 0, None
    try:
        with open(str(record), encoding="utf-8") as file:  # noqa: PTH123 - read several times a second
            for line in file:
                if line.startswith('{"test": '):
                    done += 1
                elif line.startswith('{"collected": '):
                    total = int(line[14:-2])
    except (FileNotFoundError, ValueError):
        return
    context.teller.advanced(done, total, "property tests")


def _reached(context: Context, app: agent.Agent) -> dict[str, tuple[str, ...]] | None:
    if not context.wants_reach:
        return None
    project = context.project
    return critical.reached_by_operation(
        app.reached(), context.document(), source.functions(project), str(project.root.resolve())
    )


def _known(
    context: Context, recorded: schemathesis.Recorded, reached: dict[str, tuple[str, ...]] | None
) -> tuple[Properties, str]:
    properties = Properties(
        cases=recorded.cases,
        findings=recorded.findings,
        tests=recorded.tests,
        seed=context.project.settings.seed,
        reached=reached,
    )
    called = len({c.operation for c in recorded.cases})
    summary = (
        f"{text.plural(properties.sent, 'case')} sent to {text.plural(called, 'operation')}, "
        f"{text.plural(len(recorded.findings), 'finding')}"
    )
    return properties, summary


def _error(
    context: Context, recorded: schemathesis.Recorded, properties: Properties, finished: process.Finished
) -> OrchestratorError | None:
    """Return why the stage as a whole says nothing; None: it says something."""
    if not recorded.finished or not properties.sent:
        return OrchestratorError(
            Code.PROPERTIES_FAILED,
            "the property tests did not run to their end" if recorded.tests else "no property test could be run",
            hint=f"Their output is in {finished.where}.",
            detail=text.clean(finished.tail(40)),
        )
    if _all_not_found(properties.cases):
        base = context.document().base_path
        return OrchestratorError(
            Code.WRONG_BASE_PATH,
            f"every operation answers 404 under {base or '/'!r}: the base path is wrong",
            hint='Set `openapi.base-path` to what comes before the document\'s paths in this app ("" for nothing).',
        )
    if recorded.errors:
        return OrchestratorError(
            Code.PROPERTIES_FAILED,
            f"{text.plural(len(recorded.errors), 'property test')} could not judge: {recorded.errors[0].message}",
            hint=recorded.errors[0].hint,
            detail=recorded.errors[0].detail,
        )
    return None


def _all_not_found(cases: tuple[Cases, ...]) -> bool:
    """Whether the app seems to know none of the operations: nothing but 404 (and 405) in the positive phases."""
    statuses: dict[str, int] = {}
    for entry in cases:
        if entry.phase is not Phase.STATEFUL:
            for status, count in entry.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
    return bool(statuses) and set(statuses) <= {"404"}
