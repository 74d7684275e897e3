"""Problem documents (RFC 9457): the one form of every error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from backend.app.services.errors import (
    ConflictError,
    GoneError,
    NotFoundError,
    ServiceError,
    StaleError,
    StaleRevisionError,
)
from backend.app.utils.monitoring import LOGGER, correlation_id

PROBLEM_MEDIA_TYPE = "application/problem+json"

_STATUS_OF_KIND: dict[type[ServiceError], int] = {
    NotFoundError: 404,
    ConflictError: 409,
    GoneError: 410,
    StaleError: 412,
}

# What Flask itself refuses, in words that don't change when Flask's do.
_STATUS_PROBLEMS = {
    400: ("bad-request", "Bad request", "The request can't be read."),
    404: ("route-not-found", "Route not found", "The service has nothing at this path."),
    405: ("method-not-allowed", "Method not allowed", "The path does not know this method; see Allow."),
    413: ("body-too-large", "Body too large", "The body is larger than the service reads."),
}


@dataclass(frozen=True)
class FieldError:
    """A part of the request that is wrong.

    Attributes:
        place: Where the part is.
        name: The name of the parameter, or a JSON pointer into the body.
        detail: What it must be.
    """

    place: Literal["path", "query", "header", "body"]
    name: str
    detail: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer that is a problem document; handlers raise it.

    Attributes:
        status: The HTTP status.
        code: The stable name of the problem, for programs.
        title: What kind of problem it is, for people.
        detail: What it means for this request.
        errors: Which parts of the request are wrong.
        headers: More headers for the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def document(self) -> dict[str, Any]:
        """Returns the problem document."""
        document: dict[str, Any] = {
            "type": f"urn:uuid-service:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "correlation_id": correlation_id(),
        }
        if self.errors:
            document["errors"] = [
                {"in": error.place, "name": error.name, "detail": error.detail} for error in self.errors
            ]
        return document

    def response(self) -> Response:
        """Returns the response that carries the problem document."""
        return Response(json.dumps(self.document()), self.status, self.headers, content_type=PROBLEM_MEDIA_TYPE)


def problem_of(error: ServiceError) -> Problem:
    """Says in HTTP what a rule refused."""
    status = next(status for kind, status in _STATUS_OF_KIND.items() if isinstance(error, kind))
    headers = {"ETag": f'"{error.current}"'} if isinstance(error, StaleRevisionError) else None
    return Problem(status, error.code, error.title, str(error), headers=headers)


def invalid_parameter(*errors: FieldError) -> Problem:
    """Makes the problem of parameters that break their schema."""
    return Problem(
        400, "invalid-parameter", "Invalid parameter", "A parameter of the request is not valid.", errors=errors
    )


def register_error_handlers(app: Flask) -> None:
    """Makes the application answer every error with a problem document."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(ServiceError, lambda error: problem_of(error).response())
    app.register_error_handler(HTTPException, _refused_by_flask)
    app.register_error_handler(Exception, _failed)


def _refused_by_flask(error: HTTPException) -> Response:
    status = error.code or 500
    name = error.name.lower()
    code, title, detail = _STATUS_PROBLEMS.get(status, (name.replace(" ", "-"), error.name, error.name))
    allowed = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else None
    return Problem(status, code, title, detail, headers=headers).response()


def _failed(error: Exception) -> Response:
    # The caller learns nothing of the inside; the log has it under the same correlation id.
    LOGGER.error("request failed", exc_info=error, extra={"fields": {"correlation_id": correlation_id()}})
    return Problem(
        500, "internal-error", "Internal error", "The service failed; its log has more under the correlation id."
    ).response()
