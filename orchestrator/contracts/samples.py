"""Values that fit a schema, as a person would write an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from orchestrator.adapters.walker import Walker
from orchestrator.references import Pointer

_DEEPEST: Final = 8  # schemas within schemas; deeper ones are left out
_OF_FORMAT: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "uuid": "0b6f2d0c-9d6e-4a51-8f0d-3a1f6f0c2b11",
    "email": "ann@example.org",
    "uri": "https://example.org/",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def sample(walker: Walker, pointer: Pointer, depth: int = 0) -> Any:
    """Return a value that a schema describes; None where it says nothing, or is too deep.

    The document's own examples come first, then defaults and enums, then what type, format and bounds allow. A pattern
    is not read: a text that keeps to one has to be put in by hand.
    """
    pointer, schema = walker.resolved(pointer)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    told = _told(schema)
    if told is not None:
        return told[0]
    chosen = next((word for word in ("oneOf", "anyOf") if _listed(schema, word)), None)
    if chosen:
        return sample(walker, (*pointer, chosen, "0"), depth + 1)
    if _listed(schema, "allOf"):
        return _merged(walker, pointer, schema, depth)
    return _of_kind(walker, pointer, schema, depth)


def _listed(schema: Mapping[str, Any], word: str) -> bool:
    return isinstance(schema.get(word), list) and bool(schema[word])


def _merged(walker: Walker, pointer: Pointer, schema: Mapping[str, Any], depth: int) -> Any:
    parts = [sample(walker, (*pointer, "allOf", str(k)), depth + 1) for k in range(len(schema["allOf"]))]
    fields = {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
    fields |= _object(walker, pointer, schema, depth)
    return fields or next((part for part in parts if part is not None), {})


def _of_kind(walker: Walker, pointer: Pointer, schema: Mapping[str, Any], depth: int) -> Any:
    kind = _kind(schema)
    if kind == "object":
        return _object(walker, pointer, schema, depth)
    if kind == "array":
        count = max(1, _whole(schema.get("minItems"), 1))
        return [sample(walker, (*pointer, "items"), depth + 1)] * min(count, 3)
    return _scalar(kind, schema)


def _told(schema: Mapping[str, Any]) -> list[Any] | None:
    """Return the value that the document itself gives, in a list; None: it gives none."""
    for key in ("example", "const", "default"):
        if schema.get(key) is not None:
            return [schema[key]]
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return [schema[key][0]]
    return None


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((k for k in kinds if k != "null"), "null")
    if isinstance(kinds, str):
        return kinds
    return "object" if "properties" in schema else "array" if "items" in schema else ""


def _object(walker: Walker, pointer: Pointer, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    made = {
        str(name): sample(walker, (*pointer, "properties", str(name)), depth + 1)
        for name in (properties if isinstance(properties, dict) else ())
    }
    required = schema.get("required")
    needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    return {name: value for name, value in made.items() if value is not None or name in needed}


def _scalar(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "string":
        text = _OF_FORMAT.get(str(schema.get("format")), "text")
        least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), len(text))
        return (text * (least // len(text) + 1))[: max(least, min(len(text), most))]
    if kind in ("integer", "number"):
        return _number(schema)
    return True if kind == "boolean" else None


def _number(schema: Mapping[str, Any]) -> Any:
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if isinstance(above, int | float) and not isinstance(above, bool):
        return above + 1
    if isinstance(least, int | float):
        return least + 1 if above is True else least
    return most if isinstance(most, int | float) and most < 1 else 1


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and 0 <= value < 10_000 else otherwise
