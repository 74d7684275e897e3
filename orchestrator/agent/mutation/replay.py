"""Replay recorded requests on the user's app in forked children: `python -m orchestrator_agent.mutation.replay`.

Three processes, forked before anything of the user's is imported, as for the tests: *trace* records what each request
executes, *warm* holds the app and swaps the code of a mutant in its children, the children of *cold* import everything
afresh. What is replayed is a *scenario*: provider states and requests, from data that are as `prepare` has left them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import exchanges
from ..control import Control
from ..gateways import Request
from ..inprocess import AsgiCallee, Callee, Response, WsgiCallee
from ..loading import LoadError, load_app
from . import chance
from .forks import Forker, Pipes, Write, serve_three
from .lines import FunctionRecorder, OpenedFiles, StatementRecorder, as_hex
from .seen import as_told, digest_of
from .swap import Change, ChangedImport, LiveFunctions, NotSwappable, Source, Undo

_ERROR, _FAULT = 400, 500  # between these a response says that nothing was done
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_CHECKED = 1  # scenarios that show that nothing is left of a mutant
_BODY = 1 << 18  # bytes of a body that are told: whoever judges a response needs all of it
_STATE_FILES = 1 << 26  # bytes of files that are put back before each scenario
_CLIENT = ("127.0.0.1", 50_000)


class Subject:
    """The user's app in this process, with its hooks.

    Args:
        hello: What the driver said first.
        loaded: Called when the app is there, before any hook of the user's.

    Raises:
        LoadError: the user's code can't be used.
    """

    def __init__(self, hello: dict[str, Any], loaded: Callable[[], None] = lambda: None) -> None:
        app, interface = load_app(hello["app"])
        is_asgi = interface == "asgi"
        self.callee: Callee = AsgiCallee(app, hello["app"]["start_timeout"]) if is_asgi else WsgiCallee(app)
        loaded()
        self._control = Control(hello, app, self.callee.run)
        self.can_reset = bool(hello["app"]["reset"])
        if hello["app"]["prepare"]:
            self._control.prepare(hello["app"]["prepare"])
        self._credentials = self._minted(hello["credentials"])
        self._files = _Files(hello["state"])
        host, _, port = hello["netloc"].partition(":")
        self._server = (host, int(port or 80))
        self._netloc = hello["netloc"]
        self._touched = False
        self.is_sullied = False  # something was asked since, and refused

    def _minted(self, recorded: Mapping[str, str]) -> dict[bytes, bytes]:
        """Return, of each credential that was recorded, the one that its identity has now."""
        found = {}
        for credential, name in recorded.items():
            now = self._control.credential(name)
            if now != credential:
                found[credential.encode()] = now.encode()
        return found

    def after_fork(self, *, shared: bool) -> None:
        """Begin in a child.

        Args:
            shared: Whether it has data in common with other children, which may have changed them.
        """
        self.callee.after_fork()
        self._touched = shared or self.has_files

    def sully(self) -> None:
        """Say that the data may be other ones than they were."""
        self._touched = True

    def begin(self) -> None:
        """Bring the data back to where `prepare` has left them, if anything may have changed them.

        Raises:
            LoadError: the reset hook failed.
        """
        if not self._touched:
            return
        if self.can_reset:
            error = self._control.reset().get("error")
            if error:
                raise LoadError("QO204", f"`app.reset` failed: {error}")
        else:
            self._files.put_back()
        self._touched = self.is_sullied = False

    @property
    def has_files(self) -> bool:
        """Whether the app keeps files in its folder, which all children share."""
        return self._files.are_there

    def state(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Set a provider state up; return the values that it gives.

        Raises:
            LoadError: it failed.
        """
        self._touched = True
        try:
            return self._control.set_state(step["state"], step["params"])
        except BaseException as error:
            raise LoadError("QO504", f"{type(error).__name__}: {error}") from error

    def send(self, step: Mapping[str, Any], put: Mapping[bytes, bytes]) -> Response:
        """Send a recorded request, with other values in the place of those that were given when it was recorded."""
        put = {**self._credentials, **put}
        body = base64.b64decode(step["body"])
        headers = [(name, _changed(value.encode("latin-1"), put).decode("latin-1")) for name, value in step["headers"]]
        changed = _changed(body, put)
        if len(changed) != len(body):
            headers = [(n, str(len(changed)) if n.lower() == "content-length" else v) for n, v in headers]
        target = _changed(step["target"].encode("latin-1"), put, quoted=True).decode("latin-1")
        if not any(name.lower() == "host" for name, _ in headers):
            headers.append(("Host", self._netloc))
        response = self.callee.call(Request(step["method"], target, headers, changed, self._server, _CLIENT))
        if step["method"] not in _SAFE:
            self.is_sullied = True
            self._touched = self._touched or not _ERROR <= response.status < _FAULT
        return response


def _changed(data: bytes, put: Mapping[bytes, bytes], *, quoted: bool = False) -> bytes:
    for old, new in put.items():
        if old in data:
            data = data.replace(old, quote(new).encode() if quoted else new)
        elif quoted and (other := quote(old).encode()) in data:
            data = data.replace(other, quote(new).encode())
    return data


class _Files:
    """The files that the app has made in its folder, to be put back as they were."""

    def __init__(self, folder: str) -> None:
        self._kept: dict[Path, bytes] = {}
        self._folder = Path(folder)
        size = 0
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                self._kept[path] = path.read_bytes()
                size += len(self._kept[path])
                if size > _STATE_FILES:
                    raise LoadError("QO620", f"the app keeps more than {_STATE_FILES >> 20} MB in its folder")

    @property
    def are_there(self) -> bool:
        return bool(self._kept)

    def put_back(self) -> None:
        """Write into the same files: whoever has one open goes on with it."""
        for path, content in self._kept.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
        for path in self._folder.rglob("*"):
            if path.is_file() and path not in self._kept:
                path.unlink()


class Player:
    """Plays scenarios, and tells of each which of its exchanges are not as they are known to be.

    Args:
        subject: The app.
        recorder: Asked what each exchange executes, where statements are recorded.
        functions: Asked which functions each scenario has executed, if there is one.
    """

    def __init__(
        self, subject: Subject, recorder: StatementRecorder | None = None, functions: FunctionRecorder | None = None
    ) -> None:
        self._subject = subject
        self._recorder = recorder
        self._functions = functions
        self.known: dict[str, Sequence[str]] = {}

    def play(
        self, scenarios: Sequence[Mapping[str, Any]], write: Write, *, draws: int, opened: OpenedFiles | None
    ) -> None:
        """Play scenarios in this order; each from data as `prepare` has left them."""
        for scenario in scenarios:
            told = self._told(scenario, draws) if self._subject.can_reset else self._apart(scenario, draws)
            if opened:
                read, written, beyond = opened.take()
                told |= {"read": read, "written": written, "beyond": beyond}
            write(told)

    def _apart(self, scenario: Mapping[str, Any], draws: int) -> dict[str, Any]:
        """Play a scenario in a process of its own, which leaves nothing behind."""
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            status = 70
            try:
                self._subject.callee.after_fork()
                with os.fdopen(writing, "w") as pipe:
                    told = self._told(scenario, draws)
                    if "table" in told:  # its numbers are of this process alone
                        told["ran"] = told.pop("table") and ""
                    json.dump(told, pipe, default=str)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        _, ended = os.waitpid(pid, 0)
        if ended:
            os._exit(os.waitstatus_to_exitcode(ended) & 0xFF)  # it died of it, and so does this one
        result: dict[str, Any] = json.loads(said)
        return result

    def _told(self, scenario: Mapping[str, Any], draws: int) -> dict[str, Any]:
        name = scenario["name"]
        chance.settle(name, draws)
        told: dict[str, Any] = {"item": name, "outcome": "passed"}
        started, cpu = time.monotonic(), time.process_time()
        heard: list[exchanges.Exchange] = []
        try:
            self._subject.begin()
            if self._subject.is_sullied:
                told["sullied"] = True
            if self._recorder:
                self._recorder.take()  # what resets the data is not of the scenario
            if self._functions:
                self._functions.take()
            self._steps(scenario, heard)
        except LoadError as error:
            told |= {"outcome": "failed", "message": str(error)[:1000]}
        told["seconds"] = round(time.monotonic() - started, 6)
        told["cpu"] = round(time.process_time() - cpu, 6)
        if self._functions:
            told |= self._functions.take()
        known = self.known.get(name, ())
        unlike = []
        for number, exchange in enumerate(heard):
            digest = digest_of(exchange)
            if number >= len(known) or known[number] != digest:
                unlike.append({"number": number, "digest": digest, **as_told(exchange, _BODY)})
        return told | {"seen": len(heard), "exchanges": unlike}

    def _steps(self, scenario: Mapping[str, Any], heard: list[exchanges.Exchange]) -> None:
        """Do the steps of a scenario; hear the exchanges.

        Raises:
            LoadError: a provider state failed.
        """
        given: list[Any] = []  # what each step gave: a state's values, or a response
        lines: dict[str, int] = {}
        for step in scenario["steps"]:
            if "state" in step:
                given.append(self._subject.state(step))
                continue
            put = dict(_values(step["holes"], given))
            if self._recorder:
                lines = self._recorder.take()  # the state's: they lead to this response
            response = self._subject.send(step, put)
            exchange: exchanges.Exchange = {
                "client": "",
                "method": step["method"],
                "path": step["target"].partition("?")[0],
                "url": step["target"],
                "status": response.status,
                "headers": response.headers,
                "body": response.body,
                "at": 0,
                "lines": {},
            }
            if self._recorder:
                executed = self._recorder.take()
                exchange["lines"] = {p: executed.get(p, 0) | lines.get(p, 0) for p in {*executed, *lines}}
                lines = {}
            heard.append(exchange)
            given.append(response)


def _values(holes: Sequence[Mapping[str, Any]], given: Sequence[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Yield recorded values and what stands in the same place now; nothing of those that are gone."""
    for hole in holes:
        source = given[hole["step"]]
        value = _at(source, hole["place"])
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield hole["value"].encode(), str(value).encode()


def _at(source: Any, place: Sequence[Any]) -> Any:
    """Return the value at a place: of a state's values, of a response's headers and cookies, or of its JSON body."""
    try:
        if place[0] == "header":
            return next(value for name, value in source.headers if name.lower() == place[1])
        if place[0] == "cookie":
            cookies = [
                value.partition(";")[0].partition("=") for name, value in source.headers if name.lower() == "set-cookie"
            ]
            return next(value for name, _, value in cookies if name.strip() == place[1])
        data = json.loads(source.body) if place[0] == "body" else source
        for key in place[1:]:
            data = data[key]
    except Exception:  # noqa: BLE001 - a mutant may answer anything
        return None
    return data


class _Warm:
    """What the processes do that hold the app.

    A child plays scenarios under several mutants, one after the other: what a child does first takes long, as each page
    of memory that it writes to is copied. That nothing is left of a mutant is checked after each, by scenarios that
    were answered otherwise under it.
    """

    def __init__(
        self,
        scenarios: list[dict[str, Any]],
        subject: Subject,
        player: Player,
        live: LiveFunctions | None,
        opened: OpenedFiles | None,
    ) -> None:
        self._subject = subject
        self._player = player
        self._live = live
        self._opened = opened
        self._scenarios = scenarios
        self._puts: list[Callable[[], Undo]] = []
        self._shared = False

    def prepare(self, message: dict[str, Any]) -> None:
        """Do in this process what its children would all do."""
        if self._live:
            changes = [Change(play["change"]) for play in message.get("plays", ()) if play["change"]]
            self._puts = [self._live.prepared(change) for change in changes]
            for change in changes:
                self._live.source(change.path)
        self._shared = message.get("shared", self._shared)
        if "known" in message:
            self._player.known = message["known"]
        if "prime" in message:
            chosen = [self._scenarios[number] for number in message["prime"]]
            self._player.play(chosen, lambda _: None, draws=0, opened=None)
            self._subject.begin()
            if self._live:
                self._live.look()

    def work(self, job: dict[str, Any], write: Write, functions: FunctionRecorder | None = None) -> None:
        """Play a job's scenarios, in a child: for each mutant those that it says."""
        self._subject.after_fork(shared=self._shared)
        if self._opened:
            self._opened.take()  # that it was forked is not the app's doing
        puts = iter(self._puts)
        for number, play in enumerate(job["plays"]):
            write({"play": number})
            chosen = [self._scenarios[k] for k in play["items"]]
            if not play["change"]:
                self._player.play(chosen, write, draws=job["chance"], opened=self._opened)
                continue
            is_last = number == len(job["plays"]) - 1
            if not self._play_under(Change(play["change"]), next(puts), chosen, write, functions, is_last=is_last):
                return

    def _play_under(
        self,
        change: Change,
        put: Callable[[], Undo],
        chosen: Sequence[dict[str, Any]],
        write: Write,
        functions: FunctionRecorder | None,
        *,
        is_last: bool,
    ) -> bool:
        """Play scenarios under a mutant; return whether the process is fit for another one."""
        if self._live is None:
            return False
        try:
            undo = put()
        except NotSwappable as reason:
            write({"not_swappable": str(reason)})
            return True
        imported = ChangedImport(change, self._live.source(change.path), functions)
        unlike: list[dict[str, Any]] = []

        def hear(told: dict[str, Any]) -> None:
            write(told)
            if told["exchanges"] or told["outcome"] != "passed":
                unlike.append(told)

        self._player.play(chosen, hear, draws=0, opened=None)
        if is_last:
            return True
        undo()
        imported.end()
        self._subject.sully()
        quick = sorted(unlike, key=lambda told: told["seconds"])[:_CHECKED]
        again = {told["item"] for told in quick}
        checked = [scenario for scenario in chosen if scenario["name"] in again]
        self._player.play(checked, lambda told: write({**told, "check": True}), draws=0, opened=None)
        return not imported.used


class _Service:
    """`_Warm`, with what is recorded in each child."""

    def __init__(self, warm: _Warm, recorder: StatementRecorder | None, functions: FunctionRecorder | None) -> None:
        self._warm = warm
        self._recorder = recorder
        self._functions = functions

    def prepare(self, message: dict[str, Any]) -> None:
        self._warm.prepare(message)

    def work(self, job: dict[str, Any], write: Write) -> None:
        if self._recorder:
            self._recorder.renew()
        if self._functions:
            self._functions.renew()
        self._warm.work(job, write, self._functions)


class _Cold:
    """Its children import the app afresh, maybe changed."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._hello = hello
        self._functions = FunctionRecorder(hello["sources"], hello["left_out"])
        self._scenarios: list[dict[str, Any]] = hello["scenarios"]
        self._known: dict[str, Sequence[str]] = {}

    def prepare(self, message: dict[str, Any]) -> None:
        self._known = message.get("known", self._known)

    def work(self, job: dict[str, Any], write: Write) -> None:
        self._functions.renew()
        self._functions.start()
        (play,) = job["plays"]
        if play["change"]:
            change = Change(play["change"])
            imported = ChangedImport(change, Source.read(change.path), self._functions)
        try:
            subject = Subject(self._hello)
        except LoadError as error:
            write({"not_collected": 1, "message": str(error)})
            return
        write({"begun": True})
        player = Player(subject, None, self._functions)
        player.known = self._known
        player.play([self._scenarios[k] for k in play["items"]], write, draws=job["chance"], opened=None)
        if play["change"]:
            write({"imported": imported.used})


def serve(pipes: Pipes, hello: dict[str, Any], *, traces: bool) -> None:
    """Hold the app and serve jobs."""
    began = time.monotonic()
    recorder = functions = opened = live = None
    if traces:
        recorder = StatementRecorder(hello["sources"], hello["left_out"])
        opened = OpenedFiles(hello["root"], [*hello["left_out"], hello["state"]])
        opened.start()
        recorder.start(opened.paused)
    else:
        functions = FunctionRecorder(hello["sources"], hello["left_out"])
        functions.start()
    lines: dict[str, str] = {}
    try:
        # What hooks execute is not the app's: data are prepared without a mutant.
        subject = Subject(hello, lambda: lines.update(as_hex(recorder.take()) if recorder else {}))
    except LoadError as error:
        pipes.send({"failed": str(error), "code": error.code, "hint": error.hint, "python": platform.python_version()})
        return
    ready: dict[str, Any] = {
        "threads": [t.name for t in threading.enumerate() if t is not threading.main_thread()],
        "seconds": round(time.monotonic() - began, 3),
        "has_files": subject.has_files,
    }
    if recorder and opened:
        ready["lines"] = lines
        ready["unseen"] = recorder.unseen()
        ready["read"], ready["written"], ready["beyond"] = opened.take()
    if functions:
        ready["table"] = functions.take().get("table", [])
        live = LiveFunctions(hello["root"], hello["left_out"])
    pipes.send(ready)
    warm = _Warm(hello["scenarios"], subject, Player(subject, recorder, functions), live, opened)
    Forker(pipes, _Service(warm, recorder, functions), hello["workers"], hello["folder"], hello["memory"]).serve()


def _mute() -> None:
    """Leave out what is logged to the terminal: nobody reads it, and a traceback takes longer than a request."""
    emit = logging.StreamHandler.emit

    def emit_into_files(handler: Any, record: logging.LogRecord) -> None:
        if isinstance(handler, logging.FileHandler):
            emit(handler, record)

    handler: Any = logging.StreamHandler
    handler.emit = emit_into_files


def main(descriptors: list[int]) -> None:
    """Fork the two that hold the app, be the cold one."""
    serve_three(descriptors, _begin, _serve, _serve_cold)


def _begin(hello: dict[str, Any]) -> None:
    chance.install()
    _mute()


def _serve(pipes: Pipes, hello: dict[str, Any], traces: bool) -> None:
    _with_folder(hello, "trace" if traces else "warm")
    with contextlib.suppress(BrokenPipeError):
        serve(pipes, hello, traces=traces)


def _serve_cold(pipes: Pipes, hello: dict[str, Any]) -> None:
    _with_folder(hello, "cold")
    Forker(pipes, _Cold(hello), 1, hello["folder"], hello["memory"]).serve()


def _with_folder(hello: dict[str, Any], name: str) -> None:
    """Give a process a folder of its own for what the app keeps."""
    hello["state"] = os.path.join(hello["state"], name)
    os.makedirs(hello["state"], exist_ok=True)
    os.environ.update({k: v.replace("{state}", hello["state"]) for k, v in hello["environment"].items()})


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
