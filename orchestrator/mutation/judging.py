"""Judge mutants in the children of a collected session: which tests, in which order, and what their end means.

A verdict is a conversation: a job is given, how it ended decides whether another one is needed. `Judge.verdict` is that
conversation, written as a generator; `Judge.run` leads many of them at once.
"""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from orchestrator import text
from orchestrator.adapters.session import Change, Ended, Job, Session
from orchestrator.model.mutation import Checked, InputGap, MutantKind, MutantStatus, OracleGap
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.constants import Constant, Names, Readers
from orchestrator.mutation.directed import DirectedSearches
from orchestrator.mutation.order import Order
from orchestrator.mutation.reach import UNKNOWN, Item, Reach
from orchestrator.mutation.search import Searches, Target
from orchestrator.mutation.sights import Sight, Sights
from orchestrator.mutation.variants import Hints

COLLECTION: Final = "collection"

_FIRST: Final = 12  # items that are tried first where everything is imported afresh
_SHOWN: Final = 2  # that are shown to all others too, however little time there is
_START: Final = 0.75  # seconds until the first item begins …
_COLD_START: Final = 5.0  # … and beside what import and collection take, where everything is imported afresh
_LEAST: Final = 1.0  # seconds that any item may take …
_TIMES: Final = 8.0  # … or so many times what it took without the mutant
_PATIENT: Final = 2.0  # as much longer when a time-out is judged again


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a mutant.

    Attributes:
        status: The verdict.
        killer: The item that noticed first.
        killers: All that noticed, where all were asked.
        message: What it said, or why the mutant can't be judged.
        passed: The items that ran and did not notice.
        led: Places of functions that the items executed under the mutant and not without it.
        gaps: Items that saw a response differ, and passed.
        seconds: How long judging took.
        cold: Whether everything was imported afresh.
        input_gap: What came of the search for a request that shows it; None: none was made.
        checked: The only place of the responses that differed for the killer.
    """

    status: MutantStatus
    killer: str = ""
    killers: tuple[str, ...] = ()
    message: str = ""
    passed: tuple[str, ...] = ()
    led: tuple[str, ...] = ()
    gaps: tuple[OracleGap, ...] = ()
    seconds: float = 0.0
    cold: bool = False
    input_gap: InputGap | None = None
    checked: Checked | None = None


Conversation = Generator[Job, Ended, Verdict]
T = TypeVar("T")


class _Talk(msgspec.Struct, Generic[T], frozen=True):
    """A conversation that is going on: about what, and since when."""

    candidate: Candidate
    conversation: Generator[Job, Ended, T]
    since: float


class Judge:
    """Judges candidates.

    Args:
        session: The collected session.
        reach: What each test is like without mutants.
        at_import: Statements executed at import and collection, by path.
        killers: Which item killed a mutant of a function the last time, by the function's place.
        names: Where every name of the project stands.
        executed: Returns the places of the functions that an item executes without a mutant.
        all_tests: Whether all items that reach a mutant are asked, also after the first that notices.
    """

    def __init__(
        self,
        session: Session,
        reach: Reach,
        *,
        at_import: Mapping[str, int],
        killers: Mapping[str, Sequence[str]],
        names: Names,
        executed: Callable[[Item], frozenset[str]],
        all_tests: bool = False,
    ) -> None:
        self._all_names = names
        self._all_tests = all_tests
        self._executed = executed
        self._constants: dict[str, Constant | None] = {}
        self._unswappable: set[str] = set()
        self._session = session
        self._names = session.ready.ready
        self._items = [reach.items[name] for name in self._names]
        self._number = {name: k for k, name in enumerate(self._names)}
        self._primers = reach.primers
        self._once = reach.once
        self._able = [k for k, item in enumerate(self._items) if item.may_kill]
        self._by_path: dict[str, list[tuple[int, int]]] = {}  # items and the lines of the file that they execute
        for k, item in enumerate(self._items):
            for path, mask in item.lines.items():
                self._by_path.setdefault(path, []).append((k, mask))
        self._sights = Sights(self._items, session.ready.root, self._job)
        digests = self._sights.digests
        self._has_exchanges = bool(digests)
        if digests:
            session.know(digests)
        self._shown_to_all = 0  # mutants that were imported afresh
        self._cold_job = 0
        self._cold: Ended | None = None
        self._passes_cold: dict[int, bool] = {}
        self._at_import = at_import
        self._start = session.start
        self._order = Order(self._items, killers)

    def prepare_cold(self) -> None:
        """Have what belongs to others imported, once for all mutants that need everything else imported afresh.

        That the tests can be collected then is seen by running one of them: beside what is judged meanwhile.
        """
        if not self._cold_job:
            self._session.prepare_cold(self._session.ready.modules)
            self._cold_job = self._session.submit(self._job(None, self._able[:1], cold=True, patient=True))

    def begin_cold(self) -> str:
        """Wait until mutants can be judged that need everything imported afresh; return why they can't, or nothing.

        That another test passes then is seen before it kills for the first time.
        """
        self.prepare_cold()
        while self._cold is None:
            self._wait()
        broken = self._cold.find("not_collected")
        if self._cold.ended and not broken:
            self._passes_cold[self._able[0]] = bool(self._cold.items) and not self._cold.failed
            return ""
        told = f"{broken.file}: {_last_line(broken.message)}" if broken else f"a child ends with {self._cold.code}"
        return text.one_line(told)

    @property
    def _is_preparing(self) -> bool:
        """Whether it is being seen if the tests can be collected where everything is imported afresh."""
        return self._cold_job > 0 and self._cold is None

    def _wait(self) -> list[Ended]:
        """Return the jobs of mutants that ended."""
        ended = self._session.wait()
        self._cold = next((e for e in ended if e.job == self._cold_job), self._cold)
        return [e for e in ended if e.job != self._cold_job]

    def is_cold(self, candidate: Candidate) -> bool:
        """Whether a mutant's code has run when the session is collected, so that it has to be imported afresh."""
        if candidate.mutant.id in self._unswappable:
            return True
        here = self._at_import.get(candidate.change.path, 0)
        if not here or self.constant(candidate):
            return False
        return candidate.at_import or bool(here & candidate.reach)

    def constant(self, candidate: Candidate) -> Constant | None:
        """Return what a mutant assigns, if that can be assigned anew while the program runs.

        Not if the primers read it once: what they have made of it may be kept.
        """
        name = candidate.mutant.id
        if name in self._unswappable:
            return None
        if name not in self._constants:
            wanted = candidate.at_import and candidate.mutant.kind is not MutantKind.DEFAULT
            found = self._all_names.constant(candidate) if wanted else None
            self._constants[name] = None if found and self._is_primed(found.readers.lines) else found
        return self._constants[name]

    def is_early(self, candidate: Candidate) -> bool:
        """Whether a mutant has to be judged before the primers have run: they may keep what its code has done."""
        return self._is_primed(_where(candidate))

    def _is_primed(self, lines: Mapping[str, int]) -> bool:
        """Whether the primers execute any of these lines the first time, and not again."""
        return any(self._once.get(path, 0) & mask for path, mask in lines.items())

    def prime(self) -> None:
        """Run the primers, for all mutants that are judged from now on."""
        if self._primers:
            self._session.prime([self._number[name] for name in self._primers], trace=False)

    def reaching(self, candidate: Candidate) -> list[int]:
        """Return the items that may notice a mutant, in pytest's order."""
        if self.is_cold(candidate):  # what runs at import may show anywhere
            return self._able
        if self.is_early(candidate):  # the primers may have done it for all of them
            return self._able
        constant = self.constant(candidate)
        if constant:
            reading = self._reading(constant.readers)
            if constant.makers and not self._is_primed(constant.makers.lines):  # else primers may have kept an object
                reading &= self._reading(constant.makers)
            return [k for k in self._able if k in reading]
        path = candidate.change.path
        hit = self._hitting({path: -1} if candidate.at_import else _where(candidate))
        return [k for k in sorted(hit) if self._items[k].may_kill]

    def _reading(self, readers: Readers) -> set[int]:
        """Return the items that mention a name, or may have it mentioned."""
        if readers.everybody:
            return {*self._able}
        root = self._session.ready.root
        tests = {os.path.relpath(file, root) for file in readers.files}
        return self._hitting(readers.lines) | {k for k in self._able if self._names[k].partition("::")[0] in tests}

    def executing(self, candidate: Candidate) -> int | None:
        """Return how many items execute a mutant's code; None: it runs at import, for all of them."""
        if candidate.at_import:
            return None
        return len(self._hitting(_where(candidate)))

    def meets_exchange(self, candidate: Candidate) -> bool:
        """Whether any exchange of a test executes a mutant's code, as far as can be told of what runs at import."""
        if not self._has_exchanges or self.is_cold(candidate) or candidate.at_import:
            return self._has_exchanges
        path, mask = candidate.change.path, candidate.reach
        return any(self._sights.execute(k, path, mask) for k in self._hitting({path: mask}))

    def _hitting(self, lines: Mapping[str, int]) -> set[int]:
        """Return the items that execute any of these lines."""
        return {k for path, wanted in lines.items() for k, mask in self._by_path.get(path, ()) if mask & wanted}

    def run(
        self,
        candidates: Iterable[Candidate],
        *,
        workers: int,
        done: Callable[[Candidate, Verdict], None],
        only: Callable[[Candidate, list[int]], list[int]] = lambda _, numbers: numbers,
        until: float | None = None,
    ) -> None:
        """Judge candidates, as many at a time as there are workers.

        Args:
            candidates: In the order in which they are begun.
            workers: How many at a time.
            done: Told of each verdict as soon as it is known.
            only: Given a candidate and the items that reach it, returns those that have to run.
            until: When to begin no more, by the monotonic clock.
        """

        def begun(candidate: Candidate) -> Conversation:
            numbers = self._sorted(only(candidate, self.reaching(candidate)), candidate)
            return self.verdict(candidate, numbers, until=until)

        def judged(candidate: Candidate, verdict: Verdict, seconds: float) -> None:
            self._order.learn(candidate, verdict.killer, verdict.passed)
            done(candidate, msgspec.structs.replace(verdict, seconds=seconds))

        self._lead(candidates, begun, judged, workers=workers, until=until)

    def search(
        self,
        candidates: Sequence[Candidate],
        *,
        workers: int,
        known: Callable[[Candidate], InputGap | None],
        done: Callable[[Candidate, InputGap], None],
        described: Callable[[str, str], Hints],
        until: float,
    ) -> None:
        """Search for requests that show mutants, where every response of the tests stays the same.

        With values that may matter for all of them first, then for numbers that come nearer and nearer.

        Args:
            candidates: What nobody notices, in the order in which they are begun.
            workers: How many at a time.
            known: Returns what came of a candidate's search so far.
            done: Told what came of each.
            described: Returns what is known of the operation that a request belongs to.
            until: When the time is up, by the monotonic clock.
        """
        searches = Searches(self._items, self._session.ready.root, self._sights, self._job, described)
        directed_searches = DirectedSearches(searches)

        def target(candidate: Candidate) -> Target:
            return Target(candidate, *self._around(candidate), known(candidate) or InputGap())

        def varied(candidate: Candidate, found: InputGap, _: float) -> None:
            done(candidate, found)

        def vary(candidate: Candidate) -> Generator[Job, Ended, InputGap]:
            return searches.vary(target(candidate))

        self._lead([c for c in candidates if not known(c)], vary, varied, workers=workers, until=until)
        alike: dict[Change, list[Candidate]] = {}
        for candidate in candidates:
            gap = known(candidate)
            if gap and not gap.request and not gap.directed:
                alike.setdefault(_definition(candidate), []).append(candidate)

        def directed(first: Candidate, found: Sequence[InputGap], _: float) -> None:
            for candidate, gap in zip(alike[_definition(first)], found, strict=True):
                done(candidate, gap)

        def direct(first: Candidate) -> Generator[Job, Ended, list[InputGap]]:
            return directed_searches.search([target(candidate) for candidate in alike[_definition(first)]], until)

        self._lead([group[0] for group in alike.values()], direct, directed, workers=workers, until=until)

    def comes_near(self, candidate: Candidate) -> bool:
        """Whether an exchange of a test executes a mutant, or, where no test does, anything of its function."""
        numbers, mask = self._around(candidate)
        return any(self._sights.execute(k, candidate.change.path, mask) for k in numbers)

    def _around(self, candidate: Candidate) -> tuple[list[int], int]:
        """Return the items that execute a mutant, and its lines; if there are none, of the function that it is in."""
        numbers, mask, change = self.reaching(candidate), candidate.reach, candidate.change
        if not numbers and not candidate.at_import:
            mask = (2 << change.last) - (1 << change.first)
            numbers = [k for k in sorted(self._hitting({change.path: mask})) if self._items[k].may_kill]
        return numbers, mask

    def _lead(
        self,
        candidates: Iterable[Candidate],
        begun: Callable[[Candidate], Generator[Job, Ended, T]],
        done: Callable[[Candidate, T, float], None],
        *,
        workers: int,
        until: float | None,
    ) -> None:
        """Lead conversations, as many at a time as there are workers.

        Args:
            candidates: About which, in the order in which they are begun.
            begun: Begins one.
            done: Told of each what came of it, and how many seconds it took.
            workers: How many at a time.
            until: When to begin no more, by the monotonic clock.
        """
        waiting = collections.deque(candidates)
        talks: dict[int, _Talk[T]] = {}
        later: collections.deque[tuple[_Talk[T], Job]] = collections.deque()

        def go_on(talk: _Talk[T], ended: Ended | None) -> None:
            """Take a conversation one step on."""
            try:
                job = next(talk.conversation) if ended is None else talk.conversation.send(ended)
            except StopIteration as stop:
                done(talk.candidate, stop.value, round(time.monotonic() - talk.since, 4))
                return
            if job.alone:
                later.append((talk, job))
            else:
                talks[self._session.submit(job)] = talk

        cores = min(workers, os.cpu_count() or 1)
        most = 2 * workers if workers > 1 else 1  # some wait where children end
        while waiting or talks or later:
            while waiting and len(talks) < most and (until is None or time.monotonic() < until):
                candidate = waiting.popleft()
                go_on(_Talk(candidate, begun(candidate), time.monotonic()), None)
            if until is not None and time.monotonic() >= until:
                waiting.clear()
            if not talks and not self._is_preparing:
                # A core for each, and nobody else at work: what takes too long now does so by itself.
                for talk, job in [later.popleft() for _ in range(min(cores, len(later)))]:
                    talks[self._session.submit(job)] = talk
            for ended in self._wait():
                go_on(talks.pop(ended.job), ended)

    def _sorted(self, numbers: Sequence[int], candidate: Candidate) -> list[int]:
        lines = self._all_names.mentions(candidate) if candidate.at_import else [_where(candidate)]
        return self._order.sorted(numbers, candidate, lines)

    def verdict(self, candidate: Candidate, numbers: list[int], *, until: float | None = None) -> Conversation:
        """Judge one mutant by these items, in their order.

        Args:
            candidate: The mutant.
            numbers: The items.
            until: Until when there is time, by the monotonic clock; None: there is always.
        """
        if not numbers:
            return Verdict(status=MutantStatus.NO_TESTS)
        cold = self.is_cold(candidate)
        passed: list[str] = []
        led: set[str] = set()
        sights: dict[int, Sight] = {}
        kills: list[Verdict] = []
        is_first = True
        while numbers:
            now, later = numbers, []
            if cold and is_first and len(numbers) > _FIRST:  # a few are collected soon, and mostly enough
                now, later = numbers[:_FIRST], numbers[_FIRST:]
            is_first = False
            ended = yield self._job(candidate, now, cold=cold, partly=bool(later))
            if (verdict := self._before_items(candidate, ended)) is not None:
                return verdict
            led |= self._led(ended, cold=cold)
            count = len(ended.items)
            passed += [said.item for said in ended.items if said.outcome != "failed"]
            sights |= self._sights.of(ended)
            if ended.ended and not ended.failed:
                if later:
                    if not self._has_time(ended, later, until):
                        return Verdict(status=MutantStatus.NOT_RUN, cold=True)
                    numbers = later
                    continue
                if cold and (said := ended.find("imported")) and not said.imported:
                    return Verdict(status=MutantStatus.NO_TESTS, message="no test imports its module", cold=True)
                break
            if ended.failed and ended.items[-1].item not in self._number:  # it exists only under the mutant
                verdict = self._killed(ended.items[-1].item, ended)
                return msgspec.structs.replace(verdict, passed=tuple(passed), led=tuple(sorted(led)), cold=cold)
            number = self._number[ended.items[-1].item] if ended.failed else now[min(count, len(now) - 1)]
            verdict = yield from self._confirmed(candidate, number, now[: now.index(number)], ended, led, cold=cold)
            if verdict is None:
                passed.append(self._names[number])
            else:
                kills.append(verdict)
                # Where it never ends, it would not end in the others either, and each of them takes its time.
                if not self._all_tests or verdict.status is MutantStatus.TIMEOUT:
                    break
            numbers = numbers[numbers.index(number) + 1 :]
        first = kills[0] if kills else Verdict(status=MutantStatus.SURVIVED)
        killers = tuple(kill.killer for kill in kills) if self._all_tests else ()
        gaps = () if kills else (yield from self._sights.gaps(candidate, sights, cold=cold))
        return msgspec.structs.replace(
            first, killers=killers, passed=tuple(passed), led=tuple(sorted(led)), gaps=gaps, cold=cold
        )

    def _has_time(self, first: Ended, later: Sequence[int], until: float | None) -> bool:
        """Whether there is time to show a mutant that is imported afresh to all items that are left.

        A few are shown to all of them in any case: else none would be, in no run, where the suite takes longer.

        Args:
            first: How the child ended that ran the first items.
            later: Those that are left.
            until: When the time is up.
        """
        start = max(0.0, first.seconds - sum(said.seconds for said in first.items))
        needed = start + sum(self._items[k].seconds for k in later)
        if until is not None and self._shown_to_all >= _SHOWN and time.monotonic() + needed > until:
            return False
        self._shown_to_all += 1
        return True

    def _led(self, ended: Ended, *, cold: bool) -> set[str]:
        """Return the functions that a child's items executed, and that they don't execute without the mutant."""
        found: set[str] = set() if ended.ended or ended.failed else {UNKNOWN}  # its last item told nothing
        for said, ran in zip(ended.items, ended.ran(() if cold else self._session.ready.table), strict=True):
            number = self._number.get(said.item)
            usual = self._executed(self._items[number]) if number is not None else frozenset()
            found |= {UNKNOWN} if ran is None else ran - usual
        return found

    def _before_items(self, candidate: Candidate, ended: Ended) -> Verdict | None:
        """Return the verdict when a child did not come to its items; None: it did."""
        if reason := ended.find("not_swappable"):
            self._unswappable.add(candidate.mutant.id)  # it is judged with those that are imported afresh
            return Verdict(status=MutantStatus.NOT_RUN, message=reason.not_swappable)
        if broken := ended.find("not_collected"):
            told = f"{broken.file}: {_last_line(broken.message)}" if broken.file else ""
            message = text.one_line(told) or f"pytest ends with {broken.not_collected}"
            return Verdict(status=MutantStatus.KILLED, killer=COLLECTION, message=message, led=(UNKNOWN,), cold=True)
        return None

    def _confirmed(
        self, candidate: Candidate, number: int, before: list[int], ended: Ended, led: set[str], *, cold: bool
    ) -> Generator[Job, Ended, Verdict | None]:
        """Return the verdict when an item did not pass; None: it says nothing about the mutant.

        A failure of the first item stands: it passes alone without the mutant. After other items it may be due to
        what these left behind, in an order that is not pytest's. Time-outs and crashes are seen again, alone on an
        idle machine and with more time, before they count.
        """
        name = self._names[number]
        if cold and number not in self._passes_cold:
            plain = yield self._job(None, [number], cold=True, partly=True)
            self._passes_cold[number] = plain.ended and bool(plain.items) and not plain.failed
        if cold and not self._passes_cold[number]:
            return None
        if ended.failed and not before:
            return self._killed(name, ended)
        again = yield self._job(candidate, [number], cold=cold, patient=not ended.failed, partly=cold)
        led |= self._led(again, cold=cold)
        if again.failed:
            return self._killed(name, again)
        if again.timed_out or not again.ended:
            return _broken_off(name, again)
        if not ended.failed:
            return None
        plain = yield self._job(None, [*before, number], cold=cold, stop=False)
        return self._killed(name, ended) if plain.ended and plain.items and not plain.failed else None

    def _killed(self, name: str, ended: Ended) -> Verdict:
        """Return the verdict when the last item of a child failed."""
        last = ended.items[-1]
        return Verdict(
            status=MutantStatus.KILLED,
            killer=name,
            message=text.one_line(last.message),
            checked=self._sights.checked(last),
        )

    def _job(
        self,
        candidate: Candidate | None,
        numbers: Sequence[int],
        *,
        cold: bool,
        patient: bool = False,
        stop: bool = True,
        partly: bool = False,
        test: Change | None = None,
        chance: int = 0,
        watch: Change | None = None,
    ) -> Job:
        times = _PATIENT if patient else 1.0
        start = (_COLD_START + _TIMES * self._start if cold else _START) * times
        begun = [0.0] if cold else []  # such a child says when its items begin
        limits = [start, *begun, *(round(times * max(_LEAST, _TIMES * self._items[k].seconds), 3) for k in numbers)]
        return Job(
            items=tuple(numbers),
            limits=tuple(limits),
            change=self._change(candidate) if candidate else watch,
            test=test,
            chance=chance,
            files=self._files(numbers) if partly else (),
            stop=stop,
            cold=cold,
            alone=patient,
        )

    def _change(self, candidate: Candidate) -> Change:
        constant = self.constant(candidate)
        if constant is None:
            return candidate.change
        return msgspec.structs.replace(candidate.change, constant=(constant.owner, constant.name))

    def _files(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """Return the files that items are in."""
        files = dict.fromkeys(self._names[k].partition("::")[0] for k in numbers)
        return tuple(os.path.join(self._session.ready.root, file) for file in files)  # noqa: PTH118 - only a name


def _broken_off(name: str, ended: Ended) -> Verdict:
    """Return the verdict when a child did not come to its end, twice."""
    if ended.timed_out:
        return Verdict(status=MutantStatus.TIMEOUT, killer=name, message="it does not come to its end")
    fault = ended.find("fault")
    if fault and not ended.items:  # of ours, not of the mutant's
        return Verdict(status=MutantStatus.SUSPICIOUS, message=text.one_line(fault.fault))
    how = f"signal {-ended.code}" if ended.code < 0 else f"exit status {ended.code}"
    return Verdict(status=MutantStatus.CRASHED, killer=name, message=f"the process ends with {how}")


def _where(candidate: Candidate) -> dict[str, int]:
    return {candidate.change.path: candidate.reach}


def _definition(candidate: Candidate) -> Change:
    """Return what is the same for all mutants of a definition."""
    return msgspec.structs.replace(candidate.change, lines=())


def _last_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[-1] if lines else ""
