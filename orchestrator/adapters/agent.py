"""The driver's end of the agent: start it in the user's interpreter, ask it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

import orchestrator.agent
from orchestrator import process, text
from orchestrator.agent.protocol import VERSION, Channel
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError

PACKAGE: Final = "orchestrator_agent"


class StateFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A provider state that could not be set up."""

    state: str
    parameters: dict[str, Any]
    code: str
    error: str


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What one method and path reached: files with the line where a function begins."""

    method: str
    path: str
    places: tuple[tuple[str, int], ...]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A request header that carries an identity."""

    header: str
    value: str


def interpreter(project: Project) -> str:
    """Return the user's interpreter.

    Raises:
        OrchestratorError: the settings name one that does not exist.
    """
    if not project.settings.python:
        return sys.executable
    # Not resolved: a virtual environment's interpreter is a link, and the link is what makes it one.
    path = project.root / project.settings.python
    found = str(path) if path.exists() else shutil.which(project.settings.python)
    if found is None:
        raise OrchestratorError(
            Code.INTERPRETER_MISSING,
            f"{project.file.name}: `python` = {project.settings.python!r} does not exist",
            hint="Make that environment and install the app and its tests in it, or name another interpreter.",
        )
    return os.path.abspath(found)  # noqa: PTH100 - Path.resolve would follow the link


def environment(project: Project, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which the user's code runs, the agent on its import path.

    The agent is reached through a folder that holds nothing but it, so that none of our packages can shadow the
    user's.
    """
    folders = [str(_agent_folder(project)), *import_paths(project)]
    if os.environ.get("PYTHONPATH"):
        folders.append(os.environ["PYTHONPATH"])
    return {
        **{k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")},
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PACT_DO_NOT_TRACK": "true",
        **(extra or {}),
    }


def import_paths(project: Project) -> list[str]:
    """Return the folders that the settings put in front of the import path."""
    directory = project.directory.resolve()
    return [*(str(directory / p) for p in project.settings.import_paths), str(directory)]


def _agent_folder(project: Project) -> Path:
    folder = project.state / "agent"
    link = folder / PACKAGE
    source = Path(orchestrator.agent.__file__).resolve().parent
    if not link.is_symlink() or link.resolve() != source:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(source, target_is_directory=True)
    return folder


class Agent:
    """A running agent: the user's app on a loopback port, with its hooks beside it.

    Attributes:
        url: Where the API is, without a final slash.
        control: Where reset, states and identities can be asked for by URL.
        python: The version of the user's interpreter.
        versions: Of the tools and frameworks installed there.
    """

    def __init__(
        self, channel: Channel, running: subprocess.Popen[bytes], log: Path, ready: Mapping[str, Any], url: str
    ) -> None:
        self._channel = channel
        self._process = running
        self._log = log
        self.url: str = url or ready["url"]
        self.control: str = ready["control"]
        self.python: str = ready["python"]
        self.versions: dict[str, str] = ready["versions"]

    def _ask(self, question: str) -> dict[str, Any]:
        try:
            self._channel.send({"ask": question})
            answer = self._channel.receive()
        except OSError:
            answer = None
        if answer is None:
            raise self.died()
        return answer

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def died(self) -> OrchestratorError:
        """Return the error that says that the app's process is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        return OrchestratorError(
            Code.APP_DIED,
            f"the app's process ended in the middle of the run (exit status {self._process.poll()})",
            hint=f"Its output is in {self._log}.",
            detail=text.clean(process.tail(self._log, 30)),
        )

    def reached(self) -> tuple[Reached, ...]:
        """Return what each path reached since the last time this was asked."""
        return msgspec.convert(self._ask("reach")["reached"], tuple[Reached, ...])

    def state_failures(self) -> tuple[StateFailure, ...]:
        """Return the provider states that failed since the last time this was asked."""
        return msgspec.convert(self._ask("states")["failures"], tuple[StateFailure, ...])

    def credentials(self) -> tuple[str, ...]:
        """Return every credential that was given out, to be redacted."""
        return tuple(self._ask("credentials")["credentials"])

    def reset(self) -> None:
        """Bring the app's data back to where `prepare` left it.

        Raises:
            OrchestratorError: the user's hook failed.
        """
        answer = self._ask("reset")
        if answer.get("error"):
            raise OrchestratorError(
                Code.HOOK_FAILED,
                f"`app.reset` failed: {text.one_line(answer['error'])}",
                hint=f"Call it by hand after `app.prepare`; the app's output is in {self._log}.",
            )

    def identity(self, name: str) -> Header:
        """Mint an identity.

        Raises:
            OrchestratorError: it can't be minted.
        """
        request = urllib.request.Request(f"{self.control}/identity/{name}", method="POST", data=b"")  # noqa: S310 - our own loopback URL
        try:
            with urllib.request.urlopen(request, timeout=90) as response:  # noqa: S310 - our own loopback URL
                return msgspec.convert(json.load(response), Header)
        except urllib.error.HTTPError as error:
            told = json.load(error)
            raise OrchestratorError(Code(told["code"]), told["error"], hint=told.get("hint", "")) from error


@contextlib.contextmanager
def running(project: Project, *, reach: bool = False) -> Iterator[Agent]:
    """Start the user's app in the user's interpreter, and end it when the block is left.

    Args:
        project: Whose app.
        reach: Whether to record which functions each request reaches.

    Raises:
        OrchestratorError: the app can't be imported or started, or the interpreter is missing.
    """
    settings = project.settings
    log = project.state / "logs" / "app.log"
    project.state.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=project.state, prefix="app-"))
        variables = {k: v.replace("{state}", scratch) for k, v in settings.app.environment.items()}
        to_agent, from_driver = os.pipe()[::-1]
        from_agent, to_driver = os.pipe()
        started = stack.enter_context(
            process.started_group(
                [interpreter(project), "-m", PACKAGE, str(from_driver), str(to_driver)],
                directory=project.directory,
                environment=environment(project, variables),
                log=log,
                pass_fds=(from_driver, to_driver),
            )
        )
        os.close(from_driver)
        os.close(to_driver)
        channel = Channel(from_agent, to_agent)
        stack.callback(channel.close)
        channel.send(_hello(project, reach=reach))
        ready, _, _ = select.select([from_agent], [], [], settings.app.start_timeout)
        answer = channel.receive() if ready else {"answer": "late"}
        if answer is None or answer["answer"] != "ready":
            raise _start_error(answer, started, log, settings.app.start_timeout)
        yield Agent(channel, started, log, answer, settings.app.url.rstrip("/"))


def _hello(project: Project, *, reach: bool) -> dict[str, Any]:
    settings = project.settings
    return {
        "version": VERSION,
        "import_paths": import_paths(project),
        "source": [str((project.directory / s).resolve()) for s in project.source],
        "reach": reach,
        "app": msgspec.structs.asdict(settings.app) | {"environment": None},
        "states": settings.contracts.states,
        "identities": [msgspec.structs.asdict(i) for i in settings.identities],
    }


def _start_error(
    answer: Mapping[str, Any] | None, started: subprocess.Popen[bytes], log: Path, timeout: float
) -> OrchestratorError:
    if answer is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=2)
        return OrchestratorError(
            Code.APP_IMPORT_FAILED,
            f"the app's process ended while it started (exit status {started.poll()})",
            hint=f"Its output is in {log}.",
            detail=text.clean(process.tail(log, 30)),
        )
    if answer["answer"] == "late":
        return OrchestratorError(
            Code.APP_IMPORT_FAILED,
            f"the app did not start within {timeout:g} s",
            hint="Raise `app.start-timeout`, or see what its import waits for.",
            detail=text.clean(process.tail(log, 30)),
        )
    return OrchestratorError(
        Code(answer["code"]),
        text.one_line(answer["message"]),
        hint=answer.get("hint", ""),
        detail=text.clean(answer.get("detail", "")),
    )
