from __future__ import annotations

from typing import Any

import pytest

from orchestrator.contracts.description import Description
from orchestrator.contracts.schemas import Purpose
from orchestrator.contracts.validation import UnreadableSchemaError, Validation
from tests.contracts.cases import NUMBER, PETS, TEXT, thing

AT = ("components", "schemas", "It")


def validation(it: Any, openapi: str = "3.0.3", **others: Any) -> Validation:
    return Validation(Description({"openapi": openapi, "components": {"schemas": {"It": it, **others}}}))


def faults(value: Any, it: Any, **more: Any) -> list[tuple[str, str]]:
    """Where a value does not keep to a schema, and which word of the schema says so."""
    return [("/".join(f.at), "/".join(f.document[3:])) for f in validation(it, **more).faults(value, AT, Purpose.SENT)]


def test_each_property_that_is_not_described_is_a_fault_of_its_own() -> None:
    closed = {**thing(), "additionalProperties": False}
    assert faults({"a": 1, "b": 2}, closed) == [("", "additionalProperties")] * 2


def test_each_required_property_is_a_fault_of_its_own() -> None:
    assert faults({}, {**thing(), "required": ["a", "b"]}) == [("", "required")] * 2


def test_what_is_wrong_with_each_alternative_is_told_before_that_none_holds() -> None:
    assert faults({"a": 1}, thing(a={"oneOf": [TEXT, {"type": "array"}]})) == [
        ("a", "properties/a/oneOf/0/type"),
        ("a", "properties/a/oneOf/1/type"),
        ("a", "properties/a/oneOf"),
    ]


def test_a_condition_is_told_after_what_it_decides() -> None:
    condition = {"if": thing(a={"const": 1}), "then": {"required": ["b"]}, "else": {"required": ["c"]}}
    assert faults({"a": 1}, condition) == [("", "then/required"), ("", "if")]
    assert faults({"a": 2}, condition) == [("", "else/required"), ("", "if")]
    assert faults([{"a": 1}], {"type": "array", "items": {"$ref": "#/components/schemas/Other"}}, Other=condition) == [
        ("0", "then/required"),
        ("0", "if"),
    ]


def test_a_discriminator_decides_without_being_told_as_a_condition() -> None:
    it = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind"},
    }
    assert faults({"kind": "cat", "lives": "x"}, it, **PETS) == [("lives", "properties/lives/type")]
    assert faults({"kind": "cow"}, it, **PETS) == [("", "discriminator")]
    assert faults({"kind": 3}, it, **PETS) == [("", "discriminator")]
    assert faults("no object", it, **PETS) == []


def test_a_long_value_is_not_shown_whole() -> None:
    (fault,) = validation(TEXT).faults({"a": "x" * 100}, AT, Purpose.SENT)
    assert fault.message == 'it is not of type "string"'


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "format": "byte"}, "bGFtcA==", "lamp!"),
        ({"type": "integer", "format": "int32"}, 2**31 - 1, 2**31),
        ({"type": "number", "format": "int64"}, 2**40, 1.5),
        ({"type": "string", "format": "uuid"}, "0b9a6b8e-2a53-4b4e-8d5c-0d7a0a9a9a9a", "0b9a"),
        ({"type": "string", "format": "date"}, "2024-05-06", "2024-15-06"),
        ({"type": "string", "pattern": r"^\p{L}+$"}, "été", "7"),
        ({"type": "string", "format": "whatever"}, "x", 3),
    ],
)
def test_formats_and_patterns_are_looked_at(schema: Any, good: Any, bad: Any) -> None:
    assert faults(good, schema) == []
    assert len(faults(bad, schema)) == 1


def test_first_items_are_known_in_3_1() -> None:
    pair = {"type": "array", "prefixItems": [TEXT, NUMBER]}
    assert faults(["a", "b"], pair, openapi="3.1.0") == [("1", "prefixItems/1/type")]


def test_a_schema_that_is_none_is_told_each_time() -> None:
    broken = validation({"type": "thing"})
    for _ in range(2):
        with pytest.raises(UnreadableSchemaError, match="thing"):
            broken.faults(1, AT, Purpose.SENT)


@pytest.mark.parametrize(
    ("schema", "value", "made"),
    [
        (NUMBER, "7", 7),
        (TEXT, "7", "7"),
        ({}, "7", "7"),
        ({"type": "array", "items": NUMBER}, ["7", "x"], [7, "x"]),
        (thing(a=NUMBER), {"a": "7", "b": "7"}, {"a": 7, "b": "7"}),
        ({"type": "object", "additionalProperties": NUMBER}, {"a": "7"}, {"a": 7}),
        ({"anyOf": [NUMBER, {"type": "boolean"}]}, "true", True),
        ({"anyOf": [NUMBER, TEXT]}, "7", "7"),
        ({"type": "integer", "nullable": True}, "", None),
        ({"$ref": "#/components/schemas/Other"}, "7", 7),
        ({"oneOf": [{"$ref": "#/components/schemas/It"}]}, "7", "7"),
    ],
)
def test_texts_become_what_their_schemas_say(schema: Any, value: Any, made: Any) -> None:
    assert validation(schema, Other=NUMBER).coerced(value, AT) == made
