"""Requests of pacts, held against what an operation takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET

from orchestrator.contracts import access, encoded, media, security
from orchestrator.contracts.context import Context
from orchestrator.contracts.description import mapping
from orchestrator.contracts.findings import Finding, finding
from orchestrator.contracts.operations import Parameter
from orchestrator.contracts.schemas import Schemas
from orchestrator.references import Pointer, target_of

# Headers that clients may send without the document saying so.
_NAMES: Final = """
    accept accept-charset accept-datetime accept-encoding accept-language authorization cache-control connection
    content-length content-md5 content-type cookie date expect forwarded from host if-match if-modified-since
    if-none-match if-range if-unmodified-since max-forwards origin pragma proxy-authorization range referer te upgrade
    user-agent via warning"""
_STANDARD: Final = frozenset(_NAMES.split())


def path(context: Context) -> Iterator[Finding]:
    """Yield a finding for each variable of the path that is not what the document says: it is another path then.

    The reference does so even where the provider is expected to refuse the request, which tests that it does.
    """
    if not context.interaction.is_accepted:
        return
    for parameter in context.operation.parameters_in("path"):
        given = context.variables.get(parameter.name)
        if given is None:
            continue
        value = context.validation.coerced(_in_path(given, parameter), parameter.schema)
        at, what = ("request", "path"), f"{parameter.name!r} in the path {context.interaction.path}"
        for one in context.held("request.path-or-method.unknown", what, value, parameter.schema, at):
            yield msgspec.structs.replace(one, at_pact=at)  # a path has no places in it


def check(context: Context) -> Iterator[Finding]:
    """Yield the findings about everything in a request but its path."""
    yield from security.check(context)
    yield from _accept(context)
    content = list(_content_type(context))
    yield from content
    if context.interaction.is_accepted:
        yield from _headers(context)
        yield from _cookies(context)
        yield from _query(context)
        if all(one.code != "request.content-type.incompatible" for one in content):
            yield from _body(context)
            yield from _form(context)


def _in_path(given: str, parameter: Parameter) -> Any:
    if parameter.kind == "string":
        return given
    separator = {"label": ".", "matrix": ";"}.get(parameter.style, ",") if parameter.explode else ","
    value = encoded.in_header(given)
    return value.split(separator) if parameter.kind == "array" and isinstance(value, str) else value


def _accept(context: Context) -> Iterator[Finding]:
    # Here and at the media type of the request the reference does not care which status is expected. Nor do we, but
    # for those that say that it is this which is refused.
    accept = context.interaction.request.header("accept")
    if not accept:
        return
    offered, at = context.operation.produces, context.interaction.request.header_at("accept")
    responses = (*context.operation.at, "responses")
    if not offered:
        message = f"the request accepts {accept}, and the document names no media type of a response"
        yield finding("request.accept.unknown", message, at, responses)
    elif context.interaction.status != 406 and _is_exact(context) and media.matching(accept, offered) is None:
        message = f"the request accepts {accept}, and the responses are {_listed(offered)}"
        yield finding("request.accept.incompatible", message, at, responses)


def _is_exact(context: Context) -> bool:
    """Whether the document says of the very status which media types its response has."""
    if context.description.is_swagger:
        return True
    answer = context.answer
    return answer is not None and answer.key == str(context.interaction.status) and bool(answer.produces)


def _content_type(context: Context) -> Iterator[Finding]:
    side, taken = context.interaction.request, context.operation.consumes
    given, at = side.header("content-type"), side.header_at("content-type")
    body = context.operation.body
    document = body.at if body else context.operation.at
    if given and not taken:
        message = f"the request is {given}, and the document names no media type that it takes"
        yield finding("request.content-type.unknown", message, at, document)
    elif given and context.interaction.status != 415 and media.matching(given.partition(";")[0], taken) is None:
        message = f"the request is {given}, and the document takes {_listed(taken)}"
        yield finding("request.content-type.incompatible", message, at, document)
    elif not given and taken and is_something(side.body):
        message = f"the request does not say that it is {_listed(taken)}"
        yield finding("request.content-type.missing", message, at, document)


def _headers(context: Context) -> Iterator[Finding]:
    side = context.interaction.request
    known = _STANDARD | security.header_names(context)
    for parameter in context.operation.parameters_in("header"):
        known |= {parameter.name.lower()}
        given, at = side.header(parameter.name), side.header_at(parameter.name)
        what = f"the header {parameter.name}"
        if given is not None:
            value = given if _takes_text(context, parameter) else encoded.in_header(given)
            value = context.validation.coerced(value, parameter.schema)
            yield from context.held("request.header.incompatible", what, value, parameter.schema, at)
        elif parameter.required:
            yield finding("request.header.incompatible", f"{what} is required, and missing", at, parameter.at)
    for name, header in sorted(side.headers.items()):
        if name not in known:
            message = f"the document knows no header {header.name}"
            yield finding("request.header.unknown", message, side.header_at(name), context.operation.at)


def _takes_text(context: Context, parameter: Parameter) -> bool:
    """Whether a header may be a text as it is, with commas in it."""
    if parameter.kind:
        return parameter.kind == "string"
    schemas = context.validation.schemas
    node = schemas.followed(schemas.flat(parameter.schema))
    choices = [schemas.followed(c) for word in ("anyOf", "oneOf") for c in node.get(word) or ()]
    return any(choice.get("type") == "string" for choice in choices)


def _cookies(context: Context) -> Iterator[Finding]:
    given = encoded.cookies(context.interaction.request.header("cookie") or "")
    at = context.interaction.request.header_at("Cookie")
    for parameter in context.operation.parameters_in("cookie"):
        what = f"the cookie {parameter.name}"
        if parameter.name in given:
            value: Any = given[parameter.name]
            value = encoded.items(value, parameter.style) if parameter.kind == "array" else value
            value = context.validation.coerced(value, parameter.schema)
            yield from context.held("request.cookie.incompatible", what, value, parameter.schema, at)
        elif parameter.required:
            yield finding("request.cookie.incompatible", f"{what} is required, and missing", at, parameter.at)


def _query(context: Context) -> Iterator[Finding]:
    given = encoded.pairs(context.interaction.query)
    parameters = list(context.operation.parameters_in("query"))
    # Names that are spelled in the document with brackets or dots are no way into a value.
    spelled = {p.name for p in parameters if {"[", "."} & set(p.name)}
    literal = [pair for pair in given if pair[0] in spelled]
    others = [pair for pair in given if pair[0] not in spelled]
    read, plain = encoded.nested(others), encoded.nested(others, plain=True)
    for parameter in parameters:
        value = plain.get(parameter.name, UNSET) if parameter.kind == "string" else read.get(parameter.name, UNSET)
        if parameter.name in spelled:
            value = _spelled(literal, parameter)
        if value is UNSET and parameter.kind == "object" and parameter.style == "form" and parameter.explode:
            value = _spread(context, parameter, read)
        read.pop(parameter.name, None)
        yield from _query_value(context, parameter, value)
    for name in read.keys() - security.query_names(context):
        message = f"the document knows no query parameter {name}"
        yield finding("request.query.unknown", message, ("request", "query", name), context.operation.at)


def _spelled(pairs: encoded.Pairs, parameter: Parameter) -> Any:
    values = [value for name, value in pairs if name == parameter.name]
    return UNSET if not values else values[0] if len(values) == 1 else values


def _spread(context: Context, parameter: Parameter, read: dict[str, Any]) -> Any:
    """Take the properties of an object out of a query in which each has a name of its own."""
    schemas = context.validation.schemas
    properties = schemas.followed(schemas.flat(parameter.schema)).get("properties") or {}
    found = {name: read.pop(name) for name in list(read) if name in properties}
    return found or UNSET


def _query_value(context: Context, parameter: Parameter, value: Any) -> Iterator[Finding]:
    what, at = f"the query parameter {parameter.name}", ("request", "query", parameter.name)
    if value is UNSET:
        if parameter.required and not parameter.content:
            yield finding("request.query.incompatible", f"{what} is required, and missing", at, parameter.at)
        return
    if parameter.kind == "array":
        value = encoded.items(value, parameter.style)
    value = context.validation.coerced(value, parameter.schema)
    yield from context.held("request.query.incompatible", what, value, parameter.schema, at)


def _body(context: Context) -> Iterator[Finding]:
    side, described = context.interaction.request, context.operation.body
    if side.body is UNSET and not (described and described.required):
        return
    meant = body_type(context)
    document = described.at if described else context.operation.at
    if not media.readable(meant):
        if side.body is not UNSET:
            message = f"a body of {meant} is not held against its schema"
            yield finding("request.body.unvalidatable", message, side.body_at, document)
        return
    schema = body_schema(context)
    if schema:
        yield from _body_value(context, schema, side.header("content-type") or "")
    elif is_something(side.body):
        # The reference says so too of a form in Swagger 2, whose fields are parameters.
        but = ", but for its fields" if any(context.operation.parameters_in("formData")) else ""
        yield finding(
            "request.body.unknown", f"the document has no schema for a body of {meant}{but}", side.body_at, document
        )


def _form(context: Context) -> Iterator[Finding]:
    """Yield the findings about a form whose fields Swagger 2 has as parameters."""
    side = context.interaction.request
    fields = {parameter.name: parameter for parameter in context.operation.parameters_in("formData")}
    content_type = side.header("content-type") or media.FORM
    if not fields or media.bare(content_type) not in (media.FORM, media.MULTIPART):
        return
    read = encoded.form(side.body, content_type, fields)
    if isinstance(read, str) and read:
        return  # a form of several parts that does not say what is between them
    code, given = "request.form.incompatible", mapping(read)
    for name, parameter in fields.items():
        at, what = (*side.body_at, name), f"the field {name} of the form"
        if name in given and parameter.kind != "file":
            value = encoded.items(given[name], parameter.style) if parameter.kind == "array" else given[name]
            value = context.validation.coerced(value, parameter.schema)
            yield from context.held(code, what, value, parameter.schema, at)
        elif name not in given and parameter.required:
            yield finding(code, f"{what} is required, and missing", at, parameter.at)
    for name in given.keys() - fields.keys():
        message = f"the document knows no field {name} of the form"
        yield finding(code, message, (*side.body_at, name), context.operation.at)


def body_type(context: Context) -> str:
    """Return the media type of the request's body, as the document writes it where it knows it."""
    given = context.interaction.request.header("content-type")
    return media.matching(given, context.operation.consumes) or given if given else media.JSON


def body_schema(context: Context) -> Pointer | None:
    """Return where the schema of the request's body is; None or empty: there is none."""
    described = context.operation.body
    if described is None:
        return None
    key = media.matching(body_type(context), tuple(described.schemas))
    return (described.schemas[key] if key else None) or described.schema


def _body_value(context: Context, schema: Pointer, given: str) -> Iterator[Finding]:
    side, schemas = context.interaction.request, context.validation.schemas
    if side.body is UNSET:
        if _asks_for_something(schemas.flat(schema), schemas, set()):
            yield finding("request.body.incompatible", "a body is required, and missing", side.body_at, schema)
        return
    properties = mapping(schemas.followed(schemas.flat(schema)).get("properties"))
    texts = {name for name, inner in properties.items() if schemas.followed(inner).get("type") == "string"}
    value = encoded.form(side.body, given, texts)
    if media.bare(given) in (media.FORM, media.MULTIPART):
        value = context.validation.coerced(value, schema)
    yield from context.held("request.body.incompatible", "the request body", value, schema, side.body_at)
    for at in access.marked(value, schema, "readOnly", schemas):
        message = f"the request body has {'/'.join(at)}, which only responses have"
        yield finding("request.body.read-only", message, (*side.body_at, *at), schema)


def _asks_for_something(schema: Any, schemas: Schemas, seen: set[Pointer]) -> bool:
    """Whether no body at all is refused by a schema, as the reference sees it.

    Args:
        schema: A flat one.
        schemas: The document's.
        seen: What was referred to on the way; what refers to itself is taken to ask for something.
    """
    target = target_of(schema)
    if target in seen:
        return True
    if target is not None:
        seen.add(target)
    node = schemas.followed(schema)
    choices = [*node.get("oneOf", ()), *node.get("anyOf", ())]
    if {"type", "enum", "const"} & node.keys():
        return True
    return bool(choices) and all(_asks_for_something(choice, schemas, seen) for choice in choices)


def is_something(body: Any) -> bool:
    """Whether there is a body, as the reference sees it: not an empty text, zero, false or null."""
    return body is not UNSET and (isinstance(body, dict | list) or bool(body))


def _listed(types: tuple[str, ...]) -> str:
    return ", ".join(types)
