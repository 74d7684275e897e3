"""`orchestrator contracts`: publish and fetch pacts, record deployments, and ask before one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from orchestrator import codec, config, text
from orchestrator.adapters import broker_client, openapi, pact
from orchestrator.adapters.broker import Version
from orchestrator.commands import CONFIG
from orchestrator.config import Project
from orchestrator.contracts import deployable, skeletons, supply
from orchestrator.contracts.deployable import Answer, Row
from orchestrator.errors import Code, ExitCode, OrchestratorError, UsageError
from orchestrator.report import terminal

BROKER = click.option("--broker", "url", metavar="URL", help="Another broker than that of the settings.")
PACTICIPANT = click.option("--pacticipant", "of", metavar="NAME", help="Who it is. Default: `contracts.provider`.")
VERSION = click.option(
    "--version", "number", metavar="VERSION", help="Default: the settings' version, or git's commit."
)
TO = click.option("--to", "environment", required=True, metavar="ENVIRONMENT", help="Where it is deployed.")
_HEADER = ("consumer", "version", "provider", "version", "fulfilled", "")


@click.group("contracts")
def command() -> None:
    """Publish and fetch pacts, record deployments, and ask before one.

    The same words for a Pact broker, a folder and a branch of git: `contracts.broker.url`, or --broker, says which.
    If neither does, it is the folder `contracts`.

    \b
    Examples:
      orchestrator contracts publish pacts/*.json --branch main
      orchestrator contracts fetch
      orchestrator contracts can-i-deploy --to production
      orchestrator contracts record-deployment --to production
      orchestrator contracts skeleton web-frontend -o tests/test_pact.py
    """


@command.command("publish")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="PACT.json…")
@VERSION
@click.option("--branch", metavar="NAME", help="The consumer's branch. Default: the settings' branch, or git's.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="A tag of the version; repeatable.")
@BROKER
@CONFIG
def publish(
    *,
    paths: tuple[Path, ...],
    number: str | None,
    branch: str | None,
    tags: tuple[str, ...],
    url: str | None,
    settings_file: Path | None,
) -> int:
    """Publish pacts, files or folders of them, as those of one version of their consumers.

    \b
    Examples:
      orchestrator contracts publish pacts/
      orchestrator contracts publish pacts/web-shop.json --version 1.4.0 --branch main --tag beta
      orchestrator contracts publish pacts/ --broker git:origin/contracts
    """
    project = _project(settings_file, url)
    files = [file for path in paths for file in _pacts_of(path)]
    for file in files:
        pact.read(file, project.root)
    which = number or supply.version(project, "").number
    there = supply.branch(project) if branch is None else branch
    if project.settings.contracts.broker.is_server:
        return _say(broker_client.publish(project, files, which, there, tags))
    published = supply.opened_shelf(project).publish([file.read_bytes() for file in files], which, there, tags)
    _say("\n".join(published))
    if not project.settings.contracts.broker.url:
        _say(f'  → name the folder in the settings: contracts.broker.url = "{supply.DEFAULT_FOLDER}"')
    return ExitCode.PASSED


@command.command("fetch")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to. Default: where a run puts them.",
)
@BROKER
@CONFIG
def fetch(*, output: Path | None, url: str | None, settings_file: Path | None) -> int:
    """Fetch the pacts that a run would verify.

    \b
    Examples:
      orchestrator contracts fetch
      orchestrator contracts fetch -o /tmp/pacts --broker https://pacts.example.org
    """
    project = _project(settings_file, url)
    offered = supply.asked(project, supply.opened(project))
    for file, one in supply.written(offered, (output or project.state / pact.FETCHED).resolve(), project).items():
        marks = [mark for mark, holds in (("pending", one.pending), ("work in progress", one.wip)) if holds]
        _say(": ".join([file, one.name, *marks]))
    return ExitCode.PASSED


@command.command("can-i-deploy")
@TO
@VERSION
@PACTICIPANT
@BROKER
@CONFIG
def can_i_deploy(
    *, environment: str, number: str | None, of: str | None, url: str | None, settings_file: Path | None
) -> int:
    """Say whether a version may be deployed: whether each pact with what is deployed there is fulfilled.

    \b
    Examples:
      orchestrator contracts can-i-deploy --to production
      orchestrator contracts can-i-deploy --to production --pacticipant web --version 1.4.0

    \b
    Exit status: 0 yes, 1 no, 2 usage or settings, 3 the broker could not be asked.
    """
    project = _project(settings_file, url)
    version = _version(project, of, number)
    if project.settings.contracts.broker.is_server:
        answer = _understood(broker_client.can_i_deploy(project, version, environment))
    else:
        answer = deployable.answered(supply.opened_shelf(project).catalogue, version, environment)
    _show(answer, version, environment)
    return ExitCode.PASSED if answer.deployable else ExitCode.GATE_FAILED


@command.command("record-deployment")
@TO
@VERSION
@PACTICIPANT
@BROKER
@CONFIG
def record_deployment(
    *, environment: str, number: str | None, of: str | None, url: str | None, settings_file: Path | None
) -> int:
    """Record that a version is deployed, in place of the one before.

    \b
    Examples:
      orchestrator contracts record-deployment --to production
      orchestrator contracts record-deployment --to production --pacticipant web --version 1.4.0
    """
    project = _project(settings_file, url)
    version = _version(project, of, number)
    if project.settings.contracts.broker.is_server:
        return _say(broker_client.record_deployment(project, version, environment))
    supply.opened_shelf(project).deploy(version, environment)
    return _say(f"{version.of} {version.number} is deployed in {environment}")


def _project(settings_file: Path | None, url: str | None) -> Project:
    """Return the project; who names a broker needs no settings: a consumer may have none of ours."""
    try:
        project = config.load(Path.cwd(), settings_file)
    except UsageError as error:
        if url is None or settings_file is not None or error.problem.code != Code.SETTINGS_MISSING:
            raise
        here = Path.cwd()
        project = Project(root=here, file=here / config.FILES[0], settings=config.Settings())
    if url is None:
        return project
    replaced = msgspec.structs.replace
    contracts = project.settings.contracts
    if not url.startswith(("http://", "https://", "git:")):  # a folder, as seen from here
        url = str(Path(url.removeprefix("file://").removeprefix("file:")).resolve())
    contracts = replaced(contracts, broker=replaced(contracts.broker, url=url))
    config.check_broker(contracts.broker, Path("--broker"), "contracts.broker")
    return replaced(project, settings=replaced(project.settings, contracts=contracts))


def _version(project: Project, of: str | None, number: str | None) -> Version:
    name = of or project.settings.contracts.provider
    if not name:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{project.file.name}: `contracts.provider` is not set",
            hint="Say who is deployed with --pacticipant: its name in the pacts.",
        )
    if number:
        return Version(of=name, number=number)
    return supply.version(project, name)


def _pacts_of(path: Path) -> Sequence[Path]:
    """Return a pact, or those in a folder, as absolute paths.

    Raises:
        OrchestratorError: the folder has none.
    """
    found = sorted(path.resolve().glob("*.json")) if path.is_dir() else [path.resolve()]
    if not found:
        raise OrchestratorError(
            Code.NO_PACTS, f"{text.one_line(str(path))} has no *.json", hint="Run the tests that write the pacts."
        )
    return found


def _understood(told: Mapping[str, Any]) -> Answer:
    try:
        return deployable.understood(told)
    except ValueError as error:
        raise OrchestratorError(
            Code.BROKER_UNCLEAR, text.one_line(str(error)), hint="Ask the Pact broker's own client, and see its log."
        ) from error


def _show(answer: Answer, version: Version, environment: str) -> None:
    if answer.rows:
        lines = [_HEADER, *(tuple(map(_cell, _cells(row))) for row in answer.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            _say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if answer.why:
        _say(answer.why)
    yes = "may be deployed" if answer.deployable else "may not be deployed"
    _say(f"{version.of} {version.number} {yes} to {environment}")


def _cells(row: Row) -> tuple[str, ...]:
    fulfilled = {True: "yes", False: "no", None: "unknown"}[row.success]
    return (row.consumer, row.consumer_version, row.provider, row.provider_version or "none", fulfilled, row.why)


def _cell(said: str) -> str:
    return text.one_line(said)


def _say(said: str) -> int:
    """Print what may come from elsewhere; return that it went well."""
    terminal.console().print(terminal.escape(text.visible(said.strip("\n"))), highlight=False, soft_wrap=True)
    return ExitCode.PASSED


@command.command("skeleton")
@click.argument("consumer", metavar="CONSUMER")
@click.option("--operation", "wanted", multiple=True, metavar="LABEL", help="Which one; repeatable. Default: all.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else it is printed.")
@CONFIG
def skeleton(*, consumer: str, wanted: tuple[str, ...], output: Path | None, settings_file: Path | None) -> int:
    """Begin a consumer's tests: a pytest module with pact-python, from the OpenAPI document.

    \b
    Examples:
      orchestrator contracts skeleton web-frontend --operation "GET /v1/records/{id}"
      orchestrator contracts skeleton web-frontend -o tests/test_pact.py
    """
    project = config.load(Path.cwd(), settings_file)
    path = project.settings.openapi.path
    if not path or path.startswith("/"):
        raise UsageError(
            Code.DOCUMENT_MISSING,
            "`openapi.path` names no file",
            hint="Save the document that the app serves, and name the file.",
        )
    file = project.root / path
    document = openapi.parse(openapi.read_file(file, path), path, beside=openapi.beside(file, project.root))
    chosen = [o for o in document.operations if not wanted or o.label in wanted]
    if unknown := set(wanted) - {o.label for o in document.operations}:
        raise UsageError(
            Code.UNKNOWN_OPERATION,
            f"{path} has no operation {text.one_line(min(unknown))!r}",
            hint=f"It has, among others, {document.operations[0].label!r}.",
        )
    module = skeletons.skeleton(document, consumer, chosen)
    if output is None:
        print(module, end="")
    elif output.exists():
        raise UsageError(Code.SETTINGS_EXIST, f"{output} exists already", hint="Name another file.")
    else:
        codec.write_atomically(output, module.encode())
        print(f"{output}: {text.plural(len(chosen), 'test')} to go on with")
    return ExitCode.PASSED
