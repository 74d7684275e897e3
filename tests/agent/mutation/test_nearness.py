"""A watched comparison gives what the comparison gives, and tells how near its sides were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agent.mutation import nearness


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    nearness.take()
    yield
    nearness.take()


NUMBERS = st.integers() | st.floats() | st.booleans()


@given(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS)
def test_the_result_is_that_of_the_comparison(left: float, sign: str, right: float) -> None:
    assert nearness.compare(0, left, sign, right) is eval(f"left {sign} right")  # noqa: S307 - the comparison itself


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        (3, 10, 7.0),
        (10, 3.5, 6.5),
        (Decimal("1.5"), Decimal(2), 0.5),
        (date(2026, 1, 1), date(2026, 1, 2), 86400.0),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC), 9.0),
        (timedelta(seconds=1), timedelta(seconds=4), 3.0),
    ],
)
def test_the_distance_of_numbers_and_of_times_is_told(left: Any, right: Any, distance: float) -> None:
    assert nearness.compare(4, left, "<", right) is (left < right)
    assert nearness.take() == {4: distance}


def test_the_least_of_several_is_told_once() -> None:
    for left in (9, 5, 7):
        nearness.compare(1, left, "==", 4)
    nearness.compare(2, 1, "==", 1)
    assert nearness.take() == {1: 1.0, 2: 0.0}
    assert nearness.take() == {}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a", "b"),
        (None, 1),
        (True, 2),
        (float("nan"), 1.0),
        (float("inf"), 1),
        (10**400, 1.0),
        (Decimal(1), 1.5),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_has_no_distance_is_compared_all_the_same(left: object, right: object) -> None:
    assert nearness.compare(0, left, "!=", right) is True
    assert nearness.take() == {}


def test_nothing_is_asked_of_a_class_of_others_but_the_comparison() -> None:
    class Column:
        def __ge__(self, other: object) -> str:
            return f"column >= {other}"

        def __sub__(self, other: object) -> object:
            raise AssertionError

    assert nearness.compare(0, Column(), ">=", 3) == "column >= 3"
    assert nearness.take() == {}


def test_a_comparison_that_raises_does_so() -> None:
    with pytest.raises(TypeError, match="not supported between instances of 'str' and 'int'"):
        nearness.compare(0, "a", "<", 1)
