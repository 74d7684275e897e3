"""How near the two sides of a comparison come to each other while a request is served.

The driver puts `COMPARE` in the place of comparisons: it compares as they do, and notes by how much they differ.
"""

from __future__ import annotations

import builtins
import math
import operator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

COMPARE = "_orchestrator_compare"

_OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# Only of these: to subtract anything else may do whatever its class does then.
_NUMBERS = (int, float, Decimal, Fraction)
_least: dict[int, float] = {}


def install() -> None:
    """Let all code of this process know `compare` by its name."""
    setattr(builtins, COMPARE, compare)


def take() -> dict[int, float]:
    """Return by how much the sides of each comparison differed at least since the last time, by its number."""
    taken = dict(_least)
    _least.clear()
    return taken


def compare(number: int, left: Any, sign: str, right: Any) -> Any:
    """Return what a comparison gives, and note how near its sides are."""
    distance = _distance(left, right)
    if distance is not None:
        _least[number] = min(distance, _least.get(number, math.inf))
    return _OPERATORS[sign](left, right)


def _distance(left: Any, right: Any) -> float | None:
    """Return by how much two values differ; None: they are no numbers, nor times, or it can't be told."""
    kinds = type(left), type(right)
    try:
        if all(kind in _NUMBERS for kind in kinds):
            distance = float(abs(left - right))
        elif kinds[0] is kinds[1] and kinds[0] in (datetime, date, timedelta):
            distance = abs((left - right).total_seconds())
        else:
            return None
    except (ArithmeticError, TypeError, ValueError):  # a number too large, times of which one has a zone
        return None
    return distance if math.isfinite(distance) else None
