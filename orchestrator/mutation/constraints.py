"""What the OpenAPI document would have to say for a changed response to break it.

Recorded responses are walked along the schemas that the document gives them: so it is known for each schema which
values it was met with. A value under a mutant that is unlike all of these breaks what they have in common: a type, a
required field, a format, an enum, a bound. Keywords are those of JSON Schema (2020-12, section 6 of the validation
specification: https://json-schema.org/draft/2020-12/json-schema-validation), as far as OpenAPI 3.0 has them too.
"""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters.session import Exchange

Pointer = tuple[str, ...]  # where something is in the document

_UNCOUNTED: Final = ("boolean", "null")
_LEAST: Final = 3  # values that have to be seen before anything follows from them
_MOST_VALUES: Final = 300  # different ones that are remembered of a schema
_MOST_ITEMS: Final = 200  # of an array that are looked at
_MOST_CHOICES: Final = 8  # values of an enum …
_OFTEN: Final = 3  # … each of which was seen so many times in the mean
_LONGEST: Final = 60  # characters of a value of an enum
_PREFIX: Final = 4  # characters that all values begin with, for a pattern

_FORMATS: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("uuid", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
        ("date-time", r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)"),
        ("date", r"\d{4}-\d\d-\d\d"),
        ("ipv4", r"(?:\d{1,3}\.){3}\d{1,3}"),
        ("uri", r"[a-z][a-z0-9+.-]*:\S+"),
        ("email", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    )
)


class Constraint(msgspec.Struct, frozen=True):
    """Something that the document could say.

    Attributes:
        at: Where in the document.
        update: What is said there in addition, as JSON: an object.
    """

    at: Pointer
    update: str


class _Seen:
    """The values that a schema was met with."""

    def __init__(self) -> None:
        self.count = 0
        self.kinds: set[str] = set()
        self.scalars: collections.Counter[str | int | float] = collections.Counter()
        self.keys: collections.Counter[str] = collections.Counter()
        self.objects = 0
        self.shortest = float("inf")  # array
        self.is_unique = True

    def add(self, value: Any) -> None:
        self.count += 1
        self.kinds.add(_kind(value))
        if isinstance(value, dict):
            self.objects += 1
            self.keys.update(value.keys())
        elif isinstance(value, list):
            self.shortest = min(self.shortest, len(value))
            self.is_unique = self.is_unique and _is_unique(value)
        elif _kind(value) not in _UNCOUNTED and (value in self.scalars or len(self.scalars) < _MOST_VALUES):
            self.scalars[value] += 1


class Described:
    """What the document says of responses, and which ones came.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._seen: dict[Pointer, _Seen] = {}

    def learn(self, operation: str, exchange: Exchange) -> set[Pointer]:
        """Take in a response as it is without a mutant; return the schemas and headers that it was held against."""
        met = set()
        for pointer, value in self._walk(operation, exchange):
            self._seen.setdefault(pointer, _Seen()).add(value)
            met.add(pointer)
        return met

    def broken(self, operation: str, exchange: Exchange) -> list[Constraint]:
        """Return what all responses without a mutant keep to and this one does not, the likeliest first."""
        found: dict[Constraint, int] = {}
        for pointer, value in self._walk(operation, exchange):
            seen = self._seen.get(pointer)
            if seen is None or seen.count < _LEAST:
                continue
            schema = self._at(pointer)
            for rank, update in _broken(schema, seen, value, pointer):
                constraint = Constraint(pointer, json.dumps(update, ensure_ascii=False))
                found[constraint] = min(rank, found.get(constraint, rank))
        return sorted(found, key=lambda constraint: found[constraint])

    def _walk(self, operation: str, exchange: Exchange) -> Iterator[tuple[Pointer, Any]]:
        """Yield the parts of a response with the parts of the document that describe them."""
        response = self._response(operation, exchange.status)
        if response is None:
            return
        pointer, described = response
        given: dict[str, str] = {name.lower(): value for name, value in exchange.headers}
        for name in described.get("headers") or ():
            at, header = self._resolved((*pointer, "headers", name))
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
            yield from self._values(value, (*pointer, "content", key, "schema"), 0)
        elif "schema" in described:  # Swagger 2.0
            yield from self._values(value, (*pointer, "schema"), 0)

    def _response(self, operation: str, status: int) -> tuple[Pointer, Mapping[str, Any]] | None:
        method, _, path = operation.partition(" ")
        responses = ("paths", path, method.lower(), "responses")
        known = self._at(responses)
        for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if _inside(known, key) is not None:
                pointer, described = self._resolved((*responses, key))
                return (pointer, described) if isinstance(described, dict) else None
        return None

    def _values(self, value: Any, where: Pointer, depth: int) -> Iterator[tuple[Pointer, Any]]:
        """Yield the values in a value with the schemas that describe them."""
        pointer, schema = self._resolved(where)
        if not isinstance(schema, dict) or depth > 30:
            return
        yield pointer, value
        for k in range(len(schema.get("allOf") or ())):
            yield from self._values(value, (*pointer, "allOf", str(k)), depth + 1)
        for word in ("oneOf", "anyOf"):
            choices = [(*pointer, word, str(k)) for k in range(len(schema.get(word) or ()))]
            fitting = [at for at in choices if self._fits(value, self._resolved(at)[1])]
            if len(fitting) == 1:
                yield from self._values(value, fitting[0], depth + 1)
        if isinstance(value, dict):
            properties = schema.get("properties") or {}
            for name, inside in value.items():
                if name in properties:
                    yield from self._values(inside, (*pointer, "properties", name), depth + 1)
                elif isinstance(schema.get("additionalProperties"), dict):
                    yield from self._values(inside, (*pointer, "additionalProperties"), depth + 1)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            for inside in value[:_MOST_ITEMS]:
                yield from self._values(inside, (*pointer, "items"), depth + 1)

    def _fits(self, value: Any, schema: Any) -> bool:
        """Whether a value may be one of a schema's, as far as its type and its fields tell."""
        if not isinstance(schema, dict):
            return False
        types = schema.get("type")
        allowed = {types} if isinstance(types, str) else {*(types or ())}
        kind = _kind(value)
        if allowed and not {kind, "number" if kind == "integer" else kind} & allowed:
            return False
        if "const" in schema or "enum" in schema:
            return value in (*(schema.get("enum") or ()), *((schema["const"],) if "const" in schema else ()))
        if not isinstance(value, dict):
            return True
        properties = schema.get("properties") or {}
        told_apart = all(
            self._fits(value[name], self._resolved_schema(part))
            for name, part in properties.items()
            if name in value and isinstance(part, dict) and ("const" in part or "enum" in part)
        )
        return told_apart and {*(schema.get("required") or ())} <= value.keys()

    def _at(self, pointer: Pointer) -> Any:
        node: Any = self._raw
        for part in pointer:
            node = _inside(node, part)
        return node

    def _resolved(self, pointer: Pointer) -> tuple[Pointer, Any]:
        """Return where something is, and what it is, all references followed."""
        node = self._at(pointer)
        for _ in range(30):
            reference = node.get("$ref") if isinstance(node, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            pointer = _pointer(reference)
            node = self._at(pointer)
        return pointer, node

    def _resolved_schema(self, schema: Mapping[str, Any]) -> Any:
        reference = schema.get("$ref")
        is_here = isinstance(reference, str) and reference.startswith("#/")
        return self._resolved(_pointer(str(reference)))[1] if is_here else schema


def _pointer(reference: str) -> Pointer:
    """Return what a reference within the document points to (JSON Pointer, RFC 6901)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))


def _inside(node: Any, part: str) -> Any:
    """Return a part of a document; None: there is none."""
    if isinstance(node, list):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    if not isinstance(node, dict):
        return None
    # YAML has statuses as numbers, where nobody put them in quotes.
    return node.get(part, node.get(int(part)) if part.isdigit() else None)


def _broken(schema: Any, seen: _Seen, value: Any, pointer: Pointer) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what all seen values keep to and this one does not, each with its rank: the smaller, the likelier."""
    if not isinstance(schema, dict):
        return
    if len(pointer) > 1 and pointer[-2] == "headers":
        yield from _broken_header(schema, seen, value)
        return
    kind = _kind(value)
    if kind not in seen.kinds and not (kind == "integer" and "number" in seen.kinds):
        yield from _other_type(schema, seen)
    elif isinstance(value, dict):
        yield from _broken_object(schema, seen, value, pointer)
    elif isinstance(value, list):
        if not value and seen.shortest > 0:
            yield 4, {"minItems": 1}
        if seen.is_unique and not _is_unique(value):
            yield 6, {"uniqueItems": True}
    elif isinstance(value, str):
        yield from _broken_text(schema, seen, value, pointer[-1])
    elif kind in ("integer", "number"):
        yield from _broken_number(schema, seen, value)


def _broken_header(schema: Mapping[str, Any], seen: _Seen, value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if value is None and "null" not in seen.kinds and not schema.get("required"):
        yield 2, {"required": True}
    inner = schema.get("schema")
    is_text = isinstance(inner, dict) and inner.get("type") == "string"
    if isinstance(value, str) and isinstance(inner, dict) and is_text and len(seen.scalars) < _MOST_VALUES:
        for rank, update in _broken_text(inner, seen, value, "header"):
            yield rank, {"schema": {**inner, **update}}


def _other_type(schema: Mapping[str, Any], seen: _Seen) -> Iterator[tuple[int, dict[str, Any]]]:
    types = schema.get("type")
    if seen.kinds == {"null"} or {"const", "enum"} & schema.keys():
        return
    if schema.get("nullable") and "null" not in seen.kinds:
        yield 0, {"nullable": False}
    elif isinstance(types, list):
        known = [t for t in types if t in seen.kinds or (t == "number" and "integer" in seen.kinds)]
        if known:
            yield 0, {"type": known[0] if len(known) == 1 else known}
    elif types == "number" and seen.kinds == {"integer"}:
        yield 0, {"type": "integer"}
    elif types is None and len(seen.kinds) == 1 and not {"allOf", "oneOf", "anyOf"} & schema.keys():
        yield 0, {"type": next(iter(seen.kinds))}


def _broken_object(
    schema: Mapping[str, Any], seen: _Seen, value: Mapping[str, Any], pointer: Pointer
) -> Iterator[tuple[int, dict[str, Any]]]:
    properties, required = schema.get("properties") or {}, list(schema.get("required") or ())
    missing = [k for k, n in seen.keys.items() if n == seen.objects and k not in value and k in properties]
    if missing:
        yield 1, {"required": sorted({*required, *missing})}
    composed = {"allOf", "oneOf", "anyOf"} & schema.keys() or "allOf" in pointer
    is_open = bool(properties) and not composed and "additionalProperties" not in schema
    if is_open and any(k not in properties for k in value) and all(k in properties for k in seen.keys):
        yield 5, {"additionalProperties": False}


def _broken_text(schema: Mapping[str, Any], seen: _Seen, value: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    texts = [v for v in seen.scalars if isinstance(v, str)]
    if not texts or value in texts:
        return
    if "format" not in schema and len(texts) > 1:
        for format_, pattern in _FORMATS:
            if all(map(pattern.fullmatch, texts)):
                if not pattern.fullmatch(value):
                    yield 3, {"format": format_}
                break
    if not value and "" not in texts:
        yield 4, {"minLength": 1}
    if not {"enum", "const"} & schema.keys() and _may_be_choices(seen, texts, name):
        has_words = all(re.fullmatch(r"[\w.:/-]+", t) for t in texts)
        yield (5 if has_words else 8), {"enum": sorted(texts)}
    prefix = _common(texts)
    if len(texts) >= _LEAST and len(prefix) >= _PREFIX and not value.startswith(prefix) and "pattern" not in schema:
        yield 7, {"pattern": f"^{re.escape(prefix)}"}


def _may_be_choices(seen: _Seen, texts: Sequence[str], name: str) -> bool:
    """Whether texts are so few that they may be all that there are, and nothing that is to be kept secret."""
    if len(texts) > _MOST_CHOICES or sum(seen.scalars.values()) < _OFTEN * len(texts):
        return False
    told = [f"{name}: {t}" for t in texts]
    return all(len(t) <= _LONGEST and text.redact(line) == line for t, line in zip(texts, told, strict=True))


def _broken_number(schema: Mapping[str, Any], seen: _Seen, value: float) -> Iterator[tuple[int, dict[str, Any]]]:
    numbers = [v for v in seen.scalars if isinstance(v, int | float)]
    if not numbers or len(seen.scalars) >= _MOST_VALUES:
        return
    low, high = min(numbers), max(numbers)
    if value < low and "minimum" not in schema:
        natural = next((n for n in (1, 0) if n <= low and value < n), None)
        yield (6, {"minimum": natural}) if natural is not None else (9, {"minimum": low})
    if value > high and "maximum" not in schema:
        yield 9, {"maximum": high}
    if {type(v) for v in numbers} == {int} and not isinstance(value, int):
        yield 0, {"type": "integer"}


def _kind(value: Any) -> str:
    """Return the name of a value's type in JSON Schema."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _is_unique(values: Sequence[Any]) -> bool:
    told = [json.dumps(v, sort_keys=True) for v in values[:_MOST_ITEMS]]
    return len(set(told)) == len(told)


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts), max(texts)
    count = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]
