"""Reading the current request, strictly."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Literal, NoReturn

from flask import request

from backend.app.utils.error_handling import FieldError, Problem, invalid_parameter
from backend.app.utils.monitoring import REQUEST_ID, REQUEST_ID_HEADER
from backend.app.utils.validation import D, Reader, RefusedValue, T, shown

JSON_MEDIA_TYPE = "application/json"
MERGE_PATCH_MEDIA_TYPE = "application/merge-patch+json"


def check_request_id() -> None:
    """Refuses a request with an `X-Request-ID` that can't be used; a path without a route is a 404 all the same."""
    if request.routing_exception is None:
        header(REQUEST_ID_HEADER, _request_id, None)


def path_parameter(name: str, value: str, read: Reader[T]) -> T:
    """Reads a parameter of the path."""
    return _parameter("path", name, value, read)


def header(name: str, read: Reader[T], default: D) -> T | D:
    """Reads a header that may be missing."""
    value = request.headers.get(name)
    return default if value is None else _parameter("header", name, value, read)


def query_parameter(name: str, read: Reader[T], default: D) -> T | D:
    """Reads a parameter of the query that may be missing, and may not come twice."""
    values = request.args.getlist(name)
    if not values:
        return default
    if len(values) > 1:
        raise invalid_parameter(FieldError("query", name, "must not come more than once"))
    return _parameter("query", name, values[0], read)


def only_query_parameters(known: Collection[str] = ()) -> None:
    """Refuses a request with parameters in the query that the operation doesn't know."""
    unknown = [name for name in request.args if name not in known]
    if unknown:
        raise invalid_parameter(FieldError("query", shown(unknown[0]), "is not known"))


def body(read: Reader[T], media_type: str = JSON_MEDIA_TYPE) -> T:
    """Reads the JSON body.

    Raises:
        Problem: It is of another media type (415), no JSON (400), or breaks its schema (422).
    """
    if request.mimetype != media_type:
        raise Problem(
            415, "unsupported-media-type", "Unsupported media type", f"The body must be of the type {media_type}."
        )
    try:
        return read(parse_json(request.get_data()))
    except RefusedValue as refusal:
        raise Problem(
            422,
            "invalid-body",
            "Invalid body",
            "The body breaks its schema.",
            errors=[FieldError("body", refusal.pointer, refusal.detail)],
        ) from None


def parse_json(data: bytes) -> object:
    """Parses JSON as RFC 8259 has it, in UTF-8 and with each member of an object once.

    Raises:
        Problem: It is none.
    """
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique_members, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # Python also refuses integers of thousands of digits and JSON that nests too deeply.
        raise Problem(
            400, "malformed-json", "Malformed JSON", "The body is not JSON that the service can read."
        ) from None


def _parameter(place: Literal["path", "query", "header"], name: str, value: str, read: Reader[T]) -> T:
    try:
        return read(value)
    except RefusedValue as refusal:
        raise invalid_parameter(FieldError(place, name, refusal.detail)) from None


def _request_id(value: object) -> None:
    if not isinstance(value, str) or not REQUEST_ID.fullmatch(value):
        raise RefusedValue("must be 1 to 64 letters, digits, dots, dashes or underscores")


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member comes twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
