"""Judge a shard on a worker of a cluster: the task comes from standard input, each verdict goes to standard output."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import tarfile
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from orchestrator.adapters import dask, pytest
from orchestrator.config import STATE_DIRECTORY, Project
from orchestrator.errors import OrchestratorError
from orchestrator.mutation import store
from orchestrator.mutation.cluster import Task, moved
from orchestrator.mutation.engine import Engine, Result


def main() -> None:
    """Do the task that is read, with as many workers as the first argument says."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed is no message
    _, data = dask.receive(sys.stdin.buffer)
    told, earlier = pickle.loads(data)  # noqa: S301 - Dask itself would run any code that we are sent
    task: Task = pickle.loads(told)  # noqa: S301 - see above
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where the worker was started
    threading.Thread(target=_end_with_input, args=(sys.stdin.buffer,), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="orchestrator-") as folder:
        root = Path(folder).resolve()
        try:
            found: object = judged(task, earlier, root, int(sys.argv[1]), output)
        except OrchestratorError as error:
            found = error.problem
        dask.send(output, "result", pickle.dumps(found))


def judged(task: Task, earlier: Sequence[bytes], root: Path, workers: int, output: IO[bytes]) -> Result:
    """Judge a task's candidates in a folder.

    Args:
        task: The task.
        earlier: What a worker that was lost had said of it.
        root: An empty folder, links resolved.
        workers: How many mutants are judged at the same time, where the settings don't say it.
        output: Where each verdict goes.

    Raises:
        OrchestratorError: what the engine raises.
    """
    with tarfile.open(fileobj=io.BytesIO(task.files)) as archive:
        archive.extractall(root, filter="tar")
    journal = root / STATE_DIRECTORY / "mutation" / store.JOURNAL
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.open("ab") as more:
        more.writelines(earlier)
    project = _project(task, root, workers)
    candidates = [moved(candidate, str(root / candidate.change.path)) for candidate in task.candidates]
    engine = Engine(
        project,
        pytest.installed(project),
        task.quarantined,
        lambda *_: None,
        told=lambda line: dask.send(output, "said", line),
        expected=len(candidates),
    )
    result = engine.run(lambda: candidates)
    result.read = [Path(name).relative_to(root).as_posix() for name in result.read if Path(name).is_relative_to(root)]
    return result


def _project(task: Task, root: Path, workers: int) -> Project:
    """Return the project as it is here: with its own interpreter, where this machine has that, else with ours."""
    replace = msgspec.structs.replace
    mutation = task.settings.mutation
    settings = replace(
        task.settings,
        python=task.interpreter if Path(task.interpreter).exists() else sys.executable,
        mutation=replace(mutation, dask="", workers=mutation.workers or workers),
    )
    return Project(root=root, file=root / task.file, settings=settings)


def _end_with_input(stream: IO[bytes]) -> None:
    """Interrupt ourselves when the input ends: then the worker is gone, or nobody wants the result any more."""
    stream.read()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
