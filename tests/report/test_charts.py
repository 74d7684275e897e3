from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.run import Point
from orchestrator.report.charts import HEIGHT, WIDTH, charts


def point(**more: object) -> Point:
    return msgspec.structs.replace(Point(started="2026-01-02T03:04:05Z", exit_code=0, seconds=1.0), **more)


def test_a_number_that_only_one_run_knows_has_no_chart() -> None:
    assert [c.title for c in charts([point(), point(score=90.0)])] == ["Time"]
    assert charts([point(score=1.0, seconds=2.0)]) == []


def test_runs_that_do_not_know_a_number_are_left_out_of_its_chart() -> None:
    (score,) = (c for c in charts([point(score=90.0), point(), point(score=95.0)]) if c.title == "Mutation score")
    assert (score.runs, score.last, score.least, score.most) == (2, "95 %", "90 %", "95 %")


def test_more_is_further_up() -> None:
    (chart,) = (c for c in charts([point(findings=0), point(findings=9)]) if c.title == "Property findings")
    first, last = ([float(n) for n in place.split(",")] for place in chart.line.split())
    assert first[0] < last[0]
    assert first[1] > last[1]


@pytest.mark.parametrize("value", [0.0, 97.5])
def test_a_number_that_never_changes_is_a_line_through_the_middle(value: float) -> None:
    (chart,) = (c for c in charts([point(score=value)] * 3) if c.title == "Mutation score")
    assert {float(place.split(",")[1]) for place in chart.line.split()} == {HEIGHT / 2}


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=60))
def test_every_point_is_within_its_box(values: list[int]) -> None:
    (chart,) = (c for c in charts([point(survivors=v) for v in values]) if c.title == "Survivors")
    places = [tuple(map(float, place.split(","))) for place in chart.line.split()]
    assert len(places) == len(values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert chart.last_at == tuple(chart.line.split()[-1].split(","))
