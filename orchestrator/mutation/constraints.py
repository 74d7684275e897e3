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
from orchestrator.adapters.walker import MOST_ITEMS, Walker, kind_of
from orchestrator.references import Pointer

_UNCOUNTED: Final = ("boolean", "null")
_LEAST: Final = 3  # values that have to be seen before anything follows from them
_MOST_VALUES: Final = 300  # different ones that are remembered of a schema
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
        self.kinds.add(kind_of(value))
        if isinstance(value, dict):
            self.objects += 1
            self.keys.update(value.keys())
        elif isinstance(value, list):
            self.shortest = min(self.shortest, len(value))
            self.is_unique = self.is_unique and _is_unique(value)
        elif kind_of(value) not in _UNCOUNTED and (value in self.scalars or len(self.scalars) < _MOST_VALUES):
            self.scalars[value] += 1


class Described:
    """What the document says of responses, and which ones came.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._walker = Walker(raw)
        self._seen: dict[Pointer, _Seen] = {}

    def learn(self, operation: str, exchange: Exchange) -> set[Pointer]:
        """Take in a response as it is without a mutant; return the schemas and headers that it was held against."""
        met = set()
        for pointer, value in self._walker.response(operation, exchange):
            self._seen.setdefault(pointer, _Seen()).add(value)
            met.add(pointer)
        return met

    def broken(self, operation: str, exchange: Exchange) -> list[Constraint]:
        """Return what all responses without a mutant keep to and this one does not, the likeliest first."""
        found: dict[Constraint, int] = {}
        for pointer, value in self._walker.response(operation, exchange):
            seen = self._seen.get(pointer)
            if seen is None or seen.count < _LEAST:
                continue
            schema = self._walker.at(pointer)
            for rank, update in _broken(schema, seen, value, pointer):
                constraint = Constraint(pointer, json.dumps(update, ensure_ascii=False))
                found[constraint] = min(rank, found.get(constraint, rank))
        return sorted(found, key=lambda constraint: found[constraint])


def _broken(schema: Any, seen: _Seen, value: Any, pointer: Pointer) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what all seen values keep to and this one does not, each with its rank: the smaller, the likelier."""
    if not isinstance(schema, dict):
        return
    if len(pointer) > 1 and pointer[-2] == "headers":
        yield from _broken_header(schema, seen, value)
        return
    kind = kind_of(value)
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
    has_others = bool(seen.kinds - {"string", "null"})
    if not {"enum", "const"} & schema.keys() and not has_others and _may_be_choices(seen, texts, name):
        has_words = all(re.fullmatch(r"[\w.:/-]+", t) for t in texts)
        yield (5 if has_words else 8), {"enum": [*sorted(texts), *([None] if "null" in seen.kinds else [])]}
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


def _is_unique(values: Sequence[Any]) -> bool:
    told = [json.dumps(v, sort_keys=True) for v in values[:MOST_ITEMS]]
    return len(set(told)) == len(told)


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts), max(texts)
    count = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]
