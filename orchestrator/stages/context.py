"""What the stages of one run share: the settings, the running app, the document, earlier results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Self

from orchestrator.adapters import agent, openapi, pytest
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.problem import Problem
from orchestrator.model.run import D
from orchestrator.model.stage import StageData, StageResult, StageStatus
from orchestrator.mutation.ahead import Ahead
from orchestrator.progress import Teller


class Interrupted(Exception):  # noqa: N818 - not an error: the user's wish
    """Ctrl-C, with what the stage knew by then."""

    def __init__(self, data: StageData | None, summary: str = "") -> None:
        super().__init__(summary)
        self.data = data
        self.summary = summary


class Context:
    """What a stage may use. The app is started when the first stage asks for it, and again when it has died."""

    def __init__(
        self,
        project: Project,
        teller: Teller,
        asked: Collection[str] = (),
        planned: Collection[str] = (),
        since: str = "",
    ) -> None:
        self.since = since  # the commit of the run that this one is compared with; empty: none
        self._asked = asked
        self._planned = planned
        self.ahead = Ahead(project)
        self.project = project
        self.teller = teller
        self.results: dict[str, StageResult] = {}
        self._stack = contextlib.ExitStack()
        self._app: agent.Agent | None = None
        self._document: openapi.Document | None = None
        self._installed: pytest.Installed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self.ahead.close()

    def app(self) -> agent.Agent:
        """Return the running app.

        Raises:
            OrchestratorError: it can't be started.
        """
        if self._app is None or not self._app.is_alive:
            self._stack.close()
            self._app = self._stack.enter_context(agent.running(self.project, reach=self.wants_reach))
        return self._app

    @property
    def started_app(self) -> agent.Agent | None:
        """The running app, if a stage asked for it."""
        return self._app

    @property
    def wants_reach(self) -> bool:
        """Whether to record what each request executes: it costs a little."""
        return bool(self.project.settings.mutation.critical and self.project.settings.app.target)

    def document(self) -> openapi.Document:
        """Return the OpenAPI document.

        Raises:
            OrchestratorError: there is none, or it can't be read.
        """
        if self._document is None:
            settings = self.project.settings.openapi
            if not settings.path:
                raise OrchestratorError(
                    Code.DOCUMENT_MISSING,
                    f"{self.project.file.name}: `openapi.path` is not set",
                    hint="Name the OpenAPI document's file, or a path of the app that serves it (`/openapi.json`).",
                )
            beside = None
            if settings.path.startswith("/"):
                data = openapi.fetch(self.app().url + settings.path, settings.path)
            else:
                file = self.project.root / settings.path
                data, beside = openapi.read_file(file, settings.path), openapi.beside(file, self.project.root)
            self._document = openapi.parse(
                data, settings.path, base_path=settings.base_path, exclude=settings.exclude, beside=beside
            )
        return self._document

    def document_or_none(self) -> openapi.Document | None:
        """Return the OpenAPI document if there is a good one: some stages only use it to name operations."""
        with contextlib.suppress(OrchestratorError):
            return self.document()
        return None

    def is_only_needed(self, name: str) -> bool:
        """Whether nobody asked for a stage: others need its result."""
        return bool(self._asked) and name not in self._asked

    @property
    def plans_mutation(self) -> bool:
        """Whether mutants will be judged in this run."""
        return "mutation" in self._planned

    @property
    def plans_replays(self) -> bool:
        """Whether what is asked of the app may be asked again under mutants."""
        return self.wants_reach and "property" in self.project.settings.mutation.layers

    def installed(self) -> pytest.Installed:
        """Return which tools the user's interpreter has."""
        if self._installed is None:
            self._installed = pytest.installed(self.project)
        return self._installed

    def data(self, kind: type[D]) -> D | None:
        """Return what an earlier stage of this run found; None: it did not."""
        return next((r.data for r in self.results.values() if isinstance(r.data, kind)), None)


def completed(
    name: str, data: StageData | None, summary: str, *notices: Problem, error: OrchestratorError | None = None
) -> StageResult:
    """Return the result of a stage that ran; with `error`, of one that found what it could and then failed."""
    return StageResult(
        name=name,
        status=StageStatus.ERROR if error else StageStatus.COMPLETED,
        summary=summary,
        notices=notices,
        error=error.problem if error else None,
        data=data,
    )


def skipped(name: str, reason: str) -> StageResult:
    """Return the result of a stage that has nothing to do here, and says why."""
    return StageResult(name=name, status=StageStatus.SKIPPED, reason=reason)


def timed_out(name: str, data: StageData | None, summary: str, seconds: float, key: str) -> StageResult:
    """Return the result of a stage whose time was up, with what it knew by then."""
    return StageResult(
        name=name,
        status=StageStatus.TIMED_OUT,
        summary=summary,
        data=data,
        error=Problem(
            code=Code.STAGE_TIMED_OUT,
            message=f"{name} was ended after {seconds:g} s",
            hint=f"Raise `{key}`, or see what takes so long; what was known by then is in the report.",
        ),
    )


@contextlib.contextmanager
def keep_on_interrupt(known: Callable[[], tuple[StageData | None, str]]) -> Iterator[None]:
    """Turn Ctrl-C inside the block into `Interrupted` with what `known` can still tell: data and its summary."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(*known()) from None
