from __future__ import annotations

from typing import Any

from orchestrator.contracts.description import Description, mapping, target_of


def test_references_are_followed_to_their_end() -> None:
    raw = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d/e%20f"}, "c/d": {"e f": {"x": 1}}}
    description = Description(raw)
    assert description.resolved(("a",)) == ("c/d", "e f")
    assert description.mapping(("a",)) == {"x": 1}


def test_circles_and_references_to_nowhere_end_in_nothing() -> None:
    description = Description({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/nowhere"}})
    assert set(description.mapping(("a",))) == {"$ref"}
    assert description.mapping(("c",)) == {}
    assert description.at(("c", "x", "y")) is None
    assert description.listed(("a",)) == []


def test_only_references_within_the_document_have_a_target() -> None:
    assert target_of({"$ref": "#/a/b"}) == ("a", "b")
    others: list[Any] = [{"$ref": "other.yaml#/a"}, {"$ref": 3}, {}, [], "#/a"]
    assert [target_of(node) for node in others] == [None] * 5
    assert mapping([1]) == {}
