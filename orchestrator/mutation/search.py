"""Search for the request that is missing: for mutants that nobody notices while every response stays the same.

A test whose request executes the changed code, or comes to the function that it is in, sends more of them at its end,
each unlike its own in a value or two (`variants`): once without the mutant, once more with other random numbers, once
under the mutant. A request that is answered differently is added to the test alone, with an assertion, and counts when
it holds as often as any other.

Where none is, `directed` goes on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
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
from orchestrator.mutation.differences import differences
from orchestrator.mutation.proposals import Subject
from orchestrator.mutation.reach import Item
from orchestrator.mutation.sights import Sight, Sights
from orchestrator.mutation.variants import Hints, of_code, variants

_MOST_TESTS: Final = 3  # whose requests are varied for one mutant
MOST_REQUESTS: Final = 120  # of one test

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
    before: InputGap


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
        for request in self.near(target):
            tried += request.others.count
            found = yield from self.found(target.candidate, request, request.others)
            if found is not None:
                return msgspec.structs.replace(found, tried=tried)
        return InputGap(tried=tried)

    def near(self, target: Target) -> Iterator[Request]:
        """Yield requests of tests that execute any of these lines, one of each kind: first those that the API does."""
        path = target.candidate.change.path
        found: dict[tuple[str, str, int], tuple[int, Exchange]] = {}
        for number in sorted(target.numbers, key=lambda k: self._items[k].seconds):
            for exchange in self._items[number].exchanges:
                if exchange.at and int(exchange.lines.get(path, "0"), 16) & target.mask:
                    route = re.sub(r"[^/]*\d[^/]*", "{}", exchange.path.partition("?")[0])
                    found.setdefault((exchange.method, route, exchange.status), (number, exchange))
        function = self.function(target.candidate)
        for number, exchange in sorted(found.values(), key=lambda pair: pair[1].status)[:_MOST_TESTS]:
            key = (number, exchange.number, function)
            if key not in self._requests:
                self._requests[key] = self._request(number, exchange, function)
            request = self._requests[key]
            if request is not None:
                yield request

    def function(self, candidate: Candidate) -> str:
        """Return the text of the definition that a mutant is in."""
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
            others = variants(call, hints, most=MOST_REQUESTS, seed=number) if call else []
            asker = Asker(test)
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        return Request(number, call, hints, asker, asker.asking(others)) if others else None

    def seen(
        self, candidate: Candidate | None, request: Request, asked: Asking, watch: Change | None = None
    ) -> Generator[Job, Ended, Sight]:
        """Return what a test sees with other requests; nothing, where it fails."""
        ended = yield self._make_job(candidate, [request.number], cold=False, test=asked.change, watch=watch)
        return self._sights.whole(request.number, ended) or ()

    def found(self, candidate: Candidate, request: Request, asked: Asking) -> Generator[Job, Ended, InputGap | None]:
        """Return the first of some requests that shows a mutant; None: none does."""
        if asked.change not in self._usual:
            self._usual[asked.change] = yield from self._twice(request.number, asked.change)
        usual = self._usual[asked.change]
        if usual is None:
            return None
        sight = yield from self.seen(candidate, request, asked)
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
