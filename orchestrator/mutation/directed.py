"""Search on for the request that is missing, with numbers that bring the sides of a comparison nearer to each other.

Where they meet, a comparison changes what the code does: there, or next to it, a mutant may show that shows nowhere
else, and beyond it is code that nothing has executed. The comparisons of the mutant's function are watched
(`comparisons`), and of each number it is told how near they came (`climbing`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator.adapters.session import Change, Ended, Job
from orchestrator.model.mutation import InputGap
from orchestrator.mutation.asking import Asker, Asking
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.climbing import Climb
from orchestrator.mutation.comparisons import watched
from orchestrator.mutation.number_places import Place, number_places
from orchestrator.mutation.search import MOST_REQUESTS, Request, Searches, Target
from orchestrator.mutation.sights import Sight

MOST_NUMBERS: Final = 160  # that are tried in a place, each with its neighbours
_MOST_PLACES: Final = 4  # of one request
_LOOKS: Final = (1, 4, 50, 1000)  # numbers that tell whether it matters which one stands in a place

Near = dict[int, float]  # how near the sides of comparisons come to each other, by the comparison's number


class Course(contextlib.AbstractContextManager["Course"]):
    """Requests with numbers, place after place, until there is nothing left to come near to.

    Args:
        watch: The function with its comparisons watched.
        asker: Adds requests to the test.
        places: Where the numbers stand.
        nearest: How near the comparisons to go for have come so far.
    """

    def __init__(self, watch: Change, asker: Asker, places: Sequence[Place], nearest: Near) -> None:
        self.watch = watch
        self._asker = asker
        self._places = [*places]
        self._nearest = nearest
        self._climbs = contextlib.ExitStack()
        self._climb: Climb | None = None

    def next(self) -> Asking | None:
        """Return the next requests; None: those were all."""
        while self._places and any(self._nearest.values()):
            if self._climb is None:
                self._climb = self._climbs.enter_context(Climb(MOST_NUMBERS))
            number = self._climb.next()
            if number is not None:
                # With its neighbours: where the sides meet, it is one of these that is on the other side.
                calls = dict.fromkeys(self._places[0].with_number(number + step) for step in (0, -1, 1))
                return self._asker.asking(list(calls))
            self._places.pop(0)
            self._climb = None
        return None

    def tell(self, near: Mapping[int, float]) -> bool:
        """Tell how near the last requests came; return whether that is nearer than all before."""
        goals = {k: near[k] for k in self._nearest.keys() & near.keys()}
        if self._climb is not None:
            self._climb.tell(goals)
        nearer = {k: distance for k, distance in goals.items() if distance < self._nearest[k]}
        self._nearest |= nearer
        return bool(nearer)

    def __exit__(self, *_: object) -> None:
        """End it, also before its end."""
        self._climbs.close()


class DirectedSearches:
    """Searches on with a project's tests.

    Args:
        searches: Has their requests.
    """

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def search(self, targets: Sequence[Target], until: float) -> Generator[Job, Ended, list[InputGap]]:
        """Search for requests that show mutants of one function: where to go is the same for all of them.

        Args:
            targets: They.
            until: When the time is up, by the monotonic clock.

        Returns:
            What came of each.
        """
        gaps = [target.before for target in targets]
        for request, reached in self._requests(targets):
            found = yield from self._course(targets[0].candidate, request)
            if found is None:
                continue
            with found as course:
                while (left := [k for k in reached if not gaps[k].request]) and (asked := course.next()) is not None:
                    if time.monotonic() > until:
                        return gaps
                    usual = yield from self._searches.seen(None, request, asked, watch=course.watch)
                    is_nearer = course.tell(_nearest(usual, asked))
                    for k in left:
                        shown = (yield from self._shown(targets[k], request, asked, usual)) if is_nearer else None
                        gaps[k] = msgspec.structs.replace(shown or gaps[k], tried=gaps[k].tried + asked.count)
        return [msgspec.structs.replace(gap, directed=True) for gap in gaps]

    def _requests(self, targets: Sequence[Target]) -> list[tuple[Request, list[int]]]:
        """Return the requests that come to mutants, each with the numbers of these."""
        found: dict[tuple[int, str], tuple[Request, list[int]]] = {}
        for k, target in enumerate(targets):
            for request in self._searches.near(target):
                found.setdefault((request.number, request.call), (request, []))[1].append(k)
        return list(found.values())

    def _course(self, candidate: Candidate, request: Request) -> Generator[Job, Ended, Course | None]:
        """Return where to go with a request for mutants of a function; None: no number in it brings anything nearer."""
        try:
            lines = watched(self._searches.function(candidate))
        except (SyntaxError, RecursionError):  # lines that mean something else by themselves, or are deep in each other
            return None
        if not lines:
            return None
        watch = msgspec.structs.replace(candidate.change, lines=lines)
        by_call = yield from self._looked(request, watch, [request.call, *request.others.calls.values()])
        starts, nearest = _starts(request.call, by_call)
        possible = dict.fromkeys(place for start in starts for place in number_places(start, request.hints))
        places = list(possible)[: MOST_REQUESTS // len(_LOOKS)]
        if not nearest or not places:
            return None
        by_call = yield from self._looked(request, watch, [p.with_number(n) for p in places for n in _LOOKS])
        looks = {place: [by_call.get(place.with_number(n), {}) for n in _LOOKS] for place in places}
        moved = {place: _moved(looks[place], nearest) for place in places}
        chosen = sorted(filter(moved.__getitem__, places), key=lambda place: min(moved[place].values()))[:_MOST_PLACES]
        goals = {k: least for k, least in nearest.items() if any(k in moved[place] for place in chosen)}
        return Course(watch, request.asker, chosen, goals) if chosen else None

    def _looked(self, request: Request, watch: Change, calls: Sequence[str]) -> Generator[Job, Ended, dict[str, Near]]:
        """Return how near each of some calls comes."""
        asked = request.asker.asking(list(dict.fromkeys(calls)))
        sight = yield from self._searches.seen(None, request, asked, watch=watch)
        return {asked.calls[exchange.at]: exchange.near for exchange in sight if exchange.at in asked.calls}

    def _shown(
        self, target: Target, request: Request, asked: Asking, usual: Sight
    ) -> Generator[Job, Ended, InputGap | None]:
        """Return what shows a mutant of some requests; None: nothing does."""
        sight = yield from self._searches.seen(target.candidate, request, asked)
        if not usual or not sight or [e.digest for e in usual] == [e.digest for e in sight]:
            return None  # mostly: to be sure of a difference takes longer
        return (yield from self._searches.found(target.candidate, request, asked))


def _starts(first: str, by_call: Mapping[str, Near]) -> tuple[list[str], Near]:
    """Return the calls that come nearest, the first one among them, and how near that is for each comparison.

    Without the comparisons whose sides have met: that was with values that may matter, so nothing shows there.
    """
    starts, nearest = [first], Near()
    for k in sorted({k for near in by_call.values() for k in near}):
        start = min((call for call in by_call if k in by_call[call]), key=lambda call: by_call[call][k])
        if least := by_call[start][k]:
            nearest[k] = least
            starts.append(start)
    return starts, nearest


def _moved(looks: Sequence[Near], goals: Near) -> Near:
    """Return the comparisons for which it matters which number stands in a place, with how near they come."""
    found = {k: {look[k] for look in looks if k in look} for k in goals}
    return {k: min(distances) for k, distances in found.items() if len(distances) > 1}


def _nearest(sight: Sight, asked: Asking) -> Near:
    """Return how near the sides of each comparison come to each other in any of the requests that were added."""
    found: Near = {}
    for exchange in sight:
        if exchange.at in asked.calls:
            found |= {k: min(distance, found.get(k, distance)) for k, distance in exchange.near.items()}
    return found
