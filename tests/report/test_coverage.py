from __future__ import annotations

from typing import Any

import pytest

from orchestrator.model.description import Description, FieldUse, ResponseUse
from orchestrator.model.mutation import Checked, MutantStatus, Mutation, OracleGap, ResponseDifference
from orchestrator.model.run import Run
from orchestrator.report.coverage import Covered, covered, path_of
from tests.builders import mutant, run

GET = "GET /orders/{id}"


def response(status: str, *paths: str, described: bool = True) -> ResponseUse:
    fields = tuple(FieldUse(path=path, described=described, seen=1) for path in paths)
    return ResponseUse(operation=GET, status=status, described=described, seen={"property": 1}, fields=fields)


def killed(place: str, status: int = 200, **more: Any) -> Any:
    checked = Checked(request="GET /orders/1", status=status, place=place, operation=GET)
    return mutant(MutantStatus.KILLED, place, killer="tests/test_a.py::test_a", checked=checked, **more)


def survived(place: str, layer: str = "unit") -> Any:
    differences = (ResponseDifference(place=place, before="1", after="2"),)
    gap = OracleGap(
        layer=layer, test="t", request="GET /orders/1", number=1, differences=differences, operation=GET, status=200
    )
    return mutant(MutantStatus.SURVIVED, place, gaps=(gap,))


def of(*uses: ResponseUse, mutants: tuple[Any, ...] = ()) -> list[Covered]:
    return covered(a_run(uses, mutants))


def a_run(uses: tuple[ResponseUse, ...], mutants: tuple[Any, ...]) -> Run:
    return run(Description(responses=uses), Mutation(mutants=mutants, critical=("a.py",)))


def test_a_field_is_checked_if_the_test_failed_that_saw_nothing_else_differ() -> None:
    (one,) = of(response("200", "$.id", "$.total", "$.shown"), mutants=(killed("$.total"), survived("$.shown")))
    assert (one.checked, one.missed, one.unknown) == (("$.total",), ("$.shown",), ("$.id",))


def test_what_one_test_lets_through_and_another_notices_is_checked() -> None:
    (one,) = of(response("200", "$.total"), mutants=(survived("$.total"), killed("$.total")))
    assert (one.checked, one.missed) == (("$.total",), ())


def test_what_generated_tests_let_through_says_nothing_of_the_projects_own() -> None:
    (one,) = of(response("200", "$.total"), mutants=(survived("$.total", layer="property"),))
    assert one.unknown == ("$.total",)


def test_whoever_looks_into_a_field_checks_it() -> None:
    (one,) = of(
        response("200", "$.items", "$.items[].total", "$.items[].totals"), mutants=(killed("$.items[2].total"),)
    )
    assert one.checked == ("$.items", "$.items[].total")


def test_a_field_of_any_name_is_one() -> None:
    (one,) = of(response("200", "$.prices.*", "$.prices.*.net"), mutants=(killed("$.prices.eur.net"),))
    assert one.checked == ("$.prices.*", "$.prices.*.net")


@pytest.mark.parametrize(("described", "status"), [("404", 404), ("4XX", 404), ("4xx", 404), ("default", 404)])
def test_a_status_belongs_to_the_response_that_describes_it(described: str, status: int) -> None:
    first, other = of(response(described, "$.title"), response("200", "$.title"), mutants=(killed("$.title", status),))
    assert (first.checked, other.checked) == (("$.title",), ())


def test_a_status_is_checked_if_it_alone_says_what_is_wrong() -> None:
    (one,) = of(response("200"), mutants=(killed("status"),))
    assert one.status_checked == "tests/test_a.py::test_a"


def test_without_mutants_nothing_is_known_of_what_tests_check() -> None:
    (one,) = covered(run(Description(responses=(response("200", "$.id"),))))
    assert (one.checked, one.unknown) == ((), ("$.id",))
    assert covered(run()) == []


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("$.items[0].total", "$.items[].total"),
        ("length of $.items", "$.items"),
        ('$.items[]["unit price"].net', "$.items[].unit price.net"),
        ('$["a\\"]b"]', '$.a"]b'),
        ("header location", "header location"),
    ],
)
def test_a_place_in_a_response_is_the_path_of_a_field(place: str, path: str) -> None:
    assert path_of(place) == path
