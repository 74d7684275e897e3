"""Put tests into the order in which a kill is soonest expected."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.reach import Item


class Order:
    """Puts tests into the order in which a kill is soonest expected: by kills a second.

    What counts is how often a test has killed a mutant of the same line and of the same function, in this run and in
    earlier ones, and of all that it ran under. Tests that are as good are sorted by time and by how little they reach:
    who executes everything rarely looks at this function.
    """

    def __init__(self, items: Sequence[Item], killers: Mapping[str, Sequence[str]]) -> None:
        self._number = {item.name: k for k, item in enumerate(items)}
        self._seconds = [max(item.seconds, 1e-4) for item in items]
        self._lines = [sum(mask.bit_count() for mask in item.lines.values()) for item in items]
        self._reached = [item.lines for item in items]
        self._kills = [0] * len(items)
        self._runs = [0] * len(items)
        self._of_function: dict[str, collections.Counter[int]] = {}
        self._of_line: dict[tuple[str, int], collections.Counter[int]] = {}
        for place, names in killers.items():
            self._of_function[place] = collections.Counter(self._number[n] for n in names if n in self._number)

    def sorted(self, numbers: Sequence[int], candidate: Candidate, places: Iterable[Mapping[str, int]]) -> list[int]:
        """Return items, the best first.

        Args:
            numbers: The items.
            candidate: The mutant.
            places: Statements by which they may notice: best if they execute one of each of these.
        """
        none: collections.Counter[int] = collections.Counter()
        of_function = self._of_function.get(_place(candidate), none)
        of_line = self._of_line.get(_line(candidate), none)
        path, places = candidate.change.path, list(places)

        def expected(k: int) -> float:
            kills = 4 * of_line[k] + of_function[k] + (self._kills[k] + 0.5) / (self._runs[k] + 1)
            seen = self._reached[k]
            far = 0.1 if path in seen else 0.01
            near = math.prod(1.0 if any(seen.get(p, 0) & m for p, m in lines.items()) else far for lines in places)
            return kills * near / (self._seconds[k] * (1 + self._lines[k] / 200))

        return sorted(numbers, key=lambda k: (-expected(k), k))

    def learn(self, candidate: Candidate, killer: str, passed: Iterable[str]) -> None:
        """Remember who killed, and who ran and did not."""
        for name in passed:
            if name in self._number:  # there may be others under a mutant
                self._runs[self._number[name]] += 1
        number = self._number.get(killer)
        if number is not None:
            self._runs[number] += 1
            self._kills[number] += 1
            self._of_function.setdefault(_place(candidate), collections.Counter())[number] += 1
            self._of_line.setdefault(_line(candidate), collections.Counter())[number] += 1


def _line(candidate: Candidate) -> tuple[str, int]:
    return candidate.mutant.path, candidate.mutant.line


def _place(candidate: Candidate) -> str:
    return f"{candidate.mutant.path}::{candidate.mutant.function}"
