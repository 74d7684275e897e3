"""Requests that many tests make, and a look at what answers have in common."""

from __future__ import annotations

from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.backend.support import MERGE_PATCH, uuid_number

UUID: Final = uuid_number(1)
OTHER: Final = uuid_number(2)
NEVER_REGISTERED: Final = uuid_number(0xDEAD)

# Every operation: its method, a path that fits its route, and the scope that it needs (None: no key at all).
OPERATIONS: Final = (
    ("POST", "/v1/uuids", "write"),
    ("GET", f"/v1/uuids/{UUID}", "read"),
    ("GET", "/v1/namespaces", "read"),
    ("POST", "/v1/namespaces", "write"),
    ("GET", "/v1/namespaces/payments", "read"),
    ("GET", "/v1/namespaces/payments/records", "read"),
    ("POST", "/v1/namespaces/payments/records", "write"),
    ("POST", "/v1/namespaces/payments/records/batch", "write"),
    ("GET", f"/v1/records/{UUID}", "read"),
    ("PATCH", f"/v1/records/{UUID}", "write"),
    ("DELETE", f"/v1/records/{UUID}", "write"),
    ("POST", f"/v1/records/{UUID}/transitions", "write"),
    ("GET", f"/v1/records/{UUID}/events", "read"),
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/openapi.json", None),
)

WITH_BODY: Final = tuple((method, path) for method, path, _ in OPERATIONS if method in ("POST", "PATCH"))


def document_in(response: TestResponse, status: int = 200) -> dict[str, Any]:
    """Returns the document of an answer that is no problem."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    document: dict[str, Any] = response.get_json()
    return document


def create_namespace(client: FlaskClient, name: str = "payments", **more: object) -> TestResponse:
    """Asks for a namespace."""
    return client.post("/v1/namespaces", json={"name": name, **more})


def register(
    client: FlaskClient, uuid: str = UUID, owner: str = "team-ledger", *, namespace: str = "payments", **more: object
) -> TestResponse:
    """Asks for a record."""
    return client.post(f"/v1/namespaces/{namespace}/records", json={"uuid": uuid, "owner": owner, **more})


def register_batch(client: FlaskClient, *uuids: str, namespace: str = "payments") -> TestResponse:
    """Asks for several records at once."""
    items = [{"uuid": uuid, "owner": "team-ledger"} for uuid in uuids]
    return client.post(f"/v1/namespaces/{namespace}/records/batch", json={"items": items})


def change(client: FlaskClient, patch: object, if_match: str = "*", uuid: str = UUID) -> TestResponse:
    """Asks for a change of a record."""
    return client.patch(f"/v1/records/{uuid}", json=patch, content_type=MERGE_PATCH, headers={"If-Match": if_match})


def move(client: FlaskClient, to: str, uuid: str = UUID, **more: object) -> TestResponse:
    """Asks for another state of a record."""
    return client.post(f"/v1/records/{uuid}/transitions", json={"to": to, **more})


def read(client: FlaskClient, uuid: str = UUID) -> dict[str, Any]:
    """Returns a record."""
    return document_in(client.get(f"/v1/records/{uuid}"))


def pages(client: FlaskClient, path: str, **query: object) -> list[list[Any]]:
    """Follows the cursors of a list to its end; returns the items of each page."""
    found: list[list[Any]] = []
    cursor: dict[str, str] = {}
    while len(found) < 20:
        page = document_in(client.get(path, query_string={**query, **cursor}))
        assert set(page) == {"items", "next_cursor"}
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("the list has no end")
