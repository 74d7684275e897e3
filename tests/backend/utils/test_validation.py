from __future__ import annotations

import re

import pytest

from backend.app.utils.validation import (
    Members,
    RefusedValue,
    decimal,
    integer,
    json_array,
    json_object,
    matching,
    nullable,
    one_line,
    read_at,
    shown,
)


def small(value: object) -> int:
    return integer(value, 1, 9)


@pytest.mark.parametrize(("value", "number"), [(1, 1), (9, 9), (5.0, 5)])
def test_an_integer_is_read(value: object, number: int) -> None:
    read = small(value)

    assert read == number
    assert type(read) is int


@pytest.mark.parametrize("value", [0, 10, 1.5, True, "5", None, [5], float("inf"), float("nan"), 1e300])
def test_any_other_value_is_no_integer(value: object) -> None:
    with pytest.raises(RefusedValue, match="an integer from 1 to 9"):
        small(value)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("100", 100)])
def test_a_decimal_is_read(text: str, number: int) -> None:
    assert decimal(text, 0, 100) == number


@pytest.mark.parametrize("text", ["", "101", "-1", "+1", "07", " 7", "7\n", "1.0", "٧", "1" * 5000, 7])
def test_any_other_text_is_no_decimal(text: object) -> None:
    with pytest.raises(RefusedValue, match="an integer from 0 to 100"):
        decimal(text, 0, 100)


@pytest.mark.parametrize("text", ["ab", "abcd", "ä✓ ", "\x80\u2028"])
def test_a_line_is_read(text: str) -> None:
    assert one_line(text, 2, 4) == text


@pytest.mark.parametrize("text", ["a", "abcde", 12, None, "a\x00b", "a\nb", "a\x1fb", "a\x7fb", "a\ud800b"])
def test_any_other_value_is_no_line(text: object) -> None:
    with pytest.raises(RefusedValue):
        one_line(text, 2, 4)


@pytest.mark.parametrize("value", ["xab", "abx", "ab\n", 5])
def test_a_pattern_matches_the_whole_text(value: object) -> None:
    with pytest.raises(RefusedValue, match="must be two letters"):
        matching(value, re.compile("ab"), "two letters")


@pytest.mark.parametrize("items", [[1], [1, 2, 3]])
def test_an_array_may_be_at_its_bounds(items: list[object]) -> None:
    assert json_array(items, 1, 3) == items


@pytest.mark.parametrize("value", [[], [1, 2, 3, 4], "abc", {"0": 1}])
def test_any_other_value_is_no_array(value: object) -> None:
    with pytest.raises(RefusedValue, match="an array of 1 to 3 items"):
        json_array(value, 1, 3)


def test_an_array_is_no_object() -> None:
    with pytest.raises(RefusedValue, match="must be an object"):
        json_object([])


def test_null_is_read_where_it_may_be() -> None:
    assert nullable(small)(None) is None
    assert nullable(small)(5) == 5
    with pytest.raises(RefusedValue):
        nullable(small)(10)


class TestMembers:
    def test_members_are_read(self) -> None:
        members = Members({"a": 1}, known=("a", "b"))

        assert "a" in members
        assert "b" not in members
        assert members.required("a", small) == 1
        assert members.optional("b", small, 7) == 7

    @pytest.mark.parametrize("name", ["a", "b"])
    def test_a_refusal_says_which_member(self, name: str) -> None:
        members = Members({"a": 10}, known=("a", "b"))

        with pytest.raises(RefusedValue) as refusal:
            members.required(name, small)

        assert refusal.value.pointer == f"/{name}"

    def test_an_optional_member_that_is_there_must_be_valid(self) -> None:
        with pytest.raises(RefusedValue):
            Members({"a": None}, known=("a",)).optional("a", small, 7)

    def test_an_unknown_member_is_refused_at_once(self) -> None:
        with pytest.raises(RefusedValue, match="is not known") as refusal:
            Members({"a": 1, "c": 1}, known=("a",))

        assert refusal.value.pointer == "/c"


@pytest.mark.parametrize(
    ("name", "token"),
    [(3, "/3"), ("a/b", "/a~1b"), ("a~b", "/a~0b"), ("~1", "/~01"), ("ü", "/\\xfc")],
)
def test_a_pointer_escapes_names(name: str | int, token: str) -> None:
    assert RefusedValue("is wrong").inside(name).pointer == token


def test_a_pointer_grows_from_the_inside_out() -> None:
    with pytest.raises(RefusedValue) as refusal:
        read_at("items", [10], lambda items: read_at(0, json_array(items, 1, 1)[0], small))

    assert refusal.value.pointer == "/items/0"


def test_a_shown_name_is_short() -> None:
    assert shown("x" * 81) == "x" * 80
