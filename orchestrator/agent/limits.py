"""Call a hook of the user's for so long and no longer: one that hangs is left behind."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .loading import LoadError

T = TypeVar("T")


class LeftError(BaseException):
    """A hook that was left behind has come to its end after all: what would follow it is not wanted any more."""


class Hooks:
    """Calls hooks one after the other in one thread, as connections to databases belong to the thread that made them.

    Args:
        timeout: Seconds that one call may take; None: any, and hooks are called in the thread of the caller.
    """

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] | None = None
        self._thread: threading.Thread | None = None
        self._left: list[threading.Thread] = []

    def call(self, hook: Callable[[], T]) -> T:
        """Return what a hook returns.

        Raises:
            LoadError: it did not come to its end.
            BaseException: the hook's.
        """
        if self._timeout is None:
            return hook()
        if self._asked is None or self._thread is None:
            self._asked = queue.SimpleQueue()
            self._thread = threading.Thread(target=_serve, args=(self._asked,), name="hooks", daemon=True)
            self._thread.start()
        ended: queue.SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = queue.SimpleQueue()
        self._asked.put((hook, ended))
        try:
            returned, error = ended.get(timeout=self._timeout)
        except queue.Empty:
            self._left.append(self._thread)
            self._asked = None  # the next one is called in another thread
            raise LoadError("QO504", f"it did not come to its end within {self._timeout:g} s") from None
        if error is not None:
            raise error
        return returned  # type: ignore[return-value] # None only if the hook returns it

    @property
    def has_left(self) -> bool:
        """Whether a hook was left behind. It can't be ended: Python has no safe way to stop a thread."""
        return bool(self._left)

    def go_on(self) -> None:
        """Say that a hook has come to its end and something else follows.

        Raises:
            LeftError: too late.
        """
        if threading.current_thread() in self._left:
            raise LeftError


def _serve(asked: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]]) -> None:
    with contextlib.suppress(LeftError):
        while True:
            hook, ended = asked.get()
            try:
                ended.put((hook(), None))
            except LeftError:
                raise
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                ended.put((None, error))
