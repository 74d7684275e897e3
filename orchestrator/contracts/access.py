"""Properties that only one side may send: `readOnly` ones in requests, `writeOnly` ones in responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orchestrator.contracts.description import mapping
from orchestrator.contracts.schemas import Schemas
from orchestrator.references import Pointer

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
