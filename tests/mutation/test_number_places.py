"""Where any number can be put into a call."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.mutation.number_places import number_places
from orchestrator.mutation.variants import Hints
from tests.mutation.test_variants import ARGUMENTS

HINTS = Hints(
    fields={"count": [1, 0, None], "name": ["x", None], "gift": [True, None], "tags": [[], None]},
    query={"limit": [1, 50, None], "order": ["id", None]},
)


def with_number(call: str, number: int, hints: Hints | None = None) -> list[str]:
    return [place.with_number(number) for place in number_places(call, hints or Hints())]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('client.get("/total/2")', ['client.get("/total/8")']),
        ('client.post("/a", json={"n": 2})', ['client.post("/a", json={"n": -8})']),
        ('client.post("/a", json={"n": 2.5})', ['client.post("/a", json={"n": -8})']),
        ("send(client, 3, n=4)", ["send(client, -8, n=4)", "send(client, 3, n=-8)"]),
        ('send(client, name="book")', ['send(client, name="x" * 8)']),
        ('client.post("/a", json={"name": "book"})', ['client.post("/a", json={"name": "x" * 8})']),
        ('client.get("/total", headers=HEADERS)', []),
        ("client.get(f'/total/{n + 1}')", []),
        ('send(client, "é", 3)', []),
        ("send(client, True)", []),
    ],
)
def test_numbers_of_the_call_and_lengths_of_its_texts_can_be_others(call: str, expected: list[str]) -> None:
    assert with_number(call, -8) == expected


def test_parameters_and_fields_that_the_document_knows_can_be_added() -> None:
    assert with_number('client.post("/a", json={"n": "x"})', 8, HINTS) == [
        'client.post("/a?limit=8", json={"n": "x"})',
        'client.post("/a", json={"n": "x" * 8})',
        'client.post("/a", json={"n": "x", "count": 8})',
        'client.post("/a", json={"n": "x", "name": "x" * 8})',
    ]
    strange = Hints(query={"a#b": [1]}, fields={"c#d": [1], 'e"f': [1]})
    assert with_number("client.post('/a', json={})", 8, strange) == [
        "client.post('/a?a#b=8', json={})",
        "client.post('/a', json={\"c#d\": 8})",
        'client.post(\'/a\', json={"e\\"f": 8})',
    ]
    assert "client.get(f'/total/{n}?a=1&limit=8')" in with_number("client.get(f'/total/{n}?a=1')", 8, HINTS)


@given(st.lists(ARGUMENTS, max_size=3), st.integers(-9, 9))
def test_whatever_the_call_is_those_with_a_number_can_be_compiled(arguments: list[str], number: int) -> None:
    for one in with_number(f"client.post({', '.join(arguments)})", number, HINTS):
        ast.parse(one)
