"""Operations by path and method: those that came, those that went, and what has changed in the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator import text
from orchestrator.contracts.evolution import bodies, lifecycle, parameters, security
from orchestrator.contracts.evolution.comparison import Comparison
from orchestrator.contracts.evolution.documents import Document, Operation, said, texts
from orchestrator.contracts.evolution.found import Found, Place

_PLACE: Final = Place(what="the operation", names=())
# What happens to an operation is not called as what happens to a property.
_LIFECYCLE: Final = {
    "deprecated": "endpoint-deprecated",
    "deprecated-with-sunset": "endpoint-deprecated-with-sunset",
    "deprecated-sunset-invalid": "api-deprecated-sunset-parse",
    "sunset-date-too-small": "api-sunset-date-too-small",
    "reactivated": "endpoint-reactivated",
    "sunset-deleted": "sunset-deleted",
    "sunset-parse": "api-path-sunset-parse",
    "sunset-date-changed-too-small": "api-sunset-date-changed-too-small",
}


def changes(comparison: Comparison) -> Iterator[tuple[Found, str]]:
    """Yield what has changed in the operations, each with the label of the operation."""
    older, newer = comparison.older, comparison.newer
    for old_path, new_path in _paths(older, newer):
        old, new = older.operations(old_path), newer.operations(new_path)
        for method in sorted(old.keys() - new.keys()):
            for found in _removed(old[method], comparison.today, with_path=not new_path):
                yield found, label(old[method])
        for method in sorted(new.keys() - old.keys()):
            yield Found(rule="endpoint-added", place=_PLACE, at=new[method].part.at), label(new[method])
        for method in sorted(old.keys() & new.keys()):
            for found in _changed(comparison, old[method], new[method]):
                yield found, label(new[method])


def label(operation: Operation) -> str:
    """Return how an operation is called in the report."""
    return f"{operation.method.upper()} {text.unbroken(operation.path)}"


def _paths(before: Document, after: Document) -> Iterator[tuple[str, str]]:
    """Yield the paths that belong together; empty: there is none on that side.

    What a parameter in a path is called does not matter, but an equal path comes before one that is only alike.
    """
    old, new = before.paths.keys(), after.paths.keys()
    alike = {_shape(path): path for path in sorted(new - old, reverse=True)}
    for path in sorted(old):
        yield path, path if path in new else alike.pop(_shape(path), "")
    for path in sorted((new - old) & set(alike.values())):
        yield "", path


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _removed(operation: Operation, today: lifecycle.Day, *, with_path: bool) -> Iterator[Found]:
    aspect = lifecycle.removed(operation.part.words, today)
    if aspect is None:
        return
    is_path = with_path or aspect.name == "sunset-parse"
    rule = f"api-{'path-' if is_path else ''}{aspect.name}"
    yield Found(rule=rule, place=_PLACE, at=operation.part.at, before=aspect.before)


def _changed(comparison: Comparison, before: Operation, after: Operation) -> Iterator[Found]:
    yield from _own(before, after, comparison.today)
    for changes_of in (security.of_operations, parameters.changes, bodies.of_requests, bodies.of_responses):
        yield from changes_of(comparison, before, after)


def _own(before: Operation, after: Operation, today: lifecycle.Day) -> Iterator[Found]:
    """Yield what has changed in what is said of the operation itself."""
    old, new, at = before.part.words, after.part.words, after.part.at
    for aspect in lifecycle.of_whole(old, new, today):
        yield Found(rule=_LIFECYCLE[aspect.name], place=_PLACE, at=at, before=aspect.before, after=aspect.after)
    was, now = said(old.get("operationId")), said(new.get("operationId"))
    if was != now:
        rule = "api-operation-id-removed" if was else "api-operation-id-added"
        yield Found(rule=rule, place=_PLACE, at=at, before=was, after=now)
    tags, newer = set(texts(old.get("tags"))), set(texts(new.get("tags")))
    for tag in sorted(tags - newer):
        yield Found(rule="api-tag-removed", place=_PLACE, at=at, before=tag, key=tag)
    for tag in sorted(newer - tags):
        yield Found(rule="api-tag-added", place=_PLACE, at=at, after=tag, key=tag)


def webhooks(comparison: Comparison) -> Iterator[Found]:
    """Yield the webhooks that came and went. What they send is not compared."""
    old, new = comparison.older.root.named("webhooks"), comparison.newer.root.named("webhooks")
    for name in sorted(old.keys() ^ new.keys()):
        ending, part = ("removed", old[name]) if name in old else ("added", new[name])
        yield Found(
            rule=f"webhook-{ending}", place=Place(what=f"the webhook `{name}`", names=("webhooks", name)), at=part.at
        )
