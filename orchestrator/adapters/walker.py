"""Walk responses and requests along the schemas that the OpenAPI document gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestrator.adapters.session import Exchange
from orchestrator.model.description import described_as
from orchestrator.references import Pointer, Tree, inside, target_of, told_by

MOST_ITEMS: Final = 200  # of an array that are looked at
_DEEPEST: Final = 30  # schemas in each other


class Walker(Tree):
    """Knows a document."""

    def response(self, operation: str, exchange: Exchange) -> Iterator[tuple[Pointer, Any]]:
        """Yield the parts of a response with the parts of the document that describe them."""
        response = self.answer(operation, exchange.status)
        if response is None:
            return
        pointer, described = response
        given: dict[str, str] = {name.lower(): value for name, value in exchange.headers}
        for name in described.get("headers") or ():
            at, header = self.resolved((*pointer, "headers", name))
            if isinstance(header, dict) and name.lower() != "content-type":
                yield at, given.get(name.lower())
        media = given.get("content-type", "").partition(";")[0].strip().lower()
        contents = described.get("content") or {}
        key = next((k for k in contents if k.partition(";")[0].strip().lower() == media), None)
        if exchange.body is None or not exchange.is_text or "json" not in media:
            return
        try:
            value = json.loads(exchange.body)
        except (ValueError, RecursionError):
            return
        if key is not None:
            yield from self.values(value, (*pointer, "content", key, "schema"), 0)
        elif "schema" in described:  # Swagger 2.0
            yield from self.values(value, (*pointer, "schema"), 0)

    def operation(self, label: str) -> Pointer:
        """Return where the operation with a label is."""
        method, _, path = label.partition(" ")
        return (*self.place(("paths", path)), method.lower())

    def answer(self, operation: str, status: int) -> tuple[Pointer, Mapping[str, Any]] | None:
        """Return where and how the document describes an answer with a status; None: it does not."""
        responses = (*self.operation(operation), "responses")
        known = self.at(responses)
        for key in described_as(status):
            if inside(known, key) is not None:
                pointer, described = self.resolved((*responses, key))
                return (pointer, described) if isinstance(described, dict) else None
        return None

    def values(self, value: Any, where: Pointer, depth: int) -> Iterator[tuple[Pointer, Any]]:
        """Yield the values in a value with the schemas that describe them."""
        pointer, schema = self.resolved(where)
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return
        yield pointer, value
        for k in range(len(schema.get("allOf") or ())):
            yield from self.values(value, (*pointer, "allOf", str(k)), depth + 1)
        for word in ("oneOf", "anyOf"):
            choices = [(*pointer, word, str(k)) for k in range(len(schema.get(word) or ()))]
            fitting = [at for at in choices if self._fits(value, self.resolved(at)[1])]
            named = [at for at in fitting if {"const", "enum"} & self.resolved(at)[1].keys()]
            if len(fitting) == 1 or len(named) == 1:  # else it is not known which one describes it
                yield from self.values(value, (named or fitting)[0], depth + 1)
        if isinstance(value, dict):
            properties = schema.get("properties") or {}
            for name, inside in value.items():
                if name in properties:
                    yield from self.values(inside, (*pointer, "properties", name), depth + 1)
                elif isinstance(schema.get("additionalProperties"), dict):
                    yield from self.values(inside, (*pointer, "additionalProperties"), depth + 1)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            for inside in value[:MOST_ITEMS]:
                yield from self.values(inside, (*pointer, "items"), depth + 1)

    def _fits(self, value: Any, schema: Any) -> bool:
        """Whether a value may be one of a schema's, as far as its type and its fields tell."""
        if not isinstance(schema, dict):
            return False
        types = schema.get("type")
        allowed = {types} if isinstance(types, str) else {*(types or ())}
        kind = kind_of(value)
        if allowed and not {kind, "number" if kind == "integer" else kind} & allowed:
            return False
        if "const" in schema or "enum" in schema:
            return value in (*(schema.get("enum") or ()), *((schema["const"],) if "const" in schema else ()))
        if isinstance(value, str) and isinstance(schema.get("pattern"), str):
            return matches(schema["pattern"], value)
        if not isinstance(value, dict):
            return True
        properties = schema.get("properties") or {}
        told_apart = all(
            self._fits(value[name], self.followed(part) or part)
            for name, part in properties.items()
            if name in value and isinstance(part, dict) and ("const" in part or "enum" in part)
        )
        return told_apart and {*(schema.get("required") or ())} <= value.keys()

    def followed(self, node: Any) -> dict[str, Any]:
        """Return an object of the document, or what it refers to; empty: it is none, or refers to another document."""
        if told_by(node) is not None:
            target = target_of(node)
            node = None if target is None else self.resolved(target)[1]
        return node if isinstance(node, dict) else {}


def matches(pattern: str, value: str) -> bool:
    """Whether a text keeps to a pattern; all do where Python can't read it: it is one of ECMA 262."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def kind_of(value: Any) -> str:
    """Return the name of a value's type in JSON Schema."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")
