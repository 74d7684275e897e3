"""The official command line of the Pact broker (`pact-python-cli`), run to publish, to deploy, and to ask before it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from orchestrator import process, text
from orchestrator.adapters import broker
from orchestrator.adapters.broker import Version
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError

_TRIES: Final = "2"  # its own default waits for minutes where the broker is down


def publish(project: Project, files: Sequence[Path], version: str, branch: str, tags: Sequence[str] = ()) -> str:
    """Publish pacts of a version of their consumers; return what the client said.

    Raises:
        OrchestratorError: it is not installed, or it failed.
    """
    more = [*(["--branch", branch] if branch else []), *(part for tag in tags for part in ("--tag", tag))]
    return _shown(project, "publish", *map(str, files), "--consumer-app-version", version, *more)


def record_deployment(project: Project, version: Version, environment: str) -> str:
    """Tell the broker that a version is deployed; return what the client said.

    Raises:
        OrchestratorError: it is not installed, or it failed.
    """
    who = ("--pacticipant", version.of, "--version", version.number)
    return _shown(project, "record-deployment", *who, "--environment", environment)


def can_i_deploy(project: Project, version: Version, environment: str) -> Mapping[str, Any]:
    """Return the broker's answer to whether a version may be deployed.

    Raises:
        OrchestratorError: the client is not installed, it failed, or what it says can't be understood.
    """
    # As JSON: a no and a fault have the same exit status otherwise.
    who = ("--pacticipant", version.of, "--version", version.number)
    said = _run(project, "can-i-deploy", *who, "--to-environment", environment, "--output", "json")
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _failed(project, "can-i-deploy", said)
    return answer


def _shown(project: Project, command: str, *arguments: str) -> str:
    """Return what the client said, as people may see it."""
    secrets = broker.credential(project.settings.contracts.broker).secrets
    return text.clean(_run(project, command, *arguments), secrets=secrets)


def _run(project: Project, command: str, *arguments: str) -> str:
    settings = project.settings.contracts.broker
    log = project.state / "logs" / f"broker-{command}.log"
    ended = process.run(
        [*_program(), command, *arguments],
        directory=project.root,
        environment=_environment(project),
        log=log,
        timeout=3 * settings.timeout,
    )
    said = log.read_text("utf-8", errors="replace")
    # Its output is kept for nobody: it may hold what it was sent.
    log.unlink()
    if ended.timed_out:
        raise _failed(project, command, f"not done within {ended.seconds:g} s")
    if ended.code:
        raise _failed(project, command, said)
    return said


def _program() -> list[str]:
    """Return the client: what is installed beside us before what else there is."""
    own = str(Path(sys.executable).parent)
    for name, first in (("pact", ["broker"]), ("pact-broker-cli", [])):
        found = shutil.which(name, path=own) or shutil.which(name)
        if found:
            return [found, *first]
    raise OrchestratorError(
        Code.BROKER_CLIENT_FAILED,
        "the client of the Pact broker is not installed",
        hint="Install the extra: pip install 'quality-orchestrator[broker]'.",
    )


def _environment(project: Project) -> dict[str, str]:
    """Return the client's variables: the credential is in them, as arguments are for everybody to see."""
    settings = project.settings.contracts.broker
    who = broker.credential(settings)
    theirs = {
        "PACT_BROKER_BASE_URL": settings.url,
        "PACT_BROKER_TOKEN": who.token,
        "PACT_BROKER_USERNAME": who.username,
        "PACT_BROKER_PASSWORD": who.password,
        "PACT_BROKER_HTTP_RETRIES": _TRIES,
        "PACT_DO_NOT_TRACK": "true",
        "NO_COLOR": "1",
    }
    kept = {name: value for name, value in os.environ.items() if name not in theirs}
    return kept | {name: value for name, value in theirs.items() if value}


def _failed(project: Project, command: str, said: str) -> OrchestratorError:
    secrets = broker.credential(project.settings.contracts.broker).secrets
    return OrchestratorError(
        Code.BROKER_CLIENT_FAILED,
        f"`{command}` of the Pact broker's client failed: {text.one_line(said, secrets=secrets) or 'it says nothing'}",
        hint="Check `contracts.broker.url`, the credential and the names.",
        detail=text.clean(said, secrets=secrets) if said.strip().count("\n") else "",
    )
