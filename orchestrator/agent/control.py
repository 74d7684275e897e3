"""What tests may ask of the running app from outside: reset, a provider state, an identity.

It listens on a loopback port of its own, under a path that only the driver knows, so that the API under test
has no endpoint that its users don't have.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import secrets
import subprocess
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from .limits import Hooks
from .loading import LoadError, call_hook, resolve
from .messages import Message, made

_COMMAND_TIMEOUT = 60
_ROOM = 8  # file descriptors that must be free to go on
_PATIENCE = 5.0  # seconds that a hook of the user's is waited for by those that come after it


class Control:
    """The user's hooks, callable from several threads; one call at a time.

    Attributes:
        failures: Provider states that failed: state, parameters, error.
        credentials: Every credential that was given out, for the driver to redact, with the identity it is of.

    Args:
        hello: What the driver said first.
        app: The user's app.
        run: How to await what a hook returns.
        note: Told of each provider state that was set up.
    """

    def __init__(
        self,
        hello: dict[str, Any],
        app: Any,
        run: Callable[[Any], Any],
        note: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self._note = note
        self._app = app
        self._run = run
        self._lock = threading.RLock()
        self._reset: Callable[..., Any] | None = None
        if hello["app"]["reset"]:
            self._reset = resolve(hello["app"]["reset"], "app.reset")
        self._states_target: str = hello["states"]
        self._messages_target: str = hello.get("messages", "")
        self._open: list[tuple[str, dict[str, Any], Generator[Any, Any, Any]]] = []  # states with a tear-down to come
        self._identities = {identity["name"]: identity for identity in hello["identities"]}
        self._touched = False
        self._tearing: tuple[str, dict[str, Any]] | None = None  # the state whose tear-down runs
        self._hooks = Hooks(hello.get("hook_timeout"))
        self._journal: str = hello.get("journal", "")
        self.failures: list[dict[str, Any]] = []
        self.credentials: dict[str, str] = {}

    def touched(self) -> None:
        """Note that the app served a request since the last reset."""
        self._touched = True

    def prepare(self, target: str) -> None:
        """Run the prepare hook.

        Raises:
            LoadError: it failed.
        """
        function = resolve(target, "app.prepare")
        try:
            call_hook(function, self._app, self._run)
        except BaseException as error:
            raise LoadError(
                "QO204",
                f"`app.prepare` = {target!r} failed: {type(error).__name__}: {error}",
                "Call it by hand in the environment of `app.environment`.",
                traceback.format_exc(),
            ) from error

    def reset(self) -> dict[str, Any]:
        """Run the reset hook; an error is an answer."""
        with self._free() as is_free:
            if not is_free:
                return {"done": False, "error": "a provider state, or another hook, has not come to its end"}
            self._tear_down()
            return self._reset_data()

    def _reset_data(self) -> dict[str, Any]:
        if self._reset is None:
            return {"done": False}
        self._touched = False
        try:
            call_hook(self._reset, self._app, self._run)
        except BaseException as error:  # noqa: BLE001 - the user's hook may raise anything; the caller is told
            traceback.print_exc()
            self._touched = True
            return {"done": False, "error": f"{type(error).__name__}: {error}"}
        return {"done": True}

    def state(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Set a provider state up, from freshly reset data, and return the values it gives.

        A failure is recorded and never raised: the Pact core would wait two minutes for each. A state that hangs
        fails when its time is up, and is left behind.
        """
        with self._lock:
            try:
                returned = self._hooks.call(lambda: self._set_up(name, parameters))
            except BaseException as error:  # noqa: BLE001 - the user's state may raise anything
                self._hung_tear_down(error)
                self._failed(name, parameters, error)
                return {}
            self._note({"state": name, "params": parameters, "returned": returned})
            return returned

    def _set_up(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._touched:
            self._tear_down()
            error = self._reset_data().get("error")
            self._hooks.go_on()
            if error:
                raise LoadError("QO204", f"`app.reset` failed before the state: {error}")
        return self.set_state(name, parameters) if name else {}  # how the Pact core asks for no state

    def _hung_tear_down(self, error: BaseException) -> None:
        """Record that the tear-down of an earlier state is what hangs, if it is."""
        if self._tearing is not None:
            self._failed(*self._tearing, error)
            self._tearing = None

    def message(self, name: str) -> Message | None:
        """Return a message; None: it can't be made, which is recorded."""
        with self._lock:
            try:
                return self._hooks.call(lambda: made(self._messages_target, name, self._app, self._run))
            except BaseException as error:  # noqa: BLE001 - the user's callable may raise anything
                self._failed("", {}, error, message=name)
                return None

    def _failed(self, name: str, parameters: dict[str, Any], error: BaseException, *, message: str = "") -> None:
        traceback.print_exception(error)
        known = isinstance(error, LoadError)
        told = {
            "state": name,
            "parameters": parameters,
            "message": message,
            "code": getattr(error, "code", "QO504") if known else "QO504",
            "error": str(error) if known else f"{type(error).__name__}: {error}",
        }
        self.failures.append(told)
        if self._journal:  # the driver has to know of it also if this process dies before it is asked
            with suppress(OSError), open(self._journal, "a", encoding="ascii") as file:
                file.write(json.dumps(told, default=str) + "\n")

    def take_failures(self) -> list[dict[str, Any]]:
        """Return what has failed since this was asked last; states are torn down before, for that may fail too."""
        with self._free() as is_free:
            if is_free:  # else one of the user's hooks hangs, and what it would leave to tear down is not known
                self._tear_down_in_time()
            failures, self.failures = self.failures, []
            if self._journal:
                with suppress(OSError):
                    os.truncate(self._journal, 0)
            return failures

    @property
    def has_hung(self) -> bool:
        """Whether a hook was left behind, because its time was up."""
        return self._hooks.has_left

    def tear_down(self) -> None:
        """Let the states that are set up clean up behind them, the last one first; failures are recorded."""
        with self._free() as is_free:
            if is_free:
                self._tear_down_in_time()

    def _tear_down_in_time(self) -> None:
        try:
            self._hooks.call(self._tear_down)
        except LoadError as error:
            self._hung_tear_down(error)

    @contextmanager
    def _free(self) -> Iterator[bool]:
        """Wait until no hook of the user's runs, but not for one that hangs; say whether none does."""
        is_free = self._lock.acquire(timeout=_PATIENCE)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    def _tear_down(self) -> None:
        while self._open:
            name, parameters, rest = self._open.pop()
            self._tearing = name, parameters
            try:
                next(rest)
            except StopIteration:
                self._hooks.go_on()
                continue
            except BaseException as error:  # noqa: BLE001 - the user's state may raise anything
                self._failed(name, parameters, error)
                continue
            rest.close()
            self._failed(name, parameters, RuntimeError("a provider state may yield only once"))
        self._tearing = None

    def set_state(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Set a provider state up on the data as they are, and return the values it gives.

        Raises:
            LoadError: it is not known.
            BaseException: the user's.
        """
        if not self._states_target:
            raise LoadError("QO503", f"unknown provider state {name!r}: `contracts.states` is not set")
        before, opened = _surroundings(), len(self._open)
        try:
            return self._set(name, parameters)
        finally:
            changed = _changes(before, _surroundings())
            if changed:  # below what the state itself has to tear down, which may need them as they are now
                self._open.insert(opened, (name, parameters, _put_back(changed)))

    def _set(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        states = resolve(self._states_target, "contracts.states")
        if hasattr(states, "keys"):
            if name not in states:
                known = ", ".join(repr(s) for s in sorted(map(str, states.keys())))
                raise LoadError("QO503", f"unknown provider state {name!r}; {self._states_target} has {known}")
            result = call_hook(states[name], self._app, self._run, **parameters)
        else:
            result = call_hook(states, self._app, self._run, state=name, parameters=parameters)
        if inspect.isgenerator(result):  # what follows its `yield` is the tear-down
            rest, result = result, next(result)
            self._open.append((name, parameters, rest))
        return _plain(result) if isinstance(result, dict) else {}

    def identity(self, name: str) -> dict[str, Any]:
        """Return an identity's header, its credential minted now.

        Raises:
            LoadError: there is no such identity, or it can't be minted.
        """
        credential = self.credential(name)
        identity = self._identities[name]
        return {"header": identity["header"], "value": identity["format"].replace("{value}", credential)}

    def credential(self, name: str) -> str:
        """Return an identity's credential, minted now.

        Raises:
            LoadError: there is no such identity, or it can't be minted.
        """
        if name not in self._identities:
            raise LoadError("QO207", f"no identity is called {name!r}")
        with self._lock:
            identity = self._identities[name]
            try:
                credential = self._mint(identity)
            except BaseException as error:
                if isinstance(error, LoadError) and error.code == "QO207":
                    raise
                raise LoadError(
                    "QO207",
                    f"identity {name!r} can't be minted: {type(error).__name__}: {error}",
                    "Run its command, or call its callable, by hand.",
                    traceback.format_exc(),
                ) from error
            self.credentials[credential] = name
            return credential

    def _mint(self, identity: dict[str, Any]) -> str:
        if identity["environment"]:
            credential = os.environ.get(identity["environment"], "")
            if not credential:
                raise LoadError(
                    "QO207",
                    f"identity {identity['name']!r}: the environment variable {identity['environment']} is not set",
                    "Set it, or give it a value under `app.environment`.",
                )
            return credential
        if identity["command"]:
            done = subprocess.run(
                identity["command"], capture_output=True, text=True, timeout=_COMMAND_TIMEOUT, check=False
            )
            if done.returncode or not done.stdout.strip():
                raise LoadError(
                    "QO207",
                    f"identity {identity['name']!r}: its command ended with {done.returncode}",
                    "Run it by hand: it must print the credential.",
                    done.stderr[-2000:],
                )
            return done.stdout.strip()
        minted = call_hook(resolve(identity["callable"], "identities.callable"), self._app, self._run)
        credential = minted.decode() if isinstance(minted, bytes) else str(minted or "")
        if not credential:
            raise LoadError(
                "QO207",
                f"identity {identity['name']!r}: {identity['callable']} returned {minted!r}",
                "It must return the credential.",
            )
        return credential


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` as JSON holds them.

    Raises:
        Exception: JSON can't hold them.
    """
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str, allow_nan=False))
    return plain


def _has_room() -> bool:
    """Whether connections can still be taken: a state that leaks file descriptors may have left none."""
    taken: list[int] = []
    try:
        for _ in range(_ROOM):
            taken.append(os.dup(0))  # noqa: PERF401 - those taken until it fails have to be known
    except OSError as error:
        return error.errno != errno.EMFILE
    finally:
        for descriptor in taken:
            os.close(descriptor)
    return True


_FOLDER = "="  # stands for the working directory: no variable has such a name


def _surroundings() -> dict[str, str]:
    """Return what a state may change for the whole process: environment variables and working directory."""
    folder = ""
    with suppress(OSError):  # it was removed
        folder = os.getcwd()
    return {**os.environ, _FOLDER: folder}


def _changes(before: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    """Return what has to be set again, and to what; None: it was not there."""
    return {name: before.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _put_back(changed: dict[str, str | None]) -> Generator[None, None, None]:
    """Put surroundings back as they were, when it is asked to go on: as the tear-down of a state is."""
    for name, value in changed.items():
        if name == _FOLDER:
            os.chdir(value or "/")
        elif value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    yield from ()


class ControlServer(ThreadingHTTPServer):
    """Serves a `Control` under `/TOKEN/…`: JSON in, JSON out."""

    daemon_threads = True

    def __init__(self, control: Control, token: str) -> None:
        self.control = control
        self.token = token
        super().__init__(("127.0.0.1", 0), _ControlHandler)

    @property
    def url(self) -> str:
        """Where it listens, with the token, without a final slash."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="control", daemon=True).start()


class _ControlHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet: apart, each answer waits 40 ms for an acknowledgement
    server: ControlServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one request."""
        _, token, action, *rest = [*self.path.split("/"), "", ""]
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,9}", length):
            self.close_connection = True
            self._answer(400, {"error": "bad Content-Length"})
            return
        body = self.rfile.read(int(length))
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._answer(404, {"error": "unknown"})
            return
        control = self.server.control
        if action == "reset":
            self._answer(200, control.reset())
        elif action == "state":
            try:
                asked = json.loads(body or b"{}")
                name, parameters = str(asked.get("state", "")), dict(asked.get("params") or {})
            except (AttributeError, TypeError, ValueError):
                self._answer(400, {"error": "a state is asked for with a JSON object"})
                return
            self._answer(200, control.state(name, parameters))
        elif action == "failures":
            self._answer(200, {"failures": control.take_failures(), "fit": _has_room()})
        elif action == "message":
            self._answer_message(body)
        elif action == "identity":
            try:
                self._answer(200, control.identity(unquote(rest[0])))
            except LoadError as error:
                self._answer(500, {"code": error.code, "error": str(error), "hint": error.hint})
        else:
            self._answer(404, {"error": "unknown"})

    def _answer_message(self, body: bytes) -> None:
        try:
            name = str(json.loads(body or b"{}").get("description", ""))
        except (AttributeError, ValueError):
            self._answer(400, {"error": "a message is asked for with a JSON object"})
            return
        message = self.server.control.message(name)
        if message is None:
            self._answer(500, {"error": "it can't be made"})
        else:
            self._send(200, message.headers, message.contents)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(value, default=str).encode())

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
