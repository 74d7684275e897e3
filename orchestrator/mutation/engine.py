"""Judge the mutants of a project: collect once, record reach, judge what is new, check a sample beyond doubt.

The steps of `run`, in their order: what is known from earlier runs, the collected session, the reach of each test, warm
mutants, mutants of code that runs at import, the self-check.
"""

from __future__ import annotations

import ast
import hashlib
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.adapters import pytest, session, source
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.session import Session
from orchestrator.agent.mutation.lines import united
from orchestrator.config import Project
from orchestrator.errors import Code as ErrorCode
from orchestrator.errors import OrchestratorError
from orchestrator.model.mutation import DocumentMutant, InputGap, Mutant, MutantStatus, SelfCheck, Step
from orchestrator.model.problem import Problem
from orchestrator.mutation import choice, fresh, reach, store, unchanged
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.conditions import unmet
from orchestrator.mutation.constants import Names
from orchestrator.mutation.judging import COLLECTION, Judge, Verdict
from orchestrator.mutation.layers import Found, Layers
from orchestrator.mutation.reach import Item
from orchestrator.mutation.sights import MOST_GAPS
from orchestrator.mutation.tree import Digests
from orchestrator.mutation.variants import describer

_LEAST_CHECKED: Final = 10
_REVEALED: Final = (MutantStatus.KILLED, MutantStatus.TIMEOUT, MutantStatus.CRASHED)

Watch = Callable[[int, int, str], None]


class Result(msgspec.Struct, kw_only=True):
    """What a run of the engine has found, also one that was ended in the middle.

    Attributes:
        verdicts: By the mutants' names.
        reaching: How many tests execute each mutant, by name.
        exchanged: Whether an HTTP exchange of any test executes it, by name. Those missing: not known.
        layers: How far it gets in the other layers, by name. Those missing: not known.
        reused: How many verdicts are of an earlier run.
        seconds: What took how long.
        notices: What a person should know.
        mode: `warm` or `fresh`.
        self_check: Of a sample; None: not done.
        read: The project's files that were opened by tests.
        document: Changes to the OpenAPI document; empty: none were made.
        conditions: Why no test executes a mutant, by name, of those that none does.
    """

    verdicts: dict[str, Verdict] = msgspec.field(default_factory=dict)
    reaching: dict[str, int | None] = msgspec.field(default_factory=dict)
    exchanged: dict[str, bool] = msgspec.field(default_factory=dict)
    layers: dict[str, Found] = msgspec.field(default_factory=dict)
    reused: int = 0
    seconds: dict[str, float] = msgspec.field(default_factory=dict)
    notices: list[Problem] = msgspec.field(default_factory=list)
    mode: str = "warm"
    self_check: SelfCheck | None = None
    read: list[str] = msgspec.field(default_factory=list)
    document: list[DocumentMutant] = msgspec.field(default_factory=list)
    conditions: dict[str, str] = msgspec.field(default_factory=dict)

    def applied(self, candidate: Candidate) -> Mutant:
        """Return a candidate's mutant with what became of it."""
        verdict = self.verdicts.get(candidate.mutant.id)
        if verdict is None:
            return candidate.mutant
        step = self._step(candidate.mutant.id, verdict)
        found = self.layers.get(candidate.mutant.id, Found(steps={}))
        mutant = msgspec.structs.replace(
            candidate.mutant,
            status=verdict.status,
            killer=verdict.killer,
            killers=verdict.killers,
            message=verdict.message,
            seconds=verdict.seconds,
            tests=self.reaching.get(candidate.mutant.id),
            layers={**({"unit": step} if step else {}), **found.steps},
            noticed=found.notices,
            gaps=(*verdict.gaps, *found.gaps),
            input_gap=verdict.input_gap,
            checked=verdict.checked,
            condition=self.conditions.get(candidate.mutant.id, ""),
        )
        if verdict.status.is_undetected and found.notices:  # nobody else, but somebody does
            notice = found.notices[0]
            mutant = msgspec.structs.replace(
                mutant, status=MutantStatus.KILLED, killer=f"{notice.by}: {notice.what}", message=notice.message
            )
        return mutant

    def _step(self, name: str, verdict: Verdict) -> Step | None:
        """Return how far a mutant got in the project's own tests; None: not known."""
        if verdict.status is MutantStatus.NO_TESTS:
            return Step.NOT_REACHED
        if verdict.status in _REVEALED:
            return Step.REVEALED
        if verdict.status is not MutantStatus.SURVIVED or name not in self.exchanged:
            return None
        if verdict.gaps:
            return Step.PROPAGATED
        return Step.REACHED if self.exchanged[name] else Step.REACHED_UNSEEN


class Engine:
    """One run.

    Args:
        project: Whose mutants.
        installed: What the user's interpreter has.
        quarantined: Tests that are red without any mutant.
        watch: Told how many are done, of how many, and of what.
        collect: Gives the collected session, which ends with the block; else one is begun.
        told: Given each line of the journal when it is written.
        expected: About how many candidates there are.
        layers: Begins the other layers, which end with the stack; gives None where there is nothing to play.
        document: Gives the OpenAPI document, if there is one.
    """

    def __init__(
        self,
        project: Project,
        installed: pytest.Installed,
        quarantined: Sequence[str],
        watch: Watch,
        *,
        collect: Callable[[], AbstractContextManager[Session]] | None = None,
        told: Callable[[bytes], None] = lambda _: None,
        expected: int = 0,
        layers: Callable[[ExitStack], Layers | None] = lambda _: None,
        document: Callable[[], Document | None] = lambda: None,
    ) -> None:
        self._document = document
        self._begin_layers = layers
        self._told = told
        self._expected = expected
        self._project = project
        self._installed = installed
        self._quarantined = tuple(quarantined)
        self._watch = watch
        self._workers = project.settings.mutation.processes
        self._root = project.root.resolve()
        self._collect = collect or partial(
            session.running, project, installed, workers=self._workers, deselected=self._quarantined
        )
        folder = project.state / "mutation"
        self._folder = folder
        self._digests = Digests(self._root, folder / "digests.json")
        self._code = store.Code(self._root, project.tests, project.sources)
        self.result = Result()
        self._texts: dict[str, list[str]] = {}
        self._trees: dict[str, ast.Module] = {}
        self._new: list[Candidate] = []
        self._unsteady: list[str] = []
        settings = project.settings.mutation
        self._end = time.monotonic() + min(settings.budget or settings.timeout, settings.timeout)

    def run(self, candidates: Callable[[], Sequence[Candidate]]) -> Result:
        """Judge candidates that are not decided yet.

        Args:
            candidates: Gives them; asked for when the tests' reach is known, so that they may be made meanwhile.

        Raises:
            OrchestratorError: the tests can't be collected, or none of them may kill.
        """
        journal = store.Journal(self._folder / store.JOURNAL, self._told)
        try:
            if self._project.settings.mutation.mode == "fresh":
                self._run_fresh(list(filter(choice.is_wanted, candidates())))
            else:
                self._run_warm(candidates, journal)
        finally:
            journal.close()
            self._digests.keep()
        self._check()
        return self.result

    def _run_warm(self, candidates: Callable[[], Sequence[Candidate]], journal: store.Journal) -> None:
        with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
            layers = pool.submit(self._layers, stack)  # they are begun while the tests are judged
            with self._collect() as running:
                if running.ready.threads:
                    self._refuse_threads(running.ready.threads)
                else:
                    scene = self._judge(running, candidates, journal, pool)
                    wanted = list(filter(choice.is_wanted, candidates()))
                    self._play(layers.result(), wanted, journal, scene.depends)
                    self._search(wanted, scene)
                    return
        self._run_fresh(list(filter(choice.is_wanted, candidates())))

    def _layers(self, stack: ExitStack) -> Layers | None:
        """Begin the other layers, and learn what they are like without a mutant; None: there is nothing to play."""
        try:
            layers = self._begin_layers(stack)
            if layers is not None:
                layers.record(str(file) for file in source.files(self._project))
        except OrchestratorError as error:
            self.result.notices.append(error.problem)
            return None
        return layers

    def _play(
        self, layers: Layers | None, wanted: Sequence[Candidate], journal: store.Journal, depends: store.Dependencies
    ) -> None:
        """Find how far mutants get in the other layers."""
        if layers is None:
            return
        clock = time.monotonic()
        self.result.notices += layers.problems
        self.result.document = layers.described
        keys = {c.mutant.id: self._layers_key(layers, c, depends) for c in wanted}
        waiting = []
        for candidate in wanted:
            record = journal.known.get(candidate.mutant.fingerprint)
            if record and record.layers and record.layers_depend == keys[candidate.mutant.id](record.layers):
                self.result.layers[candidate.mutant.id] = record.layers
            elif candidate.mutant.id in self.result.verdicts:
                waiting.append(candidate)
        count, total = len(wanted) - len(waiting), len(wanted)
        items = {item.name: item for item in layers.items}
        ours = time.process_time()

        def done(candidate: Candidate, found: Found) -> None:
            nonlocal count
            count += 1
            name = candidate.mutant.id
            killers = {asker: depends.of_item(items[scenario]) for asker, scenario in found.killers.items()}
            led = tuple(sorted(map(self._code.told, found.led)))
            found = msgspec.structs.replace(found, led=led, killers=killers)
            self.result.layers[name] = found
            record = journal.known.get(candidate.mutant.fingerprint)
            if record:
                journal.add(msgspec.structs.replace(record, layers=found, layers_depend=keys[name](found)))
            self._watch(count, total, "mutants replayed")

        play = partial(layers.run, done=done, executed=depends.executed)
        try:
            warm = [candidate for candidate in waiting if not layers.is_cold(candidate)]
            early = {candidate.mutant.id: candidate for candidate in warm if layers.is_early(candidate)}
            cold = play(early.values(), apart=True, until=self._end)
            if len(warm) > len(early):
                layers.prime()
            cold += play([c for c in warm if c.mutant.id not in early], until=self._end)
            cold += [candidate for candidate in waiting if layers.is_cold(candidate)]
            self.result.seconds["layers"] = round(time.monotonic() - clock, 3)
            if layers.cpu:
                ours = (time.process_time() - ours) / len(layers.cpu)
                self.result.seconds["layers-cpu-median"] = round(statistics.median(layers.cpu.values()) + ours, 4)
            clock = time.monotonic()
            undetected = {c.mutant.id: c for c in cold if self.result.verdicts[c.mutant.id].status.is_undetected}
            play(undetected.values(), cold=True, until=self._end)
            left = self._project.settings.mutation.import_time_budget - self.result.seconds["import-time"]
            others = [c for c in cold if c.mutant.id not in undetected]
            play(others, cold=True, until=min(time.monotonic() + left, self._end))
            self.result.seconds["layers-import-time"] = round(time.monotonic() - clock, 3)
        except OrchestratorError as error:
            self.result.notices.append(error.problem)

    def _layers_key(self, layers: Layers, candidate: Candidate, depends: store.Dependencies) -> Callable[[Found], str]:
        """Return what gives the digest of all that a mutant's steps in the other layers depend on.

        Who notices depends on the scenario that showed it, who does not on all of theirs that reach the mutant.
        """
        reaching = layers.by_asker(layers.reaching(candidate))
        digests = {asker: [depends.of_item(item) for item in items] for asker, items in reaching.items()}
        text_ = self._text(candidate)

        def key(found: Found) -> str:
            told: list[object] = [text_, layers.documents, depends.of_led(found.led), sorted(found.steps.items())]
            for asker in sorted({*digests, *found.killers}):
                killer, all_of_them = found.killers.get(asker), digests.get(asker, [])
                told.append([asker, killer if killer in all_of_them else all_of_them])
            return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:24]

        return key

    def _refuse_threads(self, threads: Sequence[str]) -> None:
        told = f"threads run when the tests are collected: {', '.join(threads[:3])}"
        if self._project.settings.mutation.mode == "warm":
            raise OrchestratorError(
                ErrorCode.NOT_FORKABLE,
                f"{told}; such a process can't be forked",
                hint='Start them in a fixture, not at import; or set `mutation.mode = "fresh"`.',
            )
        self.result.notices.append(
            Problem(
                code=ErrorCode.NOT_FORKABLE,
                message=f"{told}: each mutant has an interpreter of its own, which is slow",
                hint="Start them in a fixture, not at import.",
            )
        )

    def _judge(
        self,
        running: Session,
        candidates: Callable[[], Sequence[Candidate]],
        journal: store.Journal,
        pool: ThreadPoolExecutor,
    ) -> _Scene:
        """Judge by the project's own tests; what can be done beside is given to the pool."""
        clock = time.monotonic()
        ready = running.ready
        if not ready.ready:
            raise OrchestratorError(
                ErrorCode.NO_TESTS, "pytest collected no test", hint="Check `tests.paths` and `tests.deselect`."
            )
        traced = running.traced
        at_import = reach.masks(traced.lines)
        for path in traced.unseen:  # how it runs is not known: all of it may have run
            at_import[path] = -1
        depends = store.Dependencies(
            self._code, self._around(traced), self._digests, imported=self._code.executed(at_import)
        )
        naming = pool.submit(self._names, at_import, traced.files)  # while the tests run
        kept = self._folder / store.TESTS
        known = store.recall(kept, self._code, depends)
        found = reach.record(
            running,
            known,
            lambda done, total: self._watch(done, total, "tests"),
            mutants=self._expected,
            mutated=lambda: united(*({c.change.path: c.reach} for c in filter(choice.is_wanted, candidates()))),
        )
        items = found.items
        depends.prime(found.once)
        self.result.read = sorted(
            {path for item in items.values() for path in (*item.read, *item.lines)} | set(traced.read)
        )
        store.keep(kept, found, self._code, depends)
        self._require_able(items)
        self.result.seconds["collection"] = round(running.start, 3)
        self.result.seconds["reach"] = round(time.monotonic() - clock, 3)
        judge = Judge(
            running,
            found,
            at_import=at_import,
            killers=journal.killers(),
            names=naming.result(),
            executed=depends.executed,
            all_tests=self._project.settings.mutation.all_tests,
        )
        scene = _Scene(judge=judge, names=running.ready.ready, items=items, depends=depends, journal=journal)
        wanted = list(filter(choice.is_wanted, candidates()))
        groups = _grouped(choice.by_value(wanted) if self._project.settings.mutation.budget else wanted, judge)
        if not all(self._holds(scene, candidate) for candidate in groups.cold):
            judge.prepare_cold()
        clock = time.monotonic()
        self._judge_group(scene, groups.early, until=self._end)
        self._judge_group(scene, groups.warm, before=judge.prime, until=self._end)
        self.result.seconds["judging"] = round(time.monotonic() - clock, 3)
        clock = time.monotonic()
        until = min(clock + self._project.settings.mutation.import_time_budget, self._end)
        self._judge_group(scene, groups.constants, until=until)
        # Those that could not be put into the running process are among them by now.
        cold = choice.by_value([c for c in wanted if judge.is_cold(c)])
        cold.sort(key=lambda candidate: candidate.at_import)  # functions first
        self._judge_group(scene, cold, before=partial(self._begin_cold, judge), until=until)
        self.result.seconds["import-time"] = round(time.monotonic() - clock, 3)
        self._say_conditions(wanted, items)
        return scene

    def _say_conditions(self, wanted: Sequence[Candidate], items: Mapping[str, Item]) -> None:
        """Say of mutants that no test executes which condition none of them meets."""
        executed = united(*(item.lines for item in items.values()))
        for candidate in wanted:
            verdict = self.result.verdicts.get(candidate.mutant.id)
            if verdict and verdict.status is MutantStatus.NO_TESTS and not candidate.at_import:
                path = candidate.change.path
                told = unmet(self._tree(path), candidate.mutant.line, executed.get(path, 0))
                self.result.conditions[candidate.mutant.id] = told

    def _tree(self, path: str) -> ast.Module:
        if path not in self._trees:
            self._trees[path] = ast.parse(decode_source(Path(path).read_bytes()))
        return self._trees[path]

    def _search(self, wanted: Sequence[Candidate], scene: _Scene) -> None:
        """Search for requests that show the mutants whose damage no test sees in a response."""
        settings = self._project.settings.mutation
        waiting = [c for c in wanted if not c.at_import and not scene.judge.is_cold(c) and self._is_unseen(c, scene)]
        if not waiting or settings.quick or not settings.search_budget:
            return
        clock = time.monotonic()
        searched: set[str] = set()

        def known(candidate: Candidate) -> InputGap | None:
            return self.result.verdicts[candidate.mutant.id].input_gap

        def done(candidate: Candidate, found: InputGap) -> None:
            searched.add(candidate.mutant.id)
            verdict = msgspec.structs.replace(self.result.verdicts[candidate.mutant.id], input_gap=found)
            self.result.verdicts[candidate.mutant.id] = verdict
            record = scene.journal.known.get(candidate.mutant.fingerprint)
            if record:
                scene.journal.add(msgspec.structs.replace(record, verdict=verdict))
            self._watch(len(searched), len(waiting), "survivors searched for a request")

        try:
            scene.judge.search(
                waiting,
                workers=self._workers_for(scene.items),
                known=known,
                done=done,
                described=describer(self._document()),
                until=min(clock + settings.search_budget, self._end),
            )
        except OrchestratorError as error:  # what is known of the mutants stays
            self.result.notices.append(error.problem)
        self.result.seconds["search"] = round(time.monotonic() - clock, 3)

    def _is_unseen(self, candidate: Candidate, scene: _Scene) -> bool:
        """Whether requests of tests come to a mutant that nobody notices, without a response that differs."""
        verdict, layers = self.result.verdicts.get(candidate.mutant.id), self.result.layers.get(candidate.mutant.id)
        if verdict is None or not verdict.status.is_undetected or verdict.gaps or (layers and layers.notices):
            return False
        if verdict.input_gap and (verdict.input_gap.request or verdict.input_gap.directed):
            return False
        return scene.judge.comes_near(candidate)

    def _workers_for(self, items: Mapping[str, Item]) -> int:
        """Return how many children at a time items can be run in."""
        return 1 if any(item.written for item in items.values()) else self._workers  # they would write the same files

    def _names(self, at_import: Mapping[str, int], files: Iterable[str]) -> Names:
        """Return where every name of the project stands."""
        sources = {str(file) for file in source.files(self._project)}
        return Names(sources, {file for file in files if file.endswith(".py")} - sources, at_import)

    def _judge_group(
        self,
        scene: _Scene,
        group: Sequence[Candidate],
        *,
        before: Callable[[], None] = lambda: None,
        until: float | None = None,
    ) -> None:
        """Judge candidates of one kind; `before` is called when there is any to judge."""
        judge, items, depends, journal = scene.judge, scene.items, scene.depends, scene.journal
        remaining: dict[str, list[int]] = {}
        earlier: dict[str, Verdict] = {}
        waiting = []
        for candidate in group:
            numbers = judge.reaching(candidate)
            self.result.reaching[candidate.mutant.id] = judge.executing(candidate)
            self.result.exchanged[candidate.mutant.id] = judge.meets_exchange(candidate)
            record = journal.known.get(candidate.mutant.fingerprint)
            needed = self._needed(scene, candidate, numbers, record)
            if needed is None and record is not None:
                self.result.verdicts[candidate.mutant.id] = record.verdict
                self.result.reused += 1
                continue
            waiting.append(candidate)
            if needed is not None and record is not None:
                remaining[candidate.mutant.id] = needed
                earlier[candidate.mutant.id] = record.verdict
        if not waiting:
            return
        before()
        total, count = len(group), len(group) - len(waiting)
        self._watch(count, total, "mutants")

        def done(candidate: Candidate, verdict: Verdict) -> None:
            nonlocal count
            count += 1
            led = {self._code.told(place) for place in verdict.led}
            known = earlier.get(candidate.mutant.id)
            if known is not None and verdict.status is MutantStatus.SURVIVED:
                passed = tuple(dict.fromkeys((*known.passed, *verdict.passed)))
                led |= {*known.led}
                gaps = (*(g for g in known.gaps if g.test not in verdict.passed), *verdict.gaps)
                verdict = msgspec.structs.replace(verdict, passed=passed, gaps=gaps[:MOST_GAPS])
            if verdict.status is MutantStatus.NOT_RUN:
                return  # it is imported afresh later
            verdict = msgspec.structs.replace(verdict, led=tuple(sorted(led)))
            self.result.verdicts[candidate.mutant.id] = verdict
            self._new.append(candidate)
            if store.is_final(verdict.status):
                before = journal.known.get(candidate.mutant.fingerprint)
                on = {verdict.killer, *verdict.killers} if verdict.status.is_detected else {*verdict.passed}
                if verdict.killers:
                    on.update(verdict.passed)
                journal.add(
                    store.Record(
                        mutant=candidate.mutant.fingerprint,
                        text=self._text(candidate),
                        verdict=verdict,
                        depends=depends.of(on, items),
                        led=depends.of_led(verdict.led),
                        place=f"{candidate.mutant.path}::{candidate.mutant.function}",
                        layers=before.layers if before else None,
                        layers_depend=before.layers_depend if before else "",
                    )
                )
            self._watch(count, total, "mutants")

        def only(candidate: Candidate, numbers: list[int]) -> list[int]:
            return remaining.get(candidate.mutant.id, numbers)

        judge.run(waiting, workers=self._workers_for(items), done=done, only=only, until=until)

    def _begin_cold(self, judge: Judge) -> None:
        """Prepare for mutants whose module is imported afresh.

        Raises:
            OrchestratorError: the unchanged code can't be collected in such a way.
        """
        reason = judge.begin_cold()
        if reason:
            raise OrchestratorError(
                ErrorCode.SESSION_DIED,
                f"the tests can't be collected in a child that imports everything afresh: {reason}",
                hint='`mutation.mode = "fresh"` gives each mutant an interpreter of its own.',
            )

    def _needed(
        self, scene: _Scene, candidate: Candidate, numbers: list[int], record: store.Record | None
    ) -> list[int] | None:
        """Return the items that have to run under a mutant; None: the verdict of the record holds."""
        names, items, depends = scene.names, scene.items, scene.depends
        if record is None or record.text != self._text(candidate):
            return numbers
        if record.led != depends.of_led(record.verdict.led):
            return numbers
        if record.verdict.status.is_detected:
            killer = record.verdict.killer
            able = killer == COLLECTION or (killer in items and names.index(killer) in numbers)
            asked = {killer}
            if self._project.settings.mutation.all_tests:
                asked |= {names[k] for k in numbers}
            # Else the killer is tried first, for the order of the tests knows it.
            return None if able and depends.of(asked, items).items() <= record.depends.items() else numbers
        left = [k for k in numbers if record.depends.get(names[k], "") != depends.of_item(items[names[k]])]
        is_same = not left and bool(numbers) == (record.verdict.status is MutantStatus.SURVIVED)
        return None if is_same else left

    def _holds(self, scene: _Scene, candidate: Candidate) -> bool:
        """Whether the verdict of an earlier run holds."""
        record = scene.journal.known.get(candidate.mutant.fingerprint)
        return self._needed(scene, candidate, scene.judge.reaching(candidate), record) is None

    def _text(self, candidate: Candidate) -> str:
        path = candidate.change.path
        if path not in self._texts:
            self._texts[path] = decode_source(Path(path).read_bytes()).split("\n")
        return store.text_of(candidate, self._texts[path][candidate.change.first - 1 : candidate.change.last])

    def _around(self, traced: session.Ready) -> str:
        """Return the digest of what every verdict depends on."""
        at_import = reach.masks(traced.lines)
        sources = set(at_import)
        tests = [path for path in traced.files if path not in sources]
        self._code.take_in({*sources, *map(str, source.files(self._project))}, tests)
        # What the tests' files call while they are imported is not recorded: it is what they name there.
        executed = self._code.executed(at_import)
        called = self._code.closure(self._code.named_at_import(tests)) if tests else {}
        units = executed | {p: u for p, u in called.items() if p.partition("::")[0] in tests}
        data = [path for path in traced.read if not path.endswith(".py")]
        told = [
            self._code.rests([*sources, *tests]),
            self._code.digest(units.values()),
            sorted((self._code.told(path), self._digests.of(path)) for path in data),
            unchanged.around(self._project, self._installed),
        ]
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:24]

    def _require_able(self, items: Mapping[str, Item]) -> None:
        able = [item for item in items.values() if item.may_kill]
        if not able:
            first = next(iter(items.values()))
            raise OrchestratorError(
                ErrorCode.ALL_TESTS_RED,
                f"no test of the unmutated code passes both among the others and alone; the first: {first.name}: "
                f"{first.outcome or 'did not end'} and {first.alone or 'did not end'}",
                hint="Make the suite pass first; nothing can be said about mutants without it.",
            )
        self._unsteady = unsteady = [item.name for item in items.values() if not item.may_kill]
        if unsteady:
            self.result.notices.append(
                Problem(
                    code=ErrorCode.FLAKY_TESTS,
                    message=f"{len(unsteady)} of {len(items)} tests may not kill: "
                    f"{', '.join(unsteady[:3])}{', …' if len(unsteady) > 3 else ''}",
                    hint="They end otherwise when they run alone. Make them independent of the others, and of chance.",
                )
            )

    def _run_fresh(self, wanted: Sequence[Candidate]) -> None:
        """Judge everything by plain pytest."""
        self.result.mode = "fresh"
        clock = time.monotonic()
        judge = fresh.FreshJudge(self._project, self._installed, workers=self._workers, deselected=self._quarantined)
        try:
            plain = judge.plain(wanted[0].mutant.path) if wanted else None
            if plain and plain.status is not MutantStatus.SURVIVED:
                raise OrchestratorError(
                    ErrorCode.SELF_CHECK_IMPOSSIBLE,
                    f"the unchanged suite does not pass in a copy of the project: {plain.detail}",
                    hint="Tests may need files that git ignores. Run pytest in a fresh clone to see it.",
                )
            count = 0

            def done(candidate: Candidate, judged: fresh.Judged) -> None:
                nonlocal count
                count += 1
                status = judged.status if judged.imported else MutantStatus.NO_TESTS
                self.result.verdicts[candidate.mutant.id] = Verdict(
                    status=status, message=judged.detail, seconds=round(judged.seconds, 3)
                )
                self._watch(count, len(wanted), "mutants")

            judge.judge_all(wanted, done)
        finally:
            judge.close()
        self.result.seconds["judging"] = round(time.monotonic() - clock, 3)

    def _check(self) -> None:
        """Judge a sample of the new verdicts again."""
        share = self._project.settings.mutation.self_check
        checkable = [c for c in self._new if store.is_final(self.result.verdicts[c.mutant.id].status)]
        if self.result.mode == "fresh" or self._project.settings.mutation.quick or not share or not checkable:
            return
        size = min(len(checkable), max(_LEAST_CHECKED, round(share / 100 * len(checkable))))
        chosen = random.Random(self._project.settings.seed).sample(checkable, size)  # noqa: S311 - no secret
        sample = [(c, self.result.verdicts[c.mutant.id]) for c in chosen]
        clock = time.monotonic()
        judge = fresh.FreshJudge(
            self._project,
            self._installed,
            workers=min(self._workers, len(sample)),
            deselected=(*self._quarantined, *self._unsteady),
        )
        try:
            self.result.self_check = fresh.self_check(
                judge, sample, lambda done, total: self._watch(done, total, "verdicts checked")
            )
        finally:
            judge.close()
        self.result.seconds["self-check"] = round(time.monotonic() - clock, 3)


class _Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What judging needs: the judge, the items by number and by name, what verdicts depend on, where they go."""

    judge: Judge
    names: Sequence[str]
    items: Mapping[str, Item]
    depends: store.Dependencies
    journal: store.Journal


class _Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates by the way in which they are judged.

    Attributes:
        early: Those of which the primers may have left something behind.
        warm: Other functions.
        constants: Assignments that are made anew in the running process.
        cold: Those whose module is imported afresh; others turn out to be of them later.
    """

    early: list[Candidate]
    warm: list[Candidate]
    constants: list[Candidate]
    cold: list[Candidate]


def _grouped(wanted: Sequence[Candidate], judge: Judge) -> _Groups:
    groups = _Groups(early=[], warm=[], constants=[], cold=[])
    for candidate in wanted:
        if judge.is_cold(candidate):
            groups.cold.append(candidate)
        elif judge.constant(candidate):
            groups.constants.append(candidate)
        elif judge.is_early(candidate):
            groups.early.append(candidate)
        else:
            groups.warm.append(candidate)
    # There may not be time for all of them: of those that are worth as much, those that few tests see come first.
    groups.constants.sort(key=lambda candidate: len(judge.reaching(candidate)))
    groups.constants[:] = choice.by_value(groups.constants)
    return groups
