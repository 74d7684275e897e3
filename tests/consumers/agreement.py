"""What a consumer's tests use to say what they expect of the service, and the pact that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pact import Pact, generate, match
from pact.interaction import HttpInteraction

from tests.consumers.service_client import PROBLEM, ServiceClient

PROVIDER: Final = "uuid-service"
JSON: Final = "application/json"

ClientT = TypeVar("ClientT", bound=ServiceClient)


class Agreement(Generic[ClientT]):
    """What one test of a consumer expects of the service.

    Args:
        consumer: The name of the consumer.
        client: Its client: called with the URL of the service and an API key.
        key: The API key that it sends.
        folder: Where its pact is written.
    """

    def __init__(self, consumer: str, client: Callable[[str, str], ClientT], key: str, folder: Path) -> None:
        self._pact = Pact(consumer, PROVIDER).with_specification("V4")
        self._client = client
        self._key = key
        self._folder = folder

    def upon(self, description: str, method: str, path: str, *, key: str | None = None) -> HttpInteraction:
        """Start an interaction: a request with the consumer's key, or with another one."""
        interaction = self._pact.upon_receiving(description).with_request(method, path)
        return interaction.with_header("X-API-Key", key or self._key)

    @contextmanager
    def client(self, key: str | None = None) -> Iterator[ClientT]:
        """Give the client something that answers as expected; write the pact when it has asked for just that."""
        with self._pact.serve("127.0.0.1") as server, self._client(str(server.url), key or self._key) as client:
            yield client
        self._pact.write_file(self._folder)


TIMESTAMP_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"
CURSOR_PATTERN: Final = "^[0-7][0-9a-f]{15}$"


def timestamp(example: str = "2026-01-05T08:00:00.000000Z") -> Any:
    """Match any timestamp of the service."""
    return match.regex(example, regex=TIMESTAMP_PATTERN)


def cursor(example: str, *, state_value: str | None = None) -> Any:
    """Match any cursor of the service.

    Args:
        example: What the consumer's test sees, or sends.
        state_value: The value of a provider state that is sent in its place when the service is verified.
    """
    if state_value is None:
        return match.regex(example, regex=CURSOR_PATTERN)
    return match.type(example, generator=generate.provider_state(f"${{{state_value}}}"))


def uuid(example: str, version: int) -> Any:
    """Match any UUID of a version, as the service writes them."""
    return match.regex(
        example, regex=f"^[0-9a-f]{{8}}-[0-9a-f]{{4}}-{version}[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}$"
    )


def record(uuid: str, namespace: str, owner: str, **known: Any) -> dict[str, Any]:
    """Expect a record: exactly what is known of it, and any times.

    Args:
        uuid: Of the record.
        namespace: Of the record.
        owner: Of the record.
        known: Other members; without them, those of a record that was just registered without a label.
    """
    return {
        "uuid": uuid,
        "namespace": namespace,
        "owner": owner,
        "label": None,
        "metadata": {},
        "state": "active",
        "revision": 1,
        "created_at": timestamp(),
        "updated_at": timestamp(),
        **known,
    }


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Expect a problem: exactly its status and code, and any words that explain it."""
    return {
        "type": f"urn:uuid-service:problem:{code}",
        "title": match.str(code.replace("-", " ").capitalize()),
        "status": status,
        "detail": match.str(detail),
        "code": code,
        "correlation_id": match.regex("5c0f7a2e9b1d4f68", regex="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        **more,
    }


def refuse(interaction: HttpInteraction, status: int, code: str, detail: str, **more: Any) -> HttpInteraction:
    """End an interaction: the service answers with a problem.

    Args:
        interaction: With its request.
        status: The HTTP status.
        code: Of the problem.
        detail: An example of the problem's words.
        more: Other members of the problem.
    """
    return interaction.will_respond_with(status).with_body(problem(status, code, detail, **more), PROBLEM)
