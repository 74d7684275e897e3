"""Two schemas, walked side by side: what they say of the value, of its properties, of its alternatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from orchestrator.contracts.evolution import lifecycle
from orchestrator.contracts.evolution.comparison import Comparison, Key, key
from orchestrator.contracts.evolution.found import Found, Place
from orchestrator.contracts.evolution.keywords import Aspect, differences
from orchestrator.contracts.evolution.properties import added, became_visible, removed
from orchestrator.contracts.evolution.rules import RULES
from orchestrator.contracts.evolution.schemas import Parts, Schema, Schemas
from orchestrator.contracts.evolution.scopes import Scope

_DEEPEST: Final = 40  # schemas in each other
_MOST_VISITS: Final = 10  # of one schema in one body; each of them tells the same
_MOST_PAIRS: Final = 20_000  # in one body
_MOST_ALTERNATIVES: Final = 200  # of which each is held against each

# Where a rule is missing, its wider sister tells it.
_SISTERS: Final = {"type-specialized": "type-changed", "type-compatible": "type-generalized"}
# Keyword → what stands for it in a place. What is under the others is not compared: whether it may be wider or
# narrower depends on what is not known (`not`, `if`).
_STEPS: Final = {
    "items": "[]",
    "additionalProperties": "*",
    "contains": "contains",
    "propertyNames": "propertyNames",
    "unevaluatedItems": "unevaluatedItems",
    "unevaluatedProperties": "unevaluatedProperties",
    "then": "then",
    "else": "else",
    "contentSchema": "contentSchema",
    "patternProperties": "",
    "dependentSchemas": "",
    "prefixItems": "",
}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The older and the newer schema of something.

    Attributes:
        before: The older one.
        after: The newer one.
        place: What they are the schemas of.
        hidden: Whether they are in a property that does not travel in this direction.
        depth: In how many schemas they are.
    """

    before: Parts
    after: Parts
    place: Place
    hidden: bool = False
    depth: int = 0

    def inside(self, before: Parts, after: Parts, step: str, *, hidden: bool = False) -> Pair:
        """Return the pair of two schemas in these."""
        place, hidden = self.place.inside(step), self.hidden or hidden
        return Pair(before=before, after=after, place=place, hidden=hidden, depth=self.depth + 1)


class Walk:
    """Walks along the schemas of one thing.

    Args:
        comparison: Both documents.
        scope: What the thing is, and in which direction it travels.
    """

    def __init__(self, comparison: Comparison, scope: Scope) -> None:
        self._comparison = comparison
        self._older = comparison.before
        self._newer = comparison.after
        self._scope = scope
        self._visits: Counter[Key] = Counter()

    def changes(self, pair: Pair) -> Iterator[Found]:
        """Yield what has changed in a schema and in all that is in it."""
        visited = key(pair.before, pair.after)
        is_enough = pair.depth > _DEEPEST or self._visits[visited] >= _MOST_VISITS or len(self._visits) > _MOST_PAIRS
        if is_enough or self._comparison.alike(pair.before, pair.after):
            return
        self._visits[visited] += 1
        before, after = self._older.schema(pair.before), self._newer.schema(pair.after)
        if not before.known or not after.known:
            return
        if _is_wrapped(before, after):
            yield from self._wrapped(pair, before, after)
            return
        yield from self._itself(pair, before, after)
        yield from self._properties(pair, before, after)
        for inner in _inner(pair, before, after):
            yield from self.changes(inner)
        for word, name in (("oneOf", "one-of"), ("anyOf", "any-of")):
            yield from self._alternatives(pair, before, after, word, name)

    def _itself(self, pair: Pair, before: Schema, after: Schema) -> Iterator[Found]:
        scope = self._scope
        for aspect in differences(before, after, text_after=scope.text_after, text_before=scope.text_before):
            yield from self._found(aspect, pair)
        if pair.place.inner:  # parameters and operations look after themselves
            for aspect in lifecycle.of_property(before.words, after.words, self._comparison.today):
                yield from self._found(aspect, pair)

    def _wrapped(self, pair: Pair, before: Schema, after: Schema) -> Iterator[Found]:
        """Yield that one object became a choice of several, and which of its properties none of them has."""
        name = "one-of-added" if pair.place.inner else "wrapped-in-one-of"
        yield from self._found(Aspect(name), pair)
        choices = [self._newer.schema(choice) for choice in after.choices["oneOf"]]
        moved = {name for choice in choices for name in choice.inner.get("properties", {})}
        yield from self._removed(before.inner["properties"].keys() - moved, pair, before)

    def _properties(self, pair: Pair, before: Schema, after: Schema) -> Iterator[Found]:
        old, new = before.inner.get("properties", {}), after.inner.get("properties", {})
        yield from self._removed(old.keys() - new.keys(), pair, before)
        for name in sorted(new.keys() - old.keys()):
            prop, required = self._newer.schema(new[name]), name in after.required
            yield from added(name, prop, new[name][0].at, required=required, pair=pair, scope=self._scope)
        for name, inner in self._common(pair, before, after):
            was, now = self._older.schema(inner.before), self._newer.schema(inner.after)
            required = name in after.required
            if (name in before.required) != required:
                with_default = required and now.words.get("default") is not None
                ending = f"required{'-with-default' if with_default else ''}" if required else "optional"
                yield from self._found(Aspect(f"became-{ending}"), inner)
            yield from became_visible(was, now, required=required, pair=inner, scope=self._scope)
            yield from self.changes(inner)

    def _removed(self, names: Iterable[str], pair: Pair, before: Schema) -> Iterator[Found]:
        for name in sorted(names):
            parts = before.inner["properties"][name]
            prop, at, required = self._older.schema(parts), parts[0].at, name in before.required
            yield from removed(name, prop, at, required=required, pair=pair, scope=self._scope)

    def _common(self, pair: Pair, before: Schema, after: Schema) -> Iterator[tuple[str, Pair]]:
        """Yield the properties that both have."""
        old, new = before.inner.get("properties", {}), after.inner.get("properties", {})
        for name in sorted(old.keys() & new.keys()):
            hidden = self._scope.hides in self._newer.schema(new[name]).words
            yield name, pair.inside(old[name], new[name], name, hidden=hidden)

    def _alternatives(self, pair: Pair, before: Schema, after: Schema, word: str, name: str) -> Iterator[Found]:
        choices = before.choices.get(word, ()), after.choices.get(word, ())
        old, new = self._comparison.unlike(choices[0][:_MOST_ALTERNATIVES], choices[1][:_MOST_ALTERNATIVES])
        for was, now in self._changed(old, new):
            called = self._newer.name(now) or self._older.name(was)
            yield from self.changes(pair.inside(was, now, f"{word}[{called}]"))
            old.remove(was)
            new.remove(now)
        if old:
            yield from self._found(_kinds(f"{name}-removed", old, self._older), pair)
        if new:
            yield from self._found(_kinds(f"{name}-added", new, self._newer), pair)

    def _changed(self, old: list[Parts], new: list[Parts]) -> list[tuple[Parts, Parts]]:
        """Return the alternatives that are still there, but changed: those of one name, and the only ones left."""
        named = {self._newer.name(now): now for now in new}
        names = [(was, self._older.name(was)) for was in old]
        pairs = [(was, named.pop(name)) for was, name in names if name and name in named]
        paired = [now for _, now in pairs]
        left = [was for was in old if was not in [w for w, _ in pairs]], [now for now in new if now not in paired]
        if len(left[0]) == len(left[1]) == 1 and not (self._older.name(left[0][0]) and self._newer.name(left[1][0])):
            pairs.append((left[0][0], left[1][0]))
        return pairs

    def _found(self, aspect: Aspect, pair: Pair) -> Iterator[Found]:
        """Yield the change that an aspect is here; nothing, if no rule tells it."""
        for name in (aspect.name, _SISTERS.get(aspect.name, "")):
            for rule in self._scope.rules(name, within=bool(pair.place.inner), hidden=pair.hidden):
                if rule in RULES:
                    at = self._newer.schema(pair.after).at
                    yield Found(
                        rule=rule, place=pair.place, at=at, before=aspect.before, after=aspect.after, key=aspect.key
                    )
                    return


def _kinds(name: str, choices: list[Parts], schemas: Schemas) -> Aspect:
    """Return that alternatives came or went."""
    names = sorted(schemas.name(choice) for choice in choices)
    shown = ", ".join(name for name in names if name)
    key_of_all = ", ".join(sorted(schemas.name(choice) or schemas.sketch(choice) for choice in choices))
    return Aspect(
        name,
        before=shown if name.endswith("removed") else "",
        after=shown if name.endswith("added") else "",
        key=key_of_all,
    )


def _is_wrapped(before: Schema, after: Schema) -> bool:
    """Whether one object became a choice of several."""
    if "oneOf" in before.choices or "properties" not in before.inner:
        return False
    return "oneOf" in after.choices and "properties" not in after.inner and not after.types


def _inner(pair: Pair, before: Schema, after: Schema) -> Iterator[Pair]:
    """Yield the schemas that are in both, but for the properties'."""
    for word, step in _STEPS.items():
        old, new = before.inner.get(word, {}), after.inner.get(word, {})
        for name in sorted(old.keys() & new.keys()):
            yield pair.inside(old[name], new[name], step or f"{word}[{name}]")
