"""The agent's entry: serve the user's app until the driver goes away.

Usage: `python -m orchestrator_agent INCOMING OUTGOING`, two inherited file descriptors.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import importlib.metadata
import os
import platform
import secrets
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import protocol, routes
from .control import Control, ControlServer
from .gateways import AsgiGateway, Gateway, Request, WsgiGateway
from .loading import LoadError, load_app
from .reach import ReachRecorder
from .server import AppServer

_GRACE = 3.0  # seconds that the app's shutdown may take once the driver is gone


class RemoteGateway:
    """Stands in when the API runs elsewhere: the hooks still run here, no request does."""

    def answer(self, request: Request) -> Any:
        """Never called: nothing is served."""
        raise NotImplementedError(request.target)

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable of a hook's."""
        return WsgiGateway(lambda *_: []).run(awaitable)

    def close(self) -> None:
        """Nothing was started."""


def main(incoming: int, outgoing: int) -> None:
    """Talk to the driver until it goes away."""
    for descriptor in (incoming, outgoing):
        os.set_inheritable(descriptor, False)  # what the app starts must not keep the driver waiting
    threading.Thread(target=_end_with_driver, args=(incoming,), name="watch", daemon=True).start()
    atexit.register(_end_group)  # first in, last out: after what the app registers
    channel = protocol.Channel(incoming, outgoing)
    hello = channel.receive()
    if hello is None:
        return
    if hello["version"] != protocol.VERSION:
        channel.send({"answer": "failed", "code": "QO900", "message": "driver and agent are of two versions"})
        return
    try:
        serving = Serving(hello)
    except LoadError as error:
        channel.send(_failed(error))
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver must hear of it
        channel.send(_failed(LoadError("QO900", f"{type(error).__name__}: {error}", "", traceback.format_exc())))
        return
    channel.send({"answer": "ready", **serving.ready()})
    while (message := channel.receive()) is not None:
        channel.send({"answer": message["ask"], **serving.answer(message["ask"])})
    serving.close()
    channel.close()


def _end_with_driver(incoming: int) -> None:
    """End this process for certain when the driver is gone, also where the app's code does not return."""
    poller = select.poll()
    poller.register(incoming, 0)  # the end of the pipe is told without being asked for
    while not any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poller.poll()):
        """Something else woke us."""
    time.sleep(_GRACE)
    _end_group()
    os._exit(1)


def _end_group() -> None:
    """End what the app started and left running, as far as it is of our process group."""
    if os.getpgrp() == os.getpid():  # else it is not ours
        with contextlib.suppress(ValueError):  # not the main thread: it ends at once anyway
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.killpg(os.getpgrp(), signal.SIGTERM)


def _failed(error: LoadError) -> dict[str, Any]:
    return {
        "answer": "failed",
        "code": error.code,
        "message": str(error),
        "hint": error.hint,
        "detail": error.detail,
    }


class Serving:
    """The user's app on a loopback port, with its hooks beside it.

    Raises:
        LoadError: the user's code can't be used.
    """

    def __init__(self, hello: dict[str, Any]) -> None:
        sys.path[:0] = hello["import_paths"]
        self._recorder = ReachRecorder(hello["source"])
        if hello["reach"]:
            self._recorder.start()
        app: Any = None
        gateway: Gateway = RemoteGateway()
        if hello["app"]["target"]:
            app, interface = load_app(hello["app"])
            gateway = AsgiGateway(app, hello["app"]["start_timeout"]) if interface == "asgi" else WsgiGateway(app)
        self._app = app
        self._gateway = gateway
        self._played: list[dict[str, Any]] = []  # provider states and requests, while they are recorded
        self._records = False
        self._control = Control(hello, app, gateway.run, self._note)
        if hello["app"]["prepare"]:
            self._control.prepare(hello["app"]["prepare"])
        self._server = AppServer(gateway, self._around)
        self._server.start()
        self._control_server = ControlServer(self._control, secrets.token_urlsafe(16))
        self._control_server.start()

    @contextmanager
    def _around(self, request: Request) -> Iterator[None]:
        self._control.touched()
        self._note(
            {
                "method": request.method,
                "target": request.target,
                "headers": request.headers,
                "body": base64.b64encode(request.body).decode(),
                "mark": request.mark,
            }
        )
        with self._recorder.around(request):
            yield

    def _note(self, step: dict[str, Any]) -> None:
        if self._records:
            self._played.append(step)

    def ready(self) -> dict[str, Any]:
        """Return where the app and its hooks are, and what runs here."""
        versions = {}
        for name in _TOLD:
            with contextlib.suppress(Exception):  # it is not there, or what is there of it is broken
                versions[name] = importlib.metadata.version(name)
        return {
            "url": self._server.url,
            "control": self._control_server.url,
            "python": platform.python_version(),
            "versions": versions,
        }

    def answer(self, question: str) -> dict[str, Any]:
        """Answer one question of the driver's."""
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "reach": self._reached,
            "states": lambda: {"failures": self._control.take_failures(), "hung": self._control.has_hung},
            "reset": self._control.reset,
            "routes": lambda: {"routes": routes.routes(self._app)},
            "credentials": lambda: {"credentials": self._control.credentials},
            "record": lambda: self._recorded(goes_on=True),
            "played": lambda: self._recorded(goes_on=False),
        }
        return answers[question]() if question in answers else {"error": f"unknown question {question!r}"}

    def _reached(self) -> dict[str, Any]:
        reached = [
            {"method": method, "path": path, "places": sorted(places)}
            for (method, path), places in self._recorder.take().items()
        ]
        return {"reached": reached}

    def _recorded(self, *, goes_on: bool) -> dict[str, Any]:
        self._records = goes_on
        played, self._played = self._played, []
        return {"played": played}

    def close(self) -> None:
        """Let the app shut down."""
        self._server.shutdown()
        self._gateway.close()


_TOLD = (
    "flask",
    "fastapi",
    "django",
    "starlette",
    "djangorestframework",
    "pytest",
    "mutmut",
    "coverage",
    "pytest-xdist",
)

if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
