"""Judge mutants the slow way, which is beyond doubt: plain pytest, a fresh interpreter, changed source."""

from __future__ import annotations

import os
import queue
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import decode_source
from typing import Final

import msgspec

from orchestrator import process, text
from orchestrator.adapters import agent, pytest, session
from orchestrator.config import Project
from orchestrator.model.mutation import Disagreement, MutantStatus, SelfCheck
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.judging import COLLECTION, Verdict
from orchestrator.mutation.tree import Copy

PLUGIN: Final = f"{agent.PACKAGE}.plain"

_COLLECTION_FAILED: Final = (2, 4)  # pytest's exit statuses: interrupted (by errors of collection), usage
_TIMES: Final = 4.0  # as long as the unchanged suite took
_LEAST: Final = 10.0


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What plain pytest says.

    Attributes:
        status: Killed, survived, timeout, or suspicious where it says neither.
        imported: Whether the changed file was the one imported.
        detail: How pytest ended.
        seconds: How long it took.
    """

    status: MutantStatus
    imported: bool
    detail: str
    seconds: float


class FreshJudge:
    """Judges in copies of the project, one for each worker.

    Args:
        project: Whose suite.
        installed: What the user's interpreter has.
        workers: How many copies.
        deselected: Items that are left out: those that may not kill.
    """

    def __init__(
        self, project: Project, installed: pytest.Installed, *, workers: int, deselected: Sequence[str]
    ) -> None:
        self._project = project
        self._options = session.options(project, installed, deselected=deselected)
        self._folder = project.state / "mutation" / "copies"
        self._copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        self._workers = workers
        self._timeout = self._part_timeout = project.settings.tests.timeout
        for number in range(workers):
            self._copies.put(Copy(project, self._folder / str(number)))

    def close(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def plain(self, watched: str, tests: Collection[str] = ()) -> Judged:
        """Run the unchanged suite.

        Args:
            watched: A file of which is told whether it was imported from the copy.
            tests: Items, of which the files are enough; none: the whole suite.
        """
        with self._copy() as copy:
            part = self._files(copy, tests)
            judged = self._run(copy, watched, part=part)
        seconds = max(_LEAST, _TIMES * judged.seconds)
        self._part_timeout = min(self._part_timeout, seconds)
        if not part:
            self._timeout = min(self._timeout, seconds)
        return judged

    def judge(self, candidate: Candidate, first: str = "") -> Judged:
        """Judge one mutant by the whole suite; `first` is a test whose file is asked before."""
        path = candidate.mutant.path
        with self._copy() as copy:
            lines = decode_source((copy.root / path).read_bytes()).split("\n")
            change = candidate.change
            copy.change(path, "\n".join([*lines[: change.first - 1], *change.lines, *lines[change.last :]]))
            try:
                part = self._files(copy, [first] if first else ())
                if part and (judged := self._run(copy, path, first, part=part)).status.is_detected:
                    return judged
                return self._run(copy, path, first)
            finally:
                copy.restore(path)

    @staticmethod
    def _files(copy: Copy, tests: Collection[str]) -> list[str]:
        """Return the files of items, as pytest is given them in a copy; none if one of them is not where it seems."""
        names = dict.fromkeys(test.partition("::")[0] for test in tests)
        is_there = all(name.endswith(".py") and (copy.directory / name).is_file() for name in names)
        return [*names] if is_there else []

    def judge_all(
        self,
        candidates: Sequence[Candidate],
        done: Callable[[Candidate, Judged], None],
        first: Mapping[str, str] | None = None,
    ) -> None:
        """Judge mutants, as many at a time as there are copies; `first` says with which test each begins."""
        pool = ThreadPoolExecutor(self._workers)
        begins = [(first or {}).get(candidate.mutant.id, "") for candidate in candidates]
        try:
            for candidate, judged in zip(candidates, pool.map(self.judge, candidates, begins), strict=True):
                done(candidate, judged)
        finally:
            pool.shutdown(cancel_futures=True)

    @contextmanager
    def _copy(self) -> Iterator[Copy]:
        copy = self._copies.get()
        try:
            yield copy
        finally:
            self._copies.put(copy)

    def _run(self, copy: Copy, path: str, first: str = "", part: Sequence[str] = ()) -> Judged:
        project = self._project
        answer = copy.root.with_suffix(".imported")
        answer.unlink(missing_ok=True)
        temporary = copy.root.with_suffix(".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        folders = [str(copy.directory / p) for p in (*project.settings.import_paths, "src")]
        environment = agent.environment(
            project,
            {
                "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
                "ORCHESTRATOR_CHANGED": str((copy.root / path).resolve()),
                "ORCHESTRATOR_ANSWER": str(answer),
                "ORCHESTRATOR_FIRST": first,
                "TMPDIR": str(temporary),
            },
        )
        # The copy, and only the copy, may be imported from.
        ours = environment["PYTHONPATH"].split(os.pathsep)[0]
        environment["PYTHONPATH"] = os.pathsep.join([ours, *folders, str(copy.directory)])
        finished = process.run(
            [
                *(agent.interpreter(project), "-m", "pytest", "-p", PLUGIN, "-x", *self._options),
                *(part or project.settings.tests.paths),
            ],
            directory=copy.directory,
            environment=environment,
            log=project.state / "logs" / f"plain-{copy.root.name}.log",
            timeout=self._part_timeout if part else self._timeout,
        )
        imported = answer.exists() and answer.read_text("utf-8") == "imported"
        said = text.one_line(finished.tail(1))
        shutil.rmtree(temporary, ignore_errors=True)
        if finished.timed_out:
            return Judged(status=MutantStatus.TIMEOUT, imported=True, detail="time out", seconds=finished.seconds)
        if finished.code == 0 and not answer.exists():  # it says success, but it did not come to its end
            detail = "the process ends before pytest does"
            return Judged(status=MutantStatus.CRASHED, imported=True, detail=detail, seconds=finished.seconds)
        broke = finished.code in _COLLECTION_FAILED or finished.code < 0 or finished.code > 5
        status = {0: MutantStatus.SURVIVED, 1: MutantStatus.KILLED}.get(
            finished.code, MutantStatus.KILLED if broke else MutantStatus.SUSPICIOUS
        )
        return Judged(
            status=status,
            imported=imported or status is MutantStatus.KILLED,
            detail=f"exit status {finished.code}: {said}",
            seconds=finished.seconds,
        )


def self_check(
    judge: FreshJudge,
    sample: Sequence[tuple[Candidate, Verdict]],
    watch: Callable[[int, int], None],
) -> SelfCheck:
    """Judge a sample of verdicts again.

    Args:
        judge: How.
        sample: The verdicts.
        watch: Told how many are done, of how many.
    """
    started = time.monotonic()
    if not sample:
        return SelfCheck(checked=0)
    ours: Mapping[str, Verdict] = {candidate.mutant.id: verdict for candidate, verdict in sample}
    disagreements = []
    count = 0

    def done(candidate: Candidate, judged: Judged) -> None:
        nonlocal count
        count += 1
        watch(count, len(sample))
        verdict = ours[candidate.mutant.id]
        unproven = not judged.imported and verdict.status is not MutantStatus.NO_TESTS
        if judged.status.is_detected != verdict.status.is_detected or unproven:
            detail = "the changed file was not the one imported" if unproven else judged.detail
            disagreements.append(
                Disagreement(mutant=candidate.mutant.id, ours=verdict.status, plain=judged.status, detail=detail)
            )

    # All tests run until one fails; the killer's file comes first, so that this is soon where it is true. Those without
    # a killer take longest, so they are first.
    sample = sorted(sample, key=lambda one: bool(one[1].killer))
    killers = {name: v.killer for name, v in ours.items() if v.killer != COLLECTION}
    watched = sample[0][0].mutant.path
    with ThreadPoolExecutor(1) as beside:  # what kills has to pass unchanged, too, in one of the copies
        unchanged = beside.submit(judge.plain, watched, [*filter(None, killers.values())])
        judge.judge_all([candidate for candidate, _ in sample], done, killers)
    plain = unchanged.result()
    if disagreements and plain.status is MutantStatus.SURVIVED:
        plain = judge.plain(watched)  # is it the mutant, or does another test fail in a copy?
    if plain.status is not MutantStatus.SURVIVED:
        return SelfCheck(
            checked=0,
            seconds=round(time.monotonic() - started, 3),
            reason=f"the unchanged suite does not pass in a copy of the project: {plain.detail}",
        )
    return SelfCheck(
        checked=len(sample), seconds=round(time.monotonic() - started, 3), disagreements=tuple(disagreements)
    )
