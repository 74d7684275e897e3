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

_FUNCTION = 0x1  # CO_OPTIMIZED: a function's code has it, that of a module or a class has not
_TOOL = 3  # one of the two that Python gives to nobody: a profiler in the app keeps its own


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
        # By identity: equal functions of two files are equal. The code is kept, so that its identity stays its own.
        self._known: dict[int, tuple[CodeType, Place | None]] = {}
        self._reached: dict[tuple[str, str], set[Place]] = {}
        self._is_started = False

    def start(self) -> None:
        """Begin to watch function calls."""
        self._is_started = True
        if sys.version_info >= (3, 12):
            self._monitor()
        else:
            sys.settrace(self._trace)
            threading.settrace(self._trace)

    def take(self) -> dict[tuple[str, str], set[Place]]:
        """Return what each method and path reached since the last time this was asked."""
        with self._lock:
            taken, self._reached = self._reached, {}
            return taken

    @contextmanager
    def around(self, request: Request) -> Iterator[None]:
        """Record what runs inside the block for `request`."""
        if not self._is_started:
            yield
            return
        places: set[Place] = set()
        with self._lock:
            self._active.append(places)
        self._rearm()
        try:
            yield
        finally:
            with self._lock:
                self._active = [active for active in self._active if active is not places]
                self._reached.setdefault((request.method, request.path), set()).update(places)

    def _record(self, code: CodeType) -> None:
        if not self._active:
            return
        known = self._known.get(id(code))
        if known is None:
            known = self._known[id(code)] = (code, self._place(code))
        place = known[1]
        if place is not None:
            for active in self._active:
                active.add(place)

    def _place(self, code: CodeType) -> Place | None:
        if not code.co_flags & _FUNCTION or code.co_filename.startswith("<"):
            return None  # the body of a module or a class, or something made by `exec`
        if (code.co_name.startswith("<") and code.co_name != "<lambda>") or code.co_name == "__annotate__":
            return None  # a comprehension, or what Python makes of annotations
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
            monitoring.use_tool_id(_TOOL, "orchestrator")

            def on_start(code: CodeType, offset: int) -> Any:
                self._record(code)
                return monitoring.DISABLE

            monitoring.register_callback(_TOOL, monitoring.events.PY_START, on_start)
            monitoring.set_events(_TOOL, monitoring.events.PY_START)
