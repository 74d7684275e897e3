"""Parameters and headers that are whole documents: `content` says of which media type, and has their schema.

The reference takes any text for one of them. Only JSON and plain texts are read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from orchestrator.contracts import encoded, media
from orchestrator.contracts.context import Context
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.operations import Content, Parameter
from orchestrator.references import Pointer

_CODE: Final = "parameter.content.incompatible"
_PLAIN: Final = ("text/plain",)


def check(context: Context) -> Iterator[Finding]:
    """Yield a finding for each place where such a parameter, or a header of the response, is not as its schema says."""
    if context.interaction.is_accepted:
        for parameter in context.operation.parameters:
            if parameter.content:
                yield from _parameter(context, parameter, parameter.content)
    side = context.interaction.response
    for name, content in context.answer.contents.items() if context.answer else ():
        given = side.header(name)
        if given is not None:
            yield from _value(context, f"the header {name}", given, content, side.header_at(name))


def _parameter(context: Context, parameter: Parameter, content: Content) -> Iterator[Finding]:
    request, name = context.interaction.request, parameter.name
    what = f"the {parameter.place} parameter {name}"
    given: str | None = None
    at: Pointer = ("request", parameter.place)
    if parameter.place == "query":
        at = (*at, name)
        given = next((value for key, value in encoded.pairs(context.interaction.query) if key == name), None)
        if given is None and parameter.required:
            yield finding(_CODE, f"{what} is required, and missing", at, parameter.at)
    elif parameter.place == "header":
        given, at = request.header(name), request.header_at(name)
    elif parameter.place == "cookie":
        given, at = encoded.cookies(request.header("cookie") or "").get(name), request.header_at("Cookie")
    elif parameter.place == "path":
        given = context.variables.get(name)
    if given is not None:
        yield from _value(context, what, given, content, at)


def _value(context: Context, what: str, given: str, content: Content, at: Pointer) -> Iterator[Finding]:
    if not content.schema:
        return
    value: Any = given
    if media.readable(content.media, (media.JSON,)):
        try:
            value = json.loads(given)
        except ValueError:
            yield finding(_CODE, f"{what} is no JSON, and the document says {content.media}", at, content.schema)
            return
    elif not media.readable(content.media, _PLAIN):
        return
    yield from context.held(_CODE, what, value, content.schema, at)
