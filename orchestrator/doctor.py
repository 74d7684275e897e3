"""Try every setting: one step after the other, each with how to mend what fails.

A step is a function that yields what it found, or raises an `OrchestratorError`; both become lines. What needs a
step that failed is not tried, so that each fault is told once.
"""

from __future__ import annotations

import fnmatch
import http.client
import json
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec

from orchestrator import baseline, process, text
from orchestrator.adapters import agent, git, pact, pytest, source
from orchestrator.adapters.agent import Agent, Header
from orchestrator.adapters.openapi import Document
from orchestrator.config import Project
from orchestrator.contracts import supply
from orchestrator.errors import Code, ExitCode, OrchestratorError, exit_code_of
from orchestrator.model.operations import Operation
from orchestrator.model.problem import Problem
from orchestrator.mutation import critical
from orchestrator.progress import Teller
from orchestrator.stages.context import Context

OLDEST_PYTHON: Final = (3, 10)
_ASKED: Final = 30  # operations that are tried before it is said that none answers
_COLLECT_TIMEOUT: Final = 120.0


class Sign(StrEnum):
    """How a check ended."""

    GOOD = "✓"
    BAD = "✗"
    NOTHING = "–"  # nothing to check, or not to be checked because something else fails


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found.

    Attributes:
        name: What was tried.
        sign: How it ended.
        message: What was found.
        problem: What is wrong and how it is mended; None: nothing is.
    """

    name: str
    sign: Sign
    message: str
    problem: Problem | None = None


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something to try.

    Attributes:
        name: What is tried.
        check: Tries it.
        needs: Steps without which it can't be tried.
    """

    name: str
    check: Callable[[Context], Iterator[Check]]
    needs: tuple[str, ...] = ()


def examine(project: Project, teller: Teller, *, only: Iterable[str] = ()) -> Iterator[Check]:
    """Try every setting; each check is yielded as soon as it is done.

    Args:
        project: Whose settings.
        teller: Told what goes on.
        only: The steps to try, with what they need; empty: all.
    """
    failed: set[str] = set()
    wanted = _with_needs(only or [step.name for step in _STEPS])
    with Context(project, teller) as context:
        for step in (s for s in _STEPS if s.name in wanted):
            missing = next((need for need in step.needs if need in failed), None)
            if missing:
                failed.add(step.name)
                yield _nothing(step.name, f"not tried: it needs the {missing}")
                continue
            for check in _tried(step, context):
                if check.sign is Sign.BAD:
                    failed.add(step.name)
                yield check


def _with_needs(names: Iterable[str]) -> set[str]:
    wanted = set(names)
    for step in reversed(_STEPS):  # what a step needs comes before it
        if step.name in wanted:
            wanted |= set(step.needs)
    return wanted


def _tried(step: _Step, context: Context) -> Iterator[Check]:
    try:
        yield from step.check(context)
    except OrchestratorError as error:
        yield _bad(step.name, error)


def exit_code(checks: list[Check]) -> ExitCode:
    """Return how the command ends: with the weightiest of what is wrong."""
    return ExitCode.worst(*(exit_code_of(check.problem.code) for check in checks if check.problem))


def _good(name: str, message: str) -> Check:
    return Check(name=name, sign=Sign.GOOD, message=message)


def _nothing(name: str, message: str) -> Check:
    return Check(name=name, sign=Sign.NOTHING, message=message)


def _bad(name: str, error: OrchestratorError) -> Check:
    return Check(name=name, sign=Sign.BAD, message=error.problem.message, problem=error.problem)


def _failure(name: str, code: Code, message: str, hint: str) -> Check:
    return _bad(name, OrchestratorError(code, message, hint=hint))


# The user's interpreter


def _interpreter(context: Context) -> Iterator[Check]:
    project = context.project
    path = agent.interpreter(project)
    shown = project.settings.python or "the one that runs the orchestrator"
    version = context.installed().python
    if not version:
        yield _failure("interpreter", Code.INTERPRETER_UNFIT, f"{path} does not run", "Start it by hand.")
    elif _numbers(version) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        yield _failure(
            "interpreter",
            Code.INTERPRETER_UNFIT,
            f"{path} is Python {version}, and {oldest} is the oldest that can be used",
            "Make the app's environment with a newer Python.",
        )
    else:
        yield _good("interpreter", f"{shown}, Python {version}")


_WITHOUT: Final = {
    "coverage": "coverage is not measured",
    "pytest-xdist": "the tests run in one process",
}


def _tool(name: str, context: Context) -> Iterator[Check]:
    version = context.installed().versions.get(name, "")
    missing = "not installed in the app's interpreter"
    if version:
        yield _good(name, version)
    elif name in _WITHOUT:
        yield _nothing(name, f"{missing}: {_WITHOUT[name]}")
    else:
        hint = f"Install it beside the app: pip install {name}."
        yield _failure(name, Code.TOOL_NOT_INSTALLED, missing, hint)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


# The app, its hooks, its identities


def _app(context: Context) -> Iterator[Check]:
    settings = context.project.settings.app
    app = context.app()
    if settings.url:
        yield _good("app", f"runs at {settings.url}")
        return
    frameworks = [f"{name} {version}" for name, version in sorted(app.versions.items()) if name in _FRAMEWORKS]
    told = f" ({', '.join(frameworks)})" if frameworks else ""
    yield _good("app", f"{settings.target} is imported and served{told}")


_FRAMEWORKS: Final = ("django", "fastapi", "flask", "starlette")


def _hooks(context: Context) -> Iterator[Check]:
    settings = context.project.settings.app
    for name, target in (("prepare", settings.prepare), ("reset", settings.reset)):
        if not target:
            yield _nothing(name, f"`app.{name}` is not set")
            continue
        if name == "reset":  # `prepare` ran when the app was started
            context.app().reset()
        yield _good(name, f"{target} works")


def _identities(context: Context) -> Iterator[Check]:
    identities = context.project.settings.identities
    if not identities:
        yield _nothing("identities", "none are set: requests carry no credential")
    for identity in identities:
        name = f"identity {identity.name}"
        try:
            yield _good(name, f"has a credential for `{context.app().identity(identity.name).header}`")
        except OrchestratorError as error:
            yield _bad(name, error)


# The document, and whether it describes this app


def _document(context: Context) -> Iterator[Check]:
    path = context.project.settings.openapi.path
    if path.startswith("/") and context.started_app is None:
        yield _nothing("document", f"not read: {path} is served by the app")
        return
    document = context.document()
    yield _good("document", f"{path}: {document.specification}, {text.plural(len(document.tested), 'operation')}")


def _answers(context: Context) -> Iterator[Check]:
    """Ask for operations that need nothing but a path, until one answers as if all is well."""
    app, document = context.app(), context.document()
    plain = [o for o in document.tested if o.method == "GET" and "{" not in o.path]
    if not plain:
        yield _nothing("answers", "not tried: every GET operation has a parameter in its path")
        return
    statuses: dict[str, int] = {}
    for operation in plain[:_ASKED]:
        status = _status(app, document, operation, _credential(context.project, app, operation))
        if 200 <= status < 300:
            yield _good("answers", f"{operation.label} answers {status}")
            return
        statuses[operation.label] = status
    yield _no_answer(context.project, document, statuses)


def _no_answer(project: Project, document: Document, statuses: Mapping[str, int]) -> Check:
    """Say what it means that no operation answers as if all is well."""
    told = ", ".join(f"{label} {status}" for label, status in list(statuses.items())[:3])
    if set(statuses.values()) == {404}:
        return _failure(
            "answers",
            Code.WRONG_BASE_PATH,
            f"every operation answers 404 under {document.base_path or '/'!r}: the base path is wrong",
            'Set `openapi.base-path` to what comes before the document\'s paths in this app ("" for nothing).',
        )
    if set(statuses.values()) <= {401, 403, 404}:
        return _failure(
            "answers",
            Code.IDENTITY_FAILED,
            f"no operation lets the caller in: {told}",
            "Check the header, the format and the credential of the identity."
            if project.settings.identities
            else "Say who calls the API under `identities`.",
        )
    return _failure(
        "answers",
        Code.APP_UNREACHABLE,
        f"no operation answers 2xx: {told}",
        f"The app's output is in {project.state / 'logs' / 'app.log'}. Do its tables exist (`app.prepare`)?",
    )


def _credential(project: Project, app: Agent, operation: Operation) -> Header | None:
    for identity in project.settings.identities:
        if any(fnmatch.fnmatchcase(operation.label, pattern) for pattern in identity.operations):
            try:
                return app.identity(identity.name)
            except OrchestratorError:
                return None  # told by the identity's own check
    return None


def _status(app: Agent, document: Document, operation: Operation, credential: Header | None) -> int:
    headers = {credential.header: credential.value} if credential else {}
    request = urllib.request.Request(app.url + document.base_path + operation.path, headers=headers)  # noqa: S310 - the user's own API
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - the user's own API
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException) as error:
        raise OrchestratorError(
            Code.APP_UNREACHABLE,
            f"{operation.label} gets no answer: {error}",
            hint="Start the API, or check `app.url`.",
        ) from error


# The project's own tests, and the generated ones


def _tests(context: Context) -> Iterator[Check]:
    project = context.project
    paths = project.settings.tests.paths
    if not any((project.directory / path.partition("::")[0]).exists() for path in paths):
        yield _failure("tests", Code.NO_TESTS, f"{', '.join(paths)} does not exist", "Check `tests.paths`.")
        return
    finished, recorded, number = _collect(project, has_xdist="pytest-xdist" in context.installed())
    if recorded.broken:
        file, message = recorded.broken[0]
        why = text.one_line(message.splitlines()[-1] if message else "")
        yield _failure(
            "tests",
            Code.COLLECTION_FAILED,
            f"{file} can't be collected: {why}",
            "Run pytest on it with the app's interpreter.",
        )
    elif number:
        yield _good("tests", f"{text.plural(number, 'test')} in {', '.join(paths)}")
    elif recorded.exit_status == pytest.NO_TESTS:
        yield _failure("tests", Code.NO_TESTS, "pytest collects no test", "Check `tests.paths` and `tests.deselect`.")
    else:
        yield _failure(
            "tests",
            Code.COLLECTION_FAILED,
            f"pytest does not come to its tests: {text.one_line(finished.tail(1))}",
            f"Check `tests.options`; pytest's output is in {finished.where}.",
        )


def _collect(project: Project, *, has_xdist: bool) -> tuple[process.Finished, pytest.Recorded, int]:
    """Have pytest collect the project's tests; return how that ended and how many there are."""
    record = project.state / "doctor.ndjson"
    record.unlink(missing_ok=True)
    command = [agent.interpreter(project), "-m", "pytest", "-p", pytest.PLUGIN, "--collect-only", "-q", "--color=no"]
    command += ["-n0"] if has_xdist else []  # workers would collect what this process then does not see
    finished = process.run(
        [*command, *pytest.selection(project), *project.settings.tests.paths],
        directory=project.directory,
        environment=agent.environment(project, {pytest.RECORD_VARIABLE: str(record)}),
        log=project.state / "logs" / "collect.log",
        timeout=_COLLECT_TIMEOUT,
    )
    lines = record.read_text("utf-8").splitlines() if record.exists() else []
    record.unlink(missing_ok=True)
    collected = (json.loads(line).get("collected", 0) for line in lines)
    return finished, pytest.parse_record(lines), max(collected, default=0)


def _generated(context: Context) -> Iterator[Check]:
    settings = context.project.settings
    folder = context.project.root / settings.properties.directory
    inside = [
        p for p in settings.tests.paths if (context.project.directory / p).resolve().is_relative_to(folder.resolve())
    ]
    if inside:
        yield _failure(
            "generated tests",
            Code.SETTINGS_INVALID,
            f"`tests.paths` = {inside[0]!r} lies in `properties.directory`, whose tests are never the project's own",
            "Give the generated tests a folder of their own, such as tests/generated.",
        )
        return
    config = settings.properties.config
    if config and not (context.project.root / config).is_file():
        message = f"`properties.config` = {config!r} does not exist"
        yield _failure(
            "generated tests", Code.SETTINGS_INVALID, message, "Name a schemathesis.toml, or take the key out."
        )
        return
    yield _good("generated tests", f"go to {settings.properties.directory}, left out of the project's own")


# The consumers' pacts


def _pacts(context: Context) -> Iterator[Check]:
    settings = context.project.settings.contracts
    supply.fetched(context.project)  # those of a broker, if there is one, are found below like others
    files = pact.find(context.project)
    pacts = _read_pacts(context)
    if not files and settings.pacts is None:
        yield _nothing("pacts", f"none in {', '.join(pact.DEFAULT_PACTS)}")
    elif not pacts:
        what = f"are about {settings.provider!r}" if files else f"match {', '.join(settings.pacts or ())}"
        yield _failure("pacts", Code.NO_PACTS, f"no pacts {what}", "Check `contracts.pacts` and `contracts.provider`.")
    else:
        number = sum(len(p.interactions) for p in pacts)
        yield _good("pacts", f"{text.plural(len(pacts), 'pact')}, {text.plural(number, 'interaction')}")


def _read_pacts(context: Context) -> list[pact.Pact]:
    project = context.project
    pacts = [pact.read(file, project.root) for file in pact.find(project)]
    return [p for p in pacts if project.settings.contracts.provider in ("", p.provider)]


def _states(context: Context) -> Iterator[Check]:
    """Set the provider states of each interaction up, from reset data, as the verification does."""
    app = context.app()
    wanted = [i.states for p in _read_pacts(context) for i in p.interactions if i.states]
    if not wanted:
        yield _nothing("provider states", "no pact asks for one")
        return
    app.state_failures()  # forget what others asked for
    for number, states in enumerate(wanted):
        if states not in wanted[:number]:
            app.reset()
            for name, parameters in states:
                _set_state(app, name, parameters)
    failures = app.state_failures()
    app.reset()
    for failure in {f.state: f for f in failures}.values():
        yield _failure(
            "provider states",
            Code(failure.code),
            f"{failure.state!r}: {failure.error}",
            "Write the state under `contracts.states`, or mend it.",
        )
    if not failures:
        names = {name for states in wanted for name, _ in states}
        yield _good("provider states", f"{text.plural(len(names), 'state')} can be set up")


def _set_state(app: Agent, name: str, parameters: Mapping[str, object]) -> None:
    body = json.dumps({"state": name, "params": parameters}).encode()
    request = urllib.request.Request(f"{app.control}/state", method="POST", data=body)  # noqa: S310 - our own loopback URL
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own loopback URL
            response.read()
    except OSError as error:
        raise OrchestratorError(
            Code.STATE_FAILED, f"provider state {name!r} is not set up: {error}", hint="See what it waits for."
        ) from error


# The critical paths


def _critical(context: Context) -> Iterator[Check]:
    project, paths = context.project, context.project.settings.mutation.critical
    if not paths:
        yield _nothing("critical paths", "`mutation.critical` is empty: nothing is mutated")
        return
    operations = [p for p in paths if critical.is_operation(p)]
    named = tuple(p for p in paths if p not in operations)
    mutation = msgspec.structs.replace(project.settings.mutation, critical=named)
    settings = msgspec.structs.replace(project.settings, mutation=mutation)
    selection = critical.select(msgspec.structs.replace(project, settings=settings), None)
    problems = [*selection.problems, *_unknown_operations(context, operations)]
    for problem in problems:
        yield Check(name="critical paths", sign=Sign.BAD, message=problem.message, problem=problem)
    if not problems:
        more = f", and what {text.plural(len(operations), 'operation')} will execute" if operations else ""
        known = text.plural(len(source.functions(project)), "function")
        yield _good("critical paths", f"{len(selection.functions)} of {known} in {', '.join(project.source)}{more}")


def _unknown_operations(context: Context, operations: list[str]) -> Iterator[Problem]:
    served = context.project.settings.openapi.path.startswith("/")
    document = None if served and context.started_app is None else context.document_or_none()
    for path in operations:
        if document and not any(fnmatch.fnmatchcase(o.label, path) for o in document.tested):
            yield Problem(
                code=Code.NO_CRITICAL_PATH,
                message=f"`mutation.critical`: {path!r} is no operation of {document.source}",
                hint="Check method and path.",
            )


# Where it all goes


def _folders(context: Context) -> Iterator[Check]:
    project = context.project
    for name, folder in (("reports", project.reports), ("state", project.state)):
        existing = next(f for f in (folder, *folder.parents) if f.exists())
        try:
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            yield _failure(name, Code.NOT_WRITABLE, f"{folder}: {error.strerror or error}", "Change the permissions.")
        else:
            yield _good(name, f"{os.path.relpath(folder, project.root)} can be written")


def _baseline(context: Context) -> Iterator[Check]:
    told = context.project.settings.baseline
    if not told:
        yield _nothing("baseline", "`baseline` is not set: a run is compared with the one before")
        return
    yield _good("baseline", f"{told}, of {baseline.load(context.project, told).run.started}")


def _git(context: Context) -> Iterator[Check]:
    subject = git.subject(context.project.name, context.project.root)
    if subject.commit:
        yield _good("git", f"{subject.branch} at {subject.commit[:12]}{', changed' if subject.dirty else ''}")
    else:
        yield _nothing("git", "no commit: the report can't name one")


_STEPS: Final = (
    _Step(name="interpreter", check=_interpreter),
    _Step(name="pytest", check=partial(_tool, "pytest"), needs=("interpreter",)),
    _Step(name="coverage", check=partial(_tool, "coverage"), needs=("interpreter",)),
    _Step(name="pytest-xdist", check=partial(_tool, "pytest-xdist"), needs=("interpreter",)),
    _Step(name="app", check=_app, needs=("interpreter",)),
    _Step(name="reset", check=_hooks, needs=("app",)),
    _Step(name="identities", check=_identities, needs=("app",)),
    _Step(name="document", check=_document),
    _Step(name="answers", check=_answers, needs=("app", "document")),
    _Step(name="tests", check=_tests, needs=("pytest",)),
    _Step(name="generated tests", check=_generated),
    _Step(name="pacts", check=_pacts),
    _Step(name="provider states", check=_states, needs=("app", "pacts")),
    _Step(name="critical paths", check=_critical),
    _Step(name="reports", check=_folders),
    _Step(name="baseline", check=_baseline),
    _Step(name="git", check=_git),
)
