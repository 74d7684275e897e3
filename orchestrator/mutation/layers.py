"""How far a mutant's damage gets in the property and the contract layer.

What generated property tests and pacts asked of the app was recorded. It is played again in a child that holds the
mutant; only where a response differs the judge of its layer is asked: schemathesis' own checks, the real Pact core. A
scenario that is judged otherwise with the mutant than without reveals it; one that differs and is judged the same has
let it through.
"""

from __future__ import annotations

import collections
import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

import msgspec

from orchestrator import text
from orchestrator.adapters import pact, replays, scenarios, schemathesis
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.replays import Replays, split
from orchestrator.adapters.scenarios import CONTRACT, PROPERTY, Recorded, Scenario
from orchestrator.adapters.session import Ended, Exchange, Job, Said
from orchestrator.agent.mutation.lines import united
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import DocumentMutant, MutantKind, Notice, OracleGap, Step
from orchestrator.model.problem import Problem
from orchestrator.mutation import judges
from orchestrator.mutation.amendments import Amendments
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.constants import Constant, Names, Readers
from orchestrator.mutation.description import Description
from orchestrator.mutation.differences import Usual
from orchestrator.mutation.judges import Judges, Sight, sign
from orchestrator.mutation.reach import UNKNOWN, Item, masks

_FIRST: Final = 1  # scenarios that are tried first for each who asks: mostly they are enough
_SOON: Final = 6  # … and before all others
_TOGETHER: Final = 48  # mutants that one child plays under
_START: Final = 2.0  # seconds until the first scenario has ended …
_SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
_COLD_START: Final = 30.0  # … where the app is loaded for it
_LEAST: Final = 2.0  # seconds that a scenario may take …
_TIMES: Final = 20.0  # … or so many times what it took without a mutant
_PATIENCE: Final = 60.0
_MOST_UNLIKE: Final = 0.1  # share of scenarios that may be answered otherwise than when they were recorded


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mutant in the layers beside the project's own tests.

    Attributes:
        steps: By layer.
        notices: Who noticed: the generated tests once; one consumer, or where all tests are asked each.
        gaps: Who saw a response differ and let it through, in layers where nobody noticed: one of each who asks.
        led: Places of functions that scenarios executed under the mutant and not without it.
        killers: By who asks, the scenario that showed it: its name, or in the journal a digest of what that depends on.
    """

    steps: dict[str, Step]
    notices: tuple[Notice, ...] = ()
    gaps: tuple[OracleGap, ...] = ()
    led: tuple[str, ...] = ()
    killers: dict[str, str] = {}


Conversation = Generator[Job, Ended, Found | None]


class Layers:
    """Plays scenarios under mutants.

    Args:
        project: Whose.
        recorded: What can be played.
        running: The agent.
        judges_: Who judges what came back.
        url: Where the requests of curl lines go, for the reader to put an address of his own there.
        document: What the property layer is judged by; None: it can't be read.
    """

    def __init__(
        self,
        project: Project,
        recorded: Recorded,
        running: Replays,
        judges_: Judges,
        *,
        url: str,
        document: Document | None,
    ) -> None:
        self._project = project
        self._recorded = recorded
        self._running = running
        self._judges = judges_
        self._document = document
        self._amendments: Amendments | None = None
        self._url = url
        self._variables = schemathesis.credential_variables(project)
        self._all = recorded.scenarios
        self._usual: list[Sight] = []
        self._compare: list[Usual] = []
        self._lines: list[dict[str, int]] = []
        self._seconds: list[float] = []
        self._fails: list[frozenset[str]] = []  # what fails without a mutant
        self._leaks: list[bool] = []  # whether what was played before shows in it
        self._chosen: list[int] = []
        self._killers: dict[str, collections.Counter[int]] = {}  # which revealed mutants of a function, by its place
        self._number = {scenario.name: k for k, scenario in enumerate(self._all)}
        # Where not all tests are asked, one consumer that notices is enough.
        self._askers = [s.asker if project.settings.mutation.all_tests else s.layer for s in self._all]
        self._hitting: dict[tuple[tuple[str, int], ...], list[int]] = {}
        self._load: dict[str, int] = {}
        self._names: Names | None = None
        self._first_only: dict[str, int] = {}
        self._workers = project.settings.mutation.processes
        self.items: list[Item] = []  # scenarios, as what a verdict depends on
        self._executed: Callable[[Item], frozenset[str]] = lambda _: frozenset()
        self.described: list[DocumentMutant] = []  # changes to the document
        self.problems: list[Problem] = []
        for told in recorded.problems:
            self._tell(told, "Its interactions are not replayed: see whether it was verified to its end.")
        self.documents = _documents(project)  # digest of what the judges judge by
        self.cpu: dict[str, float] = {}  # seconds of children and judges, by the mutants' names

    # What is without a mutant

    def record(self, sources: Iterable[str]) -> None:
        """Play everything without a mutant: what is answered, what varies by itself, what is executed.

        Args:
            sources: The project's files.

        Raises:
            OrchestratorError: the app can't be loaded, or does not survive what is played.
        """
        self._running.wait_until_loaded(self._project.settings.app.start_timeout)
        self._load = masks(self._running.traced.lines)
        for path in self._running.traced.unseen:
            self._load[path] = -1
        self._names = Names(set(sources), (), self._load)
        everything = tuple(range(len(self._all)))
        jobs = [_plain((*everything, *everything), trace=True), _plain(everything, chance=1)]
        twice, other = self._played(jobs)
        if self._running.ready.has_files or any(said.written or said.beyond for said in twice):
            self._workers = 1  # what children share would show in each other's answers
            self._running.share()
            twice, other = (self._played([job])[0] for job in jobs)
        self._learn(twice, other)

    def _played(self, jobs: Sequence[Job]) -> list[tuple[Said, ...]]:
        """Have jobs done at the same time, and return what was said of scenarios."""
        numbers = [self._running.play([job]) for job in jobs]
        ended: dict[int, Ended] = {}
        while len(ended) < len(numbers):
            ended |= {e.job: e for e in self._running.wait()}
        return [ended[number].items for number in numbers]

    def _learn(self, traced: Sequence[Said], others: Sequence[Said]) -> None:
        count = len(self._all)
        if len(traced) < 2 * count or len(others) < count:
            raise OrchestratorError(
                Code.NOT_REPEATED,
                f"the recorded requests can't be replayed: the app's process ended at "
                f"{self._all[min(len(traced) % count, count - 1)].title}",
                hint="What it said last is in .orchestrator/logs/replays.log.",
            )
        firsts, seconds = traced[:count], traced[count:]
        executed = united(*(masks(exchange.lines) for exchange in _exchanges(firsts)))
        again = united(*(masks(exchange.lines) for exchange in _exchanges(seconds)))
        # What only the first request executes belongs to all of them: in a child, any of them may be the first.
        self._first_only = {p: m & ~again.get(p, 0) for p, m in executed.items() if m & ~again.get(p, 0)}
        for first, second, other in zip(firsts, seconds, others, strict=True):
            sight = second.exchanges
            self._usual.append(sight)
            self._compare.append(Usual(sight, (first.exchanges, other.exchanges)))
            self._lines.append(united(*(masks(e.lines) for e in (*first.exchanges, *second.exchanges))))
            self._seconds.append(second.seconds)
            self.items.append(self._item(first, second))
            self._leaks.append(Usual(sight, [other.exchanges]).differs(first.exchanges))
        self._running.know({s.name: [e.digest for e in self._usual[k]] for k, s in enumerate(self._all)})
        steady = [k for k in range(count) if _is_steady(firsts[k], seconds[k], others[k])]
        self._chosen = steady
        self._fails = [frozenset()] * count
        failing = self._judges.failing([(self._all[k], self._usual[k]) for k in self._chosen])
        for k, fails in zip(self._chosen, failing, strict=True):
            self._fails[k] = frozenset(sign(self._all[k], failed) for failed in fails)
        if self._document:
            self._amendments = Amendments(self._document.raw, self._judges, self._all, self._usual, self._fails)
            self._amendments.learn(self._chosen)
            self.described = self._described(self._document)
        self._tell_unlike(steady)
        self._tell_unheld()

    def _described(self, document: Document) -> list[DocumentMutant]:
        """Hold changes to the document against what was recorded."""
        description = Description(document)
        for k in self._chosen:
            asked = [step for step in self._all[k].steps if "target" in step]
            for request, exchange in zip(asked, self._usual[k], strict=False):
                description.learn(self._all[k].layer, request, exchange)
        return description.mutants()

    def _item(self, first: Said, second: Said) -> Item:
        """Return a scenario in the shape of a test: its verdict depends on the same things."""
        number = self._number[first.item]
        return Item(
            name=first.item,
            outcome=scenarios.content(self._all[number]),
            alone=first.outcome,
            lines=self._lines[number],
            read=tuple(sorted({*first.read, *second.read})),
            beyond=first.beyond or second.beyond,
        )

    def _tell_unlike(self, steady: Sequence[int]) -> None:
        """Say so if what is replayed is not answered as it was when it was recorded."""
        unlike = [
            k
            for k in steady
            if self._all[k].status is not None and self._answer(k, self._usual[k]).status != self._all[k].status
        ]
        unsteady = len(self._all) - len(steady)
        if unlike and len(unlike) > _MOST_UNLIKE * len(self._all):
            first = self._all[unlike[0]]
            status = self._answer(unlike[0], self._usual[unlike[0]]).status
            self._tell(
                f"{len(unlike)} of {len(self._all)} recorded scenarios are answered otherwise when they are replayed, "
                f"first {first.title}: {status}, not {first.status}",
                "Give `app.reset` a hook that brings the data back, and check `identities`.",
            )
        if unsteady:
            self._tell(
                f"{text.plural(unsteady, 'recorded scenario')} of {len(self._all)} not replayed: what they are "
                "answered varies by itself",
                "See what the app does beside its answers: threads, times, random numbers of C libraries.",
            )

    def _tell_unheld(self) -> None:
        """Say so if the pacts do not hold when they are replayed: such an interaction can reveal nothing."""
        unheld = [k for k in self._chosen if self._all[k].layer == CONTRACT and self._fails[k]]
        if unheld:
            told = self._judges.failing([(self._all[unheld[0]], self._usual[unheld[0]])])[0]
            self._tell(
                f"{text.plural(len(unheld), 'interaction')} can reveal nothing, for they do not hold when "
                f"they are replayed without a mutant, first {self._all[unheld[0]].title}: "
                f"{told[0]['message'] if told else ''}",
                "Mend the pact or the API; if it holds when verified, see what its provider states leave behind.",
            )

    def _tell(self, message: str, hint: str) -> None:
        self.problems.append(Problem(code=Code.NOT_REPEATED, message=message, hint=hint))

    def _answer(self, number: int, sight: Sight) -> Exchange:
        """Return the response to the last case of a scenario."""
        scenario = self._all[number]
        last = scenario.judged[-1]
        return sight[last["first"] + last["main"]] if scenario.layer == PROPERTY else sight[-1]

    # Under a mutant

    def is_cold(self, candidate: Candidate) -> bool:
        """Whether a mutant's code runs when the app is loaded, so that it has to be loaded with the mutant."""
        here = self._load.get(candidate.change.path, 0)
        if not here or self.constant(candidate):
            return False
        return candidate.at_import or bool(here & candidate.reach)

    def constant(self, candidate: Candidate) -> Constant | None:
        """Return what a mutant assigns, if that can be assigned anew while the app runs."""
        if not candidate.at_import or self._names is None or candidate.mutant.kind is MutantKind.DEFAULT:
            return None
        return self._names.constant(candidate)

    def reaching(self, candidate: Candidate) -> list[int]:
        """Return the scenarios that may notice a mutant."""
        if self.is_cold(candidate):
            return self._chosen
        constant = self.constant(candidate)
        if constant:
            making = {*self._reading(constant.makers or constant.readers)}
            return [k for k in self._reading(constant.readers) if k in making]
        return self._hit({candidate.change.path: -1 if candidate.at_import else candidate.reach})

    def _reading(self, readers: Readers) -> list[int]:
        """Return the scenarios that mention a name, or may have it mentioned."""
        return self._chosen if readers.everybody else self._hit(readers.lines)

    def _hit(self, where: Mapping[str, int]) -> list[int]:
        """Return the scenarios that may execute any of these lines."""
        key = tuple(where.items())
        if key not in self._hitting:  # mutants of one statement share it
            self._hitting[key] = self._executing(where)
        return self._hitting[key]

    def _executing(self, where: Mapping[str, int]) -> list[int]:
        if any(self._first_only.get(path, 0) & mask for path, mask in where.items()):
            return self._chosen
        return [k for k in self._chosen if any(self._lines[k].get(path, 0) & mask for path, mask in where.items())]

    def by_asker(self, numbers: Iterable[int]) -> dict[str, list[Item]]:
        """Return scenarios by who asks, in the shape of tests."""
        found: dict[str, list[Item]] = {}
        for k in numbers:
            found.setdefault(self._askers[k], []).append(self.items[k])
        return found

    def run(
        self,
        candidates: Iterable[Candidate],
        done: Callable[[Candidate, Found], None],
        *,
        executed: Callable[[Item], frozenset[str]],
        cold: bool = False,
        apart: bool = False,
        until: float | None = None,
    ) -> list[Candidate]:
        """Play scenarios under mutants.

        Args:
            candidates: The mutants.
            done: Told of each as soon as it is known.
            executed: Returns the places of the functions that an item executes without a mutant.
            cold: Whether the app is loaded afresh for each.
            apart: Whether each has a child of its own, in which no request was answered before.
            until: When to begin no more, by the monotonic clock.

        Returns:
            Those that can't be put into the running app.
        """
        self._executed = executed
        waiting = collections.deque(candidates)
        ready: collections.deque[_Talk] = collections.deque()
        given: dict[int, list[_Talk]] = {}
        refused: list[Candidate] = []

        def go_on(candidate: Candidate, conversation: Conversation, ended: Ended | None) -> None:
            """Take a conversation one step on."""
            try:
                job = next(conversation) if ended is None else conversation.send(ended)
            except StopIteration as stop:
                if stop.value is None:
                    refused.append(candidate)
                else:
                    done(candidate, stop.value)
                return
            ready.append(_Talk(candidate, conversation, job))

        most = self._workers + 1 if self._workers > 1 else 1  # one waits where children end
        while waiting or ready or given:
            if until is not None and time.monotonic() >= until:
                waiting.clear()
            together = 1 if apart else min(_TOGETHER, 1 + (len(waiting) + len(ready)) // (2 * most))
            while len(given) < most and (waiting or ready):
                while waiting and len(ready) < together:
                    candidate = waiting.popleft()
                    go_on(candidate, self._found(candidate, cold=cold), None)
                if talks := _taken(ready, together):
                    given[self._running.play([talk.job for talk in talks])] = talks
            for ended in self._running.wait():
                talks = given.pop(ended.job)
                parts = split(ended, len(talks))
                self._count_cpu(talks, parts, ended.cpu)
                is_clean = True
                for talk, part in zip(talks, parts, strict=True):
                    if part is None or not is_clean:
                        ready.append(talk)  # another child has to do it
                        continue
                    is_clean = all(map(self._is_as_known, part[1]))
                    go_on(talk.candidate, talk.conversation, part[0])
        return refused

    def _count_cpu(
        self, talks: Sequence[_Talk], parts: Sequence[tuple[Ended, tuple[Said, ...]] | None], cpu: float
    ) -> None:
        """Give each mutant of a child its share of the CPU time that the child has taken."""
        shares = [sum(said.cpu for said in (*part[0].said, *part[1])) if part else 0.0 for part in parts]
        for talk, share in zip(talks, shares, strict=True):
            self._add_cpu(talk.candidate, cpu * share / (sum(shares) or 1.0))

    def _add_cpu(self, candidate: Candidate, seconds: float) -> None:
        self.cpu[candidate.mutant.id] = self.cpu.get(candidate.mutant.id, 0.0) + seconds

    def _is_as_known(self, said: Said) -> bool:
        """Whether a scenario that was played when a mutant was gone was answered as it is without one."""
        return said.outcome == "passed" and not self._differs(self._number[said.item], self._sight(said))

    def _found(self, candidate: Candidate, *, cold: bool) -> Conversation:
        """Find how far one mutant gets; None: it can't be put into the running app."""
        place = f"{candidate.mutant.path}::{candidate.mutant.function}"
        numbers = self._sorted(self.reaching(candidate), place)
        state = _State({s.layer for s in self._all}, {self._all[k].layer for k in numbers})
        for batch in [numbers] if cold else self._batches(numbers):
            left = self._as_played(state.left(batch, self._askers))
            while left:
                ended = yield self._job(candidate, left, cold=cold)
                if ended.find("not_swappable"):
                    return None
                state.led |= self._led(ended, cold=cold)
                if broken := ended.find("not_collected"):
                    return state.without_app(broken.message)
                yield from self._look(candidate, state, ended, cold=cold)
                if ended.ended or len(ended.items) >= len(left):
                    break
                died = left[len(ended.items)]
                again = yield self._job(candidate, [died], cold=cold, patient=True)
                if not again.ended:
                    state.noticed(self._askers[died], self._all[died], self._no_answer(died, again))
                left = state.left(left[len(ended.items) + 1 :], self._askers)
        killers = (self._number[name] for name in state.killers.values())
        self._killers.setdefault(place, collections.Counter()).update(killers)
        self._amend(state)
        return state.found()

    def _amend(self, state: _State) -> None:
        """Say what the document would have to say, where generated cases let a mutant through."""
        if self._amendments and PROPERTY in state.gaps and PROPERTY not in state.notices:
            amendment = self._amendments.amendment(*state.sights[PROPERTY])
            state.gaps[PROPERTY] = msgspec.structs.replace(state.gaps[PROPERTY], amendment=amendment)

    def _statuses(self, number: int) -> tuple[int, ...]:
        return tuple(e.status for e in self._usual[number])

    def _led(self, ended: Ended, *, cold: bool) -> set[str]:
        """Return the functions that scenarios executed, and that they don't execute without the mutant."""
        found: set[str] = set() if ended.ended else {UNKNOWN}
        for said, ran in zip(ended.items, ended.ran(() if cold else self._running.ready.table), strict=True):
            found |= {UNKNOWN} if ran is None else ran - self._executed(self.items[self._number[said.item]])
        return found

    def _batches(self, numbers: Sequence[int]) -> list[list[int]]:
        """Return the first few of each who asks, then some more, then the others."""
        steps: list[list[int]] = [[], [], []]
        taken: collections.Counter[str] = collections.Counter()
        for k in numbers:
            asker = self._askers[k]
            taken[asker] += 1
            steps[(taken[asker] > _FIRST) + (taken[asker] > _SOON)].append(k)
        return [step for step in steps if step]

    def _sorted(self, numbers: Sequence[int], place: str) -> list[int]:
        """Return scenarios in the order in which somebody soon notices.

        Those that revealed mutants of the same function come first, then of each operation and status one in turn.
        """
        killers = self._killers.get(place, collections.Counter[int]())
        turns: collections.Counter[object] = collections.Counter()
        order: list[tuple[int, int, int, int]] = []
        for k in sorted(numbers, key=lambda k: self._seconds[k]):
            scenario = self._all[k]
            way = (scenario.layer, scenario.operation, self._statuses(k))
            order.append((-killers.get(k, 0), turns[way], len(order), k))
            turns[way] += 1
        return [k for *_, k in sorted(order)]

    def _look(self, candidate: Candidate, state: _State, ended: Ended, *, cold: bool) -> Generator[Job, Ended, None]:
        """See which scenarios differ, and have them judged until one of each who asks notices."""
        for said in ended.items:
            number, sight = self._number[said.item], self._sight(said)
            asker = self._askers[number]
            if asker in state.notices or said.outcome != "passed" or not self._differs(number, sight):
                continue
            news = self._news(candidate, number, sight)
            if asker in state.gaps and not news:
                continue
            if said.sullied or self._leaks[number]:
                confirmed = yield from self._alone(candidate, number, cold=cold)
                if confirmed is None:
                    continue
                sight, news = confirmed, self._news(candidate, number, confirmed)
            if news:
                state.noticed(asker, self._all[number], self._notice(number, news[0]))
            else:
                state.passed(asker, self._gap(number, sight), number, sight)

    def _alone(self, candidate: Candidate, number: int, *, cold: bool) -> Generator[Job, Ended, Sight | None]:
        """Return what comes of a scenario that is played alone; None: nothing that differs.

        What others left behind may be the reason for a difference, where the app does not forget all of it.
        """
        again = yield self._job(candidate, [number], cold=cold, apart=True)
        if not again.items or again.items[0].outcome != "passed":
            return None
        sight = self._sight(again.items[0])
        return sight if self._differs(number, sight) else None

    def _sight(self, said: Said) -> Sight:
        usual = self._usual[self._number[said.item]]
        unlike = {exchange.number: exchange for exchange in said.exchanges}
        return tuple(unlike.get(k) or usual[k] for k in range(said.seen))

    def _differs(self, number: int, sight: Sight) -> bool:
        usual = self._usual[number]
        if len(sight) == len(usual) and all(a.digest == b.digest for a, b in zip(sight, usual, strict=True)):
            return False
        return self._compare[number].differs(sight)

    def _news(self, candidate: Candidate, number: int, sight: Sight) -> list[dict[str, Any]]:
        """Return what fails in a scenario with a mutant and not without."""
        begun = time.monotonic()
        (fails,) = self._judges.failing([(self._all[number], sight)])
        self._add_cpu(candidate, time.monotonic() - begun)  # a judge's: it does nothing else meanwhile
        return [failed for failed in fails if sign(self._all[number], failed) not in self._fails[number]]

    def _notice(self, number: int, failed: Mapping[str, Any]) -> Notice:
        scenario = self._all[number]
        secrets = tuple(self._recorded.credentials)
        if scenario.layer == CONTRACT:
            consumer, _, description = scenario.title.partition(": ")
            return Notice(
                layer=CONTRACT,
                by=consumer,
                what=text.one_line(description),
                message=text.one_line(failed["message"], secrets=secrets),
                operation=scenario.operation,
            )
        return Notice(
            layer=PROPERTY,
            by=text.one_line(scenario.title),
            what=text.one_line(failed["check"]),
            message=text.one_line(f"{failed['title']}: {failed['message']}", secrets=secrets),
            operation=scenario.operation,
            reproduce=schemathesis.shown_curl(failed["curl"], secrets, self._variables, self._url),
        )

    def _no_answer(self, number: int, ended: Ended) -> Notice:
        scenario = self._all[number]
        consumer, _, description = scenario.title.partition(": ")
        is_contract = scenario.layer == CONTRACT
        return Notice(
            layer=scenario.layer,
            by=consumer if is_contract else text.one_line(scenario.title),
            what=text.one_line(description) if is_contract else "response_received",
            message="no answer comes" if ended.timed_out else "the app's process ends",
            operation=scenario.operation,
        )

    def _gap(self, number: int, sight: Sight) -> OracleGap:
        scenario = self._all[number]
        usual = self._usual[number]
        told = self._compare[number].differences(sight)
        which, where = told or (0, ())
        exchange = sight[which] if which < len(sight) else usual[which]
        through = ""
        if scenario.layer == CONTRACT and where:
            judged = scenario.judged[0]
            through = pact.let_through(judged["pact"], judged["interaction"], where[0].place)
        return OracleGap(
            layer=scenario.layer,
            test=text.one_line(scenario.title),
            request=text.one_line(f"{exchange.method} {exchange.path}"),
            number=which + 1,
            differences=where,
            operation=scenario.operation,
            through=through,
        )

    def _job(
        self, candidate: Candidate, numbers: Sequence[int], *, cold: bool, patient: bool = False, apart: bool = False
    ) -> Job:
        times = 2.0 if patient else 1.0
        change = candidate.change
        constant = None if cold else self.constant(candidate)
        if constant:
            change = msgspec.structs.replace(change, constant=(constant.owner, constant.name))
        start = (_COLD_START if cold else _START) * times
        begun = [0.0] if cold else []
        limits = [start, *begun, *(round(times * max(_LEAST, _TIMES * self._seconds[k]), 3) for k in numbers)]
        return Job(
            items=tuple(numbers), limits=tuple(limits), change=change, stop=False, cold=cold, alone=patient or apart
        )

    def _as_played(self, numbers: Sequence[int]) -> list[int]:
        """Return scenarios so that data have to be brought back to their start as rarely as can be."""
        return sorted(numbers, key=lambda k: (self._changes(k), numbers.index(k)))

    def _changes(self, number: int) -> int:
        """Return what a scenario does to the data: 0: nothing, 1: something, 2: it asks for it and is refused."""
        if self._all[number].layer == CONTRACT and len(self._all[number].steps) > 1:
            return 1
        unsafe = [e for e in self._usual[number] if e.method not in _SAFE]
        return 1 if any(e.status < 400 for e in unsafe) else 2 if unsafe else 0

    def prime(self) -> None:
        """Have some scenarios played for all later children: what is done for the first time takes long."""
        seen: set[object] = set()
        chosen = []
        for k in self._chosen:
            scenario = self._all[k]
            way = (scenario.layer, scenario.operation, self._statuses(k))
            if scenario.layer == CONTRACT or way not in seen:
                seen.add(way)
                chosen.append(k)
        self._running.prime(chosen)

    def is_early(self, candidate: Candidate) -> bool:
        """Whether a mutant has to be played before anything is primed: only the first request executes its code."""
        constant = self.constant(candidate)
        where = constant.readers.lines if constant else {candidate.change.path: candidate.reach}
        return any(self._first_only.get(path, 0) & mask for path, mask in where.items())


class _Talk(msgspec.Struct, frozen=True):
    """A conversation that is going on, and what is to be done for it next."""

    candidate: Candidate
    conversation: Conversation
    job: Job


def _taken(ready: collections.deque[_Talk], most: int) -> list[_Talk]:
    """Take talks out whose jobs one child can do; one that needs a child for itself comes alone."""
    taken: list[_Talk] = []
    while ready and len(taken) < most:
        alone = ready[0].job.cold or ready[0].job.alone
        if alone and taken:
            break
        taken.append(ready.popleft())
        if alone:
            break
    return taken


class _State:
    """What is known of one mutant so far."""

    def __init__(self, layers: set[str], reached: set[str]) -> None:
        self._layers = layers
        self._reached = reached
        # By who asks:
        self.notices: dict[str, Notice] = {}
        self.gaps: dict[str, OracleGap] = {}
        self.sights: dict[str, tuple[int, Sight]] = {}  # what was let through, and in which scenario
        self.killers: dict[str, str] = {}
        self.led: set[str] = set()

    def left(self, numbers: Sequence[int], askers: Sequence[str]) -> list[int]:
        """Return the scenarios that still have something to say."""
        return [k for k in numbers if askers[k] not in self.notices]

    def noticed(self, asker: str, scenario: Scenario, notice: Notice) -> None:
        self.notices[asker] = notice
        self.killers[asker] = scenario.name

    def passed(self, asker: str, gap: OracleGap, number: int, sight: Sight) -> None:
        self.gaps.setdefault(asker, gap)
        self.sights.setdefault(asker, (number, sight))

    def without_app(self, message: str) -> Found:
        """Return what it means that the app can't be loaded: every layer would notice."""
        told = {
            layer: Notice(layer=layer, by="the app", what="start", message=text.one_line(message))
            for layer in self._layers
        }
        return Found(steps=dict.fromkeys(self._layers, Step.REVEALED), notices=tuple(told.values()), led=(UNKNOWN,))

    def found(self) -> Found:
        steps = {}
        revealing = {notice.layer for notice in self.notices.values()}
        gaps = [gap for gap in self.gaps.values() if gap.layer not in revealing]
        for layer in sorted(self._layers):
            if layer in revealing:
                steps[layer] = Step.REVEALED
            elif any(gap.layer == layer for gap in gaps):
                steps[layer] = Step.PROPAGATED
            else:
                steps[layer] = Step.REACHED if layer in self._reached else Step.NOT_REACHED
        return Found(
            steps=steps,
            notices=tuple(self.notices.values()),
            gaps=tuple(gaps),
            led=tuple(sorted(self.led)),
            killers=self.killers,
        )


def _documents(project: Project) -> str:
    """Return the digest of what judges judge by: the document, the generated modules, the pacts."""
    folder = project.root / project.settings.properties.directory
    files = [*sorted(folder.glob("*.py")), *pact.find(project)]
    digest = hashlib.sha256(project.settings.openapi.path.encode())
    for file in [
        *files,
        project.root / project.settings.openapi.path,
        project.root / project.settings.properties.config,
    ]:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


def _plain(numbers: Sequence[int], *, trace: bool = False, chance: int = 0) -> Job:
    return Job(items=tuple(numbers), limits=(_PATIENCE,), stop=False, trace=trace, chance=chance)


def _is_steady(*runs: Said) -> bool:
    """Whether a scenario comes to its end, and is answered with the same statuses each time."""
    statuses = {tuple(e.status for e in said.exchanges) for said in runs}
    return len(statuses) == 1 and all(said.outcome == "passed" for said in runs)


def _exchanges(said: Iterable[Said]) -> list[Exchange]:
    return [exchange for one in said for exchange in one.exchanges]


def begin(
    project: Project, stack: ExitStack, recorded: Recorded, *, document: Document | None, url: str, control: str
) -> Layers:
    """Start the agent and the judges; they end with the stack.

    Args:
        project: Whose.
        stack: Ends them.
        recorded: What can be played.
        document: What the property layer is judged by; None: it can't be read.
        url: Where the document's paths are, for the judge: nothing is sent there, but a document may be read.
        control: Where the app's control is.

    Raises:
        OrchestratorError: the agent can't be started.
    """
    running = stack.enter_context(replays.started(project, recorded, workers=project.settings.mutation.processes))
    judging = judges.begin(project, stack, recorded, url, control)
    return Layers(project, recorded, running, judging, url=url, document=document)
