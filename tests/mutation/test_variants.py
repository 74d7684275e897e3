"""Other requests are calls like the given one, with values that may matter."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters import openapi
from orchestrator.mutation.variants import Hints, describer, of_code, variants

CODE = '''
def total(count, kind):
    """Return what 77 cost."""
    if count >= 10 and kind == "gift":
        return 3
'''


def made(call: str, hints: Hints | None = None, most: int = 400) -> list[str]:
    return variants(call, hints or Hints(), most=most, seed=1)


def test_the_values_of_code_are_its_literals_with_their_neighbours_without_its_docstring() -> None:
    hints = of_code(CODE)
    assert sorted(hints.numbers) == [2, 3, 4, 9, 10, 11]
    assert hints.texts == ("gift",)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('client.get("/total/2")', ['client.get("/total/10")', 'client.get("/total/3")', 'client.get("/total/2x")']),
        (
            'client.post("/a", json={"n": 2})',
            ['client.post("/a", json={"n": 10})', 'client.post("/a", json={"n": -1})'],
        ),
        ('client.post("/a", json={"n": True})', ['client.post("/a", json={"n": False})']),
        ('send(client, kind="x")', ['send(client, kind="gift")', 'send(client, kind="")', "send(client, kind=None)"]),
        ('client.post("/a", json={"n": 2})', ['client.post("/a", json={"another": 1})']),
        ("await client.get(f'/total/{n}')", ["await client.get(f'/total/{n}x')"]),
    ],
)
def test_one_literal_is_another(call: str, expected: list[str]) -> None:
    found = made(call, of_code(CODE))
    assert call not in found
    for one in expected:
        assert one in found


DOCUMENT = """
openapi: 3.1.0
info: {title: A, version: "1"}
paths:
  /orders:
    post:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
        - {$ref: "#/components/parameters/Dry"}
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
      responses: {}
components:
  parameters:
    Dry: {name: dry, in: query, schema: {type: boolean}}
  schemas:
    Order:
      type: object
      properties:
        count: {$ref: "#/components/schemas/Count"}
        kind: {enum: [gift, own]}
    Count: {type: integer, minimum: 1}
"""


def hints(method: str = "POST", path: str = "/orders?a=b") -> Hints:
    return describer(openapi.parse(DOCUMENT.encode(), "openapi.yaml"))(method, path)


def test_what_the_document_says_of_an_operation_is_known() -> None:
    assert hints().fields == {"count": [1, 0, 1, None], "kind": ["gift", "own", None]}
    assert hints().query == {"limit": [1, 0, 50, 51, 1, None], "dry": [True, None]}
    assert hints("GET") == Hints()
    assert describer(None)("GET", "/") == Hints()


def test_fields_and_parameters_of_the_document_are_tried() -> None:
    found = made('client.post("/orders", json={"count": 2})', hints())
    for one in (
        'client.post("/orders?limit=50", json={"count": 2})',
        'client.post("/orders?dry=true", json={"count": 2})',
        'client.post("/orders", json={"count": 0})',
        'client.post("/orders", json={"count": 2, "kind": "own"})',
    ):
        assert one in found
    assert 'order(client, count=2, kind="gift")' in made("order(client, count=2)", hints())


def test_two_values_are_changed_when_all_single_ones_are_tried() -> None:
    assert 'send(client, 3, "y")' not in made('send(client, 2, "xy")', most=4)
    assert 'send(client, 3, "x")' in made('send(client, 2, "xy")')


ARGUMENTS = st.recursive(
    st.sampled_from(["1", '"a"', "None", "True", "name", '"/a/1"', "f'/b/{name}'", "1.5", "b'x'"]),
    lambda inner: (
        st.builds("[{}]".format, inner) | st.builds('{{"k": {}}}'.format, inner) | st.builds("g(x, n={})".format, inner)
    ),
    max_leaves=3,
)


@given(st.lists(ARGUMENTS, max_size=3), st.integers(0, 30))
def test_whatever_the_call_is_the_others_can_be_compiled_and_differ(arguments: list[str], most: int) -> None:
    call = f"client.post({', '.join(arguments)})"
    told: dict[str, Any] = {"k": [1, "é"], "n": [None, []]}
    found = made(call, Hints(numbers=(7,), texts=('"',), fields=told, query=told), most)
    assert len(found) == len(set(found)) <= most
    for one in found:
        assert one != call
        ast.parse(one)
