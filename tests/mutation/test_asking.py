"""A test sends other requests at its end."""

from __future__ import annotations

import textwrap

import pytest

from orchestrator.mutation.asking import Asker
from orchestrator.mutation.proposals import Subject

SOURCE = textwrap.dedent("""
    @mark
    def test_one(client):
        assert client.get("/")

    def test_two(client):
        response = answer = result = reply = client.get("/")
""")


def asker(name: str = "test_one") -> Asker:
    return Asker(Subject(f"test_app.py::{name}", "/test_app.py", SOURCE))


def test_the_requests_stand_behind_the_last_line_each_known_by_its_own() -> None:
    asking = asker().asking(["get(1)", "get(\n    2)", "get(3)"])
    lines = asking.change.lines
    assert (asking.change.first, asking.change.last, asking.count) == (2, 4, 3)
    assert lines[:3] == ("@mark", "def test_one(client):", '    assert client.get("/")')
    assert asking.calls == {3: "get(1)", 4: "get(\n    2)", 5: "get(\n    2)", 6: "get(3)"}
    assert [lines[at].partition(": ")[2] for at in (3, 4, 6)] == ["get(1)", "get(", "get(3)"]


def test_a_request_that_fails_is_no_failure_of_the_test() -> None:
    seen: list[int] = []

    def get(number: int) -> None:
        seen.append(number)
        raise ValueError

    scope = {"get": get, "client": {"/": 1}, "mark": lambda function: function}
    exec("\n".join(asker().asking(["get(1)", "get(2)"]).change.lines), scope)  # noqa: S102 - what is made is run
    scope["test_one"](scope["client"])  # type: ignore[operator]
    assert seen == [1, 2]


def test_one_more_request_gets_a_name() -> None:
    named = asker().named("client.get('/2')")
    assert named
    assert named.change.lines[-1] == "    response = client.get('/2')"
    assert named.subject.source.split("\n")[4] == "    response = client.get('/2')"
    compile(named.subject.source, "<test>", "exec", dont_inherit=True)


def test_where_all_names_are_taken_none_is_given() -> None:
    assert asker("test_two").named("client.get('/2')") is None


def test_a_test_without_a_function_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="test_three has no function of its own"):
        asker("test_three")
