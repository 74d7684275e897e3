"""Schemas of a document, made into JSON Schemas that say what a pact is held against.

OpenAPI has words of its own (`nullable`, `discriminator`, bounds that are exclusive by a flag), and people write
`allOf` for "all the properties together". A pact's response is a part of what is answered: nothing is required of
it, and nothing may be in it that the document does not describe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from orchestrator.contracts.description import Description, mapping
from orchestrator.references import Pointer, reference, target_of, told_by

Schema = dict[str, Any] | bool

_NAMED: Final = ("properties", "patternProperties", "dependentSchemas")  # schemas by name
_LISTED: Final = ("oneOf", "anyOf", "allOf", "prefixItems")  # lists of schemas
_SINGLE: Final = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
)
# What says when a schema holds, not what is in a value: nothing there is made optional or closed.
_CONDITIONS: Final = frozenset({"not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas"})
_ALTERNATIVES: Final = ("oneOf", "anyOf", "not", "if")  # two of these don't merge into one
_GOING_WITH: Final = {"if": ("then", "else")}
_DROPPED: Final = frozenset({"$schema", "$id", "$defs", "definitions", "example", "examples", "default"})
UNREAD: Final = "x-unread-reference"  # what a schema refers to that can't be read: anything fits it
MADE: Final = "x-made-of-discriminator"  # marks conditions that nobody wrote
_NOWHERE: Final = ("",)
_DEEPEST: Final = 30


class Purpose(Enum):
    """What a schema is prepared for."""

    SENT = "sent"  # a whole request body, or a parameter
    ANSWERED = "answered"  # a part of a response
    DESCRIBED = "described"  # the same, where objects are closed too that the reference leaves open


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Schema.

    Attributes:
        schema: It, with all that it refers to under `$defs`.
        places: Where in the document it is, and then each schema under `$defs`.
    """

    schema: Schema
    places: tuple[Pointer, ...]


class Schemas:
    """Prepares the schemas of a document, each once.

    Args:
        description: The document.
    """

    def __init__(self, description: Description) -> None:
        self.has_unread = False  # whether a schema that was used has a reference that leads nowhere
        self._description = description
        self._flat: dict[Pointer, Schema] = {}
        self._under_way: set[Pointer] = set()
        self._joining: set[tuple[Pointer, Pointer]] = set()

    def prepared(self, pointer: Pointer, purpose: Purpose) -> Prepared:
        """Return a schema of the document, ready for a validator."""
        places = [pointer]
        schema = self._numbered(self._fitted(self.flat(pointer), purpose), places)
        definitions: dict[str, Schema] = {}
        while len(definitions) < len(places) - 1:
            number = len(definitions) + 1
            fitted = self._fitted(self.flat(places[number]), purpose)
            definitions[f"s{number}"] = self._numbered(fitted, places)
        if definitions and isinstance(schema, dict):
            schema = {**schema, "$defs": definitions}
        return Prepared(schema=schema, places=tuple(places))

    def flat(self, pointer: Pointer) -> Schema:
        """Return a schema in the words of JSON Schema, `allOf` merged; references are left, as their targets."""
        if pointer not in self._flat:
            self._under_way.add(pointer)
            try:
                self._flat[pointer] = self._flattened(self._description.at(pointer))
            finally:
                self._under_way.discard(pointer)
        return self._flat[pointer]

    def followed(self, schema: Any) -> dict[str, Any]:
        """Return a flat schema, or what it refers to."""
        for _ in range(_DEEPEST):
            target = target_of(schema)
            if target is None:
                break
            schema = self.flat(target)
        return mapping(schema)

    def original(self, prepared: Prepared, path: Sequence[str]) -> Pointer:
        """Return where in the document something is that is somewhere in a prepared schema."""
        number = 0
        if path[:1] == ["$defs"]:
            number, path = int(path[1][1:]), path[2:]
        return self.place(prepared.places[number], path)

    def place(self, pointer: Pointer, path: Sequence[str]) -> Pointer:
        """Return where in the document something is that is somewhere in a flat schema."""
        return self._found(pointer, path, set())[0]

    def _found(self, at: Pointer, path: Sequence[str], seen: set[tuple[Pointer, int]]) -> tuple[Pointer, int]:
        """Return the innermost place on a path that the document has, and how much of the path is left."""
        at = self._description.place(at)
        if not path or (at, len(path)) in seen:
            return at, len(path)
        seen.add((at, len(path)))
        step = (*at, path[0])
        if self._description.at(step) is not None:
            return self._found(step, path[1:], seen) if len(path) > 1 else (step, 0)
        parts = ((*at, "allOf", str(n)) for n in range(len(self._description.listed((*at, "allOf")))))
        found = [self._found(part, path, seen) for part in parts]
        return min([(at, len(path)), *found], key=lambda one: one[1])

    def _flattened(self, raw: Any) -> Schema:
        if not isinstance(raw, dict):
            return raw if isinstance(raw, bool) else True
        schema = {str(key): value for key, value in raw.items() if str(key) not in _DROPPED}
        if "$ref" in schema:
            self._point(schema)
        schema = _with_each(schema, lambda _, one: self._flattened(one))
        _bound(schema)
        if "$ref" in schema and schema.get("nullable") is True:  # else what it refers to would refuse null
            schema["allOf"] = [{"$ref": schema.pop("$ref")}]
        if isinstance(schema.get("allOf"), list):
            schema = self._merged(schema, schema["allOf"])
        _open_to_null(schema)
        return schema

    def _point(self, schema: dict[str, Any]) -> None:
        """Let a reference point at where its target is; keep one apart that leads nowhere, or out of the document."""
        target, there = self._description.resolved(target_of(schema) or _NOWHERE)
        if isinstance(there, dict | bool) and told_by(there) is None:
            schema["$ref"] = reference(target)
        else:
            schema[UNREAD] = schema.pop("$ref")
            self.has_unread = True

    def _merged(self, schema: dict[str, Any], parts: Sequence[Schema]) -> dict[str, Any]:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        left: list[Schema] = []
        for part in parts:
            whole = self._without_reference(part)
            if isinstance(whole, dict):
                left.extend(self._join(merged, whole))
            elif whole is not True:
                left.append(part)
        return {**merged, "allOf": left} if left else merged

    def _without_reference(self, schema: Schema) -> Schema | None:
        """Return a schema with what it refers to in place of the reference; None: that is being made just now."""
        target = target_of(schema)
        if target is None or not isinstance(schema, dict):
            return schema
        if target in self._under_way:
            return None
        others = {key: value for key, value in schema.items() if key != "$ref"}
        return {**others, **mapping(self.flat(target))}

    def _join(self, into: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[Schema]:
        """Put the words of a schema into another one; yield what can only hold beside it."""
        for word, value in schema.items():
            if word == "required" and word in into:
                into[word] = list(dict.fromkeys([*into[word], *value]))
            elif word == "properties" and isinstance(value, dict) and isinstance(into.get(word), dict):
                into[word] = {**into[word], **{n: self._both(into[word].get(n, True), s) for n, s in value.items()}}
            elif word in ("items", "additionalProperties") and isinstance(value, dict) and word in into:
                into[word] = self._both(into[word], value)
            elif word == "allOf" and isinstance(value, list):
                yield from value
            elif word in _ALTERNATIVES and word in into:
                yield {w: schema[w] for w in (word, *_GOING_WITH.get(word, ())) if w in schema}
            elif word in _GOING_WITH["if"] and "if" in into and into["if"] is not schema.get("if"):
                continue
            else:
                into[word] = value

    def _both(self, one: Schema, other: Schema) -> Schema:
        """Return the schema of a property that several parts of an `allOf` describe."""
        if one == other:
            return one
        pair = (target_of(one) or (), target_of(other) or ())
        first, second = self._without_reference(one), self._without_reference(other)
        if not isinstance(first, dict) or not isinstance(second, dict):
            return other
        if pair in self._joining and any(pair):  # what they refer to leads back to them
            return {"allOf": [one, other]}
        self._joining.add(pair)
        try:
            joined = dict(first)
            left = list(self._join(joined, second))
        finally:
            self._joining.discard(pair)
        return {**joined, "allOf": left} if left else joined

    def _fitted(self, schema: Schema, purpose: Purpose) -> Schema:
        """Return a flat schema as requests, or as parts of responses are held against it."""
        if not isinstance(schema, dict):
            return schema
        fitted = _with_each(schema, lambda word, one: one if word in _CONDITIONS else self._fitted(one, purpose))
        if purpose is Purpose.SENT:
            fitted = self._without_read_only(fitted)
        elif "oneOf" not in fitted:  # else what tells the alternatives apart would go
            fitted.pop("required", None)
        if purpose is not Purpose.SENT and _is_closed(fitted, purpose):
            fitted["additionalProperties"] = False
        return self._told_apart(fitted)

    def _told_apart(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema whose discriminator, if it has one that can be used, chooses among its alternatives."""
        said = mapping(schema.get("discriminator"))
        rest = {key: value for key, value in schema.items() if key != "discriminator"}
        tag, choices = said.get("propertyName"), schema.get("oneOf")
        if not isinstance(tag, str) or not isinstance(choices, list):
            return rest
        values = [self._values(tag, choice, mapping(said.get("mapping"))) for choice in choices]
        if not all(values):
            return rest
        del rest["oneOf"]
        rest["required"] = list(dict.fromkeys([*rest.get("required", ()), tag]))
        chosen = [
            {"if": {"type": "object", "required": [tag], "properties": {tag: {"enum": v}}}, "then": c, MADE: True}
            for v, c in zip(values, choices, strict=True)
        ]
        tags = [value for of_choice in values for value in of_choice]
        return {**rest, "discriminator": {"tag": tag, "values": tags}, "allOf": [*rest.get("allOf", ()), *chosen]}

    def _values(self, tag: str, choice: Any, names: Mapping[str, Any]) -> list[Any]:
        """Return what a discriminator's property may be where one alternative is meant; empty: nobody knows."""
        target = target_of(choice)
        mapped = [name for name, told in names.items() if target and self._named(told) == target]
        described = self.followed(mapping(self.followed(choice).get("properties")).get(tag))
        if mapped:
            return mapped
        if "const" in described:
            return [described["const"]]
        if isinstance(described.get("enum"), list):
            return list(described["enum"])
        return [target[-1]] if target else []

    def _named(self, told: Any) -> Pointer | None:
        """Return where what a discriminator's mapping names is: by a reference, or a bare name."""
        target = target_of({"$ref": told}) or ("components", "schemas", str(told))
        return self._description.place(target)

    def _without_read_only(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Take what only responses have out of what is required."""
        properties = mapping(schema.get("properties"))
        required = [
            name
            for name in schema.get("required", ())
            if self.followed(properties.get(name)).get("readOnly") is not True
        ]
        return {**schema, "required": required} if "required" in schema else schema

    def _numbered(self, schema: Schema, places: list[Pointer]) -> Schema:
        """Return a schema whose references point to `$defs`; add to `places` what is not there yet."""
        if not isinstance(schema, dict):
            return schema
        numbered = dict(schema)
        target = target_of(schema)
        if target is not None:
            if target not in places[1:]:
                places.append(target)
            numbered["$ref"] = f"#/$defs/s{places.index(target, 1)}"
        return _with_each(numbered, lambda _, one: self._numbered(one, places))


def _with_each(schema: dict[str, Any], make: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Return a schema with every schema in it made into another one.

    Args:
        schema: It.
        make: Given the word under which a schema is, and the schema.
    """
    made = dict(schema)
    for word, inner in schema.items():
        if word in _NAMED and isinstance(inner, dict):
            made[word] = {str(name): make(word, one) for name, one in inner.items()}
        elif word in _LISTED and isinstance(inner, list):
            made[word] = [make(word, one) for one in inner]
        elif word in _SINGLE and isinstance(inner, dict):
            made[word] = make(word, inner)
    return made


def _bound(schema: dict[str, Any]) -> None:
    """Make bounds that are exclusive by a flag, or meant by a format, into those of JSON Schema."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    if schema.get("format") in ("int32", "int64") and ("integer" in listed or "number" in listed):
        whole = list(dict.fromkeys("integer" if kind == "number" else kind for kind in listed))
        schema["type"] = whole if isinstance(kinds, list) else "integer"
        if schema["format"] == "int32":
            schema.setdefault("minimum", -(2**31))
            schema.setdefault("maximum", 2**31 - 1)
    required = schema.pop("required", None)
    if isinstance(required, list):  # else it is that of a parameter
        schema["required"] = [name for name in required if isinstance(name, str)]


def _open_to_null(schema: dict[str, Any]) -> None:
    if schema.pop("nullable", None) is not True:
        return
    kinds = schema.get("type")
    if kinds is None and not {"properties", "additionalProperties"} & schema.keys():
        for word in ("oneOf", "anyOf"):
            if word in schema:
                schema[word] = [*schema[word], {"type": "null"}]
        return
    kinds = kinds if isinstance(kinds, list) else [kinds or "object"]
    schema["type"] = kinds if "null" in kinds else [*kinds, "null"]


def _is_closed(schema: Mapping[str, Any], purpose: Purpose) -> bool:
    """Whether what a schema does not describe must not be in a response."""
    if schema.get("additionalProperties", True) is not True or {"oneOf", "anyOf", "allOf"} & schema.keys():
        return False
    if schema.get("type") == "object":
        return True
    kinds = schema.get("type", ["object"])
    may_be_one = isinstance(kinds, list) and "object" in kinds
    return purpose is Purpose.DESCRIBED and "properties" in schema and may_be_one
