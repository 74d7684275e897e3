"""What a document would have to say follows from the responses that came, and from nothing else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.session import Exchange
from orchestrator.mutation.constraints import Described

OPERATION = "GET /things"
ITEM = ("components", "schemas", "Thing")


def document(thing: dict[str, Any], **response: Any) -> dict[str, Any]:
    """Return a document whose one operation answers with one schema."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    answer = {"description": "", "content": content, **response}
    return {"paths": {"/things": {"get": {"responses": {200: answer}}}}, "components": {"schemas": {"Thing": thing}}}


def answer(body: Any, *headers: tuple[str, str], status: int = 200) -> Exchange:
    return Exchange(
        number=0,
        method="GET",
        path="/things",
        status=status,
        headers=(("Content-Type", "application/json; charset=utf-8"), *headers),
        body=json.dumps(body),
    )


def broken(thing: dict[str, Any], usual: list[Any], value: Any) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    described = Described(document(thing))
    for body in usual:
        described.learn(OPERATION, answer(body))
    return [(c.at, json.loads(c.update)) for c in described.broken(OPERATION, answer(value))]


OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {}, "b": {"type": ["integer", "null"]}}}


@pytest.mark.parametrize(
    ("thing", "usual", "value", "expected"),
    [
        (OBJECT, [{"a": "x", "b": 1}] * 3, {"b": 1}, (ITEM, {"required": ["a"]})),
        ({**OBJECT, "required": ["b"]}, [{"a": 1, "b": 1}] * 3, {"b": 1}, (ITEM, {"required": ["a", "b"]})),
        (OBJECT, [{"a": "x"}] * 3, {"a": "x", "c": 1}, (ITEM, {"additionalProperties": False})),
        (OBJECT, [{"b": 1}, {"b": 2}, {"b": 3}], {"b": None}, ((*ITEM, "properties", "b"), {"type": "integer"})),
        (OBJECT, [{"a": 1}, {"a": 2}, {"a": 3}], {"a": "x"}, ((*ITEM, "properties", "a"), {"type": "integer"})),
        ({"type": "integer", "nullable": True}, [1, 2, 3], None, (ITEM, {"nullable": False})),
        ({"type": "number"}, [1, 2, 3], 1.5, (ITEM, {"type": "integer"})),
        ({"type": "integer"}, [0, 5, 9], -1, (ITEM, {"minimum": 0})),
        ({"type": "integer"}, [1, 5, 9], 0, (ITEM, {"minimum": 1})),
        ({"type": "integer"}, [7, 5, 9], 4, (ITEM, {"minimum": 5})),
        ({"type": "integer"}, [7, 5, 9], 10, (ITEM, {"maximum": 9})),
        ({"type": "string"}, ["on", "off"] * 3, "XXonXX", (ITEM, {"enum": ["off", "on"]})),
        ({"type": "string"}, ["2020-01-01", "2021-02-03"] * 2, "2021", (ITEM, {"format": "date"})),
        ({"type": "string"}, ["a", "b", "c", "dd"], "", (ITEM, {"minLength": 1})),
        ({"type": "string"}, [f"urn:x:{k}" for k in "abcd"], "no", (ITEM, {"format": "uri"})),
        ({"type": "array", "items": {}}, [[1], [1, 2], [3]], [], (ITEM, {"minItems": 1})),
        ({"type": "array", "items": {}}, [[1], [1, 2], [3]], [4, 4], (ITEM, {"uniqueItems": True})),
        ({"type": "array", "items": {"type": "integer"}}, [[1], [1, 2], [3]], [-4], ((*ITEM, "items"), {"minimum": 1})),
        ({"allOf": [{"type": "integer"}]}, [1, 2, 3], -1, (ITEM, {"minimum": 1})),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, 2, 3], 0, (ITEM, {"minimum": 1})),
    ],
)
def test_what_all_values_keep_to_and_this_one_does_not_is_said(
    thing: dict[str, Any], usual: list[Any], value: Any, expected: tuple[tuple[str, ...], dict[str, Any]]
) -> None:
    assert broken(thing, usual, value)[0] == expected


@pytest.mark.parametrize(
    ("thing", "usual", "value"),
    [
        (OBJECT, [{"a": 1}] * 2, {}),  # too few
        ({"type": "string"}, ["a", "b", "c", "d"], "e"),  # each came but once: there may be more
        ({"type": "string", "enum": ["a", "b"]}, ["a"] * 9, "b"),  # it may be
        ({"type": "integer", "minimum": 0}, [0, 1, 2], -1),  # it says so already
        ({"type": "string"}, ["x" * 80] * 9, "y"),  # nobody would write that down
        (OBJECT, [{"a": 1}, {}, {"a": 2}], {}),
    ],
)
def test_of_what_may_be_nothing_is_said(thing: dict[str, Any], usual: list[Any], value: Any) -> None:
    assert broken(thing, usual, value) == []


def test_a_secret_is_in_no_enum() -> None:
    thing = {"type": "object", "properties": {"token": {"type": "string"}}}
    assert broken(thing, [{"token": "abcdefgh12"}] * 9, {"token": "other"}) == []


def test_headers_that_always_came_can_be_required_and_keep_their_form() -> None:
    headers = {"ETag": {"schema": {"type": "string"}}, "X-Way": {"schema": {"type": "string"}}}
    described = Described(document({}, headers=headers))
    for _ in range(6):
        described.learn(OPERATION, answer(1, ("etag", '"1"'), ("x-way", "up")))
    at = ("paths", "/things", "get", "responses", "200", "headers")
    found = described.broken(OPERATION, answer(1, ("x-way", "XXupXX")))
    assert [(c.at, json.loads(c.update)) for c in found] == [
        ((*at, "ETag"), {"required": True}),
        ((*at, "X-Way"), {"schema": {"type": "string", "enum": ["up"]}}),
    ]


def test_a_response_that_the_document_does_not_have_says_nothing() -> None:
    described = Described(document({"type": "integer"}))
    for _ in range(3):
        described.learn(OPERATION, answer(1))
    assert described.broken(OPERATION, answer(-1, status=404)) == []
    assert described.broken("GET /others", answer(-1)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b", "2020-01-01", "urn:a:b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(JSON, min_size=3, max_size=9), JSON)
def test_whatever_is_said_holds_for_all_that_came_and_not_for_this(usual: list[Any], value: Any) -> None:
    thing: dict[str, Any] = {"properties": {"a": {"items": {}}, "b": {}}, "items": {"properties": {"a": {}}}}
    for at, update in broken(thing, usual, value):
        said = json.loads(json.dumps(document(thing)))
        node = said
        for part in at:
            node = node[part]
        node.update(update)
        schema = said["components"]["schemas"]["Thing"]
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        assert all(map(validator.is_valid, usual)), (at, update)
        if update.get("format") not in ("uri", "date-time"):  # jsonschema checks these with packages that are not here
            assert not validator.is_valid(value), (at, update)
