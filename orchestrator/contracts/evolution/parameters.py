"""Parameters, by place and name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.contracts.evolution import lifecycle
from orchestrator.contracts.evolution.comparison import Comparison
from orchestrator.contracts.evolution.documents import Operation, Part
from orchestrator.contracts.evolution.found import Found, Place
from orchestrator.contracts.evolution.scopes import HEADER_PARAMETER, PARAMETER
from orchestrator.contracts.evolution.walk import Pair, Walk

# What a parameter's removal is called, where it is not called as for an operation.
_REMOVALS: Final = {"removed-without-deprecation": "removed"}
_SEPARATED: Final = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}


def changes(comparison: Comparison, before: Operation, after: Operation) -> Iterator[Found]:
    """Yield what has changed in the parameters of an operation."""
    old, new = comparison.older.parameters(before), comparison.newer.parameters(after)
    for place, name in sorted(old.keys() - new.keys()):
        if place != "path":  # what the path has is sent, whether it is declared or not
            yield from _removed(old[place, name], _place(place, old[place, name]), comparison.today)
    for place, name in sorted(new.keys() - old.keys()):
        if place != "path":
            yield _added(new[place, name], _place(place, new[place, name]))
    for place, name in sorted(old.keys() & new.keys()):
        yield from _changed(comparison, old[place, name], new[place, name])


def _place(place: str, part: Part) -> Place:
    name = part.words["name"]
    return Place(what=f"the {place} parameter `{name}`", names=("parameters", place, name))


def _removed(part: Part, place: Place, today: lifecycle.Day) -> Iterator[Found]:
    aspect = lifecycle.removed(part.words, today)
    if aspect is not None:
        name = _REMOVALS.get(aspect.name, aspect.name)
        yield Found(rule=f"request-parameter-{name}", place=place, at=part.at, before=aspect.before)


def _added(part: Part, place: Place) -> Found:
    rule = f"new-{'required' if part.words.get('required') is True else 'optional'}-request-parameter"
    return Found(rule=rule, place=place, at=part.at)


def _changed(comparison: Comparison, old: Part, new: Part) -> Iterator[Found]:
    place = _place(new.words["in"], new)
    was, now = old.words.get("required") is True, new.words.get("required") is True
    if was != now and new.words["in"] != "path":
        yield Found(rule=f"request-parameter-became-{'required' if now else 'optional'}", place=place, at=new.at)
    for aspect in lifecycle.of_whole(old.words, new.words, comparison.today):
        # oasdiff has one rule for those with a sunset date and those without.
        name = aspect.name.removesuffix("-with-sunset").replace("deprecated-sunset-invalid", "sunset-parse")
        yield Found(rule=f"request-parameter-{name}", place=place, at=new.at, before=aspect.before, after=aspect.after)
    for found in _in_schemas(comparison, old, new, place):
        # Who always sends a parameter does not rely on its default.
        if not ((was or now) and found.rule.startswith("request-parameter-default-value")):
            yield found


def _in_schemas(comparison: Comparison, old: Part, new: Part, place: Place) -> Iterator[Found]:
    before, after = comparison.older.schema_of(old), comparison.newer.schema_of(new)
    if before is None or after is None:
        return
    was, now = _written(old), _written(new)
    types = comparison.before.schema((before,)).types | comparison.after.schema((after,)).types
    if was != now and types & {"array", "object"}:
        yield Found(rule="request-parameter-serialization-changed", place=place, at=new.at, before=was, after=now)
    walk = Walk(comparison, HEADER_PARAMETER if new.words["in"] == "header" else PARAMETER)
    yield from walk.changes(Pair(before=(before,), after=(after,), place=place))


def _written(part: Part) -> str:
    """Return how an array or an object is written in a parameter, in OpenAPI 3's words."""
    words = part.words
    collection = words.get("collectionFormat")
    if isinstance(collection, str) or "type" in words:  # Swagger 2.0
        collection = collection if isinstance(collection, str) else "csv"
        plain = "form" if words.get("in") in ("query", "formData") else "simple"
        return "form, exploded" if collection == "multi" else _SEPARATED.get(collection, plain)
    if words.get("content"):
        return "content"
    style = words.get("style")
    if not isinstance(style, str):
        style = "form" if words.get("in") in ("query", "cookie") else "simple"
    explode = words.get("explode")
    exploded = explode if isinstance(explode, bool) else style == "form"
    return f"{style}, exploded" if exploded and style != "simple" else style
