from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from orchestrator.contracts import comparator
from tests.contracts.cases import NUMBER, TEXT, api, asking, content, exchange, pact, thing

CODE = "parameter.content.incompatible"


def described(place: str, schema: Any = None, media: str = "application/json", **more: Any) -> dict[str, Any]:
    """A parameter that is described by its content."""
    schema = thing(size=NUMBER) if schema is None else schema
    return {"name": "by", "in": place, "content": content(schema, media), **more}


def found(document: dict[str, Any], interaction: Any) -> list[tuple[str, str]]:
    return [(f.code, "/".join(f.at_pact)) for f in comparator.check(pact(interaction), document)]


@pytest.mark.parametrize(
    ("place", "at", "sends"),
    [
        ("query", "request/query/by/size", lambda text: exchange(query={"by": [text]})),
        ("query", "request/query/by/size", lambda text: exchange(query=f"by={quote(text)}")),
        ("header", "request/headers/By/size", lambda text: exchange(headers={"By": text})),
        ("cookie", "request/headers/Cookie/size", lambda text: exchange(headers={"Cookie": f"by={quote(text)}"})),
        ("path", "request/path/size", lambda text: exchange(f"/things/{quote(text)}")),
    ],
)
def test_a_parameter_that_is_json_is_held_against_its_schema(place: str, at: str, sends: Any) -> None:
    label = "POST /things/{by}" if place == "path" else "POST /things"
    document = asking(described(place, required=place == "path"), label=label)
    assert found(document, sends('{"size": 2, "x,y": [1]}')) == []
    assert found(document, sends('{"size": "two"}')) == [(CODE, at)]
    assert found(document, sends("two")) == [(CODE, at.removesuffix("/size"))]


def test_a_header_of_a_response_may_be_json() -> None:
    headers = {"X-By": {"content": content(thing(size=NUMBER))}}
    document = api({"responses": {"200": {"description": "", "headers": headers}}})
    assert found(document, exchange(answer_headers={"x-by": '{"size": 2}'})) == []
    assert found(document, exchange(answer_headers={"x-by": '{"size": "two"}'})) == [
        (CODE, "response/headers/x-by/size")
    ]
    assert found(document, exchange()) == []


def test_a_plain_text_is_held_as_it_is_and_other_media_types_not_at_all() -> None:
    short = {**TEXT, "maxLength": 3}
    assert found(asking(described("query", short, "text/plain")), exchange(query="by=abcd")) == [
        (CODE, "request/query/by")
    ]
    assert found(asking(described("query", short, "application/xml")), exchange(query="by=abcd")) == []
    assert (
        found(asking({"name": "by", "in": "query", "content": {"application/json": {}}}), exchange(query="by=x")) == []
    )


def test_one_that_is_required_is_missed_but_where_the_request_is_to_be_refused() -> None:
    document = asking(described("query", required=True))
    document["paths"]["/things"]["post"]["responses"]["400"] = {"description": "refused"}
    assert found(document, exchange()) == [(CODE, "request/query/by")]
    assert found(document, exchange(status=400)) == []
