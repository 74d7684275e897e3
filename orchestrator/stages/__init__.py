"""The stages: one module each, every one `run(context) -> StageResult`, listed here in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from orchestrator.model.stage import StageResult
from orchestrator.stages import contracts, description, generate, mutation, properties, suite
from orchestrator.stages.context import Context

ENTRY_POINTS: Final = "orchestrator.stages"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage.

    Attributes:
        name: What `--stage` takes.
        title: What it does, for the person who waits.
        run: Does it. Raises `OrchestratorError` for what the user can mend.
        needs: Stages that have to run before.
    """

    name: str
    title: str
    run: Callable[[Context], StageResult]
    needs: tuple[str, ...] = ()


STAGES: Final = (
    Stage(name="generate", title="read the OpenAPI document, write property tests", run=generate.run),
    Stage(name="suite", title="run the project's own tests", run=suite.run),
    Stage(name="properties", title="run the property tests", run=properties.run, needs=("generate",)),
    Stage(name="contracts", title="verify the consumers' pacts", run=contracts.run),
    Stage(
        name="description",
        title="hold the OpenAPI document against pacts, the last release and the app",
        run=description.run,
    ),
    Stage(name="mutation", title="break the critical paths on purpose", run=mutation.run, needs=("suite",)),
)
