"""The driver's end of the agent: start it in the user's interpreter, ask it, end it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

import orchestrator.agent
from orchestrator import process, text
from orchestrator.agent.protocol import VERSION, Channel
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError, UsageError

PACKAGE: Final = "orchestrator_agent"

_SHUTDOWN: Final = 5.0  # seconds that the app has to shut down by itself
_LOOK: Final = 0.2  # seconds between two looks at whether the agent still runs
_PATIENCE: Final = 30.0  # seconds for an answer that needs no hook of the user's


# No proxy: the agent listens on the loopback interface.
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StateFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A provider state that could not be set up or torn down, or, where `message` names one, a message not made."""

    state: str
    parameters: dict[str, Any]
    code: str
    error: str
    message: str = ""


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
    is_name = os.sep not in project.settings.python  # a path is never looked for in the folder we happen to be in
    found = str(path) if path.exists() else shutil.which(project.settings.python) if is_name else None
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
        if link.is_dir() and not link.is_symlink():  # the project was copied, and links were followed
            shutil.rmtree(link)
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
        serves: Whether it is the agent that serves the API, and nobody elsewhere.
        has_hung: A hook was left behind in the middle: what it has done and may still do is not known.
    """

    def __init__(
        self,
        channel: Channel,
        running: subprocess.Popen[bytes],
        log: Path,
        ready: Mapping[str, Any],
        project: Project,
    ) -> None:
        settings = project.settings
        self._channel = channel
        self._process = running
        self._log = log
        self._turn = threading.Lock()  # one question at a time
        self._journal = _journal(project)
        self._reset_timeout = settings.app.start_timeout
        self._hook_timeout = settings.contracts.request_timeout
        self.has_hung = False
        self._ended: OrchestratorError | None = None  # why it was ended
        self.serves = not settings.app.url
        self.url: str = settings.app.url.rstrip("/") or ready["url"]
        self.control: str = ready["control"]
        self.python: str = ready["python"]
        self.versions: dict[str, str] = ready["versions"]

    def _ask(
        self, question: str, timeout: float = _PATIENCE, *, late: OrchestratorError | None = None
    ) -> dict[str, Any]:
        with self._turn:
            try:
                self._channel.send({"ask": question})
                answer = _receive(self._channel, self._process, timeout)
            except OSError:
                answer = None
        if answer is None:
            raise self.died()
        if answer["answer"] == "late":
            # Whatever it answers after that would be taken for the answer to the next question.
            self.end(
                late
                or self._gone(
                    f"did not answer within {timeout:g} s, and was ended", "Something keeps its interpreter busy"
                )
            )
            raise self.died()
        return answer

    def require_alive(self) -> None:
        """Raise what says that the process is gone, if it is.

        Raises:
            OrchestratorError: it is.
        """
        if not self.is_alive:
            raise self.died()

    def unfit(self) -> OrchestratorError:
        """End a process that takes no requests any more; return what says so."""
        told = "took no requests any more, and was ended"
        self.end(self._gone(told, "It may have no file descriptors or threads left"))
        return self.died()

    def end(self, why: OrchestratorError | None = None) -> None:
        """End the process, so that the app is started anew when it is needed again.

        Args:
            why: What is said to whoever needs this one.
        """
        self._ended = self._ended or why
        process.end_group(self._process)

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def died(self) -> OrchestratorError:
        """Return the error that says that the app's process is gone."""
        if self._ended:
            return self._ended
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        return self._gone(f"ended in the middle of the run (exit status {self._process.poll()})")

    def _gone(self, what: str, why: str = "") -> OrchestratorError:
        """Return the error that says what became of the app's process, and why that may be."""
        log = process.told(self._log)
        return OrchestratorError(
            Code.APP_DIED,
            f"the app's process {what}",
            hint=f"{why}; its output is in {log}." if why else f"Its output is in {log}.",
            detail=text.clean(process.tail(self._log, 30)),
        )

    def reached(self) -> tuple[Reached, ...]:
        """Return what each path reached since the last time this was asked."""
        return msgspec.convert(self._ask("reach")["reached"], tuple[Reached, ...])

    def state_failures(self) -> tuple[StateFailure, ...]:
        """Return the provider states that failed since the last time this was asked."""
        answer = self._ask("states", self._hook_timeout + _PATIENCE)  # states are torn down before
        self.has_hung |= bool(answer["hung"])
        return msgspec.convert(answer["failures"], tuple[StateFailure, ...])

    def left_failures(self) -> tuple[StateFailure, ...]:
        """Return the provider states that failed and were not asked for before the process died."""
        try:
            lines = self._journal.read_bytes().splitlines()
        except OSError:
            return ()
        return tuple(msgspec.json.decode(line, type=StateFailure) for line in lines)

    def credentials(self) -> dict[str, str]:
        """Return every credential that was given out, to be redacted, with the identity that it is of."""
        return dict(self._ask("credentials")["credentials"])

    def record(self) -> None:
        """Record what the app is asked from now on."""
        self._ask("record")

    def played(self) -> list[dict[str, Any]]:
        """Return the provider states and requests since `record`, in their order, and record no more."""
        return list(self._ask("played")["played"])

    def routes(self) -> list[tuple[str, str]] | None:
        """Return the app's own routing table, as method and path; an empty method is any. None: it is not known."""
        return msgspec.convert(self._ask("routes")["routes"], list[tuple[str, str]] | None)

    def reset(self) -> None:
        """Bring the app's data back to where `prepare` left it.

        Raises:
            OrchestratorError: the user's hook failed.
        """
        late = OrchestratorError(
            Code.HOOK_FAILED,
            f"`app.reset` did not come to its end within {self._reset_timeout:g} s",
            hint=f"See what it waits for, or raise `app.start-timeout`; the app's output is in "
            f"{process.told(self._log)}.",
        )
        answer = self._ask("reset", self._reset_timeout, late=late)
        if answer.get("error"):
            raise OrchestratorError(
                Code.HOOK_FAILED,
                f"`app.reset` failed: {text.one_line(answer['error'])}",
                hint=f"Call it by hand after `app.prepare`; the app's output is in {process.told(self._log)}.",
            )

    def identity(self, name: str) -> Header:
        """Mint an identity.

        Raises:
            OrchestratorError: it can't be minted.
        """
        url = f"{self.control}/identity/{urllib.parse.quote(name, safe='')}"
        request = urllib.request.Request(url, method="POST", data=b"")  # noqa: S310 - our own loopback URL
        try:
            with _DIRECT.open(request, timeout=90) as response:
                return msgspec.convert(json.load(response), Header)
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)
            raise OrchestratorError(
                Code(told["code"]), text.one_line(told["error"]), hint=told.get("hint", "")
            ) from error
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=2)  # its connections end before it does
                raise self.died() from error
            raise OrchestratorError(
                Code.IDENTITY_FAILED, f"identity {name!r} can't be minted: {error}", hint="See what its hook waits for."
            ) from error


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
    python = interpreter(project)
    log = project.state / "logs" / "app.log"
    _journal(project).parent.mkdir(parents=True, exist_ok=True)
    _journal(project).unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=project.state, prefix="app-"))
        variables = {k: v.replace("{state}", scratch) for k, v in settings.app.environment.items()}
        from_driver, to_agent = os.pipe()
        from_agent, to_driver = os.pipe()
        channel = Channel(from_agent, to_agent)
        stack.callback(channel.close)
        with contextlib.ExitStack() as ours, _without_interpreter(project, python):
            for descriptor in (from_driver, to_driver):
                ours.callback(os.close, descriptor)
            started = stack.enter_context(
                process.started_group(
                    [python, "-m", PACKAGE, str(from_driver), str(to_driver)],
                    directory=project.directory,
                    environment=environment(project, variables),
                    log=log,
                    pass_fds=(from_driver, to_driver),
                )
            )
        app = _greet(project, channel, started, log, reach=reach)
        if settings.app.url:
            _require_answer(app.url)
        try:
            yield app
        finally:
            channel.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(timeout=_SHUTDOWN)  # its driver gone, it shuts the app down and ends by itself


def _require_answer(url: str) -> None:
    """Tell an API that nobody serves from one that answers, whatever it answers."""
    try:
        with urllib.request.urlopen(url, timeout=30):  # noqa: S310 - the user's own API
            pass
    except urllib.error.HTTPError as answer:
        answer.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OrchestratorError(
            Code.APP_UNREACHABLE, f"{url} does not answer: {error}", hint="Start the API, or check `app.url`."
        ) from error


@contextlib.contextmanager
def _without_interpreter(project: Project, python: str) -> Iterator[None]:
    """Turn what the system says of a program that can't be run into words."""
    try:
        yield
    except OSError as error:
        if not project.directory.is_dir():
            raise UsageError(
                Code.SETTINGS_INVALID,
                f"{project.file.name}: `directory` = {project.settings.directory!r} is not a folder",
                hint="Name the folder where the app runs, relative to the settings file.",
            ) from error
        raise OrchestratorError(
            Code.INTERPRETER_MISSING,
            f"{project.file.name}: `python` = {project.settings.python!r} can't be run: {error.strerror}",
            hint="Name an interpreter that has the app and its tests.",
        ) from error


def _greet(project: Project, channel: Channel, started: subprocess.Popen[bytes], log: Path, *, reach: bool) -> Agent:
    timeout = project.settings.app.start_timeout
    try:
        channel.send(_hello(project, reach=reach))
        answer = _receive(channel, started, timeout)
    except OSError:  # it ended before it listened
        answer = None
    if answer is None or answer["answer"] != "ready":
        raise _start_error(answer, started, log, timeout)
    return Agent(channel, started, log, answer, project)


def _receive(channel: Channel, started: subprocess.Popen[bytes], timeout: float | None = None) -> dict[str, Any] | None:
    """Wait for an answer; None: the agent is gone. A child of the app's may still hold the pipe then."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while not select.select([channel], [], [], _LOOK)[0]:
        if started.poll() is not None and not select.select([channel], [], [], 0)[0]:
            return None
        if deadline is not None and time.monotonic() > deadline:
            return {"answer": "late"}
    return channel.receive()


def _hello(project: Project, *, reach: bool) -> dict[str, Any]:
    settings = project.settings
    return {
        "version": VERSION,
        "import_paths": import_paths(project),
        "source": list(map(str, project.sources)),
        "reach": reach,
        "app": msgspec.structs.asdict(settings.app) | {"environment": None},
        "states": settings.contracts.states,
        "messages": settings.contracts.messages,
        "hook_timeout": settings.contracts.request_timeout,
        "journal": str(_journal(project)),
        "identities": [msgspec.structs.asdict(i) for i in settings.identities],
    }


def _journal(project: Project) -> Path:
    """Return where the agent writes down which provider states failed."""
    return project.state / "contracts" / "failures.ndjson"


def _start_error(
    answer: Mapping[str, Any] | None, started: subprocess.Popen[bytes], log: Path, timeout: float
) -> OrchestratorError:
    if answer is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=2)
        return OrchestratorError(
            Code.APP_IMPORT_FAILED,
            f"the app's process ended while it started (exit status {started.poll()})",
            hint=f"Its output is in {process.told(log)}.",
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
