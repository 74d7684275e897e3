"""Try proposed tests where it counts: in copies of the project, without a mutant and under each.

Which tests notice which survivors is found as a run finds it; what counts in the end is what plain pytest says.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import decode_source
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from orchestrator.adapters import agent, pytest
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import Mutant
from orchestrator.mutation import candidates, critical
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.engine import Engine
from orchestrator.mutation.tree import Copy
from orchestrator.patches import DoesNotFit, patched

TIMES: Final = 3  # that a test has to pass without a mutant, and to fail under it, to be trusted

_MADE: Final = Path("mutation") / "made"

Watch = Callable[[int, int, str], None]
Run = tuple[Mutant | None, bool]  # under which mutant, and whether all of the suite runs


class Trial:
    """Runs test files that the project does not have.

    Args:
        project: In copies of which.
        files: Their text, by their paths relative to the project.
        watch: Told how many runs are done, of how many, and of what.
    """

    def __init__(self, project: Project, files: Mapping[str, str], watch: Watch) -> None:
        self._project = project
        self._files = files
        self._watch = watch
        self._folder = project.state / "trial"
        self._workers = project.settings.mutation.processes
        self._copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Make the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for number in range(self._workers):
            copy = Copy(self._project, self._folder / str(number))
            for path, content in self._files.items():
                (copy.root / path).parent.mkdir(parents=True, exist_ok=True)
                (copy.root / path).write_text(content, "utf-8")
            self._copies.put(copy)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def passing(self) -> set[str]:
        """Return the new tests that pass without a mutant each time: once among all others, then by themselves."""
        told = self._all([(None, True), *[(None, False)] * (TIMES - 1)], "runs without a mutant")
        return set.intersection(*({name for name, is_red in run.items() if not is_red} for run in told))

    def noticing(
        self, mutants: Sequence[Mutant], reached: Mapping[str, Sequence[str]] | None, *, quick: bool
    ) -> dict[str, set[str]]:
        """Return the new tests that fail under each mutant, by fingerprint, as a run finds them: seen once.

        Args:
            mutants: Those that nobody notices yet.
            reached: What each operation's requests execute, of which the critical paths may be made.
            quick: Whether they are functions without their bodies.

        Raises:
            OrchestratorError: the source has changed since the run, or the tests can't be collected.
        """
        copy = self._copies.get()
        project = self._in(copy, whole=False)
        replace = msgspec.structs.replace
        # All of the new tests are asked about each mutant, and nothing else is done.
        settings = replace(
            project.settings.mutation,
            all_tests=True,
            self_check=0,
            search_budget=0.0,
            budget=None,
            quick=quick,
        )
        project = replace(project, settings=replace(project.settings, mutation=settings))
        if (self._project.state / _MADE).is_dir():
            shutil.copytree(self._project.state / _MADE, project.state / _MADE, dirs_exist_ok=True)
        try:
            found, _ = candidates.find(project, critical.select(project, reached), workers=self._workers)
            wanted = _wanted(found, mutants)
            engine = Engine(project, pytest.installed(project), (), self._watch)
            verdicts = engine.run(lambda: wanted).verdicts
        finally:
            self._copies.put(copy)
        told = {c.mutant.fingerprint: verdicts.get(c.mutant.id) for c in wanted}
        return {fingerprint: {*v.killers, v.killer} - {""} if v else set() for fingerprint, v in told.items()}

    def confirmed(self, mutants: Sequence[Mutant]) -> dict[str, set[str]]:
        """Return the new tests that fail under each mutant, by fingerprint, every other time that it is tried.

        Raises:
            OrchestratorError: a mutant's change does not fit the source any more.
        """
        times = TIMES - 1
        told = self._all([(mutant, False) for mutant in mutants for _ in range(times)], "survivors once more")
        red = [{name for name, is_red in run.items() if is_red} for run in told]
        return {m.fingerprint: set.intersection(*red[k * times : (k + 1) * times]) for k, m in enumerate(mutants)}

    def _all(self, runs: Sequence[Run], what: str) -> list[dict[str, bool]]:
        """Return what runs say, as many at a time as there are copies."""
        lock = threading.Lock()
        count = 0

        def done(run: Run) -> dict[str, bool]:
            nonlocal count
            said = self._run(run[0], whole=run[1])
            with lock:
                count += 1
                self._watch(count, len(runs), what)
            return said

        pool = ThreadPoolExecutor(self._workers)
        try:
            return list(pool.map(done, runs))
        finally:
            pool.shutdown(cancel_futures=True)

    def _run(self, mutant: Mutant | None, *, whole: bool) -> dict[str, bool]:
        """Return whether each new test is red; one that did not come to its end is missing."""
        copy = self._copies.get()
        try:
            if mutant is not None:
                source = decode_source((copy.root / mutant.path).read_bytes())
                try:
                    copy.change(mutant.path, patched(source, mutant.diff))
                except DoesNotFit:
                    raise _changed(mutant) from None
            return self._outcomes(copy, whole=whole)
        finally:
            if mutant is not None:
                copy.restore(mutant.path)
            self._copies.put(copy)

    def _outcomes(self, copy: Copy, *, whole: bool) -> dict[str, bool]:
        project = self._in(copy, whole=whole)
        _, recorded, _ = pytest.run(project, workers=1, coverage=False, watch=lambda *_: None)
        ours = {Path(path).name for path in self._files}
        new = [test for test in recorded.tests if Path(test.id.partition("::")[0]).name in ours]
        return {test.id: test.outcome.is_red for test in new}

    def _in(self, copy: Copy, *, whole: bool) -> Project:
        """Return the project as it is in a copy, with the new tests alone or beside its own."""
        replace = msgspec.structs.replace
        settings = self._project.settings
        there = self._project.directory.relative_to(self._project.root)
        files = [os.path.relpath(copy.root / path, copy.root / there) for path in self._files]
        settings = replace(
            settings,
            python=agent.interpreter(self._project),
            import_paths=(*settings.import_paths, "src"),  # the copy, not an editable installation
            tests=replace(settings.tests, paths=(*(settings.tests.paths if whole else ()), *files)),
        )
        return replace(self._project, root=copy.root, settings=settings)


def _wanted(found: Iterable[Candidate], mutants: Sequence[Mutant]) -> list[Candidate]:
    """Return the candidates of mutants.

    Raises:
        OrchestratorError: there is none of one: the source has changed.
    """
    by_fingerprint = {c.mutant.fingerprint: c for c in found}
    for mutant in mutants:
        if mutant.fingerprint not in by_fingerprint:
            raise _changed(mutant)
    return [by_fingerprint[mutant.fingerprint] for mutant in mutants]


def _changed(mutant: Mutant) -> OrchestratorError:
    return OrchestratorError(
        Code.UNKNOWN_MUTANT,
        f"the change of mutant {mutant.fingerprint} no longer fits {mutant.path}",
        hint="The source has changed since the run: run again.",
    )
