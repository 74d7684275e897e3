from __future__ import annotations

import pytest

from orchestrator.contracts import comparator
from tests.contracts.cases import NUMBER, TEXT, answered, answering, api, exchange, pact, parameter, thing


def test_a_finding_names_the_value_and_the_place_in_it() -> None:
    (found,) = comparator.check(pact(answered({"a": {"b": ["x"]}})), answering(thing(a=thing(b={"items": NUMBER}))))
    assert found.message == 'the response body at a/b/0: "x" is not of type "integer"'
    assert found.at_pact == ("response", "body", "a", "b", "0")


def test_a_schema_that_is_none_is_told_where_it_is_needed_and_the_rest_goes_on() -> None:
    document = answering(thing(a={"type": "thing"}))
    document["paths"]["/things"]["post"]["parameters"] = [parameter("page", "query", TEXT, required=True)]
    found = comparator.check(pact(answered({"a": 1}), exchange()), document)
    assert [(f.index, f.code) for f in found] == [
        (0, "request.query.incompatible"),
        (0, "document.schema.unreadable"),
        (1, "request.query.incompatible"),
    ]
    assert found[1].at_document[-1] == "schema"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("#/components/schemas/Nowhere", "which leads nowhere"),
        ("https://example.org/a.yaml#/A", "other addresses are not asked"),
        ("//example.org/a.yaml", "other addresses are not asked"),
        ("a.yaml#/A", "no such file of the project"),
    ],
)
def test_what_is_held_against_nothing_is_told_with_the_reason(told: str, why: str) -> None:
    document = answering(thing(a={"$ref": told}, b=NUMBER))
    found = comparator.check(pact(answered({"a": [1], "b": "x"})), document)
    assert [f.code for f in found] == ["document.reference.unresolved", "response.body.incompatible"]
    assert found[0].message.startswith("the response body at a is held against nothing: the document refers to")
    assert told in found[0].message
    assert why in found[0].message
    assert found[0].at_pact == ("response", "body", "a")


def test_of_a_body_that_is_not_known_everywhere_the_rest_is_compared() -> None:
    document = answering({"properties": {"a": {"$ref": "a.yaml"}, "b": NUMBER}})
    found = comparator.check(pact(answered({"a": 1, "b": 2, "c": 3})), document)
    assert [f.code for f in found] == ["document.reference.unresolved", "response.body.undescribed"]


def test_a_header_that_is_not_known_is_told_once() -> None:
    headers = {"X-A": {"$ref": "headers.yaml#/A"}}
    document = api({"responses": {"200": {"description": "", "headers": headers}}})
    found = comparator.check(pact(exchange(answer_headers={"X-A": "1"})), document)
    assert [(f.code, f.at_document[-1]) for f in found] == [("document.reference.unresolved", "X-A")]


def test_a_path_that_is_not_known_is_told_with_what_it_refers_to() -> None:
    document = {**api(), "paths": {"/things": {"$ref": "paths.yaml#/things"}}}
    (found,) = comparator.check(pact(exchange()), document)
    assert found.code == "request.path-or-method.unknown"
    assert "paths.yaml#/things" in found.message
