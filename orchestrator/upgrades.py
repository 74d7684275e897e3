"""Saved runs of earlier versions, made into what this version reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from orchestrator.model.run import SCHEMA_VERSION

Document = dict[str, Any]  # a saved report, as JSON has it


def upgraded(document: Document) -> Document | None:
    """Return a saved report in this version's schema; None: it is of a version that is not known here.

    Raises:
        KeyError, TypeError, AttributeError: it is no report of the version that it says.
    """
    version = document.get("schema")
    while version != SCHEMA_VERSION:
        step = _STEPS.get(version) if isinstance(version, int) else None
        if step is None or not isinstance(version, int):
            return None
        step(document)
        version = document["schema"] = version + 1
    return document


def _from_1(document: Document) -> None:
    """Layers had verdicts then, of tests only; how far the damage got was not known."""
    for mutant in _mutants(document):
        mutant.pop("layers", None)
    for row in document["run"].get("operations", ()):
        row.pop("layers", None)


def _from_2(document: Document) -> None:
    """A comparison had the earlier score alone."""
    comparison = document.get("comparison")
    if comparison and (score := comparison.pop("score", None)) is not None:
        comparison["measured"] = {"mutation-score": score}


_STEPS: Final[Mapping[int, Callable[[Document], None]]] = {1: _from_1, 2: _from_2}


def _mutants(document: Document) -> Iterator[Document]:
    for stage in document["run"]["stages"]:
        data = stage.get("data") or {}
        if data.get("type") == "mutation":
            yield from data["mutants"]
