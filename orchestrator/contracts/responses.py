"""Responses that a pact expects, held against those that an operation may give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from orchestrator.contracts import access, media
from orchestrator.contracts.context import Context
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.operations import Answer
from orchestrator.contracts.requests import is_something
from orchestrator.contracts.schemas import Purpose
from orchestrator.references import Pointer

# Headers that servers and what is in front of them send, whether the document says so or not.
_NAMES: Final = """
    access-control-allow-origin accept-patch accept-ranges age allow alt-svc cache-control connection
    content-disposition content-encoding content-language content-length content-location content-md5 content-range
    date etag expires last-modified link location p3p pragma proxy-authenticate public-key-pins refresh retry-after
    server set-cookie status strict-transport-security trailer transfer-encoding tsv upgrade vary via warning
    www-authenticate x-frame-options"""
_STANDARD: Final = frozenset(_NAMES.split())


def check(context: Context) -> Iterator[Finding]:
    """Yield the findings about a response."""
    answer, status = context.answer, context.interaction.status
    at, document = ("response", "status"), (*context.operation.at, "responses")
    if answer is None:
        yield finding("response.status.unknown", f"the document knows no status {status} here", at, document)
        return
    content = list(_content_type(context, answer))
    yield from content
    yield from _headers(context, answer)
    if any(one.code == "response.content-type.incompatible" for one in content):
        return
    if answer.key == "default":
        message = f"the document says of the status {status} only what it says of all others"
        yield finding("response.status.default", message, at, answer.at)
    yield from _body(context, answer)


def _content_type(context: Context, answer: Answer) -> Iterator[Finding]:
    side = context.interaction.response
    given, at = side.header("content-type"), side.header_at("content-type")
    if given and not answer.produces:
        message = f"the response is {given}, and the document names no media type of it"
        yield finding("response.content-type.unknown", message, at, answer.at)
    elif given and media.matching(given.partition(";")[0], answer.produces) is None:
        message = f"the response is {given}, and the document says {', '.join(answer.produces)}"
        yield finding("response.content-type.incompatible", message, at, answer.at)


def _headers(context: Context, answer: Answer) -> Iterator[Finding]:
    side = context.interaction.response
    described = {name.lower(): schema for name, schema in answer.headers.items()}
    for name, header in sorted(side.headers.items()):
        at = side.header_at(name)
        if name in described and name != "content-type":
            value = context.validation.coerced(header.value, described[name])
            what = f"the header {header.name}"
            yield from context.held("response.header.incompatible", what, value, described[name], at)
        elif name in _STANDARD:
            message = f"the document does not speak of the header {header.name}"
            yield finding("response.header.undefined", message, at, answer.at)
        elif name != "content-type":
            yield finding("response.header.unknown", f"the document knows no header {header.name}", at, answer.at)


def _body(context: Context, answer: Answer) -> Iterator[Finding]:
    side = context.interaction.response
    meant = body_type(context, answer)
    if not media.readable(meant):
        if side.body is not UNSET:
            message = f"a body of {meant} is not held against its schema"
            yield finding("response.body.unvalidatable", message, side.body_at, answer.at)
        return
    if not is_something(side.body):
        return
    schema = body_schema(context, answer)
    if schema:
        yield from _body_value(context, schema)
    else:
        message = f"the document has no schema for a body of {meant}"
        yield finding("response.body.unknown", message, side.body_at, answer.at)


def body_schema(context: Context, answer: Answer) -> Pointer | None:
    """Return where the schema of the response's body is; None or empty: there is none."""
    key = media.matching(body_type(context, answer), tuple(answer.schemas))
    return answer.schema or (answer.schemas[key] if key else None)


def body_type(context: Context, answer: Answer) -> str:
    """Return the media type of the response: what the request accepts, among those that are described."""
    accepted = context.interaction.request.header("accept") or media.JSON
    return media.matching(accepted, answer.produces) or next(iter(answer.produces), media.JSON)


def _body_value(context: Context, schema: Pointer) -> Iterator[Finding]:
    side, what = context.interaction.response, "the response body"
    found = list(
        context.held("response.body.incompatible", what, side.body, schema, side.body_at, purpose=Purpose.ANSWERED)
    )
    yield from found
    if all(one.code == "document.reference.unresolved" for one in found):
        yield from context.held(
            "response.body.undescribed", what, side.body, schema, side.body_at, purpose=Purpose.DESCRIBED
        )
    for at in access.marked(side.body, schema, "writeOnly", context.validation.schemas):
        message = f"the response body has {'/'.join(at)}, which only requests have"
        yield finding("response.body.write-only", message, (*side.body_at, *at), schema)
