"""Which responses and fields are described, were seen, and are read by whom."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.adapters.walker import Walker
from orchestrator.model.description import FieldUse, ResponseUse, described_as, pattern_of
from orchestrator.references import Pointer

_DEEPEST: Final = 12  # fields within fields that are named
_MOST_ITEMS: Final = 50  # of an array that are looked at
_ANY: Final = "*"  # a field of any name


class Seen(msgspec.Struct, frozen=True):
    """A recorded response: the operation's label, who asked, the status, the body as text."""

    operation: str
    layer: str
    status: int
    body: str = ""


Key = tuple[str, str]  # operation, status as it is shown


class _Use:
    """What is known of the responses of an operation with a status."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.consumers: set[str] = set()
        self.fields: Counter[str] = Counter()
        self.read: dict[str, set[str]] = defaultdict(set)


def usage(document: Document, seen: Iterable[Seen], pacts: Sequence[Pact]) -> tuple[ResponseUse, ...]:
    """Return the responses of each operation, in the document's order, by status.

    Args:
        document: What describes them.
        seen: What was recorded while the tests ran.
        pacts: What consumers expect.
    """
    walker = Walker(document.whole)
    described = {
        (operation.label, status): pointer
        for operation in document.operations
        for status, pointer in _responses(walker, operation.label)
    }
    uses: dict[Key, _Use] = defaultdict(_Use)
    labels = {operation.label for operation in document.operations}
    for one in seen:
        if one.operation in labels:
            use = uses[_key(one.operation, one.status, described)]
            use.seen[one.layer] += 1
            use.fields.update(set(_paths(_json(one.body))))
    for pact in pacts:
        for interaction in pact.interactions:
            operation = document.match(interaction.method, interaction.path) if interaction.method else None
            if operation is not None and interaction.status is not None:
                use = uses[_key(operation.label, interaction.status, described)]
                use.consumers.add(pact.consumer)
                for path in set(_paths(interaction.body)):
                    use.read[path].add(pact.consumer)
    order = {operation.label: k for k, operation in enumerate(document.operations)}
    keys = sorted({*described, *uses}, key=lambda key: (order[key[0]], key[1]))
    return tuple(_response(key, walker, described.get(key), uses[key]) for key in keys)


def _responses(walker: Walker, label: str) -> Iterator[tuple[str, Pointer]]:
    pointer = (*walker.operation(label), "responses")
    responses = walker.at(pointer)
    for status in responses if isinstance(responses, dict) else ():
        if not str(status).startswith("x-"):
            yield str(status), (*pointer, str(status))


def _key(operation: str, status: int, described: Mapping[Key, Pointer]) -> Key:
    """Return the response that a status belongs to: the document's own, or one that it does not have."""
    names = described_as(status)
    return next(((operation, name) for name in names if (operation, name) in described), (operation, str(status)))


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _paths(value: Any, path: str = "$", depth: int = 0) -> Iterator[str]:
    """Yield the paths of all fields in a value."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}"
            yield from _paths(inner, f"{path}.{name}", depth + 1)
    elif isinstance(value, list):
        for inner in value[:_MOST_ITEMS]:
            yield from _paths(inner, f"{path}[]", depth + 1)


def _described_paths(walker: Walker, pointer: Pointer, path: str = "$", depth: int = 0) -> Iterator[str]:
    """Yield the paths of all fields that a schema describes."""
    pointer, schema = walker.resolved(pointer)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    for word in ("allOf", "oneOf", "anyOf"):
        parts = schema.get(word)
        for k in range(len(parts) if isinstance(parts, list) else 0):
            yield from _described_paths(walker, (*pointer, word, str(k)), path, depth + 1)
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        yield f"{path}.{name}"
        yield from _described_paths(walker, (*pointer, "properties", str(name)), f"{path}.{name}", depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield f"{path}.{_ANY}"
        yield from _described_paths(walker, (*pointer, "additionalProperties"), f"{path}.{_ANY}", depth + 1)
    if isinstance(schema.get("items"), dict):
        yield from _described_paths(walker, (*pointer, "items"), f"{path}[]", depth + 1)


def _response(key: Key, walker: Walker, pointer: Pointer | None, use: _Use) -> ResponseUse:
    described = list(dict.fromkeys(_of_response(walker, pointer))) if pointer else []
    wild = [(path, re.compile(pattern_of(path))) for path in described if _ANY in path]
    known = set(described)

    def named(path: str) -> str:
        if path in known:
            return path
        return next((name for name, pattern in wild if pattern.fullmatch(path)), path)

    seen: Counter[str] = Counter()
    for path, count in use.fields.items():
        seen[named(path)] += count
    read: dict[str, set[str]] = defaultdict(set)
    for path, consumers in use.read.items():
        read[named(path)] |= consumers
    return ResponseUse(
        operation=key[0],
        status=key[1],
        described=pointer is not None,
        seen=dict(sorted(use.seen.items())),
        consumers=tuple(sorted(use.consumers)),
        fields=tuple(
            FieldUse(
                path=text.one_line(path),
                described=path in known,
                seen=seen[path],
                consumers=tuple(sorted(read[path])),
            )
            for path in dict.fromkeys([*described, *sorted({*seen, *read})])
        ),
    )


def _of_response(walker: Walker, pointer: Pointer) -> Iterator[str]:
    """Yield the fields of a response's JSON bodies, as the document describes them."""
    at, response = walker.resolved(pointer)
    if not isinstance(response, dict):
        return
    contents = response.get("content")
    for media in contents if isinstance(contents, dict) else ():
        if "json" in str(media):
            yield from _described_paths(walker, (*at, "content", str(media), "schema"))
    if "schema" in response:  # Swagger 2.0
        yield from _described_paths(walker, (*at, "schema"))
