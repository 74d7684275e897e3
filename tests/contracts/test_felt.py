"""Which change breaks which consumer: on small documents, and on the service's with its consumers' pacts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator import config
from orchestrator.adapters import openapi, pact
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.codec import to_json
from orchestrator.contracts import felt
from orchestrator.model.contracts import DocumentChange, Level

ROOT = Path(__file__).parents[2]
Raw = dict[str, Any]
Edit = Callable[[Raw], object]

ITEM: Raw = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "price": {"type": "integer"}},
}
DOCUMENT: Raw = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/items": {
            "get": {
                "parameters": [{"name": "owner", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
                    }
                },
            }
        },
        "/health": {"get": {"responses": {"204": {"description": "ok"}}}},
    },
    "components": {"schemas": {"Item": ITEM}},
}


def pact_of(folder: Path, consumer: str, body: Raw, query: str = "") -> Pact:
    interaction = {
        "description": f"{consumer} asks",
        "request": {"method": "GET", "path": "/items", **({"query": query} if query else {})},
        "response": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": body},
    }
    raw = {
        "consumer": {"name": consumer},
        "provider": {"name": "shop"},
        "interactions": [interaction],
        "metadata": {"pactSpecification": {"version": "2.0.0"}},
    }
    file = folder / f"{consumer}.json"
    file.write_text(json.dumps(raw))
    return pact.read(file, folder)


def parsed(raw: Raw) -> Document:
    return openapi.parse(to_json(raw), "openapi.json")


def changed(raw: Raw, *edits: Edit) -> Document:
    copied = copy.deepcopy(raw)
    for edit in edits:
        edit(copied)
    return parsed(copied)


def broken(found: tuple[DocumentChange, ...]) -> dict[str, list[str]]:
    """The consumers that each change breaks, by rule."""
    return {change.rule: sorted({b.consumer for b in change.broken or ()}) for change in found}


def without(name: str) -> Edit:
    return lambda raw: raw["components"]["schemas"]["Item"]["properties"].pop(name)


@pytest.fixture
def pacts(tmp_path: Path) -> list[Pact]:
    return [
        pact_of(tmp_path, "names", {"id": 1, "name": "a"}),
        pact_of(tmp_path, "prices", {"price": 3}),
        pact_of(tmp_path, "ids", {"id": 1}, query="owner=ann"),
    ]


def test_a_field_that_is_gone_breaks_who_reads_it(pacts: list[Pact]) -> None:
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, without("name")), pacts)
    assert [b.consumer for b in change.broken or ()] == ["names"]


def test_of_two_changes_each_has_its_own_consumers(pacts: list[Pact]) -> None:
    found = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, without("name"), without("price")), pacts)
    named = {("name" if "name" in c.message else "price"): [b.consumer for b in c.broken or ()] for c in found}
    assert named == {"name": ["names"], "price": ["prices"]}


def test_a_change_in_a_list_is_found_too(pacts: list[Pact]) -> None:
    def required(raw: Raw) -> None:
        raw["paths"]["/items"]["get"]["parameters"][0]["required"] = True

    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, required), pacts)
    assert sorted(b.consumer for b in change.broken or ()) == ["names", "prices"]


def test_an_operation_that_is_gone_breaks_all_its_consumers(pacts: list[Pact]) -> None:
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, lambda raw: raw["paths"].pop("/items")), pacts)
    assert sorted(b.consumer for b in change.broken or ()) == ["ids", "names", "prices"]


def test_a_removal_that_nobody_minds_breaks_nobody(pacts: list[Pact]) -> None:
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, lambda raw: raw["paths"].pop("/health")), pacts)
    assert (change.level, change.broken) == (Level.ERROR, ())


def test_what_did_not_fit_before_is_not_broken_by_a_change(tmp_path: Path) -> None:
    stranger = [pact_of(tmp_path, "stranger", {"colour": "red"})]
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, without("name")), stranger)
    assert change.broken == ()


def test_without_pacts_it_is_not_computed_whom_a_change_breaks() -> None:
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, without("name")), [])
    assert change.broken is None


def test_nothing_has_changed_in_the_same_document(pacts: list[Pact]) -> None:
    assert felt.changes(parsed(DOCUMENT), parsed(DOCUMENT), pacts) == ()


def test_a_break_that_no_rule_knows_is_told_as_one(pacts: list[Pact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.contracts.felt.breaking.changes", lambda *_: ())
    (change,) = felt.changes(parsed(DOCUMENT), changed(DOCUMENT, without("name")), pacts)
    assert (change.rule, change.level) == ("interaction-broken", Level.ERROR)
    assert [b.consumer for b in change.broken or ()] == ["names"]


# The service of this repository, with its consumers' pacts


def schema(name: str) -> Callable[[Raw], Raw]:
    return lambda raw: raw["components"]["schemas"][name]


def owner_becomes_required(raw: Raw) -> None:
    parameters = raw["paths"]["/v1/namespaces/{namespace}/records"]["get"]["parameters"]
    next(p for p in parameters if p.get("name") == "owner")["required"] = True


def created_becomes_ok(raw: Raw) -> None:
    responses = raw["paths"]["/v1/namespaces"]["post"]["responses"]
    key = next(k for k in responses if str(k) == "201")
    responses["200"] = responses.pop(key)


PLANTED: list[tuple[str, Edit, str, set[str]]] = [
    (
        "a field of records is gone",
        lambda raw: schema("Record")(raw)["properties"].pop("label"),
        "response-required-property-removed",
        {"billing-worker", "mobile-app", "web-frontend"},
    ),
    ("a filter becomes required", owner_becomes_required, "request-parameter-became-required", {"web-frontend"}),
    (
        "an operation is gone",
        lambda raw: raw["paths"]["/v1/records/{uuid}"].pop("delete"),
        "api-removed-without-deprecation",
        {"billing-worker", "web-frontend"},
    ),
    ("another status says that it is done", created_becomes_ok, "response-success-status-removed", {"web-frontend"}),
    (
        "a path is gone",
        lambda raw: raw["paths"].pop("/v1/uuids/{uuid}"),
        "api-path-removed-without-deprecation",
        {"mobile-app"},
    ),
]


@pytest.fixture(scope="module")
def service() -> tuple[Document, list[Pact]]:
    project = config.load(ROOT)
    file = ROOT / "openapi" / "uuid-service.yaml"
    return openapi.parse(file.read_bytes(), file.name), pact.read_all(pact.find(project), project)[0]


@pytest.mark.parametrize(("edit", "rule", "consumers"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_each_planted_breaking_change_names_the_consumers_that_break(
    service: tuple[Document, list[Pact]], edit: Edit, rule: str, consumers: set[str]
) -> None:
    document, pacts = service
    found = felt.changes(document, changed(document.raw, edit), pacts)
    assert {b.consumer for c in found if c.rule == rule for b in c.broken or ()} == consumers
    assert {b.consumer for c in found for b in c.broken or ()} == consumers


def test_the_removal_of_the_document_itself_minds_no_consumer(service: tuple[Document, list[Pact]]) -> None:
    document, pacts = service
    (change,) = felt.changes(document, changed(document.raw, lambda raw: raw["paths"].pop("/openapi.json")), pacts)
    assert (change.level, change.broken) == (Level.ERROR, ())
