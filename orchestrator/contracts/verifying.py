"""Verify several pacts against one running app: those that change nothing at the same time, the others in turn.

What does not hold beside others is verified again by itself: not every app is made for requests that overlap. An app
that dies, or has hung, is started anew for the next pact. If that is not possible, the rest is not run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

from orchestrator.adapters import pact, source
from orchestrator.adapters.agent import Agent
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project
from orchestrator.errors import OrchestratorError
from orchestrator.model.contracts import Interaction, Verification

_MOST: Final = 8  # pacts at a time


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
        fault: Why the app was gone for some of the interactions; None: it was not.
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
        self.fault: OrchestratorError | None = None
        self._stopped = ""  # why nothing is verified any more
        self._project = project
        self._pacts = pacts
        self._app = app
        self._document = document
        self._watch = watch
        self._found: dict[Path, tuple[Interaction, ...]] = {}
        self._beside: dict[Path, tuple[Interaction, ...]] = {}  # what did not hold beside others

    @property
    def interactions(self) -> list[Interaction]:
        """The results so far."""
        return [interaction for one in self._pacts for interaction in self._found.get(one.file, ())]

    def run(self) -> None:
        """Verify all of them."""
        self._tell()
        reading = [one for one in self._pacts if one.changes_nothing]
        if len(reading) > 1:
            self._beside_each_other(reading)
        for one in self._pacts:
            if one.file not in self._found:
                self._found[one.file] = self._alone(one)
                self._tell()

    def _alone(self, one: Pact) -> tuple[Interaction, ...]:
        if time.monotonic() >= self.deadline:
            self._stopped = self._stopped or pact.TIME_IS_UP
        try:
            if not self._stopped:
                app = self._ready_app()
                found, gone = self._verified(one, app)
                self.fault = self.fault or gone
                if app.has_hung:
                    app.end()
                elif app.is_alive:
                    self.played[source.relative(one.file, self._project.root)] = app.played()
                return found
        except OrchestratorError as error:
            self.fault, self._stopped = self.fault or error, pact.reason(error)
        if one.file in self._beside:
            return self._beside[one.file]
        return pact.interpret(one, {"error": self._stopped}, (), self._document, root=self._project.root)

    def _beside_each_other(self, pacts: Sequence[Pact]) -> None:
        """Verify pacts at the same time, and keep the results of those that hold."""
        stop = threading.Event()

        def watch() -> None:
            if stop.is_set():
                raise _Stopped

        try:
            app = self._ready_app()
        except OrchestratorError:
            return  # it is told where the first of them is verified by itself
        with ThreadPoolExecutor(max(2, min(os.cpu_count() or 1, _MOST))) as pool:
            going = {
                pool.submit(self._verified, one, app, mark=str(k), watch=watch): one
                for k, one in enumerate(pacts, start=1)
            }
            try:
                for ended in as_completed(going):
                    if isinstance(ended.exception(), OrchestratorError):
                        continue  # likewise
                    found, gone = ended.result()
                    self.fault = self.fault or gone
                    holds = all(interaction.result is Verification.VERIFIED for interaction in found)
                    (self._found if holds else self._beside)[going[ended].file] = found
                    self._tell()
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        steps = app.played() if app.is_alive else []
        for k, one in enumerate(pacts, start=1):
            if one.file in self._found:
                of_it = [step for step in steps if step["mark"] == str(k)]
                self.played[source.relative(one.file, self._project.root)] = of_it

    def _ready_app(self) -> Agent:
        """Return the running app, brought back to its start, that notes what it is asked from now on."""
        app = self._app()
        app.reset()
        app.record()
        return app

    def _verified(
        self, one: Pact, app: Agent, *, mark: str = "", watch: Callable[[], None] = lambda: None
    ) -> tuple[tuple[Interaction, ...], OrchestratorError | None]:
        left = max(0.0, self.deadline - time.monotonic())
        return pact.verify(one, app, self._project, self._document, timeout=left, mark=mark, watch=watch)

    def _tell(self) -> None:
        self._watch(len(self.interactions), sum(len(one.interactions) for one in self._pacts))
