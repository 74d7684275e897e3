from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.openapi import Document, parse
from orchestrator.adapters.pact import Described, Pact
from orchestrator.codec import to_json
from orchestrator.contracts.usage import Seen, usage
from orchestrator.model.description import FieldUse, ResponseUse

ITEM = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "tags": {"$ref": "#/components/schemas/Tags"},
    },
}
TAGS = {"type": "array", "items": {"type": "object", "properties": {"label": {"type": "string"}}}}


def document(schema: Any = ITEM, **statuses: Any) -> Document:
    response = {"content": {"application/json": {"schema": schema}}}
    raw = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/items/{id}": {"get": {"responses": {"200": response, **statuses}}}},
        "components": {"schemas": {"Tags": TAGS}},
    }
    return parse(to_json(raw), "openapi.json")


def pact(consumer: str, body: Any, status: int = 200, path: str = "/items/7") -> Pact:
    interaction = Described(description="d", states=(), method="GET", path=path, status=status, body=body)
    return Pact(
        file=Path("p.json"), consumer=consumer, provider="api", specification="2.0.0", interactions=(interaction,)
    )


def seen(body: Any, status: int = 200, layer: str = "property") -> Seen:
    return Seen("GET /items/{id}", layer, status, json.dumps(body))


def field(response: ResponseUse, path: str) -> FieldUse:
    (found,) = (f for f in response.fields if f.path == path)
    return found


def test_each_described_field_has_who_reads_it_and_how_often_it_was_seen() -> None:
    (response,) = usage(
        document(),
        [seen({"id": 1, "tags": [{"label": "a"}, {"label": "b"}]}), seen({"id": 2})],
        [pact("web", {"id": 7}), pact("app", {"id": 7, "tags": [{"label": "x"}]})],
    )
    assert [f.path for f in response.fields] == ["$.id", "$.name", "$.tags", "$.tags[].label"]
    assert field(response, "$.id") == FieldUse(path="$.id", described=True, seen=2, consumers=("app", "web"))
    assert field(response, "$.name") == FieldUse(path="$.name", described=True)
    assert field(response, "$.tags[].label").consumers == ("app",)
    assert (response.seen, response.consumers) == ({"property": 2}, ("app", "web"))


def test_a_field_that_a_consumer_reads_and_nobody_promises_is_told() -> None:
    (response,) = usage(document(), [], [pact("web", {"price": 3})])
    assert field(response, "$.price") == FieldUse(path="$.price", described=False, consumers=("web",))


def test_a_status_that_is_not_described_is_told() -> None:
    responses = usage(document(), [seen({}, 404)], [pact("web", None, 410)])
    assert [(r.status, r.described) for r in responses] == [("200", True), ("404", False), ("410", False)]


@pytest.mark.parametrize("name", ["4XX", "default"])
def test_a_status_belongs_to_the_range_that_describes_it(name: str) -> None:
    responses = usage(document(**{name: {"description": "no"}}), [seen({}, 404)], [])
    assert [(r.status, r.described, r.seen) for r in responses if r.status != "200"] == [(name, True, {"property": 1})]


def test_a_field_of_any_name_is_described_by_additional_properties() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    (response,) = usage(document(schema), [seen({"a": {"n": 1}, "b": {"n": 2}})], [pact("web", {"c": {"n": 3}})])
    assert [f.path for f in response.fields] == ["$.*", "$.*.n"]
    assert field(response, "$.*.n").consumers == ("web",)


def test_fields_of_all_choices_are_described() -> None:
    schema = {"oneOf": [{"properties": {"a": {}}}, {"allOf": [{"properties": {"b": {}}}, {"properties": {"c": {}}}]}]}
    (response,) = usage(document(schema), [], [])
    assert [f.path for f in response.fields] == ["$.a", "$.b", "$.c"]


def test_a_schema_that_contains_itself_is_walked_to_a_depth() -> None:
    schema = {"$ref": "#/components/schemas/Node"}
    raw = document(schema).raw
    raw["components"]["schemas"]["Node"] = {"type": "object", "properties": {"next": schema}}
    (response,) = usage(parse(to_json(raw), "openapi.json"), [], [])
    assert response.fields[0].path == "$.next"
    assert len(response.fields) < 20


def test_requests_that_belong_to_no_operation_are_left_out() -> None:
    assert usage(document(), [Seen("GET /x", "suite", 200)], [pact("web", {}, path="/x")])[0].seen == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@given(json_values, json_values)
def test_whatever_a_body_or_a_schema_holds_is_no_fault(schema: Any, body: Any) -> None:
    for response in usage(document(schema), [seen(body)], [pact("web", body)]):
        for found in response.fields:
            assert found.seen == (1 if found.consumers else 0)


def test_a_path_may_be_described_somewhere_else() -> None:
    response = {"description": "", "content": {"application/json": {"schema": ITEM}}}
    raw = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/items/{id}": {"$ref": "#/x-paths/item"}},
        "x-paths": {"item": {"get": {"responses": {"200": response}}}},
        "components": {"schemas": {"Tags": TAGS}},
    }
    (found,) = usage(parse(to_json(raw), "openapi.json"), [seen({"id": 1})], [])
    assert (found.status, found.described) == ("200", True)
    assert field(found, "$.id") == FieldUse(path="$.id", described=True, seen=1)
