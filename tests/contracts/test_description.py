from __future__ import annotations

from orchestrator.contracts.description import Description, mapping


def test_references_are_followed_to_their_end() -> None:
    raw = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d/e%20f"}, "c/d": {"e f": {"x": 1}}}
    description = Description(raw)
    assert description.place(("a",)) == ("c/d", "e f")
    assert description.mapping(("a",)) == {"x": 1}


def test_circles_and_references_to_nowhere_end_in_nothing() -> None:
    description = Description({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/nowhere"}})
    assert set(description.mapping(("a",))) == {"$ref"}
    assert description.mapping(("c",)) == {}
    assert description.at(("c", "x", "y")) is None
    assert description.listed(("a",)) == []


def test_what_is_no_object_is_an_empty_one() -> None:
    assert mapping([1]) == {}
    assert Description({"a": "text"}).mapping(("a",)) == {}
