"""Interactions of pact files, read as they are written: versions 1 to 4 of the Pact specification.

Source of the format: https://github.com/pact-foundation/pact-specification.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET

from orchestrator.references import Pointer

_HTTP: Final = "synchronous/http"


class UnreadableError(Exception):
    """An interaction is not one: what is wrong with it."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header: its name as it is written, and its values as one text."""

    name: str
    value: str


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What a request and a response have in common.

    Attributes:
        name: `request` or `response`.
        headers: By name in lower case.
        body: A JSON value or a text; UNSET: the pact says nothing of it.
        body_at: Where it is in the interaction.
        rules: The matching rules, as they are written.
    """

    name: str
    headers: dict[str, Header]
    body: Any
    body_at: Pointer
    rules: Mapping[str, Any]

    def header(self, name: str) -> str | None:
        """Return a header's value; None: there is no such header."""
        found = self.headers.get(name.lower())
        return found.value if found else None

    def header_at(self, name: str) -> Pointer:
        """Return where a header is, or would be."""
        found = self.headers.get(name.lower())
        return (self.name, "headers", found.name if found else name)


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One request and the response to it.

    Attributes:
        method: In upper case.
        path: As it is written.
        query: A query string, or values by name.
        request: Headers, body and rules of the request.
        response: Those of the response.
        status: The response's.
    """

    method: str
    path: str
    query: str | dict[str, list[str]]
    request: Side
    response: Side
    status: int

    @property
    def is_accepted(self) -> bool:
        """Whether the request is meant to be a good one: bad ones need not keep to the document."""
        return self.status < 400


def version_of(pact: Mapping[str, Any]) -> int:
    """Return the major version of the Pact specification that a pact says it keeps to; 0: it does not say."""
    metadata = pact.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for name in ("pactSpecification", "pactSpecificationVersion", "pact-specification"):
        said = metadata.get(name)
        number = str(said.get("version", "") if isinstance(said, dict) else said or "").partition(".")[0]
        if number.isdecimal():
            return int(number)
    return 0


def is_http(raw: Any) -> bool:
    """Whether an interaction is one over HTTP, as all are that don't say otherwise."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    return not isinstance(kind, str) or kind.lower() == _HTTP


def read(raw: Any, version: int) -> Interaction:
    """Return an interaction.

    Args:
        raw: As the pact has it.
        version: Of the Pact specification.

    Raises:
        UnreadableError: it is none.
    """
    request, response = _object(raw, "request"), _object(raw, "response")
    status = response.get("status")
    if isinstance(status, bool) or not isinstance(status, int | float) or status != status // 1:
        raise UnreadableError("`response.status` is not a whole number")
    return Interaction(
        method=_text(request, "method").upper(),
        path=_text(request, "path"),
        query=_query(request.get("query")),
        request=_side("request", request, version),
        response=_side("response", response, version),
        status=int(status),
    )


def _object(raw: Any, name: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise UnreadableError("it is not an object")
    if not isinstance(raw.get(name), dict):
        raise UnreadableError(f"`{name}` is not an object")
    found: dict[str, Any] = raw[name]
    return found


def _text(request: Mapping[str, Any], name: str) -> str:
    if not isinstance(request.get(name), str):
        raise UnreadableError(f"`request.{name}` is not a text")
    return str(request[name])


def _side(name: str, raw: Mapping[str, Any], version: int) -> Side:
    rules = raw.get("matchingRules")
    body, at = (raw.get("body", UNSET), ("body",)) if version < 4 else _wrapped(raw.get("body"))
    return Side(
        name=name,
        headers={
            key.lower(): Header(name=key, value=",".join(values).strip())
            for key, values in _values(raw.get("headers"), f"{name}.headers").items()
        },
        body=body,
        body_at=(name, *at),
        rules=rules if isinstance(rules, dict) else {},
    )


def _wrapped(raw: Any) -> tuple[Any, Pointer]:
    """Return the body that version 4 wraps, and where it is."""
    if not isinstance(raw, dict):
        return (UNSET if raw is None else raw), ("body",)
    content, encoding = raw.get("content", ""), raw.get("encoded")
    return _decoded(content, encoding) if isinstance(content, str) and encoding else content, ("body", "content")


def _decoded(content: str, encoding: Any) -> Any:
    try:
        if str(encoding).lower() == "json":
            return json.loads(content)
        if str(encoding).lower() == "base64":
            return base64.b64decode(content).decode("utf-8", "replace")
    except (ValueError, binascii.Error, RecursionError):
        pass
    return content


def _query(raw: Any) -> str | dict[str, list[str]]:
    return raw if isinstance(raw, str) else _values(raw, "request.query")


def _values(raw: Any, name: str) -> dict[str, list[str]]:
    """Return texts by name, whether one or several were written for each."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise UnreadableError(f"`{name}` is not an object")
    found = {str(key): values if isinstance(values, list) else [values] for key, values in raw.items()}
    if not all(isinstance(value, str) for values in found.values() for value in values):
        raise UnreadableError(f"`{name}` holds something else than texts")
    return found
