from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.session import Exchange
from orchestrator.model.mutation import ResponseDifference
from orchestrator.mutation.differences import MOST, changed_places, differences, flattened, values

SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3)
)


def seen(*bodies: Any, **more: Any) -> list[Exchange]:
    """Exchanges with these JSON bodies."""
    plain: dict[str, Any] = {"method": "GET", "path": "/a", "status": 200, **more}
    return [Exchange(number=k, body=json.dumps(body), **plain) for k, body in enumerate(bodies)]


def told(before: list[Exchange], after: list[Exchange], *samples: list[Exchange]) -> list[tuple[str, str, str]]:
    found = differences(before, after, samples)
    return [(d.place, d.before, d.after) for d in found[1]] if found else []


@given(st.lists(JSON, max_size=3))
def test_what_is_the_same_does_not_differ(bodies: list[Any]) -> None:
    assert differences(seen(*bodies), seen(*bodies), [seen(*bodies)]) is None


@given(JSON, JSON)
def test_other_documents_differ(one: Any, other: Any) -> None:
    is_other = json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)
    assert (differences(seen(one), seen(other)) is not None) == is_other


@given(JSON, JSON)
def test_what_another_run_without_the_mutant_has_too_is_no_difference(one: Any, other: Any) -> None:
    assert differences(seen(one), seen(other), [seen(other)]) is None


@given(JSON)
def test_every_value_of_a_document_has_a_place_of_its_own(document: Any) -> None:
    places = [place for place, _ in flattened(document)]
    assert len(places) == len(set(places))


def test_a_value_is_told_by_its_path() -> None:
    before = seen({"items": [{"total": 3, "unit price": "a"}]})
    after = seen({"items": [{"total": 2, "unit price": "b"}]})
    assert told(before, after) == [("$.items[0].total", "3", "2"), ('$.items[0]["unit price"]', '"a"', '"b"')]


def test_true_is_not_one_and_null_is_not_missing() -> None:
    assert told(seen({"a": True}), seen({"a": 1})) == [("$.a", "true", "1")]
    assert told(seen({"a": None}), seen({"b": 1})) == [("$.a", "null", "nothing"), ("$.b", "nothing", "1")]
    assert told(seen([]), seen({})) == [("length of $", "0", "nothing"), ("$", "nothing", "{}")]
    assert told(seen({"a": {}}), seen({"a": "{}"})) == [("$.a", "{}", '"{}"')]


def test_of_an_array_that_is_longer_or_shorter_its_length_is_told_and_not_what_is_more() -> None:
    assert told(seen({"a": [1, {"b": 2}]}), seen({"a": [1]})) == [("length of $.a", "2", "1")]
    assert told(seen({"a": [1]}), seen({"a": [1, {"b": 2}]})) == [("length of $.a", "1", "2")]


def test_status_and_headers_are_told_and_what_says_only_when_is_not() -> None:
    before = seen({}, headers=(("Date", "a"), ("Location", "/1"), ("X-A", "1"), ("x-a", "2")))
    after = seen({}, status=201, headers=(("Date", "b"), ("location", "/2"), ("X-A", "1")))
    assert told(before, after) == [
        ("status", "200", "201"),
        ("header location", '"/1"', '"/2"'),
        ("header x-a", '"1, 2"', '"1"'),
    ]


def test_only_the_first_request_that_is_answered_differently_is_told() -> None:
    found = differences(seen(1, 2, 3), seen(1, 5, 6))
    assert found == (1, (ResponseDifference(place="$", before="2", after="5"),))


def test_a_request_that_is_not_sent_or_another_one_is_told_alone() -> None:
    assert told(seen(1, 2), seen(1)) == [("request", "GET /a", "nothing")]
    assert told(seen(1), seen(1, 2)) == [("request", "nothing", "GET /a")]
    assert told(seen(1), seen(2, path="/b", status=404)) == [("request", "GET /a", "GET /b")]


def test_no_more_are_told_than_a_person_reads() -> None:
    assert len(told(seen(list(range(50))), seen(list(range(1, 51))))) == MOST


ID = [f"{n}f0c1a52-1c3f-4a6e-9d0e-0a1b2c3d4e5f" for n in range(3)]


def test_what_varies_by_itself_is_compared_by_its_form() -> None:
    before, sample = (
        seen({"id": ID[0], "at": "2026-01-01T10:00:00Z"}),
        seen({"id": ID[1], "at": "2026-01-01T10:00:05Z"}),
    )
    assert not told(before, seen({"id": ID[2], "at": "2027-12-31T23:59:59+00:00"}), sample)
    assert told(before, seen({"id": "XX", "at": "2026-01-01T10:00:09Z"}), sample) == [("$.id", "a UUID", '"XX"')]
    assert told(before, seen({"id": None, "at": "2026-01-01"}), sample) == [
        ("$.id", "a UUID", "null"),
        ("$.at", "a date and time with its zone", '"2026-01-01"'),
    ]


def test_a_token_has_as_many_digits_as_ever_and_a_number_has_not() -> None:
    before, sample = seen({"hash": "ab" * 8, "number": "1f"}), seen({"hash": "cd" * 8, "number": "2e"})
    assert not told(before, seen({"hash": "ef" * 8, "number": "abc"}), sample)
    assert told(before, seen({"hash": "ef" * 9, "number": "3d"}), sample) == [
        ("$.hash", "16 hexadecimal digits", f'"{"ef" * 9}"')
    ]


def test_an_identifier_that_is_not_the_one_that_was_given_before_is_a_difference() -> None:
    before, sample = seen({"id": ID[0]}, {"id": ID[0]}), seen({"id": ID[1]}, {"id": ID[1]})
    assert not told(before, seen({"id": ID[2]}, {"id": ID[2]}), sample)
    assert told(before, seen({"id": ID[2]}, {"id": ID[0]}), sample) == [
        ("$.id", "the same as $.id of request 1", f'"{ID[0]}"')
    ]


def test_what_is_only_sometimes_there_may_be_there_or_not() -> None:
    before, sample = seen({"a": 1}), seen({"a": 1, "b": "x"})
    assert not told(before, seen({"a": 1, "b": "y"}), sample)
    assert not told(before, seen({"a": 1}), sample)


@pytest.mark.parametrize("body", ["plain", "{broken", "[" * 100_000])
def test_a_body_that_is_no_json_is_compared_whole(body: str) -> None:
    before, after = (Exchange(number=0, method="GET", path="/", status=200, body=b) for b in (body, f"{body}!"))
    found = differences([before], [after])
    assert found
    assert found[1][0].place == "body"


def test_a_body_that_was_not_read_is_not_compared() -> None:
    assert values([Exchange(number=0, method="GET", path="/", status=200)]) == {
        (0, "request"): "GET /",
        (0, "status"): 200,
    }


def test_secrets_and_acting_characters_are_not_shown() -> None:
    before = seen({"password": "hunter22secret", "name": "a"}, headers=(("Set-Cookie", "session=abcdefghijkl"),))
    after = seen(
        {"password": "hunter33secret", "name": "\x1b[2J\u202e"}, headers=(("Set-Cookie", "session=mnopqrstuvw"),)
    )
    shown = "\n".join(" ".join(line) for line in told(before, after))
    assert "hunter" not in shown
    assert "abcdef" not in shown
    assert "mnopq" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_long_value_is_cut() -> None:
    (line,) = told(seen({"a": "x"}), seen({"a": "y" * 10_000}))
    assert len(line[2]) < 200


@given(JSON)
def test_of_the_same_answer_no_place_has_changed(body: Any) -> None:
    (one,) = seen(body)
    assert not changed_places(one, one)


UUID, OTHER = "0b0f3a9e-93a5-4a0c-9b0e-0d3f1a1f8f10", "c1f3a9e0-93a5-4a0c-9b0e-0d3f1a1f8f11"


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"$.b"}),
        ({"a": 1, "b": 2}, {"a": 1}, {"$.b"}),
        ({"items": [{"n": 1}, {"n": 2}]}, {"items": [{"n": 2}, {"n": 3}]}, {"$.items[].n"}),
        ({"items": [{"n": 1}, {"n": 2}]}, {"items": [{"n": 1}]}, {"length of $.items"}),
        ({"id": UUID, "n": 1}, {"id": OTHER, "n": 2}, {"$.n"}),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": "2026-01-02T03:04:06Z"}, set()),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": "2026-01-02"}, {"$.at"}),
        ({"id": UUID}, {"id": "none"}, {"$.id"}),
    ],
)
def test_the_places_that_differ_are_told_but_for_identifiers_and_times(
    before: Any, after: Any, places: set[str]
) -> None:
    assert changed_places(seen(before)[0], seen(after)[0]) == places


def test_of_another_status_or_another_request_nothing_else_is_told() -> None:
    (before,), (after,) = seen({"a": 1}), seen({"error": "b"}, status=500)
    assert changed_places(before, after) == {"status"}
    (elsewhere,) = seen({"a": 2}, path="/b")
    assert changed_places(before, elsewhere) == {"request"}
