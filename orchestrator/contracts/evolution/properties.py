"""Properties that come, go, and show themselves in one direction only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.contracts.evolution.found import Found
from orchestrator.contracts.evolution.rules import RULES
from orchestrator.contracts.evolution.schemas import Schema
from orchestrator.contracts.evolution.scopes import HEADER_PARAMETER, Scope
from orchestrator.references import Pointer

if TYPE_CHECKING:
    from orchestrator.contracts.evolution.walk import Pair


def removed(name: str, prop: Schema, at: Pointer, *, required: bool, pair: Pair, scope: Scope) -> Iterator[Found]:
    """Yield that a property is gone."""
    hidden = pair.hidden or scope.hides in prop.words
    if scope.whole == "response-body":
        yield from _found(_of_response("removed", required=required, hidden=hidden), name, at, pair)
    elif scope.whole == "request-body" and not hidden:
        yield from _found("request-property-removed", name, at, pair)


def added(name: str, prop: Schema, at: Pointer, *, required: bool, pair: Pair, scope: Scope) -> Iterator[Found]:
    """Yield that a property is new."""
    hidden = pair.hidden or scope.hides in prop.words
    if scope.whole == "response-body":
        yield from _found(_of_response("added", required=required, hidden=hidden), name, at, pair)
    elif scope.whole == "request-body" and not hidden:
        with_default = required and prop.words.get("default") is not None
        rule = f"new-{'required' if required else 'optional'}-request-property{'-with-default' if with_default else ''}"
        yield from _found(rule, name, at, pair)
    elif scope is HEADER_PARAMETER and required and not hidden:
        yield from _found("new-required-request-header-property", name, at, pair)


def became_visible(before: Schema, after: Schema, *, required: bool, pair: Pair, scope: Scope) -> Iterator[Found]:
    """Yield whether a property is read-only or write-only now, or no more."""
    direction = scope.whole.removesuffix("-body")
    for word, name in (("readOnly", "read-only"), ("writeOnly", "write-only")):
        if before.words.get(word) != after.words.get(word):
            ending = name if after.words.get(word) else f"not-{name}"
            rule = f"{direction}-{'required' if required else 'optional'}-property-became-{ending}"
            if rule in RULES:
                yield Found(rule=rule, place=pair.place, at=pair.after[0].at)


def _of_response(what: str, *, required: bool, hidden: bool) -> str:
    return f"response-{'required' if required else 'optional'}{'-write-only' if hidden else ''}-property-{what}"


def _found(rule: str, name: str, at: Pointer, pair: Pair) -> Iterator[Found]:
    yield Found(rule=rule, place=pair.place.inside(name), at=at)
