from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.contracts.regexes import common, examples

PIECES = st.sampled_from(
    ["a", "1", "/", r"\d", r"\w", r"\s", ".", "[a-c]", "[^/]", r"[\w.-]", "[89ab]", r"[^\d/]", r"\.", "é", r"\W", r"\S"]
)
COUNTS = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{2,}", "+?"])
DOUBLED = "(a)" + "".join(rf"(\{k}\{k})" for k in range(1, 60))
EXPRESSIONS = st.recursive(
    st.tuples(PIECES, COUNTS).map("".join),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})")
        | inner.map(lambda one: f"({one})?")
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_all_examples_match_and_there_are_some(expression: str) -> None:
    found = examples(expression)
    assert found
    assert all(re.fullmatch(expression, one, re.ASCII) for one in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("expression", "among"),
    [
        (r"^/users/\d+$", {"/users/1", "/users/11"}),
        (r"/users/(me|\d+)", {"/users/me", "/users/1"}),
        (r"/users/.*", {"/users/a", "/users/1"}),
        (r"[^/]+", {"1", "a"}),
        ("(a|b)(c|d)", {"ac", "ad", "bc", "bd"}),
        (r"(a|b)-\1", {"a-a", "b-b"}),
        ("x?", {"", "x"}),
        ("(?i)abc", {"abc"}),
        ("[^1a]", {"-"}),
    ],
)
def test_every_way_is_taken(expression: str, among: set[str]) -> None:
    assert among <= set(examples(expression))


def test_a_dot_is_no_slash_and_a_star_is_not_nothing() -> None:
    found = examples("/a/.*")
    assert not [one for one in found if one.count("/") > 2 or one == "/a/"]


TOO_LONG = ["((((a{64}){64}){64}){64}){64}", DOUBLED, "a" * 3000, ".{1000}"]


@pytest.mark.parametrize(
    "expression",
    ["(", r"\p{L}+", "(?<=a)b", "a(?=b)b", r"\ba", "(a)?(?(1)b|c)", r"[^\s\S]", "[b-", *TOO_LONG],
)
def test_of_what_is_not_understood_there_are_no_examples(expression: str) -> None:
    assert examples(expression) == ()


def test_an_expression_that_will_mean_something_else_is_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert examples("[[a]b")


def test_an_expression_that_takes_for_ever_to_refuse_is_not_asked() -> None:
    assert examples("(a{1,30}|a{1,30}){60}(?=b)") == ()
    assert examples("^/(a|b)+$")


@given(st.text(max_size=12))
def test_no_text_is_a_crash(expression: str) -> None:
    examples(expression)


def test_several_expressions_hold_together() -> None:
    assert common([r"/users/\w+", r"/users/\d+"]) == tuple(one for one in examples(r"/users/\w+") if one[7:].isdigit())
    assert common([r"/users/\w+", "("]) == ()
    assert common([]) == ()
