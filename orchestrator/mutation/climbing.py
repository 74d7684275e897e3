"""Numbers that come near to something: Hypothesis proposes them and, told how near they came, goes on from there.

Hypothesis calls a function with each number; here a number is taken, and its distances are told when they are known, so
that several searches can go on at a time. So each has a thread, which mostly waits.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings, target
from hypothesis import strategies as st

_LARGEST: Final = 10**6  # Hypothesis tries small numbers first


class _Enough(BaseException):
    """Ends a search: Hypothesis takes an `Exception` for a failure that it has to look at again."""


class Climb(contextlib.AbstractContextManager["Climb"]):
    """A search for numbers.

    Args:
        most: How many at most.
    """

    def __init__(self, most: int) -> None:
        self._numbers: SimpleQueue[int | None] = SimpleQueue()
        self._distances: SimpleQueue[Mapping[int, float] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._search, args=(most,), name="climb", daemon=True)
        self._thread.start()

    def next(self) -> int | None:
        """Return the next number; None: that was all."""
        return self._numbers.get()

    def tell(self, distances: Mapping[int, float]) -> None:
        """Tell how far the number was from its goals, by the goal's number; those that are missing were not met."""
        self._distances.put(distances)

    def __exit__(self, *_: object) -> None:
        """End the search, also before its end."""
        self._distances.put(None)
        self._thread.join()

    def _search(self, most: int) -> None:
        @settings(
            max_examples=most,
            phases=[Phase.generate, Phase.target],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(st.integers(-_LARGEST, _LARGEST))
        def come_nearer(number: int) -> None:
            self._numbers.put(number)
            distances = self._distances.get()
            if distances is None:
                raise _Enough
            for goal, distance in distances.items():
                target(-distance, label=str(goal))

        try:
            with contextlib.suppress(_Enough):
                come_nearer()
        finally:
            self._numbers.put(None)
