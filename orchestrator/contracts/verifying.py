"""Verify several pacts against one running app: those that change nothing at the same time, the others in turn.

What does not hold beside others is verified again by itself: not every app is made for requests that overlap.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

from orchestrator.adapters import pact
from orchestrator.adapters.agent import Agent
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project
from orchestrator.errors import OrchestratorError
from orchestrator.model.contracts import Interaction, Verification

_MOST: Final = 8  # pacts at a time
_LEAST: Final = 0.1  # seconds that a pact is given when there is no time left: then it is said that it was not verified


class _Stopped(Exception):  # noqa: N818 - nothing is wrong: nobody waits for the result any more
    pass


class Verifying:
    """Verifies pacts.

    Args:
        project: Whose.
        pacts: In the order of the results.
        app: Returns the running app, started again if it has died.
        document: To tell which operation each interaction uses.
        deadline: When to end, by the monotonic clock.
        watch: Told how many interactions are done, of how many.

    Attributes:
        deadline: When to end.
        played: What the app was asked, by the pacts' files as they are told.
    """

    def __init__(
        self,
        project: Project,
        pacts: Sequence[Pact],
        *,
        app: Callable[[], Agent],
        document: Document | None,
        deadline: float,
        watch: Callable[[int, int], None],
    ) -> None:
        self.deadline = deadline
        self.played: dict[str, list[dict[str, Any]]] = {}
        self._project = project
        self._pacts = pacts
        self._app = app
        self._document = document
        self._watch = watch
        self._found: dict[Path, tuple[Interaction, ...]] = {}

    @property
    def interactions(self) -> list[Interaction]:
        """The results so far."""
        return [interaction for one in self._pacts for interaction in self._found.get(one.file, ())]

    def run(self) -> None:
        """Verify all of them.

        Raises:
            OrchestratorError: the app can't be started, died, or can't be reset.
        """
        self._tell()
        reading = [one for one in self._pacts if one.changes_nothing]
        if len(reading) > 1:
            self._beside_each_other(reading)
        for one in self._pacts:
            if one.file not in self._found:
                self._alone(one)

    def _alone(self, one: Pact) -> None:
        app = self._app()
        app.reset()
        app.record()
        self._found[one.file] = self._verified(one, app)
        self.played[pact.told(one.file, self._project.root)] = app.played()
        self._tell()

    def _beside_each_other(self, pacts: Sequence[Pact]) -> None:
        """Verify pacts at the same time, and keep the results of those that hold."""
        app = self._app()
        app.reset()
        app.record()
        stop = threading.Event()

        def watch() -> None:
            if stop.is_set():
                raise _Stopped

        with ThreadPoolExecutor(max(2, min(os.cpu_count() or 1, _MOST))) as pool:
            going = {
                pool.submit(self._verified, one, app, mark=str(k), watch=watch): one
                for k, one in enumerate(pacts, start=1)
            }
            try:
                for ended in as_completed(going):
                    if isinstance(ended.exception(), OrchestratorError):
                        continue  # of the app that died it is told where its pact is verified by itself
                    found = ended.result()
                    if all(interaction.result is Verification.VERIFIED for interaction in found):
                        self._found[going[ended].file] = found
                    self._tell()
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        steps = app.played() if app.is_alive else []
        for k, one in enumerate(pacts, start=1):
            if one.file in self._found:
                of_it = [step for step in steps if step["mark"] == str(k)]
                self.played[pact.told(one.file, self._project.root)] = of_it

    def _verified(
        self, one: Pact, app: Agent, *, mark: str = "", watch: Callable[[], None] | None = None
    ) -> tuple[Interaction, ...]:
        left = max(_LEAST, self.deadline - time.monotonic())
        return pact.verify(one, app, self._project, self._document, timeout=left, mark=mark, watch=watch)

    def _tell(self) -> None:
        self._watch(len(self.interactions), sum(len(one.interactions) for one in self._pacts))
