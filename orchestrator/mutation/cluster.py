"""Judge on the workers of a cluster: each gets the project and a shard, and says each verdict at once."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.adapters import agent, dask, source
from orchestrator.config import Project, Settings
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.problem import Problem
from orchestrator.mutation import choice, shards, store, tree
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.engine import Result, Watch
from orchestrator.mutation.shards import Shard
from orchestrator.mutation.store import Record

PROGRAM: Final = "orchestrator.mutation.remote"
# What is known from earlier runs; of the rest, the time of change of files is part.
_KEPT: Final = (store.JOURNAL, store.TESTS)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is given.

    Attributes:
        settings: The project's, with the command line's options.
        file: The settings file, relative to the project.
        interpreter: That of the project, where it is here.
        files: The project's files, and what is known from earlier runs: a compressed tar archive.
        candidates: What is to be judged. Paths are relative to the project.
        quarantined: Tests that are red without any mutant.
    """

    settings: Settings
    file: str
    interpreter: str
    files: bytes
    candidates: tuple[Candidate, ...]
    quarantined: tuple[str, ...]


def moved(candidate: Candidate, path: str) -> Candidate:
    """Return a candidate whose file is somewhere else."""
    return msgspec.structs.replace(candidate, change=msgspec.structs.replace(candidate.change, path=path))


class Cluster:
    """An engine whose mutants are judged elsewhere.

    Args:
        project: Whose mutants.
        quarantined: Tests that are red without any mutant.
        watch: Told how many are done, of how many, and of what.

    Attributes:
        result: What is known by now.
    """

    def __init__(self, project: Project, quarantined: Sequence[str], watch: Watch) -> None:
        self._project = project
        self._root = project.root.resolve()
        self._quarantined = tuple(quarantined)
        self._watch = watch
        self.result = Result()
        self._heard: set[str] = set()

    def run(self, candidates: Callable[[], Sequence[Candidate]]) -> Result:
        """Judge candidates that are not decided yet.

        Raises:
            OrchestratorError: the cluster can't be used, or what a worker's own engine raised.
        """
        with dask.connected(self._project.settings.mutation.dask) as cluster:
            wanted = list(filter(choice.is_wanted, candidates()))
            tasks = self._tasks(wanted, len(cluster.threads))
            journal = store.Journal(self._project.state / "mutation" / store.JOURNAL)
            ids: dict[str, list[str]] = {}
            for candidate in wanted:
                ids.setdefault(candidate.mutant.fingerprint, []).append(candidate.mutant.id)

            def heard(data: bytes) -> None:
                record = msgspec.json.decode(data, type=Record)
                names = ids[record.mutant]
                if names[0] not in self.result.verdicts:
                    journal.add(record)
                    self.result.verdicts |= dict.fromkeys(names, record.verdict)
                    self._heard.update(names)
                    self._watch(len(self.result.verdicts), len(wanted), f"mutants, on {len(cluster.threads)} workers")

            try:
                for data in cluster.run(PROGRAM, [pickle.dumps(task) for task in tasks], heard):
                    self._add(pickle.loads(data))  # noqa: S301 - of our own program
            finally:
                journal.close()
        return self.result

    def _tasks(self, wanted: Sequence[Candidate], count: int) -> list[Task]:
        files = self._packed()
        told = [moved(c, source.relative(Path(c.change.path), self._root)) for c in wanted]
        parts = [shards.part(told, Shard(number, count)) for number in range(1, count + 1)]
        return [
            Task(
                settings=self._project.settings,
                file=self._project.file.resolve().relative_to(self._root).as_posix(),
                interpreter=agent.interpreter(self._project),
                files=files,
                candidates=tuple(part),
                quarantined=self._quarantined,
            )
            for part in parts
            if part
        ]

    def _packed(self) -> bytes:
        packed = io.BytesIO()
        state = self._project.state.relative_to(self._project.root)
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            for name in [*tree.files(self._project), *(f"{state}/mutation/{kept}" for kept in _KEPT)]:
                if (self._project.root / name).exists():
                    archive.add(self._project.root / name, name, recursive=False)
        return packed.getvalue()

    def _add(self, part: Result | Problem) -> None:
        """Join what a worker has found to the rest.

        Raises:
            OrchestratorError: its engine had raised it.
        """
        if isinstance(part, Problem):
            raise OrchestratorError(Code(part.code), part.message, hint=part.hint)
        ours = self.result
        ours.verdicts |= {k: v for k, v in part.verdicts.items() if v.status is not MutantStatus.NOT_RUN}
        ours.reaching |= part.reaching
        ours.reused = sum(name not in self._heard for name in ours.verdicts)
        ours.seconds = shards.longest([ours.seconds, part.seconds])
        ours.notices += [notice for notice in part.notices if notice not in ours.notices]
        ours.mode = part.mode
        ours.self_check = shards.checked([check for check in (ours.self_check, part.self_check) if check])
        ours.read = sorted({*ours.read, *(str(self._root / name) for name in part.read)})
