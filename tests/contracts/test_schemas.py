from __future__ import annotations

from typing import Any

import pytest

from orchestrator.contracts.description import Description
from orchestrator.contracts.schemas import UNREAD, Purpose, Schemas
from tests.contracts.cases import NUMBER, TEXT, thing

AT = ("components", "schemas", "It")


def schemas(it: Any, **others: Any) -> Schemas:
    return Schemas(Description({"openapi": "3.0.3", "components": {"schemas": {"It": it, **others}}}))


def prepared(it: Any, purpose: Purpose = Purpose.SENT, **others: Any) -> Any:
    return schemas(it, **others).prepared(AT, purpose).schema


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"nullable": True, "anyOf": [TEXT]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"nullable": True, "properties": {}}, {"properties": {}, "type": ["object", "null"]}),
        ({"maximum": 3, "exclusiveMaximum": True}, {"exclusiveMaximum": 3}),
        ({"maximum": 3, "exclusiveMaximum": False}, {"maximum": 3}),
        ({"exclusiveMaximum": 3}, {"exclusiveMaximum": 3}),
        (
            {"type": "integer", "format": "int32"},
            {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
        ),
        ({"type": ["number", "null"], "format": "int64"}, {"type": ["integer", "null"], "format": "int64"}),
        ({"type": "string", "required": True}, TEXT),
        ({"type": "string", "example": 3, "$schema": "x", "$id": "y"}, TEXT),
        ({"$ref": "#/components/schemas/Nowhere"}, {UNREAD: "#/components/schemas/Nowhere"}),
        ({"$ref": "elsewhere.yaml#/Thing"}, {UNREAD: "elsewhere.yaml#/Thing"}),
        ({"$ref": "#/components/schemas/It"}, {UNREAD: "#/components/schemas/It"}),
        (True, True),
        (["no schema"], True),
        ({"discriminator": "kind", "type": "object"}, {"type": "object"}),
    ],
)
def test_words_of_openapi_become_words_of_json_schema(written: Any, meant: Any) -> None:
    assert prepared(written) == meant


def test_all_of_means_all_the_properties_together() -> None:
    parts = [{**thing(a=TEXT), "required": ["a"]}, {"$ref": "#/components/schemas/B"}]
    merged = prepared({"allOf": parts}, B={**thing(b=NUMBER, a={"minLength": 1}), "required": ["b"]})
    assert merged == {**thing(a={**TEXT, "minLength": 1}, b=NUMBER), "required": ["a", "b"]}


def test_items_that_two_parts_describe_keep_to_both() -> None:
    lists = [{"type": "array", "items": TEXT}, {"items": {"minLength": 1}}]
    assert prepared({"allOf": lists}) == {"type": "array", "items": {**TEXT, "minLength": 1}}


def test_alternatives_of_two_parts_stay_side_by_side() -> None:
    merged = prepared({"allOf": [{"oneOf": [TEXT]}, {"oneOf": [NUMBER]}]})
    assert merged == {"oneOf": [TEXT], "allOf": [{"oneOf": [NUMBER]}]}


def test_conditions_of_two_parts_stay_whole() -> None:
    one = {"if": {"minLength": 1}, "then": {"maxLength": 3}}
    other = {"then": {"maxLength": 5}, "if": {"minLength": 4}, "else": {"maxLength": 9}}
    assert prepared({"allOf": [one, other]}) == {**one, "allOf": [other]}
    assert prepared({"allOf": [other]}) == other


def test_a_part_that_nothing_fits_is_kept() -> None:
    assert prepared({"allOf": [False, True, TEXT]}) == {**TEXT, "allOf": [False]}
    assert prepared({"allOf": [thing(a=TEXT), thing(a=False)]}) == thing(a=False)


def test_what_is_referred_to_is_kept_once_under_its_place() -> None:
    one = schemas(thing(a={"$ref": "#/components/schemas/B"}, b={"$ref": "#/components/schemas/B"}), B=TEXT)
    made = one.prepared(AT, Purpose.SENT)
    assert made.schema == {**thing(a={"$ref": "#/$defs/s1"}, b={"$ref": "#/$defs/s1"}), "$defs": {"s1": TEXT}}
    assert made.places == (AT, ("components", "schemas", "B"))


def test_a_response_is_a_part_and_has_nothing_that_is_not_described() -> None:
    inner = {**thing(b=TEXT), "required": ["b"]}
    closed = {**thing(b=TEXT), "additionalProperties": False}
    answered = prepared({**thing(a={"type": "array", "items": inner}), "required": ["a"]}, Purpose.ANSWERED)
    assert answered == {**thing(a={"type": "array", "items": closed}), "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "answered", "described"),
    [
        (thing(a=TEXT), False, False),
        ({"type": "object"}, False, False),
        ({**thing(a=TEXT), "additionalProperties": True}, False, False),
        ({**thing(a=TEXT), "additionalProperties": TEXT}, TEXT, TEXT),
        ({**thing(a=TEXT), "nullable": True}, None, False),
        ({"properties": {"a": TEXT}}, None, False),
        ({}, None, None),
        ({"type": ["object", "null"]}, None, None),
        ({**thing(a=TEXT), "anyOf": [{}]}, None, None),
    ],
)
def test_objects_are_closed_where_they_say_what_they_have(schema: Any, answered: Any, described: Any) -> None:
    assert prepared(schema, Purpose.ANSWERED).get("additionalProperties") == answered
    assert prepared(schema, Purpose.DESCRIBED).get("additionalProperties") == described


def test_conditions_keep_what_they_require() -> None:
    condition = {"required": ["a"]}
    answered = prepared({"if": condition, "then": condition, "not": condition}, Purpose.ANSWERED)
    assert answered == {"if": condition, "then": condition, "not": condition}


def test_requests_need_not_have_what_is_read_only() -> None:
    identifier = {**TEXT, "readOnly": True}
    it = {**thing(id={"$ref": "#/components/schemas/Id"}, name=TEXT), "required": ["id", "name"]}
    assert prepared(it, Id=identifier)["required"] == ["name"]


@pytest.mark.parametrize(
    ("mapping", "choice", "values"),
    [
        ({"kitty": "#/components/schemas/Cat"}, {"kind": {"const": "cat"}}, ["kitty"]),
        ({"kitty": "Cat"}, {}, ["kitty"]),
        (None, {"kind": {"const": "cat"}}, ["cat"]),
        (None, {"kind": {"enum": ["cat", "lion"]}}, ["cat", "lion"]),
        (None, {}, ["Cat"]),
    ],
)
def test_a_discriminator_names_its_alternatives(mapping: Any, choice: Any, values: list[str]) -> None:
    said = {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}
    made = prepared(
        {"oneOf": [{"$ref": "#/components/schemas/Cat"}], "discriminator": said}, Cat={"properties": choice}
    )
    assert made["discriminator"] == {"tag": "kind", "values": values}
    assert made["required"] == ["kind"]
    assert "oneOf" not in made


def test_a_discriminator_that_tells_nothing_apart_is_left_out() -> None:
    made = prepared({"oneOf": [thing(a=TEXT)], "discriminator": {"propertyName": "kind"}})
    assert made == {"oneOf": [thing(a=TEXT)]}


def test_places_are_those_of_the_document() -> None:
    it = {"allOf": [thing(a=TEXT), thing(b={"$ref": "#/components/schemas/B"})]}
    one = schemas(it, B=thing(c=TEXT))
    made = one.prepared(AT, Purpose.ANSWERED)
    assert one.original(made, ["properties", "a", "type"]) == (*AT, "allOf", "0", "properties", "a", "type")
    assert one.original(made, ["$defs", "s1", "properties", "c"]) == ("components", "schemas", "B", "properties", "c")
    assert one.original(made, ["additionalProperties"]) == AT
