"""The description under test: small changes to the OpenAPI document, and which recorded exchange would notice each.

What says less (a value of an enum gone, a bound one tighter, a field required that was optional, a response gone) is
noticed by an exchange that the document describes and the changed one does not. What says more (a bound one wider, a
required field optional, a type open) is asked of requests alone, for nobody can break a promise that is not made: it is
noticed by a request that was refused, and that the changed document allows. What nobody notices, nothing exercises: the
document could be wrong there.
"""

from __future__ import annotations

import base64
import collections
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from orchestrator.adapters.openapi import Document
from orchestrator.adapters.session import Exchange
from orchestrator.adapters.walker import Walker, kind_of, matches
from orchestrator.model.mutation import DocumentMutant
from orchestrator.references import Pointer, written

_MOST_VALUES: Final = 500  # different ones that are remembered of a schema
_MOST_CHOICES: Final = 40  # values of an enum that are taken out
_REFUSED: Final = 400  # the least status of a response that refuses

# Keyword, step that makes it tighter, and what is measured.
_BOUNDS: Final = (
    ("minimum", 1, "value"),
    ("maximum", -1, "value"),
    ("minLength", 1, "length"),
    ("maxLength", -1, "length"),
    ("minItems", 1, "items"),
    ("maxItems", -1, "items"),
)


class _Met:
    """The values that a schema was met with, in one layer."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.texts: set[str] = set()
        self.measures: dict[str, set[float]] = collections.defaultdict(set)
        self.objects = 0
        self.keys: collections.Counter[str] = collections.Counter()

    def add(self, value: Any) -> None:
        self.kinds.add(kind_of(value))
        if len(self.texts) < _MOST_VALUES and not isinstance(value, dict | list):
            self.texts.add(json.dumps(value))
        if isinstance(value, dict):
            self.objects += 1
            self.keys.update(value.keys())
        elif isinstance(value, list):
            self.measures["items"].add(len(value))
        elif isinstance(value, str):
            self.measures["length"].add(len(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.measures["value"].add(value)


# By layer: what is described and came, and what was refused.
_Layers = dict[str, _Met]


class Description:
    """Holds exchanges against a document.

    Args:
        document: The document.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._walker = Walker(document.raw)
        self._kept: dict[Pointer, _Layers] = {}
        self._refused: dict[Pointer, _Layers] = {}
        self._answered: dict[Pointer, set[str]] = {}

    def learn(self, layer: str, request: Mapping[str, Any], exchange: Exchange) -> None:
        """Take in a request (`headers` and `body`, as base64) and its response, of one layer."""
        operation = self._document.match(exchange.method, exchange.path.partition("?")[0])
        if operation is None:
            return
        answer = self._walker.answer(operation.label, exchange.status)
        if answer is not None:
            self._answered.setdefault(answer[0], set()).add(layer)
        for pointer, value in self._walker.response(operation.label, exchange):
            if "headers" not in pointer:
                self._kept.setdefault(pointer, {}).setdefault(layer, _Met()).add(value)
        met = self._refused if exchange.status >= _REFUSED else self._kept
        for pointer, value in self._sent(self._walker.operation(operation.label), request, exchange):
            met.setdefault(pointer, {}).setdefault(layer, _Met()).add(value)

    def _sent(
        self, definition: Pointer, request: Mapping[str, Any], exchange: Exchange
    ) -> Iterator[tuple[Pointer, Any]]:
        """Yield the parts of a request with the schemas that describe them: of its query and of its body."""
        given = dict(parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True))
        for k in range(len(self._walker.at((*definition, "parameters")) or ())):
            pointer, parameter = self._walker.resolved((*definition, "parameters", str(k)))
            if isinstance(parameter, dict) and parameter.get("in") == "query" and parameter.get("name") in given:
                at, schema = self._walker.resolved((*pointer, "schema"))
                yield at, _read(given[parameter["name"]], schema if isinstance(schema, dict) else {})
        media = next((v for k, v in request.get("headers") or () if str(k).lower() == "content-type"), "")
        pointer, body = self._walker.resolved((*definition, "requestBody"))
        key = str(media).partition(";")[0].strip().lower()
        if not isinstance(body, dict) or key not in (body.get("content") or {}) or "json" not in key:
            return
        try:
            value = json.loads(base64.b64decode(request.get("body") or ""))
        except (ValueError, RecursionError):
            return
        yield from self._walker.values(value, (*pointer, "content", key, "schema"), 0)

    def mutants(self) -> list[DocumentMutant]:
        """Return the changes to the document, with the layers that notice each."""
        found: dict[tuple[str, str], DocumentMutant] = {}
        for operation in self._document.tested:
            definition = self._walker.operation(operation.label)
            for change in self._of_operation(definition):
                found.setdefault((change.at, change.change), change)
        return list(found.values())

    def _of_operation(self, definition: Pointer) -> Iterator[DocumentMutant]:
        for k in range(len(self._walker.at((*definition, "parameters")) or ())):
            pointer, parameter = self._walker.resolved((*definition, "parameters", str(k)))
            if isinstance(parameter, dict) and parameter.get("in") == "query":
                yield from self._of_parameter((*pointer, "schema"))
        pointer, body = self._walker.resolved((*definition, "requestBody"))
        for media in (body.get("content") or {}) if isinstance(body, dict) else ():
            yield from self._of_schema((*pointer, "content", media, "schema"), set(), is_request=True)
        for status in self._walker.at((*definition, "responses")) or ():
            at, response = self._walker.resolved((*definition, "responses", str(status)))
            if not isinstance(response, dict):
                continue
            by = self._answered.get(at, set())
            yield _mutant((*definition, "responses", str(status)), "the response is gone", by)
            for media in response.get("content") or {}:
                yield from self._of_schema((*at, "content", media, "schema"), set(), is_request=False)

    def _of_parameter(self, where: Pointer) -> Iterator[DocumentMutant]:
        """Yield the changes to the schema of a parameter: all that is sent there is text, whatever its type."""
        return (m for m in self._of_schema(where, set(), is_request=True) if m.change != "no type")

    def _of_schema(
        self, where: Pointer, above: set[Pointer], *, is_request: bool, is_choice: bool = False
    ) -> Iterator[DocumentMutant]:
        """Yield the changes to a schema and to those in it.

        Args:
            where: The schema.
            above: Those that it is in.
            is_request: Whether it describes requests.
            is_choice: Whether it is one of several: what was refused may have been meant for another one.
        """
        pointer, schema = self._walker.resolved(where)
        if not isinstance(schema, dict) or pointer in above:
            return
        above = {*above, pointer}
        kept, refused = self._kept.get(pointer, {}), self._refused.get(pointer, {})
        for change, by in _tightened(schema, kept, is_request=is_request):
            yield _mutant(pointer, change, by)
        for change, by in _loosened(schema, refused) if is_request and not is_choice else ():
            yield _mutant(pointer, change, by)
        inside = functools.partial(self._of_schema, above=above, is_request=is_request)
        for name in schema.get("properties") or {}:
            yield from inside((*pointer, "properties", str(name)), is_choice=is_choice)
        for word in ("items", "additionalProperties"):
            if isinstance(schema.get(word), dict):
                yield from inside((*pointer, word), is_choice=is_choice)
        for word in ("allOf", "oneOf", "anyOf"):
            for k in range(len(schema.get(word) or ())):
                yield from inside((*pointer, word, str(k)), is_choice=is_choice or word != "allOf")


def _tightened(
    schema: Mapping[str, Any], layers: Mapping[str, _Met], *, is_request: bool
) -> Iterator[tuple[str, set[str]]]:
    """Yield changes that say less, with the layers that have met what is not described any more.

    That a field of a response is required is no change to try: that it is always there breaks no promise.
    """
    by = functools.partial(_noticing, layers)

    for value in (schema.get("enum") or ())[:_MOST_CHOICES]:
        told = json.dumps(value)
        yield f"enum without {told}", by(lambda met, told=told: told in met.texts)
    types = schema.get("type")
    for kind in types if isinstance(types, list) and len(types) > 1 else ():
        yield f"type without {kind}", by(lambda met, kind=kind: kind in met.kinds)
    for word, step, what in _BOUNDS:
        bound = schema.get(word)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            yield (
                f"{word}: {bound + step}",
                by(lambda met, b=bound, s=step, w=what: any((v - b) * s < abs(s) for v in met.measures[w])),
            )
    required = schema.get("required") or ()
    for name in schema.get("properties") or {}:
        yield f"without the field {name}", by(lambda met, name=name: met.keys[name] > 0)
        if is_request and name not in required:
            yield f"{name} is required", by(lambda met, name=name: met.keys[name] < met.objects)


def _noticing(layers: Mapping[str, _Met], is_noticed: Callable[..., bool]) -> set[str]:
    """Return the layers that have met something."""
    return {layer for layer, met in layers.items() if is_noticed(met)}


def _loosened(schema: Mapping[str, Any], layers: Mapping[str, _Met]) -> Iterator[tuple[str, set[str]]]:
    """Yield changes that say more, with the layers whose refused requests are described then."""
    by = functools.partial(_noticing, layers)

    for word, step, what in _BOUNDS:
        bound = schema.get(word)
        if isinstance(bound, int | float) and not isinstance(bound, bool) and not (bound == 0 and what != "value"):
            yield (
                f"{word}: {bound - step}",
                by(lambda met, b=bound, s=step, w=what: any(0 < (b - v) * s <= abs(s) for v in met.measures[w])),
            )
    for name in schema.get("required") or ():
        yield f"{name} is not required", by(lambda met, name=name: met.keys[name] < met.objects)
    if schema.get("additionalProperties") is False:
        known = {*(schema.get("properties") or ())}
        yield "any other field", by(lambda met: any(key not in known for key in met.keys))
    if schema.get("enum"):
        known_values = {json.dumps(value) for value in schema["enum"]}
        yield "no enum", by(lambda met: bool(met.texts - known_values))
    types = schema.get("type")
    if types:
        allowed = {types} if isinstance(types, str) else {*types}
        allowed |= {"integer"} if "number" in allowed else set()
        yield "no type", by(lambda met: bool(met.kinds - allowed))
    if isinstance(pattern := schema.get("pattern"), str):
        texts = {layer: [v for v in map(json.loads, met.texts) if isinstance(v, str)] for layer, met in layers.items()}
        yield "no pattern", {layer for layer in texts if not all(matches(pattern, text) for text in texts[layer])}


def _mutant(pointer: Pointer, change: str, by: set[str]) -> DocumentMutant:
    return DocumentMutant(at="#" + written(pointer), change=change, noticed=tuple(sorted(by)))


def _read(text: str, schema: Mapping[str, Any]) -> Any:
    """Return what a parameter's text means."""
    types = schema.get("type")
    kinds = {types} if isinstance(types, str) else {*(types or ())}
    if kinds & {"integer", "number", "boolean"}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
