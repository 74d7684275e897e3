"""Search for the request that is missing: for mutants that nobody notices while every response stays the same.

A test whose request executes the changed code, or comes to the function that it is in, sends more of them at its end,
each unlike its own in a value or two (`variants`): once without the mutant, once more with other random numbers, once
under the mutant. A request that is answered differently is added to the test alone, with an assertion, and counts when
it holds as often as any other.

Where none is, numbers are searched for (`climbing`) that bring the two sides of a comparison in the function nearer to
each other (`comparisons`): where they meet, it changes what the code does.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.adapters.session import Change, Ended, Exchange, Job
from orchestrator.model.mutation import InputGap, Proposal
from orchestrator.mutation import proposals
from orchestrator.mutation.asking import Asker, Asking
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.climbing import Climb
from orchestrator.mutation.comparisons import watched
from orchestrator.mutation.differences import differences
from orchestrator.mutation.number_places import Place, number_places
from orchestrator.mutation.proposals import Subject
from orchestrator.mutation.reach import Item
from orchestrator.mutation.sights import Sight, Sights
from orchestrator.mutation.variants import Hints, of_code, variants

_MOST_TESTS: Final = 3  # whose requests are varied for one mutant
_MOST_REQUESTS: Final = 120  # of one test
_MOST_NUMBERS: Final = 80  # that are tried in one test's request, each with its neighbours

Search = Generator[Job, Ended, InputGap]


class Request(msgspec.Struct, frozen=True):
    """A request of a test that can be varied.

    Attributes:
        number: Of the item.
        call: As the test sends it.
        hints: Values that may matter in it.
        asker: Adds others to the test.
        others: With values that may matter.
    """

    number: int
    call: str
    hints: Hints
    asker: Asker
    others: Asking


class Target(msgspec.Struct, frozen=True):
    """A mutant to search for.

    Attributes:
        candidate: It.
        numbers: The items whose requests are varied.
        mask: The lines of its file of which such a request executes one.
        before: What has come of it so far.
    """

    candidate: Candidate
    numbers: Sequence[int]
    mask: int
    before: InputGap = InputGap()


class Course(msgspec.Struct, frozen=True):
    """Where numbers can be put, and what they can come near to.

    Attributes:
        watch: The function with its comparisons watched.
        places: Where in the call.
        nearest: How near the sides of comparisons have come to each other so far, by the comparison's number.
    """

    watch: Change
    places: tuple[Place, ...]
    nearest: dict[int, float]

    def goes_on(self, distances: Mapping[int, float]) -> bool:
        """Take in how near requests came; return whether any came nearer than all before."""
        nearer = {k: distances[k] for k, least in self.nearest.items() if distances.get(k, least) < least}
        self.nearest.update(nearer)
        return bool(nearer)


class Searches:
    """Searches with a project's tests.

    Args:
        items: Without a mutant, in pytest's order.
        root: The folder that their names are relative to.
        sights: Tells what items see, and whether an assertion can be trusted.
        make_job: Makes a job of a candidate (None: no mutant) and items' numbers; takes `cold`, `test`, `chance` and
            `watch`.
        described: Returns what is known of the operation that a request belongs to.
    """

    def __init__(
        self,
        items: Sequence[Item],
        root: str,
        sights: Sights,
        make_job: Callable[..., Job],
        described: Callable[[str, str], Hints],
    ) -> None:
        self._items = items
        self._root = root
        self._sights = sights
        self._make_job = make_job
        self._described = described
        self._sources: dict[str, str] = {}
        self._requests: dict[tuple[int, int, str], Request | None] = {}
        self._usual: dict[Change, tuple[Sight, Sight] | None] = {}

    def vary(self, target: Target) -> Search:
        """Search with values that may matter."""
        tried = 0
        for request in self._near(target):
            tried += request.others.count
            found = yield from self._found(target.candidate, request, request.others)
            if found is not None:
                return msgspec.structs.replace(found, tried=tried)
        return InputGap(tried=tried)

    def direct(self, targets: Sequence[Target], until: float) -> Generator[Job, Ended, list[InputGap]]:
        """Search with numbers, each chosen by how near those before it came.

        Args:
            targets: Mutants of one function: it decides where to go, whatever the mutant.
            until: When the time is up, by the monotonic clock.

        Returns:
            What came of each.
        """
        gaps = [target.before for target in targets]
        near: dict[tuple[int, str], tuple[Request, list[int]]] = {}
        for which, target in enumerate(targets):
            for request in self._near(target):
                near.setdefault((request.number, request.call), (request, []))[1].append(which)
        for request, reached in near.values():
            course = yield from self._course(targets[0].candidate, request)
            if course is None:
                continue
            with Climb(len(course.places), _MOST_NUMBERS) as climb:
                while (left := [k for k in reached if not gaps[k].request]) and (example := climb.next()) is not None:
                    if time.monotonic() > until:
                        return gaps
                    asked = request.asker.asking(_neighbours(course.places[example.place], example.number))
                    usual = yield from self._seen(None, request, asked, watch=course.watch)
                    distances = _distances(usual, asked)
                    is_nearer = course.goes_on(distances)
                    climb.tell({k: distances[k] for k in course.nearest.keys() & distances.keys()})
                    for which in left:
                        found = gaps[which]
                        if is_nearer:
                            found = (yield from self._shown(targets[which].candidate, request, asked, usual)) or found
                        gaps[which] = msgspec.structs.replace(found, tried=gaps[which].tried + asked.count)
        return [msgspec.structs.replace(gap, directed=True) for gap in gaps]

    def _shown(
        self, candidate: Candidate, request: Request, asked: Asking, usual: Sight
    ) -> Generator[Job, Ended, InputGap | None]:
        """Return the first of some requests that shows a mutant, where a look at them tells that one may."""
        sight = yield from self._seen(candidate, request, asked)
        if not usual or not sight or [e.digest for e in usual] == [e.digest for e in sight]:
            return None
        return (yield from self._found(candidate, request, asked))

    def _near(self, target: Target) -> Iterator[Request]:
        """Yield requests of tests that execute any of these lines, one of each kind: first those that the API does."""
        path = target.candidate.change.path
        found: dict[tuple[str, str, int], tuple[int, Exchange]] = {}
        for number in sorted(target.numbers, key=lambda k: self._items[k].seconds):
            for exchange in self._items[number].exchanges:
                if exchange.at and int(exchange.lines.get(path, "0"), 16) & target.mask:
                    route = re.sub(r"[^/]*\d[^/]*", "{}", exchange.path.partition("?")[0])
                    found.setdefault((exchange.method, route, exchange.status), (number, exchange))
        function = self._function(target.candidate)
        for number, exchange in sorted(found.values(), key=lambda pair: pair[1].status)[:_MOST_TESTS]:
            key = (number, exchange.number, function)
            if key not in self._requests:
                self._requests[key] = self._request(number, exchange, function)
            request = self._requests[key]
            if request is not None:
                yield request

    def _function(self, candidate: Candidate) -> str:
        """Return the code that a mutant is in."""
        lines = self._source(candidate.change.path).split("\n")[candidate.change.first - 1 : candidate.change.last]
        return "\n".join(lines)

    def _source(self, path: str) -> str:
        if path not in self._sources:
            self._sources[path] = decode_source(Path(path).read_bytes())
        return self._sources[path]

    def _request(self, number: int, exchange: Exchange, function: str) -> Request | None:
        """Return a request of a test; None: it can't be varied."""
        name = self._items[number].name
        path = os.path.realpath(os.path.join(self._root, name.partition("::")[0]))  # noqa: PTH118 - only a name
        try:
            test = Subject(name, path, self._source(path))
            call = proposals.call_at(test, exchange.at)
            code = of_code("if 1:\n" + function if function[:1].isspace() else function)
            hints = self._described(exchange.method, exchange.path)
            hints = msgspec.structs.replace(hints, numbers=code.numbers, texts=code.texts)
            others = variants(call, hints, most=_MOST_REQUESTS, seed=number) if call else []
            asker = Asker(test)
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        return Request(number, call, hints, asker, asker.asking(others)) if others else None

    def _course(self, candidate: Candidate, request: Request) -> Generator[Job, Ended, Course | None]:
        """Return where to go with a request from a mutant's function; None: no number in it brings anything nearer."""
        lines = watched(self._function(candidate))
        if not lines:
            return None
        watch = msgspec.structs.replace(candidate.change, lines=lines)
        asked = request.asker.asking(list(dict.fromkeys([request.call, *request.others.calls.values()])))
        sight = yield from self._seen(None, request, asked, watch=watch)
        by_call = {asked.calls[exchange.at]: exchange.near for exchange in sight if exchange.at in asked.calls}
        nearest: dict[int, float] = {}
        starts = [request.call]
        for comparison in sorted({number for near in by_call.values() for number in near}):
            distances = {call: near[comparison] for call, near in by_call.items() if comparison in near}
            start = min(distances, key=distances.__getitem__)
            # What no request moves can't be approached, and what has been met was met by `vary`.
            if distances[start] and len({*distances.values()}) > 1:
                nearest[comparison] = distances[start]
                starts.append(start)
        places = dict.fromkeys(place for start in starts for place in number_places(start, request.hints))
        return Course(watch, tuple(places), nearest) if nearest and places else None

    def _seen(
        self, candidate: Candidate | None, request: Request, asked: Asking, watch: Change | None = None
    ) -> Generator[Job, Ended, Sight]:
        """Return what a test sees with other requests; nothing, where it fails."""
        ended = yield self._make_job(candidate, [request.number], cold=False, test=asked.change, watch=watch)
        return self._sights.whole(request.number, ended) or ()

    def _found(self, candidate: Candidate, request: Request, asked: Asking) -> Generator[Job, Ended, InputGap | None]:
        """Return the first of some requests that shows a mutant; None: none does."""
        if asked.change not in self._usual:
            self._usual[asked.change] = yield from self._twice(request.number, asked.change)
        usual = self._usual[asked.change]
        if usual is None:
            return None
        sight = yield from self._seen(candidate, request, asked)
        told = differences(usual[0], sight, [usual[1]]) if sight else None
        if told is None:
            return None
        shown = sight[told[0]] if told[0] < len(sight) else usual[0][told[0]]
        call = asked.calls.get(shown.at)
        return (yield from self._proposed(candidate, request, call)) if call else None

    def _twice(self, number: int, change: Change) -> Generator[Job, Ended, tuple[Sight, Sight] | None]:
        """Return what a changed test sees without a mutant, and what with other random numbers; None: it fails."""
        usual = self._sights.whole(number, (yield self._make_job(None, [number], cold=False, test=change)))
        sample = self._sights.whole(number, (yield self._make_job(None, [number], cold=False, test=change, chance=1)))
        return (usual, sample) if usual is not None and sample is not None else None

    def _proposed(self, candidate: Candidate, request: Request, call: str) -> Generator[Job, Ended, InputGap | None]:
        """Return what comes of one more request at the end of a test; None: nothing that can be asserted."""
        number, test = request.number, request.asker.test
        with_request = request.asker.named(call)
        twice = (yield from self._twice(number, with_request.change)) if with_request else None
        if with_request is None or twice is None:
            return None
        job = self._make_job(candidate, [number], cold=False, test=with_request.change)
        sight = self._sights.whole(number, (yield job))
        told = differences(twice[0], sight, [twice[1]]) if sight is not None else None
        if told is None or told[0] >= len(twice[0]):
            return None
        which, where = told
        guesses = proposals.proposed(with_request.subject, twice[0], which, where, base=test.source)
        proposal: Proposal | None = yield from self._sights.trusted(candidate, number, guesses)
        if proposal is None:
            return None
        exchange = twice[0][which]
        return InputGap(
            test=test.name,
            request=text.one_line(f"{exchange.method} {exchange.path}"),
            call=text.one_line(" ".join(call.split())),
            differences=where,
            proposal=proposal,
        )


def _neighbours(place: Place, number: int) -> list[str]:
    """Return calls with a number and those next to it: where two sides meet, it is one of them that goes beyond."""
    return list(dict.fromkeys(place.with_number(number + step) for step in (0, -1, 1)))


def _distances(sight: Sight, asked: Asking) -> dict[int, float]:
    """Return how near the sides of each comparison came to each other in the requests that were added."""
    found: dict[int, float] = {}
    for exchange in sight:
        if exchange.at in asked.calls:
            found |= {k: min(distance, found.get(k, distance)) for k, distance in exchange.near.items()}
    return found
