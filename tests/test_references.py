from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import references
from orchestrator.references import Tree, inside, target_of, told_by

NAMES = st.text("ab0~/%# é\n\u202e", max_size=4) | st.text(max_size=4) | st.sampled_from(["~1", "~01", "%2F", "%7E1"])
POINTERS = st.lists(NAMES, max_size=4).map(tuple)


def nested(pointer: references.Pointer, value: Any) -> Any:
    """An object in which a value is somewhere."""
    for name in reversed(pointer):
        value = {name: value}
    return value


@given(POINTERS)
def test_a_place_that_is_written_is_read_again(pointer: references.Pointer) -> None:
    assert references.read(references.written(pointer)) == pointer
    assert references.target(references.reference(pointer) if pointer else "#/") == (pointer or ("",))


@given(POINTERS, POINTERS)
def test_two_places_are_never_written_alike(one: references.Pointer, other: references.Pointer) -> None:
    assert (references.written(one) == references.written(other)) == (one == other)


@given(POINTERS, st.integers())
def test_a_value_is_found_where_it_was_put(pointer: references.Pointer, value: int) -> None:
    assert references.at(nested(pointer, value), pointer) == value


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("#/a/b", ("a", "b")),
        ("#/paths/~1things~1%7Bid%7D", ("paths", "/things/{id}")),
        ("#/a~01/%7E1", ("a~1", "/")),
        ("#/a%2Fb", ("a/b",)),
        ("#/", ("",)),
        ("#", None),
        ("#anchor", None),
        ("other.yaml#/a", None),
        ("https://example.org/a.yaml#/a", None),
        ("/a", None),
    ],
)
def test_a_reference_is_a_pointer_in_a_fragment(told: str, place: references.Pointer | None) -> None:
    assert references.target(told) == place


def test_only_an_object_with_a_text_is_a_reference() -> None:
    assert target_of({"$ref": "#/a/b"}) == ("a", "b")
    others: list[Any] = [{"$ref": 3}, {}, [], "#/a", None, {"$ref": {"type": "string"}}]
    assert [told_by(node) for node in others] == [None] * 6
    assert told_by({"$ref": "other.yaml"}) == "other.yaml"


def test_a_key_may_be_a_number_in_yaml() -> None:
    assert inside({200: "a"}, "200") == "a"
    assert inside({200: "a", "200": "b"}, "200") == "b"
    assert inside({200: "a"}, "20") is None
    assert inside({"a": None}, "a") is None


def test_a_list_has_places_from_zero_on() -> None:
    assert inside(["a"], "0") == "a"
    assert [inside(["a"], part) for part in ("1", "-1", "²", "٠", "", "a", "9" * 5000)] == [None] * 7
    assert inside("text", "0") is None


@given(st.integers(1, 60), st.dictionaries(NAMES.filter(lambda name: name != "$ref"), st.integers(), max_size=2))
def test_a_chain_is_followed_to_its_end_whatever_stands_beside(length: int, beside: dict[str, int]) -> None:
    raw = {str(k): {"$ref": f"#/links/{k + 1}", **beside} for k in range(length)}
    tree = Tree({"links": {**raw, str(length): "end"}})
    assert tree.resolved(("links", "0")) == (("links", str(length)), "end")
    assert tree.place(("links", "0")) == ("links", str(length))


@given(st.data())
def test_a_circle_comes_to_an_end_within_it(data: st.DataObject) -> None:
    names = [str(k) for k in range(data.draw(st.integers(1, 6)))]
    leads = {name: data.draw(st.sampled_from(names)) for name in names}
    tree = Tree({name: {"$ref": f"#/{to}"} for name, to in leads.items()})
    for name in names:
        place, node = tree.resolved((name,))
        assert place[0] in names
        assert told_by(node) is not None


def test_what_leads_nowhere_ends_there() -> None:
    tree = Tree({"a": {"$ref": "#/b"}, "b": {"$ref": "#/nowhere/x"}, "c": {"$ref": "other.yaml#/a"}, "d": 1})
    assert tree.resolved(("a",)) == (("nowhere", "x"), None)
    assert tree.resolved(("c",)) == (("c",), {"$ref": "other.yaml#/a"})
    assert tree.resolved(("d",)) == (("d",), 1)
    assert tree.resolved(("e", "f")) == (("e", "f"), None)
