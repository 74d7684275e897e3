"""Search for the request that is missing: for survivors that tests execute while every response stays the same.

A test whose request executes the changed code sends more of them at its end, each unlike its own in a value or two
(`variants`): once without the mutant, once more with other random numbers, once under the mutant. A request that is
answered differently is added to the test alone, with an assertion, and counts when it holds as often as any other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.adapters.session import Change, Ended, Exchange, Job
from orchestrator.agent.mutation.lines import first_line
from orchestrator.model.mutation import InputGap, Proposal
from orchestrator.mutation import proposals
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.differences import differences
from orchestrator.mutation.proposals import Subject
from orchestrator.mutation.reach import Item
from orchestrator.mutation.sights import Sight, Sights
from orchestrator.mutation.variants import Hints, of_code, variants

_MOST_TESTS: Final = 3  # whose requests are varied for one mutant
_MOST_REQUESTS: Final = 120  # of one test
_QUIETLY: Final = '__import__("contextlib").suppress(Exception)'

Search = Generator[Job, Ended, InputGap]


class Asking(msgspec.Struct, frozen=True):
    """A test that sends other requests at its end.

    Attributes:
        test: As it is.
        change: With them.
        calls: They, by the lines from the function's first one.
    """

    test: Subject
    change: Change
    calls: dict[int, str]


class Searches:
    """Searches with a project's tests.

    Args:
        items: Without a mutant, in pytest's order.
        root: The folder that their names are relative to.
        sights: Tells what items see, and whether an assertion can be trusted.
        make_job: Makes a job of a candidate (None: no mutant) and items' numbers; takes `cold`, `test` and `chance`.
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
        self._asking: dict[tuple[int, int, str], Asking | None] = {}
        self._usual: dict[tuple[int, int, str], tuple[Sight, Sight] | None] = {}

    def search(self, candidate: Candidate, numbers: Sequence[int]) -> Search:
        """Search for a request that shows a mutant.

        Args:
            candidate: The mutant.
            numbers: The items that execute it.
        """
        tried = 0
        function = self._function(candidate)
        for number, exchange in self._near(candidate, numbers):
            key = (number, exchange.number, function)
            if key not in self._asking:
                self._asking[key] = self._asked(number, exchange, function)
            asking = self._asking[key]
            if asking is None:
                continue
            if key not in self._usual:
                self._usual[key] = yield from self._twice(number, asking.change)
            usual = self._usual[key]
            if usual is None:
                continue
            sight = self._sights.whole(
                number, (yield self._make_job(candidate, [number], cold=False, test=asking.change))
            )
            tried += len(asking.calls)
            told = differences(usual[0], sight, [usual[1]]) if sight is not None else None
            if told is None or sight is None:
                continue
            shown = sight[told[0]] if told[0] < len(sight) else usual[0][told[0]]
            call = asking.calls.get(shown.at)
            found = (yield from self._proposed(candidate, number, asking.test, call)) if call else None
            if found is not None:
                return msgspec.structs.replace(found, tried=tried)
        return InputGap(tried=tried)

    def _near(self, candidate: Candidate, numbers: Sequence[int]) -> list[tuple[int, Exchange]]:
        """Return requests of tests that execute a mutant, one of each kind: first those that the API does."""
        path, mask = candidate.change.path, candidate.reach
        found: dict[tuple[str, str, int], tuple[int, Exchange]] = {}
        for number in sorted(numbers, key=lambda k: self._items[k].seconds):
            for exchange in self._items[number].exchanges:
                if exchange.at and int(exchange.lines.get(path, "0"), 16) & mask:
                    route = re.sub(r"[^/]*\d[^/]*", "{}", exchange.path.partition("?")[0])
                    found.setdefault((exchange.method, route, exchange.status), (number, exchange))
        return sorted(found.values(), key=lambda pair: pair[1].status)[:_MOST_TESTS]

    def _function(self, candidate: Candidate) -> str:
        """Return the code that a mutant is in."""
        lines = self._source(candidate.change.path).split("\n")[candidate.change.first - 1 : candidate.change.last]
        return "\n".join(lines)

    def _source(self, path: str) -> str:
        if path not in self._sources:
            self._sources[path] = decode_source(Path(path).read_bytes())
        return self._sources[path]

    def _asked(self, number: int, exchange: Exchange, function: str) -> Asking | None:
        """Return a test with other requests at its end; None: it can't be varied."""
        name = self._items[number].name
        path = os.path.realpath(os.path.join(self._root, name.partition("::")[0]))  # noqa: PTH118 - only a name
        try:
            test = Subject(name, path, self._source(path))
            call = proposals.call_at(test, exchange.at)
            code = of_code("if 1:\n" + function if function[:1].isspace() else function)
            hints = self._described(exchange.method, exchange.path)
            hints = msgspec.structs.replace(hints, numbers=code.numbers, texts=code.texts)
            calls = variants(call, hints, most=_MOST_REQUESTS, seed=number) if call else []
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        if not calls:
            return None
        lines: list[str] = []
        at: dict[int, str] = {}
        node = proposals.function_of(test)
        if node is None or node.end_lineno is None:
            return None
        first, indent = first_line(node), " " * node.body[0].col_offset
        for one in calls:
            block = f"{indent}with {_QUIETLY}: {one}".split("\n")
            begins = node.end_lineno + 1 + len(lines) - first
            at |= dict.fromkeys(range(begins, begins + len(block)), one)
            lines += block
        return Asking(test, _appended(test, node.end_lineno, first, lines), at)

    def _twice(self, number: int, change: Change) -> Generator[Job, Ended, tuple[Sight, Sight] | None]:
        """Return what a changed test sees without a mutant, and what with other random numbers; None: it fails."""
        usual = self._sights.whole(number, (yield self._make_job(None, [number], cold=False, test=change)))
        sample = self._sights.whole(number, (yield self._make_job(None, [number], cold=False, test=change, chance=1)))
        return (usual, sample) if usual is not None and sample is not None else None

    def _proposed(
        self, candidate: Candidate, number: int, test: Subject, call: str
    ) -> Generator[Job, Ended, InputGap | None]:
        """Return what comes of one more request at the end of a test; None: nothing that can be asserted."""
        node = proposals.function_of(test)
        name = proposals.free_name(node) if node else ""
        if node is None or node.end_lineno is None or not name:
            return None
        first, last = first_line(node), node.end_lineno
        lines = f"{' ' * node.body[0].col_offset}{name} = {call}".split("\n")
        change = _appended(test, last, first, lines)
        twice = yield from self._twice(number, change)
        if twice is None:
            return None
        sight = self._sights.whole(number, (yield self._make_job(candidate, [number], cold=False, test=change)))
        told = differences(twice[0], sight, [twice[1]]) if sight is not None else None
        if told is None or told[0] >= len(twice[0]):
            return None
        which, where = told
        source = test.source.split("\n")
        with_request = "\n".join([*source[:last], *lines, *source[last:]])
        guesses = proposals.proposed(
            Subject(test.name, test.path, with_request), twice[0], which, where, base=test.source
        )
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


def _appended(test: Subject, last: int, first: int, lines: Sequence[str]) -> Change:
    """Return a change that adds lines to the end of a test's function."""
    source = test.source.split("\n")
    return Change(path=test.path, first=first, last=last, lines=(*source[first - 1 : last], *lines), function=True)
