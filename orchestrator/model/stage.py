"""What a stage did: whether it ran is one thing, what it found another."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from orchestrator.model.contracts import Contracts
from orchestrator.model.description import Description
from orchestrator.model.mutation import Mutation
from orchestrator.model.operations import Operation
from orchestrator.model.problem import Problem
from orchestrator.model.properties import Properties
from orchestrator.model.suite import Suite


class StageStatus(StrEnum):
    """Whether a stage ran."""

    COMPLETED = "completed"
    SKIPPED = "skipped"
    TIMED_OUT = "timed out"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class GeneratedModule(msgspec.Struct, frozen=True, kw_only=True):
    """One generated pytest module.

    Attributes:
        path: Relative to the project.
        tests: How many tests it defines.
        state: `written`, `unchanged` or `edited by hand` (and so left alone).
    """

    path: str
    tests: int
    state: str


class Generated(msgspec.Struct, frozen=True, kw_only=True, tag="generated", omit_defaults=True):
    """The result of the generate stage: what the document describes, and the modules made from it."""

    title: str
    version: str
    specification: str
    base_path: str
    operations: tuple[Operation, ...]
    modules: tuple[GeneratedModule, ...]

    @property
    def tested(self) -> tuple[Operation, ...]:
        """The operations that no setting excludes."""
        return tuple(o for o in self.operations if not o.excluded)


class Extra(msgspec.Struct, frozen=True, kw_only=True, tag="extra"):
    """What a third party's stage found, as plain values to show: title and text."""

    facts: dict[str, str]


StageData = Generated | Suite | Properties | Contracts | Description | Mutation | Extra


class StageResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one stage.

    Attributes:
        name: The stage's name.
        status: Whether it ran.
        seconds: Wall time.
        summary: One line for a person.
        reason: Why it was skipped.
        error: Why it did not complete.
        notices: What the reader ought to know though it stopped nothing.
        data: What it found; None: nothing is known. A stage that did not complete may hold a part.
    """

    name: str
    status: StageStatus
    seconds: float = 0.0
    summary: str = ""
    reason: str = ""
    error: Problem | None = None
    notices: tuple[Problem, ...] = ()
    data: StageData | None = None
