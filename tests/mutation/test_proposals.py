from __future__ import annotations

import ast
import json
import textwrap
from typing import Any

import msgspec
import pytest

from orchestrator.adapters.session import Exchange
from orchestrator.mutation.differences import differences
from orchestrator.mutation.proposals import Proposed, Subject, proposed

BEFORE = {"total": 3, "name": "tea", "none": None, "fresh": True, "items": [1, 2], "empty": {}, "a b": {"c": 1.5}}
FLASK, HTTPX, DJANGO = "werkzeug.test", "httpx", "django.test.client"


def exchange(body: Any = BEFORE, **more: Any) -> Exchange:
    defaults: dict[str, Any] = {"number": 0, "method": "GET", "path": "/a", "status": 200, "client": FLASK}
    text = body if isinstance(body, str) else json.dumps(body)
    return Exchange(**{**defaults, "body": text, **more})


def all_proposed(
    source: str, after: Exchange, *, before: Exchange | None = None, at: int = 1, name: str = "test_it"
) -> list[Proposed]:
    """Return what may be proposed when the request that a line of a test sends is answered differently."""
    usual = msgspec.structs.replace(exchange() if before is None else before, at=at)
    found = differences([usual], [after])
    assert found
    test = Subject(f"tests/test_a.py::{name}", "/p/tests/test_a.py", textwrap.dedent(source))
    made = list(proposed(test, [usual], found[0], found[1]))
    for guess in made:
        ast.parse(textwrap.dedent("\n".join(guess.change.lines)))
    return made


def propose(source: str, after: Exchange, **more: Any) -> Proposed | None:
    """Return the likeliest one."""
    return next(iter(all_proposed(source, after, **more)), None)


def body_of(made: Proposed | None) -> list[str]:
    """The lines of the changed function without its head."""
    assert made
    return [line.strip() for line in made.change.lines[1:]]


PLAIN = """
def test_it(client):
    response = client.get("/a")
    assert response.status_code == 200
"""


@pytest.mark.parametrize(
    ("change", "assertion"),
    [
        ({"total": 2}, 'assert response.get_json()["total"] == 3'),
        ({"name": "x"}, 'assert response.get_json()["name"] == "tea"'),
        ({"none": 0}, 'assert response.get_json()["none"] is None'),
        ({"fresh": False}, 'assert response.get_json()["fresh"] is True'),
        ({"items": [1]}, 'assert len(response.get_json()["items"]) == 2'),
        ({"items": [1, 9]}, 'assert response.get_json()["items"][1] == 2'),
        ({"empty": None}, 'assert response.get_json()["empty"] == {}'),
        ({"a b": {"c": 2}}, 'assert response.get_json()["a b"]["c"] == 1.5'),
        ({"more": 1}, 'assert "more" not in response.get_json()'),
    ],
)
def test_an_assertion_says_what_the_document_has_without_the_mutant(change: dict[str, Any], assertion: str) -> None:
    made = propose(PLAIN, exchange({**BEFORE, **change}))
    assert body_of(made) == ['response = client.get("/a")', assertion, "assert response.status_code == 200"]
    assert made
    assert (made.proposal.path, made.proposal.line, made.proposal.assertion) == ("tests/test_a.py", 4, assertion)
    assert f"+    {assertion}" in made.proposal.diff
    assert (made.change.first, made.change.last, made.change.function) == (2, 4, True)


@pytest.mark.parametrize(
    ("client", "before", "after", "assertion"),
    [
        (HTTPX, {}, {"body": "[]"}, 'assert response.json()["total"] == 3'),
        (FLASK, {}, {"status": 201}, "assert response.status_code == 200"),
        (FLASK, {"headers": (("X-A", "1"),)}, {"headers": ()}, 'assert response.headers["x-a"] == "1"'),
        (FLASK, {}, {"headers": (("X-A", "1"),)}, 'assert "x-a" not in response.headers'),
        (HTTPX, {"body": "plain"}, {"body": "other"}, 'assert response.text == "plain"'),
    ],
)
def test_each_client_is_asked_in_its_own_words(
    client: str, before: dict[str, Any], after: dict[str, Any], assertion: str
) -> None:
    usual = exchange(client=client, **before)
    made = propose(PLAIN, exchange(client=client, **{**before, **after}), before=usual)
    assert made
    assert made.proposal.assertion == assertion


@pytest.mark.parametrize(
    ("lines", "changed"),
    [
        (
            'assert client.get("/a").status_code == 200',
            [
                'response = client.get("/a")',
                "assert response.status_code == 200",
                'assert response.get_json()["total"] == 3',
            ],
        ),
        ('client.get("/a")', ['response = client.get("/a")', 'assert response.get_json()["total"] == 3']),
        (
            'document = client.get("/a").get_json()',
            ['document = client.get("/a").get_json()', 'assert document["total"] == 3'],
        ),
        (
            'document = client.get("/a").json',
            ['document = client.get("/a").json', 'assert document["total"] == 3'],
        ),
        (
            "response = 1\n    assert client.get(\n        '/a',\n    ).status_code == 200",
            [
                "response = 1",
                "answer = client.get(",
                "'/a',",
                ")",
                "assert answer.status_code == 200",
                'assert answer.get_json()["total"] == 3',
            ],
        ),
        (
            "with thing():\n        r = client.get(f'/a/{1}')",
            ["with thing():", "r = client.get(f'/a/{1}')", 'assert r.get_json()["total"] == 3'],
        ),
        ("r = app.get('/a' + '')", ["r = app.get('/a' + '')", 'assert r.get_json()["total"] == 3']),
        ("r = self.client.get(url)", ["r = self.client.get(url)", 'assert r.get_json()["total"] == 3']),
    ],
)
def test_the_statement_keeps_its_own_shape(lines: str, changed: list[str]) -> None:
    at = 2 if lines.startswith(("response = 1", "with")) else 1
    made = propose(f"def test_it(client):\n    {lines}\n", exchange({**BEFORE, "total": 2}), at=at)
    assert body_of(made) == changed


def test_an_awaited_response_is_awaited_once() -> None:
    source = "async def test_it(client):\n    assert (await client.get('/a')).status_code == 200\n"
    made = propose(source, exchange({**BEFORE, "total": 2}, client=HTTPX), before=exchange(client=HTTPX))
    assert body_of(made) == [
        "response = await client.get('/a')",
        "assert response.status_code == 200",
        'assert response.json()["total"] == 3',
    ]


def test_of_several_requests_the_one_that_differs_is_chosen() -> None:
    source = """
    def test_it(client):
        client.post("/a")
        for r in [1]:
            r = client.get("/a")
        client.put("/a")
    """
    made = propose(source, exchange({**BEFORE, "total": 2}), at=3)
    assert body_of(made)[2:4] == ['r = client.get("/a")', 'assert r.get_json()["total"] == 3']


def test_where_helpers_send_the_request_each_call_of_the_line_may_be_the_response() -> None:
    source = "def test_it(client):\n    document = checked(mint(client, key=str(4)), 200)\n"
    made = all_proposed(source, exchange({**BEFORE, "total": 2}))
    assert [body_of(guess)[0] for guess in made] == [
        "response = str(4)",
        "response = mint(client, key=str(4))",
        "document = checked(mint(client, key=str(4)), 200)",
    ]
    assert body_of(made[1])[1:] == ["document = checked(response, 200)", 'assert response.get_json()["total"] == 3']


def test_a_test_of_a_class_is_found_by_its_parameters_too() -> None:
    source = (
        "class TestA:\n    @mark\n    def test_it(self, client):\n        r = client.get('/a')\n\ndef test_it(): ...\n"
    )
    made = propose(source, exchange({**BEFORE, "total": 2}), name="TestA::test_it[a-1]", at=2)
    assert made
    assert made.change.lines == (
        "    @mark",
        "    def test_it(self, client):",
        "        r = client.get('/a')",
        '        assert r.get_json()["total"] == 3',
    )


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("def test_it(client):\n    client.get('/a')\n", 0),
        ("def test_it(client):\n    client.get('/a')\n", 7),
        ("def test_it(client):\n    with client.get('/a') as r:\n        pass\n", 1),
        ("def test_it(client):\n    for r in client.get('/a'):\n        pass\n", 1),
        ("def test_it(client):\n    x = 1; r = client.get('/a')\n", 1),
        ("def test_it(client):\n    pass\n", 1),
        ("def test_other(client):\n    client.get('/a')\n", 1),
        ("def test_it(client):\n    client.get('/a')\n\ndef test_it(client):\n    client.get('/a')\n", 1),
    ],
    ids=["not known", "beyond", "with", "for", "semicolon", "no call", "gone", "twice"],
)
def test_nothing_is_proposed_where_no_line_can_be_changed(source: str, at: int) -> None:
    assert propose(source, exchange({**BEFORE, "total": 2}), at=at) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (exchange("x" * 500), exchange("y")),
        (exchange({"token": "abcdefghijkl"}), exchange({"token": "mnopqrstuvwx"})),
        (exchange(), exchange(path="/b")),
        (exchange("text", client=DJANGO), exchange("other", client=DJANGO)),
    ],
    ids=["long", "secret", "another request", "bytes"],
)
def test_nothing_is_proposed_that_a_person_would_not_write(before: Exchange, after: Exchange) -> None:
    assert propose(PLAIN, after, before=before) is None


def test_what_varies_by_itself_has_no_value_to_ask_for() -> None:
    one, other = exchange({"id": 1}), exchange({"id": 2})
    found = differences([one], [exchange({"id": "x"})], [[other]])
    assert found
    test = Subject("tests/test_a.py::test_it", "/p", PLAIN)
    assert not list(proposed(test, [msgspec.structs.replace(one, at=1)], found[0], found[1]))
