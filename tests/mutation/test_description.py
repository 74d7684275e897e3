"""A change to the document is noticed by who has met what it is about, and by nobody else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from orchestrator.adapters import openapi
from orchestrator.adapters.session import Exchange
from orchestrator.mutation.description import Description

DOCUMENT = """
openapi: 3.1.0
info: {title: A, version: "1"}
paths:
  /orders:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
      responses:
        "200":
          description: ""
          content: {application/json: {schema: {type: array, maxItems: 2, items: {$ref: "#/components/schemas/Order"}}}}
        "404": {description: ""}
    post:
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Wish"}}}
      responses:
        "201":
          description: ""
          content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
        4XX: {description: ""}
components:
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: {type: integer, minimum: 1}
        state: {enum: [open, closed]}
        note: {type: [string, "null"]}
        parent: {$ref: "#/components/schemas/Order"}
    Wish:
      type: object
      required: [count]
      additionalProperties: false
      properties:
        count: {type: integer, minimum: 1, maximum: 9}
        text: {type: string, maxLength: 3, pattern: "^[a-z]*$"}
        kind: {enum: [a, b]}
"""
ORDER, WISH = "#/components/schemas/Order", "#/components/schemas/Wish"
LIMIT = "#/paths/~1orders/get/parameters/0/schema"


def described(*exchanges: tuple[str, str, Any, int, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return who notices each change, after exchanges (layer, method and path, sent, status, answered)."""
    description = Description(openapi.parse(DOCUMENT.encode(), "openapi.yaml"))
    for layer, asked, sent, status, answered in exchanges:
        method, _, path = asked.partition(" ")
        request = {
            "headers": [["Content-Type", "application/json"]],
            "body": base64.b64encode(json.dumps(sent).encode()).decode(),
        }
        exchange = Exchange(
            number=0,
            method=method,
            path=path,
            status=status,
            headers=(("content-type", "application/json"),),
            body=json.dumps(answered),
        )
        description.learn(layer, request, exchange)
    found = description.mutants()
    told = {(one.at, one.change): one.noticed for one in found}
    assert len(told) == len(found)
    return told


def post(sent: Any, status: int = 201, answered: Any = None) -> tuple[str, str, Any, int, Any]:
    return ("property", "POST /orders", sent, status, answered or {"id": 3})


def get(answered: Any, query: str = "", status: int = 200) -> tuple[str, str, Any, int, Any]:
    return ("property", f"GET /orders{query}", None, status, answered)


def test_where_nothing_came_nothing_is_noticed() -> None:
    told = described()
    assert len(told) > 30
    assert not any(told.values())


@pytest.mark.parametrize(
    ("exchange", "at", "change", "is_noticed"),
    [
        (get([{"id": 1}]), f"{ORDER}/properties/id", "minimum: 2", True),
        (get([{"id": 2}]), f"{ORDER}/properties/id", "minimum: 2", False),
        (get([{"id": 1, "state": "open"}]), f"{ORDER}/properties/state", 'enum without "open"', True),
        (get([{"id": 1, "state": "open"}]), f"{ORDER}/properties/state", 'enum without "closed"', False),
        (get([{"id": 1, "note": None}]), f"{ORDER}/properties/note", "type without null", True),
        (get([{"id": 1, "note": "x"}]), f"{ORDER}/properties/note", "type without null", False),
        (get([{"id": 1, "parent": {"id": 2, "note": ""}}]), ORDER, "without the field note", True),
        (get([{"id": 1}]), ORDER, "without the field note", False),
        (
            get([{"id": 1}] * 2),
            "#/paths/~1orders/get/responses/200/content/application~1json/schema",
            "maxItems: 1",
            True,
        ),
        (get([{"id": 1}]), "#/paths/~1orders/get/responses/200/content/application~1json/schema", "maxItems: 1", False),
        (get([]), "#/paths/~1orders/get/responses/200", "the response is gone", True),
        (get([]), "#/paths/~1orders/get/responses/404", "the response is gone", False),
        (post({}, 422), "#/paths/~1orders/post/responses/4XX", "the response is gone", True),
        (get([], "?limit=50"), LIMIT, "maximum: 49", True),
        (get([], "?limit=49"), LIMIT, "maximum: 49", False),
        (get([], "?limit=51", 404), LIMIT, "maximum: 51", True),
        (get([], "?limit=52", 404), LIMIT, "maximum: 51", False),
        (get([], "?limit=51"), LIMIT, "maximum: 51", False),  # it is taken though it is forbidden: that is a finding
        (post({"count": 9}), f"{WISH}/properties/count", "maximum: 8", True),
        (post({"count": 10}, 400), f"{WISH}/properties/count", "maximum: 10", True),
        (post({"count": 10}, 400), f"{WISH}/properties/count", "maximum: 8", False),
        (post({"count": "x"}, 400), f"{WISH}/properties/count", "no type", True),
        (post({"count": 1, "text": "abcd"}, 400), f"{WISH}/properties/text", "maxLength: 4", True),
        (post({"count": 1, "text": "A"}, 400), f"{WISH}/properties/text", "no pattern", True),
        (post({"count": 1, "text": "a"}, 400), f"{WISH}/properties/text", "no pattern", False),
        (post({"count": 1, "kind": "c"}, 400), f"{WISH}/properties/kind", "no enum", True),
        (post({}, 400), WISH, "count is not required", True),
        (post({"count": 1}), WISH, "text is required", True),
        (post({"count": 1, "text": ""}), WISH, "text is required", False),
        (post({"count": 1, "more": 1}, 400), WISH, "any other field", True),
    ],
)
def test_a_change_is_noticed_by_an_exchange_that_is_about_it(
    exchange: tuple[str, str, Any, int, Any], at: str, change: str, is_noticed: bool
) -> None:
    assert described(exchange)[at, change] == (("property",) if is_noticed else ())


def test_layers_are_told_apart() -> None:
    contract = ("contract", "GET /orders", None, 200, [{"id": 1}])
    told = described(contract, get([{"id": 1}]), get([{"id": 5, "note": None}]))
    assert told[f"{ORDER}/properties/id", "minimum: 2"] == ("contract", "property")
    assert told[f"{ORDER}/properties/note", "type without null"] == ("property",)


def test_what_promises_nothing_is_not_asked_of_responses() -> None:
    changes = {change for at, change in described() if at.startswith(ORDER)}
    assert "id is not required" not in changes
    assert "note is required" not in changes


def test_what_is_no_json_and_belongs_to_no_operation_says_nothing() -> None:
    description = Description(openapi.parse(DOCUMENT.encode(), "openapi.yaml"))
    for path, body in (("/orders", "{"), ("/others", "[]")):
        exchange = Exchange(number=0, method="POST", path=path, status=500, headers=(), body=body)
        description.learn("property", {"headers": [["content-type", "application/json"]], "body": "e3s="}, exchange)
    assert not any(one.noticed for one in description.mutants())
