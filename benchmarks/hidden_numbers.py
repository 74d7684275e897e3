"""How often does the search for a request find a number that stands nowhere, and what is it worth that it is directed?

    python benchmarks/hidden_numbers.py [--numbers 200]

The sides of a comparison like `3 * count >= limit` meet with one number, between 10 and 100,000 (evenly by its
logarithm). The same search is made twice, with as many numbers and their neighbours: told how near each came, and told
nothing.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from orchestrator.mutation.climbing import Climb
from orchestrator.mutation.directed import MOST_NUMBERS

FACTOR = 3


def found(goal: int, *, directed: bool) -> int | None:
    """Return how many numbers it takes to find one; None: it is not found."""
    with Climb(MOST_NUMBERS) as climb:
        taken = 0
        while (number := climb.next()) is not None:
            taken += 1
            distance = min(abs(FACTOR * (number + step - goal)) for step in (0, -1, 1))
            if not distance:
                return taken
            climb.tell({0: distance} if directed else {})
    return None


def main() -> None:
    """Print what is found, and in how many examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=200, help="how many numbers are looked for")
    count = parser.parse_args().numbers
    chance = random.Random(20)  # noqa: S311 - no secret
    goals = [round(10 ** chance.uniform(1, 5)) for _ in range(count)]
    for directed in (True, False):
        began = time.perf_counter()
        taken = [found(goal, directed=directed) for goal in goals]
        seconds = (time.perf_counter() - began) / count
        hits = [number for number in taken if number is not None]
        middle = f", after {statistics.median(hits):.0f} numbers in the median" if hits else ""
        told = "told how near each came" if directed else "told nothing"
        print(f"{told}: {len(hits)} of {count} found{middle} ({seconds * 1000:.0f} ms of our own for each)")


if __name__ == "__main__":
    main()
