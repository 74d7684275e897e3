"""Schemas as they are meant: references followed, `allOf` merged, and what is said in several ways said in one.

A schema is a tuple of parts of the document that hold at the same time. So the property that two parts of an `allOf`
describe is described by two parts, and nothing has to be made up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from orchestrator.contracts.evolution.documents import Document, Part, said
from orchestrator.model.fingerprint import fingerprint
from orchestrator.references import Pointer

Parts = tuple[Part, ...]

_SKETCHED: Final = 5  # schemas in each other
_MOST_PARTS: Final = 300  # of one schema
_LOWEST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGHEST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_BOUNDS: Final = frozenset({*_LOWEST, *_HIGHEST})
_FLAGS: Final = ("readOnly", "writeOnly", "deprecated", "uniqueItems")
_TEXTS: Final = ("format", "pattern", "contentMediaType", "contentEncoding")
_FIRST: Final = ("default", "const", "x-sunset", "x-extensible-enum", "multipleOf", "minContains", "maxContains")
_ONE: Final = frozenset(
    {
        "items",
        "additionalProperties",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "if",
        "then",
        "else",
        "contentSchema",
    }
)
_SEVERAL: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_ANNOTATIONS: Final = frozenset({"title", "description", "example", "examples"})


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """What the parts of a schema say together.

    Attributes:
        at: Where the first of them is.
        words: What is said of the value itself, by keyword.
        types: The types that the value may have, without `null`; empty: any.
        null: Whether it may be null; None: nothing is said.
        listed: Whether the types were alternatives of a `oneOf` or `anyOf`.
        enum: The values it may have, as JSON; None: any.
        required: The properties that have to be there.
        inner: The schemas in it, by keyword and name.
        choices: The alternatives, by keyword.
        known: Whether every reference leads somewhere.
        says: All that is said of the value itself, to be compared.
    """

    at: Pointer
    words: dict[str, Any]
    types: frozenset[str]
    null: bool | None
    listed: bool
    enum: frozenset[str] | None
    required: frozenset[str]
    inner: dict[str, dict[str, Parts]]
    choices: dict[str, tuple[Parts, ...]]
    known: bool
    says: str


class Schemas:
    """Knows the schemas of a document.

    Args:
        document: The document.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[tuple[Pointer, ...], Schema] = {}
        self._sketches: dict[tuple[int, tuple[Pointer, ...]], str] = {}

    def schema(self, parts: Parts) -> Schema:
        """Return what parts say together."""
        key = tuple(part.at for part in parts)
        if key not in self._known:
            self._known[key] = self._merged(parts)
        return self._known[key]

    def name(self, parts: Parts) -> str:
        """Return what an alternative is called: by the reference to it, or by its title; empty: it has no name."""
        reference = parts[0].words.get("$ref")
        if isinstance(reference, str):
            return reference.rpartition("/")[2]
        title = parts[0].words.get("title")
        return title if isinstance(title, str) else ""

    def sketch(self, parts: Parts, depth: int = _SKETCHED) -> str:
        """Return what a schema says, down to a depth: enough to put alternatives in an order."""
        key = depth, tuple(part.at for part in parts)
        if key not in self._sketches:
            schema = self.schema(parts)
            inner: list[str] = []
            if depth:
                named = [
                    (f"{word} {name}", of) for word, by_name in schema.inner.items() for name, of in by_name.items()
                ]
                chosen = [(word, of) for word, choices in schema.choices.items() for of in choices]
                inner = sorted(f"{name}: {self.sketch(of, depth - 1)}" for name, of in (*named, *chosen))
            self._sketches[key] = fingerprint(schema.says, *inner)
        return self._sketches[key]

    def _merged(self, parts: Parts) -> Schema:
        merged = _Merged()
        leaves = self._leaves(parts, merged)
        for leaf, depth in leaves:
            merged.add(leaf, depth)
        return merged.schema(leaves[0][0].at if leaves else parts[0].at)

    def _leaves(self, parts: Parts, merged: _Merged) -> list[tuple[Part, int]]:
        """Return the parts that hold at the same time, each once, and in how many `allOf` it is."""
        leaves: list[tuple[Part, int]] = []
        seen: set[Pointer] = set()
        waiting = [(part, 0) for part in reversed(parts)]
        while waiting and len(seen) < _MOST_PARTS:
            part, depth = waiting.pop()
            if part.at in seen:
                continue
            seen.add(part.at)
            words = part.words
            if isinstance(reference := words.get("$ref"), str):
                target = self._document.target(reference)
                if target is None:
                    merged.known = False
                    continue
                waiting.append((target, depth))
                if not self._document.has_siblings:
                    continue
                part = Part(part.at, {k: v for k, v in words.items() if k != "$ref"})
            waiting.extend((inner, depth + 1) for inner in reversed(part.listed("allOf")))
            for word in ("oneOf", "anyOf"):
                waiting.extend((choice, depth) for choice in self._choices(part, word, merged))
            leaves.append((part, depth))
        return leaves

    def _choices(self, part: Part, word: str, merged: _Merged) -> Iterator[Part]:
        """Note the alternatives of a part; yield the one that is none, because there is no other."""
        listed = part.listed(word)
        choices = [choice for choice in listed if self._only_type(choice) != ["null"]]
        if len(choices) < len(listed):
            merged.null_choice = True
        types = [self._only_type(choice) for choice in choices]
        if len(choices) == 1:
            yield choices[0]
        elif choices and all(types) and not part.words.get("type"):
            merged.narrow(frozenset(t for of in types for t in of))
            merged.listed = True
        elif choices:
            merged.choose(word, choices)

    def _only_type(self, choice: Part) -> list[str]:
        """Return the types of an alternative that says nothing else; empty: it says more, or nothing."""
        resolved = self._document.resolved(choice)
        if resolved is None:
            return []
        words = resolved.words.keys() - _ANNOTATIONS
        return sorted(_types(resolved.words["type"])) if words == {"type"} else []


class _Merged:
    """Puts together what parts say."""

    def __init__(self) -> None:
        self.words: dict[str, Any] = {}
        self.inner: dict[str, dict[str, Parts]] = {}
        self.choices: dict[str, list[Parts]] = {}
        self.known = True
        self.listed = False
        self.null_choice = False
        self._types: list[frozenset[str]] = []
        self._chosen: set[str] = set()
        self._order: dict[str, tuple[int, str]] = {}
        self._nullable = False
        self._null_type: bool | None = None
        self._enum: frozenset[str] | None = None
        self._required: frozenset[str] = frozenset()

    def add(self, leaf: Part, depth: int) -> None:
        """Add what one part says, which is in that many `allOf`."""
        words = _without_flagged_bounds(leaf.words)
        types = _types(words.get("type"))
        nullable = words.get("nullable") is True or words.get("x-nullable") is True
        if types:
            self._null_type = (nullable or "null" in types) and self._null_type is not False
            self.narrow(types - {"null"})
        elif nullable:  # beside an `allOf`: the whole is meant, though OpenAPI 3.0.3 says that it means nothing
            self._nullable = True
        if isinstance(values := words.get("enum"), list):
            enum = frozenset(said(value) for value in values if value is not None)
            self._enum = enum if self._enum is None else self._enum & enum
        if isinstance(required := words.get("required"), list):
            self._required |= {name for name in required if isinstance(name, str)}
        self._add_words(words, depth)
        self._add_inner(leaf)

    def choose(self, word: str, choices: list[Part]) -> None:
        """Add alternatives, unless another part has the same: that all of these hold twice says nothing more."""
        written = f"{word} {sorted(said(choice.value) for choice in choices)}"
        if written not in self._chosen:
            self._chosen.add(written)
            self.choices.setdefault(word, []).extend((choice,) for choice in choices)

    def narrow(self, types: frozenset[str]) -> None:
        """Leave the types that are among these too."""
        if types:
            self._types.append(types)

    def _common_types(self) -> frozenset[str]:
        """Return the types that all parts leave; all types, if they contradict each other."""
        every: frozenset[str] = frozenset().union(*self._types)
        return frozenset(t for t in every if all(_among(t, types) for types in self._types)) or every

    def _add_words(self, words: dict[str, Any], depth: int) -> None:
        self._add_bounds(words)
        for word in _FLAGS:
            if words.get(word) is True:
                self.words[word] = True
        for word in _TEXTS:
            if isinstance(words.get(word), str) and words[word]:
                self._say(word, words[word], depth)
        for word in _FIRST:
            if words.get(word) is not None:
                self._say(word, words[word], depth)
        if isinstance(words.get("dependentRequired"), dict):
            self._say("dependentRequired", words["dependentRequired"], depth)
        if isinstance(discriminator := words.get("discriminator"), dict | str):  # a text in Swagger 2.0
            said_so = {"propertyName": discriminator} if isinstance(discriminator, str) else discriminator
            self._say("discriminator", said_so, depth)
        if words.get("additionalProperties") is False:
            self.words["closed"] = True

    def _say(self, word: str, value: Any, depth: int) -> None:
        """Take a value, unless it was said further out, or as far out and comes first in the alphabet."""
        order = depth, said(value)
        if word not in self._order or order < self._order[word]:
            self._order[word] = order
            self.words[word] = value

    def _add_bounds(self, words: dict[str, Any]) -> None:
        for word in words.keys() & _BOUNDS:
            value = number(words.get(word))
            if value is not None:
                narrower = max if word in _LOWEST else min
                self.words[word] = narrower(value, self.words.get(word, value))

    def _add_inner(self, leaf: Part) -> None:
        for word in leaf.words.keys() & _ONE:
            inner = leaf.inside(word)
            if isinstance(inner.value, dict):
                self._add_named(word, word, inner)
        for word in leaf.words.keys() & _SEVERAL:
            for name, inner in leaf.named(word).items():
                self._add_named(word, name, inner)
        for index, inner in enumerate(leaf.listed("prefixItems")):
            self._add_named("prefixItems", str(index), inner)

    def _add_named(self, word: str, name: str, inner: Part) -> None:
        named = self.inner.setdefault(word, {})
        named[name] = (*named.get(name, ()), inner)

    def schema(self, at: Pointer) -> Schema:
        """Return what all parts say together."""
        null: bool | None = None
        types = self._common_types()
        if types or self._null_type is not None or self.choices:
            null = self._nullable or self.null_choice or self._null_type is True
        about = (self.words, sorted(types), null, sorted(self._enum or ()), self._enum is None)
        says = said((*about, sorted(self._required), {word: sorted(named) for word, named in self.inner.items()}))
        return Schema(
            at=at,
            words=self.words,
            types=types,
            null=null,
            listed=self.listed,
            enum=self._enum,
            required=self._required,
            inner=self.inner,
            choices={word: tuple(choices) for word, choices in self.choices.items()},
            known=self.known,
            says=says,
        )


def _types(value: Any) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    return frozenset(v for v in values if isinstance(v, str))


def _among(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _without_flagged_bounds(words: dict[str, Any]) -> dict[str, Any]:
    """Return the words with OpenAPI 3.0's flag, `exclusiveMinimum: true`, said as 3.1 says it."""
    for bound, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if words.get(flag) is True:
            words = {**words, flag: words.get(bound), bound: None}
    return words


def number(value: Any) -> int | float | None:
    """Return a number that can be compared; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return value
