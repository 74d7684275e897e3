"""Where a value meets a schema of some kind: `readOnly` in requests, `writeOnly` in responses, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orchestrator.contracts.description import mapping
from orchestrator.contracts.schemas import UNREAD, Schemas
from orchestrator.references import Pointer, target_of

_DEEPEST: Final = 30


def marked(value: Any, schema: Pointer, word: str, schemas: Schemas) -> Iterator[Pointer]:
    """Yield where in a value there is something whose schema is marked with a word.

    Args:
        value: A JSON value.
        schema: Where its schema is in the document.
        word: `readOnly` or `writeOnly`.
        schemas: The document's.
    """
    yield from _marked(value, schemas.flat(schema), word, schemas, ())


def _marked(value: Any, schema: Any, word: str, schemas: Schemas, at: Pointer) -> Iterator[Pointer]:
    node = schemas.followed(schema)
    if not node or len(at) > _DEEPEST:
        return
    if isinstance(value, dict):
        properties = mapping(node.get("properties"))
        for name in value.keys() & properties.keys():
            if schemas.followed(properties[name]).get(word) is True:
                yield (*at, name)
            else:
                yield from _marked(value[name], properties[name], word, schemas, (*at, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _marked(one, node.get("items"), word, schemas, (*at, str(number)))


def unread(value: Any, schema: Pointer, schemas: Schemas) -> Iterator[tuple[Pointer, str]]:
    """Yield where a value is not held against anything, for its schema refers to what can't be read, and to what.

    Args:
        value: A JSON value.
        schema: Where its schema is in the document.
        schemas: The document's.
    """
    yield from dict.fromkeys(_unread(value, schemas.flat(schema), schemas, (), set()))


def _unread(
    value: Any, schema: Any, schemas: Schemas, at: Pointer, seen: set[tuple[Pointer, Pointer]]
) -> Iterator[tuple[Pointer, str]]:
    target = target_of(schema)
    if target is not None:
        if (target, at) in seen:
            return
        seen.add((target, at))
    node = schemas.followed(schema)
    if UNREAD in node:
        yield at, str(node[UNREAD])
    for word in ("allOf", "oneOf", "anyOf"):
        for choice in node.get(word) or ():
            yield from _unread(value, choice, schemas, at, seen)
    if isinstance(value, dict):
        properties, others = mapping(node.get("properties")), node.get("additionalProperties")
        for name, one in value.items():
            yield from _unread(one, properties.get(name, others), schemas, (*at, name), seen)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _unread(one, node.get("items"), schemas, (*at, str(number)), seen)
