from __future__ import annotations

from typing import Any

from orchestrator.adapters.openapi import Document, parse
from orchestrator.codec import to_json
from orchestrator.contracts.drift import drift


def document(*operations: str, base: str = "") -> Document:
    paths: dict[str, Any] = {}
    for operation in operations:
        method, path = operation.split()
        paths.setdefault(path, {})[method.lower()] = {"responses": {}}
    raw = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "servers": [{"url": base or "/"}],
    }
    return parse(to_json(raw), "openapi.json")


def told(routes: list[tuple[str, str]], described: Document) -> list[tuple[str, bool]]:
    return [(d.operation, d.routed) for d in drift(routes, described)]


def test_what_both_know_is_no_drift_whatever_parameters_are_called() -> None:
    assert told([("GET", "/items/{pk}")], document("GET /items/{item_id}")) == []


def test_a_route_that_is_not_described_is_told() -> None:
    routes = [("GET", "/items"), ("POST", "/items")]
    assert told(routes, document("GET /items")) == [("POST /items", True)]


def test_an_operation_that_the_app_does_not_route_is_told() -> None:
    assert told([("GET", "/items")], document("GET /items", "DELETE /items")) == [("DELETE /items", False)]


def test_a_route_for_any_method_serves_all_operations_of_its_path() -> None:
    assert told([("", "/items")], document("GET /items", "PUT /items")) == []
    assert told([("", "/others")], document("GET /items")) == [
        ("any method of /others", True),
        ("GET /items", False),
    ]


def test_routes_have_the_base_path_that_operations_have_not() -> None:
    assert told([("GET", "/api/items")], document("GET /items", base="/api")) == []


def test_what_frameworks_answer_by_themselves_need_not_be_routed() -> None:
    assert told([("GET", "/items")], document("GET /items", "HEAD /items", "OPTIONS /items")) == []
