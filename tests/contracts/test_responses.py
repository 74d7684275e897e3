from __future__ import annotations

from typing import Any

from orchestrator.contracts import comparator
from tests.contracts.cases import NUMBER, TEXT, answered, answering, api, content, exchange, pact, swagger, thing


def codes(document: dict[str, Any], interaction: Any) -> list[str]:
    return [f.code for f in comparator.check(pact(interaction), document)]


def test_a_response_of_another_media_type_is_all_that_is_told_of_its_body() -> None:
    interaction = answered({"size": "x"}, answer_headers={"Content-Type": "text/html"})
    assert codes(answering(thing(size=NUMBER)), interaction) == ["response.content-type.incompatible"]


def test_the_body_is_that_which_the_request_accepts() -> None:
    both = {**content(thing(a=NUMBER)), **content(thing(a=TEXT), "application/vnd.a+json")}
    document = api({"responses": {"200": {"description": "", "content": both}}})
    assert codes(document, answered({"a": 1})) == []
    assert codes(document, answered({"a": "x"}, headers={"Accept": "application/vnd.a+json"})) == []
    assert codes(document, answered({"a": "x"})) == ["response.body.incompatible"]


def test_refusals_are_held_against_their_schemas_too() -> None:
    document = api({"responses": {"404": {"description": "", "content": content(thing(detail=TEXT))}}})
    assert codes(document, answered({"detail": "none"}, status=404)) == []
    assert codes(document, answered({"detail": 3}, status=404)) == ["response.body.incompatible"]


def test_swagger_2_has_one_schema_for_all_media_types() -> None:
    responses = {"200": {"description": "", "schema": thing(size=NUMBER), "headers": {"X-Left": {"type": "integer"}}}}
    document = swagger({"responses": responses, "produces": ["application/json"]})
    assert codes(document, answered({"size": 1}, answer_headers={"X-Left": "3"})) == []
    found = codes(document, answered({"size": "x"}, answer_headers={"X-Left": "few"}))
    assert found == ["response.header.incompatible", "response.body.incompatible"]


def test_an_empty_body_is_not_looked_at() -> None:
    assert codes(answering(thing()), answered("")) == []
    assert codes(answering(thing()), exchange()) == []


def test_what_is_wrong_already_is_not_told_again_as_undescribed() -> None:
    schema = thing(size=NUMBER, other={**thing(a=TEXT), "nullable": True})
    assert codes(answering(schema), answered({"size": "x", "other": {"b": 1}})) == ["response.body.incompatible"]
    assert codes(answering(schema), answered({"size": 1, "other": {"b": 1}})) == ["response.body.undescribed"]
