from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from orchestrator.contracts import comparator, requests
from tests.contracts.cases import (
    FORM,
    NUMBER,
    TEXT,
    api,
    asking,
    content,
    exchange,
    pact,
    parameter,
    sent,
    swagger,
    taking,
    thing,
)


def codes(document: dict[str, Any], interaction: Any) -> list[str]:
    return [f.code for f in comparator.check(pact(interaction), document)]


def test_a_path_that_does_not_fit_is_all_that_is_told() -> None:
    document = asking(parameter("id", "path", NUMBER), label="POST /things/{id}")
    assert codes(document, exchange("/things/x", status=201)) == ["request.path-or-method.unknown"]


def test_a_path_may_be_wrong_where_the_request_is_meant_to_be_refused() -> None:
    document = asking(
        parameter("id", "path", NUMBER),
        label="POST /things/{id}",
    )
    document["paths"]["/things/{id}"]["post"]["responses"]["404"] = {"description": "none"}
    assert codes(document, exchange("/things/x", status=404)) == []


@pytest.mark.parametrize(
    ("schema", "style", "query"),
    [
        ({"type": "array", "items": NUMBER}, {"style": "pipeDelimited", "explode": False}, "it=1|2"),
        ({"type": "array", "items": NUMBER}, {"style": "spaceDelimited", "explode": False}, "it=1%202"),
        (thing(a=NUMBER), {}, "a=1"),
        (thing(a=NUMBER), {"style": "deepObject"}, "it[a]=1"),
        (TEXT, {}, "it=a,b"),
        (NUMBER, {}, {"it": ["7"]}),
    ],
)
def test_each_style_of_a_query_is_read(schema: Any, style: Any, query: Any) -> None:
    assert codes(asking(parameter("it", "query", schema, **style)), exchange(query=query)) == []


@pytest.mark.parametrize("name", ["by[age]", "ids[]", "by.age"])
def test_a_name_with_brackets_or_dots_is_a_name_where_the_document_says_so(name: str) -> None:
    document = asking(parameter(name, "query", NUMBER, required=True))
    assert codes(document, exchange(query=f"{name}=7")) == []
    assert codes(document, exchange(query=f"{name}=x")) == ["request.query.incompatible"]
    assert codes(document, exchange()) == ["request.query.incompatible"]


def test_a_name_that_is_written_twice_has_two_values() -> None:
    document = asking(parameter("ids[]", "query", {"type": "array", "items": NUMBER}))
    assert codes(document, exchange(query="ids[]=7&ids[]=8")) == []


def test_a_header_that_may_be_a_text_keeps_its_commas() -> None:
    choice = {"anyOf": [{"type": "string", "maxLength": 3}, NUMBER]}
    document = asking(parameter("X-It", "header", choice))
    assert codes(document, exchange(headers={"X-It": "a,b"})) == []


def test_a_body_that_is_not_required_may_be_left_out() -> None:
    assert codes(taking(thing()), exchange(headers={"Content-Type": "application/json"})) == []


@pytest.mark.parametrize(
    ("schema", "asks"),
    [
        ({}, False),
        ({"anyOf": [{}, TEXT]}, False),
        ({"anyOf": [NUMBER, TEXT]}, True),
        ({"enum": [1]}, True),
        ({"oneOf": [{"$ref": "#/components/schemas/Any"}, TEXT]}, False),
        ({"$ref": "#/components/schemas/Circle"}, True),
    ],
)
def test_a_body_that_is_required_may_be_left_out_where_anything_will_do(schema: Any, asks: bool) -> None:
    schemas = {"Any": {"anyOf": [{}]}, "Circle": {"anyOf": [{"$ref": "#/components/schemas/Circle"}, TEXT]}}
    document = taking(schema, required=True, components={"schemas": schemas})
    found = codes(document, exchange(headers={"Content-Type": "application/json"}))
    assert found == ["request.body.incompatible"] * asks


def test_the_schema_of_the_nearest_media_type_is_taken() -> None:
    both = {**content(thing(a=NUMBER)), **content(thing(a=TEXT), "application/vnd.a+json")}
    document = api({"requestBody": {"content": both}})
    assert codes(document, sent({"a": "x"}, "application/vnd.a+json")) == []
    assert codes(document, sent({"a": 1}, "application/json")) == []
    assert codes(document, sent({"a": 1}, "application/vnd.a+json")) == ["request.body.incompatible"]


@pytest.mark.parametrize(
    ("body", "is_one"), [({}, True), ([], True), ("", False), (0, False), (None, False), ("a", True)]
)
def test_empty_values_are_no_body(body: Any, is_one: bool) -> None:
    assert requests.is_something(body) == is_one


def form(body: Any, media: str = FORM, **more: Any) -> list[tuple[str, str]]:
    """What is told of a form of Swagger 2, but that the reference knows no schema of it."""
    fields = [
        {"name": "size", "in": "formData", "required": True, **NUMBER},
        {"name": "tags", "in": "formData", "type": "array", "items": {"enum": ["a", "b"]}, "collectionFormat": "pipes"},
        {"name": "photo", "in": "formData", "type": "file"},
    ]
    document = swagger(
        {"parameters": fields, "responses": {"200": {}, "400": {}}}, consumes=[FORM, "multipart/form-data"]
    )
    found = comparator.check(pact(sent(body, media, **more)), document)
    return [(f.code, "/".join(f.at_pact)) for f in found if f.code != "request.body.unknown"]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("size=2&tags=a|b&photo=x", []),
        ("size=2&tags=a&tags=b", []),
        ("size=two", ["request/body/size"]),
        ("size=2&tags=a|c", ["request/body/tags/1"]),
        ("size=2&colour=red", ["request/body/colour"]),
        ("", ["request/body/size"]),
        ({"size": 2, "tags": ["a"]}, []),
        ({"size": "2"}, []),
        (UNSET, ["request/body/size"]),
    ],
)
def test_fields_of_a_form_are_held_against_their_parameters(body: Any, at: list[str]) -> None:
    assert form(body) == [("request.form.incompatible", one) for one in at]


def test_a_form_of_several_parts_has_fields_too() -> None:
    parts = '--x\r\nContent-Disposition: form-data; name="size"\r\n\r\n{}\r\n--x--\r\n'
    assert form(parts.format("2"), "multipart/form-data; boundary=x") == []
    assert form(parts.format("two"), "multipart/form-data; boundary=x") == [
        ("request.form.incompatible", "request/body/size")
    ]
    assert form(parts.format("two"), "multipart/form-data") == []


def test_a_form_that_is_to_be_refused_may_have_any_fields() -> None:
    assert form("size=two", status=400) == []
