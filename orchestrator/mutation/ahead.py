"""Begin with what the mutation stage needs while stages before it run, which keep one core busy.

The tests are collected in the agent, as they would be later, and mutmut makes the mutants of what is critical: while
the project's own tests run one after the other, or else when it is known which of them are red. No test is run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from orchestrator.adapters import session
from orchestrator.adapters.pytest import Installed
from orchestrator.adapters.session import Session
from orchestrator.config import Project
from orchestrator.errors import OrchestratorError
from orchestrator.mutation import candidates, critical


class Ahead:
    """What has been begun for the mutants of a project; to be closed, whether it was used or not."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._workers = project.settings.mutation.processes
        self._stack = contextlib.ExitStack()
        self._sessions = contextlib.ExitStack()  # of one session
        self._session: Session | None = None
        self._deselected: tuple[str, ...] = ()
        self._making: Future[None] | None = None

    def begin(self, installed: Installed, deselected: Sequence[str] = ()) -> None:
        """Begin, if there is a core for it and a session is wanted; once more when other tests are to be left out.

        Args:
            installed: What the user's interpreter has.
            deselected: Items that are not collected.
        """
        settings = self._project.settings.mutation
        wanted = settings.critical and not settings.dask and settings.mode != "fresh"
        if not wanted or (os.cpu_count() or 1) < 2:
            return
        if self._session is None or self._deselected != tuple(deselected):
            with contextlib.suppress(OrchestratorError, OSError):  # the stage meets it again, and tells it
                self._start(installed, deselected)
        if self._making is None and not settings.quick:
            pool = self._stack.enter_context(ThreadPoolExecutor(1))
            self._making = pool.submit(self._make)

    def _start(self, installed: Installed, deselected: Sequence[str]) -> Session:
        """Begin a session, in the place of one that has other tests."""
        self._end_session()
        self._deselected = tuple(deselected)
        self._session = self._sessions.enter_context(
            session.started(self._project, installed, workers=self._workers, deselected=deselected)
        )
        return self._session

    def _end_session(self) -> None:
        self._session = None
        self._sessions.close()

    def _make(self) -> None:
        with contextlib.suppress(OrchestratorError):
            candidates.make(self._project, critical.select(self._project, None), workers=self._workers)

    def wait_for_mutants(self) -> None:
        """Wait until the mutants that were begun with are made."""
        if self._making is not None:
            self._making.result()

    @contextlib.contextmanager
    def session(self, installed: Installed, deselected: Sequence[str]) -> Iterator[Session]:
        """Give the collected session, and end it when the block is left.

        Args:
            installed: What the user's interpreter has.
            deselected: Items that are not collected; a session that was begun without them is used.

        Raises:
            OrchestratorError: the tests can't be collected.
        """
        running = self._session
        if running is None or self._deselected != tuple(deselected):
            running = self._start(installed, deselected)
        try:
            running.wait_until_collected(self._project.settings.tests.timeout)
            yield running
        finally:
            self.close()

    def close(self) -> None:
        """End what was begun."""
        self._end_session()
        self._stack.close()
