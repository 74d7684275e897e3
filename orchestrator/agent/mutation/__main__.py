"""The entry: three services in three processes, all forked here before anything of the user's is imported.

Usage: `python -m orchestrator_agent.mutation WARM-IN WARM-OUT TRACE-IN TRACE-OUT COLD-IN COLD-OUT`, inherited file
descriptors. The *warm* one collects the user's session, and its children swap code. The *trace* one collects
it with the source instrumented, and its children tell what each item reaches. The *cold* one has only pytest, and its
children import everything afresh.
"""

from __future__ import annotations

import contextlib
import platform
import sys
from typing import Any

import pytest

from .. import exchanges
from . import chance
from .forks import Forker, Pipes, Write, serve_three
from .lines import FunctionRecorder, OpenedFiles, StatementRecorder
from .seen import Seen
from .session import ColdSession, CollectedSession, Trace, preload


def main(descriptors: list[int]) -> None:
    """Fork the other services, be the cold one."""
    serve_three(descriptors, _begin, serve_collected, serve_cold)


def _begin(hello: dict[str, Any]) -> None:
    chance.install()
    exchanges.watch_imports()


def serve_collected(pipes: Pipes, hello: dict[str, Any], traces: bool) -> None:
    """Collect the user's session and serve jobs in it."""
    trace = functions = None
    if traces:
        recorder = StatementRecorder(hello["sources"], hello["left_out"])
        seen = Seen(recorder)
        opened = OpenedFiles(hello["root"], hello["left_out"])
        opened.start()
        recorder.start(opened.paused)
        trace = Trace(recorder, opened, seen)
    else:
        seen = Seen()
        functions = FunctionRecorder(hello["sources"], hello["left_out"])
        functions.start()
    session = CollectedSession(pipes, hello, trace, functions, seen)
    try:
        status = int(pytest.main([*hello["options"], *hello["paths"]], plugins=[session]))
        reason = f"pytest ended with {status} before it had collected"
    except BaseException as error:  # noqa: BLE001 - a conftest may raise anything
        status, reason = 3, f"{type(error).__name__}: {error}"
    with contextlib.suppress(OSError):
        pipes.send({"failed": reason, "status": status, "broken": session.broken, "python": platform.python_version()})


class _Cold:
    """What the cold service does for the driver: the first message says what the items are called."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._options, self._paths = hello["options"], hello["paths"]
        self._functions = FunctionRecorder(hello["sources"], hello["left_out"])
        self._names: list[str] = []
        self._seen = Seen()

    def prepare(self, message: dict[str, Any]) -> None:
        self._names.extend(message.get("names", ()))
        if "known" in message:
            self._seen.know(message["known"])
        preload(message.get("preload", ()))

    def work(self, job: dict[str, Any], write: Write) -> None:
        self._functions.renew()
        self._functions.start()
        ColdSession(job, self._names, write, self._functions, self._seen).run(self._options, self._paths)


def serve_cold(pipes: Pipes, hello: dict[str, Any]) -> None:
    """Serve jobs that have to import everything afresh."""
    Forker(pipes, _Cold(hello), hello["workers"], hello["folder"], hello["memory"]).serve()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
