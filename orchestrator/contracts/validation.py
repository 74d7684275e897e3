"""Values held against the schemas of a document: each schema is compiled once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema_rs
import msgspec

from orchestrator import references
from orchestrator.contracts import encoded
from orchestrator.contracts.description import Description, mapping
from orchestrator.contracts.formats import FORMATS
from orchestrator.contracts.schemas import MADE, Prepared, Purpose, Schemas
from orchestrator.references import Pointer, inside, target

_SHORT: Final = 60  # characters of a value that are shown in a message
_DEEPEST: Final = 30
_STEPS_BY_NAME: Final = {"properties": 1, "patternProperties": 1, "prefixItems": 1}  # into a value, by name or number
_STEPS: Final = {
    "items": 1,
    "additionalProperties": 1,
    "unevaluatedProperties": 1,
    "unevaluatedItems": 1,
    "contains": 1,
}
_CHOICES: Final = ("oneOf", "anyOf", "allOf", "dependentSchemas")


class UnreadableSchemaError(Exception):
    """A schema of the document is none that can be used: why."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a value does not keep to its schema.

    Attributes:
        at: Where in the value.
        document: Where in the document.
        message: What is wrong, for a person; foreign text.
    """

    at: Pointer
    document: Pointer
    message: str


class _Tag:
    """The keyword `discriminator`, in the form in which `Schemas` leaves it."""

    def __init__(self, parent: Mapping[str, Any], value: Mapping[str, Any], path: list[str | int]) -> None:
        self._tag = str(value["tag"])
        self._values = value["values"]

    def validate(self, instance: Any) -> None:
        """Raise an error if an object does not say which of the alternatives it is."""
        if not isinstance(instance, dict):
            return
        found = instance.get(self._tag)
        if not isinstance(found, str) or found not in self._values:
            raise ValueError(f"{json.dumps(found)} at {self._tag!r} names none of the alternatives {self._values}")


class _Compiled(msgspec.Struct, frozen=True, kw_only=True):
    prepared: Prepared
    validator: Any


class Validation:
    """Holds values against schemas of a document.

    Args:
        description: The document.
    """

    def __init__(self, description: Description) -> None:
        self._schemas = Schemas(description)
        self._validator = (
            jsonschema_rs.Draft202012Validator if description.is_3_1 else jsonschema_rs.Draft201909Validator
        )
        self._compiled: dict[tuple[Pointer, Purpose], _Compiled | UnreadableSchemaError] = {}

    @property
    def schemas(self) -> Schemas:
        """The schemas as they are used."""
        return self._schemas

    def faults(self, value: Any, schema: Pointer, purpose: Purpose) -> list[Fault]:
        """Return where a value does not keep to a schema.

        Args:
            value: A JSON value.
            schema: Where the schema is in the document.
            purpose: What the value is.

        Raises:
            UnreadableSchemaError: the schema can't be used.
            ValueError: the value is nested too deeply, or is text that can't be encoded.
        """
        compiled = self._compile(schema, purpose)
        if compiled.validator.is_valid(value):
            return []
        errors = [one for error in compiled.validator.iter_errors(value) for one in _leaves(error)]
        found = [fault for error in errors for fault in self._faults(error, compiled.prepared)]
        return [*found, *self._conditions(errors, compiled.prepared)]

    def coerced(self, value: Any, schema: Pointer) -> Any:
        """Return a value that travelled as text as what its schema says it is, where it can be that."""
        return self._coerced(value, self._schemas.flat(schema), 0)

    def _compile(self, schema: Pointer, purpose: Purpose) -> _Compiled:
        key = (schema, purpose)
        if key not in self._compiled:
            prepared = self._schemas.prepared(schema, purpose)
            try:
                validator = self._validator(
                    prepared.schema,
                    validate_formats=True,
                    formats=dict(FORMATS),
                    keywords={"discriminator": _Tag},
                    offline=True,
                )
                self._compiled[key] = _Compiled(prepared=prepared, validator=validator)
            except ValueError as error:
                self._compiled[key] = UnreadableSchemaError(str(error).partition("\n")[0])
        compiled = self._compiled[key]
        if isinstance(compiled, UnreadableSchemaError):
            raise compiled
        return compiled

    def _faults(self, error: Any, prepared: Prepared) -> Iterator[Fault]:
        at = tuple(str(part) for part in error.instance_path)
        document = self._schemas.original(prepared, [str(part) for part in error.schema_path])
        unexpected = getattr(error.kind, "unexpected", None)
        if unexpected is None:
            yield Fault(at=at, document=document, message=_message(error))
        for name in unexpected or ():
            yield Fault(at=at, document=document, message=f"{json.dumps(name, ensure_ascii=False)} is not described")

    def _conditions(self, errors: list[Any], prepared: Prepared) -> Iterator[Fault]:
        """Yield a fault for each `if` whose `then` or `else` does not hold, as the reference does."""
        told: dict[tuple[Pointer, Pointer], str] = {}
        for error in errors:
            for way, at, word in _decisions(error, prepared.schema):
                told[way, at] = word
        for (way, at), word in told.items():
            document = self._schemas.original(prepared, [*_after_references(way, prepared), "if"])
            yield Fault(at=at, document=document, message=f"it is not as `{word}` says")

    def _coerced(self, value: Any, schema: Any, depth: int) -> Any:
        node = self._schemas.followed(schema)
        if depth > _DEEPEST:
            return value
        kinds = node.get("type", [])
        value = encoded.coerced(value, kinds if isinstance(kinds, list) else [kinds])
        if isinstance(value, dict):
            properties, others = mapping(node.get("properties")), node.get("additionalProperties")
            return {name: self._coerced(one, properties.get(name, others), depth + 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self._coerced(one, node.get("items"), depth + 1) for one in value]
        return self._as_an_alternative(value, node, depth)

    def _as_an_alternative(self, value: Any, node: Mapping[str, Any], depth: int) -> Any:
        """Return a text as the first of several schemas that it can be, unless one of them takes it as it is."""
        choices = [c for word in ("allOf", "anyOf", "oneOf") for c in node.get(word) or () if isinstance(c, dict)]
        if any("string" in (self._schemas.followed(c).get("type") or ()) for c in choices):
            return value
        made = (self._coerced(value, choice, depth + 1) for choice in choices)
        return next((one for one in made if one is not value), value)


def _leaves(error: Any) -> Iterator[Any]:
    """Yield an error, and before it those of the alternatives none of which holds."""
    for choice in getattr(error.kind, "context", ()):
        for inner in choice:
            yield from _leaves(inner)
    yield error


def _message(error: Any) -> str:
    """Return what is wrong; a value too long to be read over is called `it`."""
    value = json.dumps(error.instance, separators=(",", ":"), ensure_ascii=False)
    message = str(error.message)
    return message.replace(value, "it", 1) if len(value) > _SHORT else message


def _decisions(error: Any, schema: Any) -> Iterator[tuple[Pointer, Pointer, str]]:
    """Yield the conditions on the way to an error: the way to each, the value it is about, and what it decided."""
    way, node, depth = [str(part) for part in error.evaluation_path], schema, 0
    at = tuple(str(part) for part in error.instance_path)
    definitions = mapping(schema).get("$defs", {})
    number = 0
    while number < len(way) and isinstance(node, dict):
        word = way[number]
        if word in ("then", "else") and MADE not in node:
            yield tuple(way[:number]), at[:depth], word
        depth += _STEPS_BY_NAME.get(word, 0) + _STEPS.get(word, 0)
        if word == "$ref":
            node = definitions.get(node["$ref"].rpartition("/")[2])
        elif word in _STEPS_BY_NAME or word in _CHOICES:
            number += 1
            node = inside(node.get(word), way[number]) if number < len(way) else None
        else:
            node = node.get(word)
        number += 1


def _after_references(way: Pointer, prepared: Prepared) -> list[str]:
    """Return where a way through references ends, as a place in a prepared schema."""
    place: list[str] = []
    for word in way:
        place.append(word)
        if word == "$ref":
            place = [*(target(str(references.at(prepared.schema, tuple(place)))) or ())]
    return place
