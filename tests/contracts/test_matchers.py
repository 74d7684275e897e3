from __future__ import annotations

from typing import Any

import pytest

from orchestrator.contracts import comparator, interactions, matchers
from tests.contracts.cases import (
    COLOUR,
    NUMBER,
    TEXT,
    answered,
    answering,
    api,
    asking,
    exchange,
    matched,
    pact,
    parameter,
    sent,
    taking,
    thing,
)


def places(document: dict[str, Any], interaction: Any, version: str = "3.0.0") -> list[str]:
    """Where matchers allow something else than the document."""
    found = comparator.check(pact(interaction, version=version), document)
    assert {f.code for f in found} <= {"request.matcher.wider", "response.matcher.narrower"}
    return ["/".join(f.at_pact) for f in found]


def rules(**written: Any) -> list[tuple[str, tuple[str, ...], Any]]:
    side = interactions.read(exchange(rules=written["rules"]), 3).request
    return [(rule.part, rule.steps, rule.matcher) for rule in matchers.read(side)]


def test_rules_of_every_version_are_read_alike() -> None:
    kind = {"match": "type"}
    second = {
        "$.body.a[0]['b c'].*": kind,
        "$.header.X-Size": kind,
        "$.headers.X-Other": kind,
        "$.query.page": kind,
        "$.path": kind,
        "$.body": kind,
    }
    third = {
        "body": {"$.a[0]['b c'].*": {"matchers": [kind]}, "$": {"matchers": [kind]}},
        "header": {"X-Size": {"matchers": [kind]}, "X-Other": [], "X-Third": kind},
        "query": {"page": {"matchers": [kind, kind]}},
        "path": {"matchers": [kind]},
    }
    deep = ("a", "0", "b c", "*")
    assert rules(rules=second) == [
        ("body", deep, kind),
        ("headers", ("X-Size",), kind),
        ("headers", ("X-Other",), kind),
        ("query", ("page",), kind),
        ("path", (), kind),
        ("body", (), kind),
    ]
    assert rules(rules=third) == [
        ("body", deep, kind),
        ("body", (), kind),
        ("headers", ("X-Size",), kind),
        ("headers", ("X-Third",), kind),
        ("query", ("page",), kind),
        ("query", ("page",), kind),
        ("path", (), kind),
    ]


@pytest.mark.parametrize("written", ["x", [], {"body": []}, {"body": {"$": {"matchers": "x"}}}, {"$.body": 3}])
def test_rules_that_are_none_are_left_out(written: Any) -> None:
    assert [matcher for _, _, matcher in rules(rules=written) if "match" in matcher] == []


def test_a_type_holds_for_all_that_is_inside_unless_more_is_said() -> None:
    document = taking(thing(all={"type": "array", "items": thing(colour=COLOUR, name=TEXT)}))
    body = {"all": [{"colour": "red", "name": "x"}, {"colour": "blue"}]}
    everything = {"$.body": {"match": "type"}}
    assert places(document, sent(body, rules=everything), "2.0.0") == ["request/body/all/0/colour"]
    more = {**everything, "$.body.all[*].colour": {"match": "regex", "regex": "red|blue"}}
    assert places(document, sent(body, rules=more), "2.0.0") == []


def test_a_body_of_version_4_is_walked_too() -> None:
    document = taking(thing(colour=COLOUR))
    interaction = sent({"content": {"colour": "red"}}, rules=matched(colour={"match": "type"}))
    assert places(document, interaction, "4.0") == ["request/body/content/colour"]


def test_headers_and_parameters_have_matchers() -> None:
    rule = {"matchers": [{"match": "type"}]}
    document = asking(parameter("colour", "query", COLOUR), parameter("X-Colour", "header", COLOUR))
    interaction = exchange(
        headers={"x-colour": "red"}, query="colour=red", rules={"header": {"x-colour": rule}, "query": {"colour": rule}}
    )
    assert places(document, interaction) == ["request/headers/x-colour", "request/query/colour"]


def test_response_headers_have_matchers() -> None:
    document = api({"responses": {"200": {"description": "", "headers": {"X-Colour": {"schema": COLOUR}}}}})
    rule = {"matchers": [{"match": "include", "value": "re"}]}
    interaction = exchange(answer_headers={"x-colour": "red"}, answer_rules={"header": {"x-colour": rule}})
    assert places(document, interaction) == ["response/headers/x-colour"]


@pytest.mark.parametrize(
    ("schema", "matcher", "is_wider"),
    [
        (COLOUR, {"match": "include", "value": "r"}, True),
        (COLOUR, {"match": "equality"}, False),
        ({"const": "red"}, {"match": "type"}, True),
        ({"type": "boolean", "enum": [True, False]}, {"match": "type"}, False),
        (NUMBER, {"match": "decimal"}, True),
        (NUMBER, {"match": "type"}, False),
        ({"type": "number"}, {"match": "decimal"}, False),
        (TEXT, {"match": "type"}, False),
        ({"type": "array", "minItems": 2}, {"match": "type", "min": 1}, True),
        ({"type": "array", "minItems": 2}, {"min": 2}, False),
        ({"type": "array"}, {"min": 1}, False),
        ({**TEXT, "format": "date"}, {"match": "date", "date": "dd.MM.yyyy"}, True),
        ({**TEXT, "format": "date"}, {"match": "date", "format": "yyyy-MM-dd"}, False),
        ({**TEXT, "format": "date"}, {"match": "date"}, False),
        (TEXT, {"match": "date", "date": "dd.MM.yyyy"}, False),
        ({"oneOf": [COLOUR, NUMBER]}, {"match": "type"}, False),
        (COLOUR, {"match": 7}, False),
        ({**NUMBER, "minItems": "x"}, {"min": True}, False),
    ],
)
def test_a_requests_matcher_must_not_allow_more(schema: Any, matcher: Any, is_wider: bool) -> None:
    example = {
        "string": "red" if schema is not TEXT and "format" not in schema else "2024-05-06",
        "boolean": True,
        "integer": 2,
        "number": 2,
        "array": [1, 2],
    }.get(schema.get("type", ""), "red")
    document = taking(thing(it=schema))
    found = comparator.check(pact(sent({"it": example}, rules=matched(it=matcher))), document)
    assert ("request.matcher.wider" in {f.code for f in found}) == is_wider


@pytest.mark.parametrize(
    ("schema", "matcher", "is_narrower"),
    [
        (COLOUR, {"regex": "^r"}, True),
        (COLOUR, {"match": "regex", "regex": "r|b"}, False),
        (COLOUR, {"match": "regex", "regex": "("}, False),
        (COLOUR, {"match": "type"}, False),
        (NUMBER, {"match": "decimal"}, True),
        (NUMBER, {"match": "integer"}, False),
        ({"type": "number"}, {"match": "integer"}, True),
        ({"type": "array", "maxItems": 5}, {"match": "type", "max": 3}, True),
        ({"type": "array", "minItems": 0}, {"match": "type", "min": 1}, True),
        ({"type": "array"}, {"match": "type", "min": 1, "max": 3}, False),
        ({**TEXT, "format": "date-time"}, {"match": "timestamp", "timestamp": "yyyy-MM-dd HH:mm:ss"}, True),
        ({**TEXT, "format": "date-time"}, {"match": "timestamp", "timestamp": "yyyy-MM-dd'T'HH:mm:ssXXX"}, False),
        ({**TEXT, "format": "date-time"}, {"match": "timestamp", "timestamp": "what?"}, False),
    ],
)
def test_a_responses_matcher_must_not_allow_less(schema: Any, matcher: Any, is_narrower: bool) -> None:
    example: Any = {"integer": 2, "number": 2, "array": [1, 2]}.get(schema["type"], "red")
    if schema.get("format"):
        example = "2024-05-06T07:08:09Z"
    interaction = answered({"it": example}, answer_rules=matched(it=matcher))
    found = comparator.check(pact(interaction), answering(thing(it=schema)))
    assert ("response.matcher.narrower" in {f.code for f in found}) == is_narrower


def test_a_request_that_is_meant_to_be_refused_may_have_any_matcher() -> None:
    document = taking(thing(colour=COLOUR))
    document["paths"]["/things"]["post"]["responses"]["400"] = {"description": "refused"}
    assert places(document, sent({"colour": "red"}, rules=matched(colour={"match": "type"}), status=400)) == []


def path(*matchers: Any) -> Any:
    return {"path": {"combine": "AND", "matchers": list(matchers)}}


@pytest.mark.parametrize(
    ("rules", "allows"),
    [
        (path({"match": "regex", "regex": r"^/users/\d+$"}), ""),
        (path({"match": "regex", "regex": "/users/1"}), ""),
        (path({"match": "regex", "regex": r"/users/[1-9][0-9]{2}"}), ""),
        (path({"match": "regex", "regex": r"/(users|posts)/\d+"}), "/posts/1"),
        (path({"match": "regex", "regex": "/users/.*"}), "/users/a"),
        (path({"match": "regex", "regex": r"/users/\w+"}, {"match": "regex", "regex": r"/users/\d+"}), ""),
        (path({"match": "type"}), "any path"),
        (path({"match": "type"}, {"match": "regex", "regex": r"/users/\d+"}), ""),
        (path({"match": "equality"}), ""),
        (path({"match": "regex", "regex": "("}), ""),
        ({"$.path": {"match": "regex", "regex": r"/users/\d+"}}, ""),
        ({"$.path": {"regex": "/users/[a-z]+"}}, "/users/a"),
        ({"$['path']": {"match": "type"}}, "any path"),
        ({"path": []}, ""),
        ({"path": {}}, ""),
    ],
)
def test_the_path_is_what_its_matcher_allows(rules: Any, allows: str) -> None:
    document = asking(parameter("id", "path", NUMBER), label="GET /users/{id}")
    found = comparator.check(pact(exchange("/users/1", "GET", rules=rules)), document)
    assert [f.code for f in found] == (["request.matcher.wider"] if allows else [])
    assert all(f"allows {allows}" in f.message and f.at_pact == ("request", "path") for f in found)


def test_paths_that_another_operation_takes_are_allowed() -> None:
    document = asking(parameter("id", "path", NUMBER), label="GET /users/{id}")
    document["paths"]["/users/me"] = {"get": {"responses": {"200": {"description": "me"}}}}
    rules = path({"match": "regex", "regex": r"/users/(me|\d+)"})
    assert places(document, exchange("/users/1", "GET", rules=rules)) == []


def test_each_value_of_a_list_in_the_query_is_what_is_matched() -> None:
    document = asking(parameter("ids", "query", {"type": "array", "items": COLOUR, "maxItems": 3}))

    def told(matcher: Any, name: str = "ids") -> list[str]:
        return places(document, exchange(query="ids=red", rules={"query": {name: {"matchers": [matcher]}}}))

    assert told({"match": "type"}) == ["request/query/ids"]
    assert told({"match": "regex", "regex": "red|blue"}) == []
    assert told({"match": "regex", "regex": "red|green"}) == ["request/query/ids"]
    assert told({"match": "regex", "regex": "red|green"}, "$.ids[*]") == ["request/query/ids"]
    assert told({"match": "type", "min": 1, "max": 3}) == []
    assert told({"match": "type", "min": 1}) == ["request/query/ids"]


def test_a_schema_that_is_none_allows_what_a_matcher_does() -> None:
    document = asking(parameter("page", "query", {"type": "integer", "minimum": "x"}))
    rules = {"query": {"page": {"matchers": [{"match": "regex", "regex": ".+"}]}}}
    found = comparator.check(pact(exchange(query="page=2", rules=rules)), document)
    assert [f.code for f in found] == ["document.schema.unreadable"]
