from __future__ import annotations

from orchestrator.contracts.findings import existing, finding, written
from orchestrator.model.contracts import Level


def test_a_place_is_written_as_a_json_pointer_that_can_be_shown() -> None:
    assert written(("paths", "/a~b", "get")) == "/paths/~1a~0b/get"
    assert written(("a\n\x1bb\u202e",)) == "/a\\x0a\\x1bb\\u202e"
    assert written(()) == ""


def test_a_place_is_shortened_to_what_is_there() -> None:
    node = {"a": [{"b": None}], "c": "text"}
    assert existing(node, ("a", "0", "x")) == ("a", "0")
    assert existing(node, ("a", "1")) == ("a",)
    assert existing(node, ("c", "0")) == ("c",)
    assert existing(node, ()) == ()


def test_a_finding_is_on_one_line_and_knows_its_level() -> None:
    found = finding("request.query.unknown", "one\ntwo\x00 password=hunter22", ("request",))
    assert found.message == "one"
    assert found.level is Level.WARNING
