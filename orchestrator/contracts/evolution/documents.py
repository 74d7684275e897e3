"""What a document says, the same way for OpenAPI 3 and for Swagger 2.0, and where it says it.

Nothing is believed: whatever is not as the specification has it is as if it were not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from orchestrator.adapters.openapi import METHODS
from orchestrator.references import Pointer, Tree, target, told_by

_DEEPEST: Final = 120  # mappings and lists in each other
_PLACES: Final = ("path", "query", "header", "cookie", "formData")
_JSON: Final = re.compile(r"application/(?:.*\+)?json(?:;.*)?")


class Part(msgspec.Struct, frozen=True):
    """A part of a document.

    Attributes:
        at: Where it is.
        value: What is there.
    """

    at: Pointer
    value: Any

    @property
    def words(self) -> dict[str, Any]:
        """What is there, by name; nothing, if it has no names."""
        return by_name(self.value)

    def inside(self, name: str) -> Part:
        """Return the part of that name; its value is None if there is none."""
        return Part((*self.at, name), by_name(self.value).get(name))

    def named(self, name: str) -> dict[str, Part]:
        """Return the parts in the part of that name, by name."""
        inner = by_name(by_name(self.value).get(name))
        at = (*self.at, name)
        return {key: Part((*at, key), value) for key, value in inner.items()}

    def listed(self, name: str) -> list[Part]:
        """Return the parts in the list of that name."""
        values = by_name(self.value).get(name)
        if not isinstance(values, list):
            return []
        at = (*self.at, name)
        return [Part((*at, str(index)), value) for index, value in enumerate(values)]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation.

    Attributes:
        path: Its path, as the document has it.
        method: Its method, in lower case.
        part: What the document says of it.
        shared: What the document says of all operations of the path.
    """

    path: str
    method: str
    part: Part
    shared: Part


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request.

    Attributes:
        part: What the document says of it.
        required: Whether it has to be there.
        schemas: The schema of each media type; None: it has none.
    """

    part: Part
    required: bool
    schemas: dict[str, Part | None]


class Document:
    """Knows a document.

    Args:
        raw: The document.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._tree = Tree(_plain(raw, 0))
        self.root = Part((), self._tree.raw)
        self.is_swagger = "swagger" in self.root.words
        # Before 3.1, what stands beside a reference counts for nothing.
        self.has_siblings = str(self.root.words.get("openapi", "")).startswith("3.1")

    def resolved(self, part: Part) -> Part | None:
        """Return the part to which references lead; None: they lead out of the document, or nowhere."""
        told = told_by(part.value)
        if told is None:
            return part
        at = target(told)
        place, value = self._tree.resolved(at) if at is not None else ((), None)
        return None if value is None or told_by(value) is not None else Part(place, value)

    def target(self, reference: str) -> Part | None:
        """Return what a reference names; None: nothing in this document."""
        at = target(reference)
        value = None if at is None else self._tree.at(at)
        return None if at is None or value is None else Part(at, value)

    @cached_property
    def paths(self) -> dict[str, Part]:
        """What the document says of each path."""
        found = {path: self.resolved(item) for path, item in self.root.named("paths").items() if path.startswith("/")}
        return {path: item for path, item in found.items() if item is not None}

    def operations(self, path: str) -> dict[str, Operation]:
        """Return the operations of a path, by method."""
        item = self.paths.get(path)
        if item is None:
            return {}
        words = item.words
        return {
            method: Operation(path=path, method=method, part=item.inside(method), shared=item)
            for method in METHODS
            if isinstance(words.get(method), dict)
        }

    def parameters(self, operation: Operation) -> dict[tuple[str, str], Part]:
        """Return the parameters by place and name; those of the operation come before those of its path.

        A header's name is in lower case, and a parameter of the path is called by its number in the path: what it
        is called there means nothing to those who call.
        """
        numbers = {name: str(number) for number, name in enumerate(re.findall(r"\{([^}]*)\}", operation.path))}
        found: dict[tuple[str, str], Part] = {}
        for listed in (*operation.shared.listed("parameters"), *operation.part.listed("parameters")):
            part = self.resolved(listed)
            if part is None:
                continue
            place, name = part.words.get("in"), part.words.get("name")
            if not isinstance(name, str) or place not in _PLACES:
                continue
            if place == "header":
                name = name.lower()
            found[place, numbers.get(name, name) if place == "path" else name] = part
        return found

    def body(self, operation: Operation) -> Body | None:
        """Return the body of an operation's requests; None: they have none."""
        if self.is_swagger:
            return self._swagger_body(operation)
        part = self.resolved(operation.part.inside("requestBody"))
        if part is None or not isinstance(part.value, dict):
            return None
        return Body(part=part, required=part.words.get("required") is True, schemas=self.schemas(part, operation))

    def _swagger_body(self, operation: Operation) -> Body | None:
        for listed in (*operation.part.listed("parameters"), *operation.shared.listed("parameters")):
            part = self.resolved(listed)
            if part is not None and part.words.get("in") == "body":
                media = self._media(operation, "consumes")
                return Body(
                    part=part, required=part.words.get("required") is True, schemas=dict.fromkeys(media, _schema(part))
                )
        return None

    def responses(self, operation: Operation) -> dict[str, Part]:
        """Return the responses by status."""
        found = {status: self.resolved(part) for status, part in operation.part.named("responses").items()}
        return {
            status.upper() if status != "default" else status: part
            for status, part in found.items()
            if part is not None and not status.startswith("x-")
        }

    def schemas(self, part: Part, operation: Operation) -> dict[str, Part | None]:
        """Return the schema of each media type of a body or a response; None: it has none."""
        if not self.is_swagger:
            return {_media_name(name): _schema(content) for name, content in part.named("content").items()}
        schema = _schema(part)
        return {} if schema is None else dict.fromkeys(self._media(operation, "produces"), schema)

    def _media(self, operation: Operation, word: str) -> tuple[str, ...]:
        said = operation.part.words.get(word, self.root.words.get(word))
        names = [_media_name(name) for name in said if isinstance(name, str)] if isinstance(said, list) else []
        return tuple(names) or ("application/json",)

    def headers(self, response: Part) -> dict[str, Part]:
        """Return the headers of a response by name, in lower case."""
        found = {name.lower(): self.resolved(part) for name, part in response.named("headers").items()}
        return {name: part for name, part in found.items() if part is not None}

    def schema_of(self, part: Part) -> Part | None:
        """Return the schema of a parameter or a header; None: it has none."""
        if self.is_swagger:
            return Part(part.at, {k: v for k, v in part.words.items() if k != "required"})
        contents = [_schema(content) for content in part.named("content").values()]
        return contents[0] if contents else _schema(part)

    def security(self, operation: Operation) -> Part | None:
        """Return the operation's own security requirements; None: it has those of the API."""
        part = operation.part.inside("security")
        return part if isinstance(part.value, list) else None

    def security_schemes(self) -> dict[str, Part]:
        """Return the security schemes by name."""
        holder = self.root if self.is_swagger else self.root.inside("components")
        found = holder.named("securityDefinitions" if self.is_swagger else "securitySchemes")
        resolved = {name: self.resolved(part) for name, part in found.items()}
        return {name: part for name, part in resolved.items() if part is not None}


def _schema(part: Part) -> Part | None:
    schema = part.inside("schema")
    return schema if isinstance(schema.value, dict | bool) else None


def _media_name(name: str) -> str:
    return re.sub(r"\s+", "", name).lower()


def references(values: Iterable[Any]) -> set[str]:
    """Return all references in values."""
    found: set[str] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            if (reference := told_by(value)) is not None:
                found.add(reference)
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def is_json(media: str) -> bool:
    """Whether a media type is JSON: in it, a number and a text are not the same."""
    return _JSON.fullmatch(media) is not None


_NOTHING: Final[dict[str, Any]] = {}


def by_name(value: Any) -> dict[str, Any]:
    """Return a mapping; an empty one, if it is none."""
    return value if type(value) is dict else _NOTHING


def _plain(value: Any, depth: int) -> Any:
    """Return a value with names that are text: YAML has others too. What is too deep in it is not there."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, depth + 1) for name, inner in value.items()} if depth < _DEEPEST else None
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value] if depth < _DEEPEST else None
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts in a list, sorted, each once; nothing, if it is no list."""
    return tuple(sorted({v for v in value if isinstance(v, str)})) if isinstance(value, list) else ()


def said(value: Any) -> str:
    """Return a value as JSON, the same for the same value whatever its keys' order; empty: there is none."""
    return "" if value is None else json.dumps(_same(value), ensure_ascii=False, default=str, sort_keys=True)


def _same(value: Any) -> Any:
    """Return a value in which equal numbers are written alike: 1.0 is 1."""
    if type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _same(inner) for name, inner in value.items()}
    return [_same(inner) for inner in value] if isinstance(value, list | tuple) else value
