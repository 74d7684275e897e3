"""Which functions of the user's source run while a request is served."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from .gateways import Request

# A function: its file, and the line where it (or its first decorator) begins.
Place = tuple[str, int]


class ReachRecorder:
    """Records reach per request; started before the app is imported, so that every thread is seen.

    Requests that overlap are each given what runs meanwhile: too much rather than too little.

    Args:
        sources: Absolute folders and files of the user's source.
    """

    def __init__(self, sources: list[str]) -> None:
        self._files = tuple(os.path.realpath(s) for s in sources)
        self._folders = tuple(os.path.join(s, "") for s in self._files)
        self._active: list[set[Place]] = []
        self._lock = threading.Lock()
        self._known: dict[CodeType, Place | None] = {}
        self.reached: dict[tuple[str, str], set[Place]] = {}

    def start(self) -> None:
        """Begin to watch function calls."""
        if sys.version_info >= (3, 12):
            self._monitor()
        else:
            sys.settrace(self._trace)
            threading.settrace(self._trace)

    @contextmanager
    def around(self, request: Request) -> Iterator[None]:
        """Record what runs inside the block for `request`."""
        places: set[Place] = set()
        with self._lock:
            self._active.append(places)
        self._rearm()
        try:
            yield
        finally:
            with self._lock:
                self._active = [active for active in self._active if active is not places]
                self.reached.setdefault((request.method, request.path), set()).update(places)

    def _record(self, code: CodeType) -> None:
        if not self._active:
            return
        try:
            place = self._known[code]
        except KeyError:
            place = self._known[code] = self._place(code)
        if place is not None:
            for active in self._active:
                active.add(place)

    def _place(self, code: CodeType) -> Place | None:
        if code.co_name.startswith("<") and code.co_name != "<lambda>":
            return None  # a module body or a comprehension
        path = os.path.realpath(code.co_filename)
        if path in self._files or path.startswith(self._folders):
            return path, code.co_firstlineno
        return None

    def _trace(self, frame: FrameType, event: str, argument: Any) -> None:
        self._record(frame.f_code)

    def _rearm(self) -> None:
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()  # each function is reported once a request: nearly free

    if sys.version_info >= (3, 12):

        def _monitor(self) -> None:
            monitoring = sys.monitoring
            monitoring.use_tool_id(monitoring.PROFILER_ID, "orchestrator")

            def on_start(code: CodeType, offset: int) -> Any:
                self._record(code)
                return monitoring.DISABLE

            monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, on_start)
            monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
