"""Begin with what the mutation stage needs while the project's own tests run, which keeps one core busy.

The tests are collected in the agent, as they would be later, and mutmut makes the mutants of what is critical. Nothing
is judged before the suite is known.
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
        self._session: Session | None = None
        self._making: Future[None] | None = None

    def begin(self, installed: Installed) -> None:
        """Begin, if there is a core for it and a session is wanted.

        Args:
            installed: What the user's interpreter has.
        """
        settings = self._project.settings.mutation
        wanted = settings.critical and not settings.dask and settings.mode != "fresh"
        if not wanted or (os.cpu_count() or 1) < 2:
            return
        with contextlib.suppress(OrchestratorError, OSError):  # the stage meets it again, and tells it
            self._session = self._started(installed)
        if not settings.quick:
            pool = self._stack.enter_context(ThreadPoolExecutor(1))
            self._making = pool.submit(self._make)

    def _started(self, installed: Installed, deselected: Sequence[str] = ()) -> Session:
        return self._stack.enter_context(
            session.started(self._project, installed, workers=self._workers, deselected=deselected)
        )

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
            deselected: Items that are not collected. The session that was begun has them, so it is no use if there are
                any.

        Raises:
            OrchestratorError: the tests can't be collected.
        """
        if self._session is None or deselected:
            self.close()
            self._session = self._started(installed, deselected)
        try:
            self._session.wait_until_collected(self._project.settings.tests.timeout)
            yield self._session
        finally:
            self.close()

    def close(self) -> None:
        """End what was begun."""
        self._session = None
        self._stack.close()
