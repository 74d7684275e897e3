from __future__ import annotations

from typing import Any

from orchestrator.contracts import access
from orchestrator.contracts.description import Description
from orchestrator.contracts.schemas import Schemas
from tests.contracts.cases import TEXT, thing

IT = {"$ref": "#/components/schemas/It"}
MARKED = {**TEXT, "readOnly": True}


def places(value: Any, it: Any, **others: Any) -> list[str]:
    schemas = Schemas(Description({"components": {"schemas": {"It": it, **others}}}))
    return sorted("/".join(p) for p in access.marked(value, ("components", "schemas", "It"), "readOnly", schemas))


def test_marks_are_found_in_lists_parts_and_behind_references() -> None:
    it = {"allOf": [thing(a=MARKED), thing(b={"type": "array", "items": {"$ref": "#/components/schemas/Other"}})]}
    value = {"a": "x", "b": [{"c": "x"}, {"d": "x"}]}
    assert places(value, it, Other=thing(c={"$ref": "#/components/schemas/Mark"}, d=TEXT), Mark=MARKED) == [
        "a",
        "b/0/c",
    ]


def test_what_is_inside_of_something_marked_is_told_once() -> None:
    assert places({"a": {"b": "x"}}, thing(a={**thing(b=MARKED), "readOnly": True})) == ["a"]


def test_circles_end_with_the_value() -> None:
    it = thing(next={"$ref": "#/components/schemas/It"}, a=MARKED)
    assert places({"next": {"next": {"a": "x"}}}, it) == ["next/next/a"]


def test_what_is_not_known_is_found_where_a_value_is() -> None:
    unknown = {"$ref": "elsewhere.yaml#/Thing"}
    it = thing(a={"oneOf": [TEXT, unknown]}, b={"items": unknown}, c=unknown, d=thing(), next=IT)
    it["additionalProperties"] = {"$ref": "#/nowhere"}
    schemas = Schemas(Description({"components": {"schemas": {"It": it}}}))
    value = {"a": "x", "b": [1], "d": {}, "next": {"next": {"c": 1}}, "e": 2}
    found = access.unread(value, ("components", "schemas", "It"), schemas)
    assert sorted(("/".join(at), told) for at, told in found) == [
        ("a", "elsewhere.yaml#/Thing"),
        ("b/0", "elsewhere.yaml#/Thing"),
        ("e", "#/nowhere"),
        ("next/next/c", "elsewhere.yaml#/Thing"),
    ]


def test_alternatives_that_lead_to_each_other_come_to_an_end() -> None:
    it = {"anyOf": [IT, IT, {"oneOf": [IT, IT]}, {"$ref": "elsewhere.yaml"}]}
    schemas = Schemas(Description({"components": {"schemas": {"It": it}}}))
    assert list(access.unread([1], ("components", "schemas", "It"), schemas)) == [((), "elsewhere.yaml")]
