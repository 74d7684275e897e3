from __future__ import annotations

from typing import Any

import pytest

from orchestrator.contracts import encoded


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a", {"a": ""}),
        ("a=1=2", {"a": "1=2"}),
        ("a=b+c%20d", {"a": "b c d"}),
        ("a=%zz", {"a": "%zz"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a=1,2&a=3", {"a": ["1", "2", "3"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[50]=x", {"a": {"50": "x"}}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a.b=1&a.c.d=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        ("a[b]=1&a=2", {"a": {"b": "1", "1": "2"}}),
        ("a=1&a[b]=2", {"a": {"0": "1", "b": "2"}}),
        ("[a]=1", {"a": "1"}),
        ("a[b[c]=1", {"a": {"c": "1"}}),
        ("a[0][x]=1&a[1][x]=2", {"a": [{"x": "1"}, {"x": "2"}]}),
        ("&&a=1&", {"a": "1"}),
    ],
)
def test_names_spell_the_way_into_a_value(query: str, value: Any) -> None:
    assert encoded.nested(encoded.pairs(query)) == value


def test_dots_and_commas_may_mean_nothing() -> None:
    given = encoded.pairs("a.b=1,2&c[d]=3,4")
    assert encoded.nested(given, plain=True) == {"a.b": "1,2", "c": {"d": "3,4"}}
    assert encoded.nested([("a", "1,2"), ("b", "1,2")], texts={"a"}) == {"a": "1,2", "b": ["1", "2"]}


def test_values_by_name_are_taken_as_they_are() -> None:
    assert encoded.pairs({"a": ["x&y", "100%"], "b": []}) == [("a", "x&y,100%"), ("b", "")]


def test_deep_names_are_cut_off() -> None:
    value: Any = encoded.nested(encoded.pairs("a" + "[b]" * 100 + "=1"))["a"]
    depth = 0
    while isinstance(value, dict):
        value, depth = value["b"], depth + 1
    assert (depth, value) == (5, "1")


@pytest.mark.parametrize(
    ("value", "types", "made"),
    [
        ("7", ["integer"], 7),
        ("7.0", ["integer"], 7),
        ("7.5", ["integer"], "7.5"),
        ("7.5", ["number"], 7.5),
        ("1e3", ["number"], 1000),
        ("-.5", ["number"], -0.5),
        ("", ["number"], ""),
        ("seven", ["number", "boolean"], "seven"),
        ("٣", ["integer"], "٣"),
        ("1e999", ["number"], float("inf")),
        ("true", ["boolean"], True),
        ("True", ["boolean"], "True"),
        ("", ["null"], None),
        ("7", ["string", "integer"], "7"),
        ("7", [], "7"),
        (7, ["string"], 7),
    ],
)
def test_a_text_becomes_what_a_type_asks_for_where_it_can(value: Any, types: list[str], made: Any) -> None:
    found = encoded.coerced(value, types)
    assert found == made
    assert isinstance(found, bool) == isinstance(made, bool)


def test_headers_hold_lists_and_objects() -> None:
    assert encoded.in_header("a") == "a"
    assert encoded.in_header("a,b") == ["a", "b"]
    assert encoded.in_header("a=1,b=2") == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("style", "text"),
    [("form", "a,b"), ("pipeDelimited", "a|b"), ("spaceDelimited", "a b"), ("tsv", "a\tb"), ("csv", "a,b")],
)
def test_each_style_parts_items_in_its_way(style: str, text: str) -> None:
    assert encoded.items(text, style) == ["a", "b"]
    assert encoded.items(["a,b"], style) == ["a,b"]


def test_cookies_are_parted_at_semicolons() -> None:
    assert encoded.cookies('a=1; b="x%20y";c') == {"a": "1", "b": "x y", "c": ""}
    assert encoded.cookies("") == {}


def test_forms_and_parts_become_objects_and_other_bodies_stay() -> None:
    parts = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\nNo-Name: 1\r\n\r\n2\r\n--x--\r\n'
    assert encoded.form("a=1&b=2", "application/x-www-form-urlencoded") == {"a": "1", "b": "2"}
    assert encoded.form(parts, "multipart/form-data; boundary=x") == {"a": "1"}
    assert encoded.form("nothing", "multipart/form-data; boundary=x") == {}
    assert encoded.form("nothing", "multipart/form-data") == "nothing"
    assert encoded.form({"a": 1}, "multipart/form-data; boundary=x") == {"a": 1}
    assert encoded.form("a=1", "application/json") == "a=1"
