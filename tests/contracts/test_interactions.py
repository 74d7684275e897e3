from __future__ import annotations

import base64
from typing import Any

import pytest
from msgspec import UNSET

from orchestrator.contracts import interactions
from orchestrator.contracts.interactions import UnreadableError
from tests.contracts.cases import exchange, sent


@pytest.mark.parametrize(
    ("metadata", "version"),
    [
        ({"pactSpecification": {"version": "2.0.0"}}, 2),
        ({"pactSpecificationVersion": "3.0.0"}, 3),
        ({"pact-specification": {"version": "4.0"}}, 4),
        ({"pactSpecification": {"version": "later"}, "pactSpecificationVersion": "1"}, 1),
        ({"pactSpecification": None}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_the_version_is_read_wherever_it_is_written(metadata: Any, version: int) -> None:
    assert interactions.version_of({"metadata": metadata}) == version


def test_headers_are_found_whatever_their_case_and_keep_their_names() -> None:
    side = interactions.read(exchange(headers={"X-Size": ["1", "2"], "accept": " a/b "}), 3).request
    assert side.header("x-size") == "1,2"
    assert side.header("Accept") == "a/b"
    assert side.header("other") is None
    assert side.header_at("x-size") == ("request", "headers", "X-Size")
    assert side.header_at("Other") == ("request", "headers", "Other")


def test_no_body_and_null_are_two_things() -> None:
    assert interactions.read(exchange(), 3).request.body is UNSET
    assert interactions.read(exchange(body=None), 3).request.body is None


@pytest.mark.parametrize(
    ("wrapped", "body"),
    [
        ({"content": {"a": 1}}, {"a": 1}),
        ({"content": "text", "encoded": False}, "text"),
        ({"content": '{"a": 1}', "encoded": "JSON"}, {"a": 1}),
        ({"content": "{", "encoded": "json"}, "{"),
        ({"content": base64.b64encode(b"lamp").decode(), "encoded": "base64"}, "lamp"),
        ({"content": "???", "encoded": "rot13"}, "???"),
        ({}, ""),
    ],
)
def test_version_4_wraps_bodies(wrapped: Any, body: Any) -> None:
    side = interactions.read(sent(wrapped), 4).request
    assert side.body == body
    assert side.body_at == ("request", "body", "content")


def test_version_4_may_leave_the_body_out() -> None:
    assert interactions.read(exchange(), 4).request.body is UNSET


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"request": None}, "`request` is not an object"),
        ({"request": {"path": "/a"}}, "`request.method` is not a text"),
        ({"request": {"method": "GET", "path": 7}}, "`request.path` is not a text"),
        ({"request": {"method": "GET", "path": "/a", "headers": ["x"]}}, "`request.headers` is not an object"),
        ({"request": {"method": "GET", "path": "/a", "headers": {"x": 1}}}, "`request.headers` holds something else"),
        ({"request": {"method": "GET", "path": "/a", "query": 3}}, "`request.query` is not an object"),
        ({"response": {"status": "200"}}, "`response.status` is not a whole number"),
        ({"response": {"status": True}}, "`response.status` is not a whole number"),
        ({"response": {"status": float("inf")}}, "`response.status` is not a whole number"),
    ],
)
def test_what_is_no_interaction_is_said_to_be_none(changed: Any, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        interactions.read({**exchange(), **changed}, 3)


def test_a_list_is_no_interaction() -> None:
    with pytest.raises(UnreadableError, match="it is not an object"):
        interactions.read([], 3)


def test_only_messages_are_not_http() -> None:
    assert interactions.is_http({})
    assert interactions.is_http({"type": "Synchronous/HTTP"})
    assert interactions.is_http("broken")
    assert not interactions.is_http({"type": "Asynchronous/Messages"})
