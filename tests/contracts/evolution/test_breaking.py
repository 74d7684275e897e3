"""Each rule tells its example, and no other rule does."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from orchestrator.contracts import breaking
from orchestrator.contracts.evolution.rules import OTHER_LEVELS, REFUSED, RULES
from orchestrator.model.contracts import DocumentChange
from tests.contracts.evolution.examples import (
    EXAMPLES,
    OBJECT,
    OLD,
    STRING,
    Json,
    around,
    deprecated,
    document,
    gone,
    required,
    with_header,
    with_request,
    with_response,
)

TODAY = datetime.date(2030, 1, 1)


def changes(before: Json, after: Json) -> tuple[DocumentChange, ...]:
    return breaking.changes(before, after, today=TODAY)


def rules(before: Json, after: Json) -> list[str]:
    return [change.rule for change in changes(before, after)]


def test_every_rule_has_an_example() -> None:
    assert EXAMPLES.keys() == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_tells_its_example_and_no_other_does(rule: str) -> None:
    before, after = EXAMPLES[rule]
    (change,) = changes(before, after)
    assert change.rule == rule
    assert change.level is RULES[rule].level
    assert change.message.endswith(".")


def test_no_rule_is_both_told_and_refused_and_levels_that_differ_say_why() -> None:
    assert not RULES.keys() & REFUSED.keys()
    assert len([rule for rule in RULES.values() if rule.theirs]) + len(REFUSED) == 509
    for name, (level, why) in OTHER_LEVELS.items():
        assert RULES[name].level is level is not RULES[name].theirs
        assert why


def test_a_change_says_where_it_is_what_was_said_and_what_is_said_now() -> None:
    (change,) = changes(
        with_request(around({"type": "integer", "maximum": 9})), with_request(around({"type": "integer", "maximum": 5}))
    )
    assert change.operation == "GET /a"
    assert change.message == "`p` in the request body has a lower maximum: 5, it was 9."
    assert (change.before, change.after) == ("9", "5")
    assert change.at == "/paths/~1a/get/requestBody/content/application~1json/schema/properties/p"
    assert change.broken is None


def test_what_is_gone_is_shown_where_it_was() -> None:
    schema = {"$ref": "#/components/schemas/A"}
    before, after = with_response(schema), with_response(schema)
    before["components"] = {"schemas": {"A": required()}}
    after["components"] = {"schemas": {"A": {"type": "object"}}}
    (change,) = changes(before, after)
    assert (change.rule, change.at) == ("response-required-property-removed", "/components/schemas/A/properties/p")


def test_foreign_text_acts_nowhere() -> None:
    before = document(paths={"/a\x1b[31m\n": {"get": {"tags": ["\u202e\nx"]}}})
    (change,) = changes(before, document(paths={"/a\x1b[31m\n": {"get": {}}}))
    assert change.operation == "GET /a\\x0a"
    assert change.before == "\\u202e"
    assert "\n" not in change.message + change.at


def test_another_name_of_a_parameter_of_the_path_is_no_change() -> None:
    def at(path: str, name: str) -> Json:
        parameters = [{"name": name, "in": "path", "required": True, "schema": STRING}]
        return document(paths={path: {"get": {"parameters": parameters, "responses": {}}}})

    assert rules(at("/a/{id}", "id"), at("/a/{key}", "key")) == []
    assert rules(at("/a/{id}", "id"), document(paths={"/b/{id}": {}})) == ["api-path-removed-without-deprecation"]


def test_an_operation_that_went_after_its_sunset_date_is_no_change() -> None:
    assert rules(*gone(deprecated(OLD), path=True)) == []


@pytest.mark.parametrize(
    "nullable",
    [
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"oneOf": [STRING, {"type": "null"}]},
        {"anyOf": [{"type": "null"}, STRING]},
        {"allOf": [{"oneOf": [STRING, {"type": "null"}]}]},
    ],
)
def test_null_is_said_in_several_ways(nullable: Json) -> None:
    assert rules(with_response(nullable), with_response({"type": ["null", "string"]})) == []
    assert rules(with_response(STRING), with_response(nullable)) == ["response-body-became-nullable"]
    assert rules(with_request(nullable), with_request(STRING)) == ["request-body-became-not-nullable"]


def test_a_bound_that_is_excluded_is_said_in_two_ways() -> None:
    older, newer = (
        {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
        {"type": "integer", "exclusiveMinimum": 1},
    )
    assert rules(with_request(older), with_request(newer)) == []


def test_the_parts_of_an_all_of_are_merged() -> None:
    parts = {
        "allOf": [around({"type": "integer", "minimum": 1}), {"required": ["p"], "properties": {"p": {"maximum": 9}}}]
    }
    whole = required({"type": "integer", "minimum": 1, "maximum": 9})
    assert rules(with_response(parts), with_response(whole)) == []


def test_an_alternative_that_has_changed_is_told_by_what_has_changed_in_it() -> None:
    one, other = around({"type": "integer"}), around(STRING)
    before = with_response({"oneOf": [{**one, "title": "N"}, {**other, "title": "T"}]})
    after = with_response({"oneOf": [{**other, "title": "T"}, {**around({"type": "number"}), "title": "N"}]})
    (change,) = changes(before, after)
    assert change.rule == "response-property-type-generalized"
    assert change.message.startswith("`oneOf[N]/p` in the response 200 ")


@pytest.mark.parametrize("reference", ["#/components/schemas/None", "other.yaml#/A", "https://x.test/a.json", "#"])
def test_nothing_is_told_of_what_a_reference_leads_to_outside(reference: str) -> None:
    elsewhere = {"$ref": reference} if reference != "#" else {"allOf": [{"$ref": "nowhere.json"}]}
    assert rules(with_response(elsewhere), with_response(STRING)) == []


def test_schemas_in_circles_are_compared_once() -> None:
    def circle(name: Json) -> Json:
        itself = {"$ref": "#/components/schemas/A"}
        properties = {"name": name, "parent": itself, "children": {"type": "array", "items": itself}}
        return {**with_response(itself), "components": {"schemas": {"A": {"type": "object", "properties": properties}}}}

    found = changes(circle(STRING), circle({"type": "integer"}))
    assert {change.rule for change in found} == {"response-property-type-changed"}
    assert len(found) <= 10
    assert rules(circle(STRING), circle(STRING)) == []


def test_a_schema_that_is_nested_very_deeply_is_compared() -> None:
    deep: Json = {"type": "string"}
    for _ in range(150):
        deep = {"type": "array", "items": deep}
    assert rules(with_response(deep), with_response({**deep, "minItems": 1})) == []
    deeper: Any = "x"
    for _ in range(20_000):
        deeper = [deeper]
    before = with_response(STRING)
    before["x-deep"] = before["paths"]["/a"]["get"]["tags"] = deeper
    assert rules(before, with_response(STRING)) == []


def test_headers_are_the_same_in_any_case() -> None:
    before, after = with_header(STRING), with_header(STRING)
    headers = after["paths"]["/a"]["get"]["responses"]["200"]["headers"]
    headers["x-h"] = headers.pop("X-H")
    assert rules(before, after) == []


def test_security_of_an_operation_that_is_that_of_the_api_is_no_change() -> None:
    needed: Any = [{"key": []}]
    assert rules(document(security=needed), document({"security": needed}, security=needed)) == []
    found = rules(document(security=needed), document({"security": []}, security=needed))
    assert found == ["api-security-removed"]


def swagger(operation: Json, **more: Any) -> Json:
    return {"swagger": "2.0", "info": {}, "paths": {"/a": {"post": {"responses": {}, **operation}}}, **more}


def body(schema: Json, **more: Any) -> Json:
    return swagger({"parameters": [{"in": "body", "name": "b", "schema": schema, **more}]})


def answer(schema: Json, **more: Any) -> Json:
    return swagger({"responses": {"200": {"schema": schema}}}, **more)


def parameter(**words: Any) -> Json:
    return swagger({"parameters": [{"in": "query", "name": "q", **words}]})


ARRAY: Json = {"type": "array", "items": STRING}


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (body(OBJECT), body(required()), "new-required-request-property"),
        (body(OBJECT), body(OBJECT, required=True), "request-body-became-required"),
        (answer(around(STRING)), answer(OBJECT), "response-optional-property-removed"),
        (answer(STRING, produces=["a/b", "a/c"]), answer(STRING, produces=["a/c"]), "response-media-type-removed"),
        (parameter(type="integer", maximum=9), parameter(type="integer", maximum=5), "request-parameter-max-decreased"),
        (parameter(**ARRAY), parameter(collectionFormat="multi", **ARRAY), "request-parameter-serialization-changed"),
        (swagger({}), parameter(type="string"), "new-optional-request-parameter"),
        (swagger({}, securityDefinitions={"k": {}}), swagger({}), "api-security-component-removed"),
    ],
)
def test_swagger_2_is_read_too(before: Json, after: Json, rule: str) -> None:
    assert rules(before, after) == [rule]


def test_a_document_of_swagger_2_may_become_one_of_openapi_3() -> None:
    parameters = [{"in": "query", "name": "q", "schema": STRING}]
    newer = document(paths={"/a": {"post": {"parameters": parameters, "responses": {}}}})
    assert rules(parameter(type="string"), newer) == []


def test_a_fingerprint_is_of_names_and_not_of_where_they_are_written() -> None:
    def raw(maximum: int, *, apart: bool, before: int) -> Json:
        schema = required({"type": "integer", "maximum": maximum})
        parameters = [{"name": str(n), "in": "query"} for n in range(before)]
        put = {"$ref": "#/components/schemas/A"} if apart else schema
        made = document({"parameters": parameters, "requestBody": {"content": {"application/json": {"schema": put}}}})
        return {**made, "components": {"schemas": {"A": schema}}}

    (one,) = changes(raw(9, apart=True, before=0), raw(5, apart=True, before=0))
    (other,) = changes(raw(9, apart=False, before=2), raw(6, apart=False, before=2))
    assert one.fingerprint == other.fingerprint
