"""The history of a project as lines of points, for small charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.model.run import Point

WIDTH: Final = 240
HEIGHT: Final = 56
_MARGIN: Final = 4  # so that a line at the edge is seen whole
_FEWEST: Final = 2  # points that make a line


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A number over the runs that know it.

    Attributes:
        title: What it is.
        line: The points, as SVG's `points` has them, in a box of `WIDTH` by `HEIGHT`.
        last: The newest number, as people read it.
        last_at: Its place in the box.
        least: The smallest number, as people read it.
        most: The greatest one.
        runs: How many runs know it.
    """

    title: str
    line: str
    last: str
    last_at: tuple[str, str]
    least: str
    most: str
    runs: int


def charts(points: Sequence[Point]) -> list[Chart]:
    """Return the charts of a history, the oldest run first; numbers that fewer than two runs know have none."""
    return [made for title, of, shown in _KINDS if (made := _chart(title, of, shown, points))]


def _chart(
    title: str, of: Callable[[Point], float | None], shown: Callable[[float], str], points: Sequence[Point]
) -> Chart | None:
    known = [value for point in points if (value := of(point)) is not None]
    if len(known) < _FEWEST:
        return None
    least, most = min(known), max(known)
    across = (WIDTH - 2 * _MARGIN) / (len(known) - 1)
    up = (HEIGHT - 2 * _MARGIN) / (most - least) if most > least else 0.0
    middle = 0.0 if up else HEIGHT / 2 - _MARGIN  # a line that never moves runs through the middle
    places = [
        (f"{_MARGIN + k * across:.1f}", f"{HEIGHT - _MARGIN - middle - (value - least) * up:.1f}")
        for k, value in enumerate(known)
    ]
    return Chart(
        title=title,
        line=" ".join(f"{x},{y}" for x, y in places),
        last=shown(known[-1]),
        last_at=places[-1],
        least=shown(least),
        most=shown(most),
        runs=len(known),
    )


def _count(value: float) -> str:
    return f"{value:,.0f}"


_KINDS: Final[tuple[tuple[str, Callable[[Point], float | None], Callable[[float], str]], ...]] = (
    ("Mutation score", lambda p: p.score, text.percent),
    ("Survivors", lambda p: p.survivors, _count),
    ("Property findings", lambda p: p.findings, _count),
    ("Pact mismatches", lambda p: p.failures, _count),
    ("Red tests", lambda p: p.red, _count),
    ("Time", lambda p: p.seconds, text.seconds),
)
