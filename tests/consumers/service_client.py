"""What the consumers share: a session that sends the API key, and the service's problems as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Final, NamedTuple, Self
from urllib.parse import quote

import requests

PROBLEM: Final = "application/problem+json"

_TIMEOUT = 10.0


class FieldProblem(NamedTuple):
    """A part of a request that the service does not accept."""

    name: str
    detail: str


class ProblemError(Exception):
    """The service refused a request; the message says why for people.

    Attributes:
        status: The HTTP status.
        code: Why, for programs.
        correlation_id: What to tell those who run the service.
        etag: The revision that the record has, where the service says so.
        fields: The parts of the request that are wrong.
    """

    def __init__(self, problem: Mapping[str, Any], etag: str | None = None) -> None:
        super().__init__(problem["detail"])
        self.status: int = problem["status"]
        self.code: str = problem["code"]
        self.correlation_id: str = problem["correlation_id"]
        self.etag = etag
        self.fields = tuple(FieldProblem(error["name"], error["detail"]) for error in problem.get("errors", ()))


class ServiceClient:
    """HTTP to the service; a consumer's client is a subclass and closes its connections after a `with` block.

    Attributes:
        refusals: The exception for each problem code that a consumer treats in a way of its own.
    """

    refusals: ClassVar[Mapping[str, type[ProblemError]]] = {}

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["X-API-Key"] = key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """Send a request; what is None in the query or the headers is left out.

        Raises:
            ProblemError: The service refused; a subclass where the consumer has one for the code.
        """
        response = self._session.request(
            method, self._url + path, params=query, headers=headers, json=body, timeout=_TIMEOUT
        )
        if response.headers.get("Content-Type") == PROBLEM:
            problem = response.json()
            refusal = self.refusals.get(problem["code"], ProblemError)
            raise refusal(problem, response.headers.get("ETag"))
        response.raise_for_status()
        return response

    def _read(self, path: str, query: Mapping[str, str | int | None] | None = None) -> Any:
        """Read a document."""
        return self._send("GET", path, query=query).json()


def segment(value: str) -> str:
    """Write a value, which a person may have typed, as one segment of a path."""
    return quote(value, safe="")
