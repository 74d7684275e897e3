"""The one place that knows Dask: run a program of ours on the workers of a cluster, and hear it meanwhile.

The program reads its task from its standard input, where the end of the input means that nobody wants its result any
more: neither a worker that was killed nor a person who pressed Ctrl-C leaves it behind. On its standard output it says
what must not be lost, as soon as it knows it, and then its result. What is said goes to the scheduler at once, so that
the worker that takes over from one that was killed begins with it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final, cast

from orchestrator import DISTRIBUTION, __version__, text
from orchestrator.errors import Code, OrchestratorError

_CONNECT: Final = 15.0  # seconds until a scheduler must have answered, and a worker be there
_POLL: Final = 0.25
_GRACE: Final = 10.0  # seconds that a program has to end when its result is not wanted any more
_TOGETHER: Final = 500  # so many messages to the scheduler, and all is said again in one: it keeps the last 1,000


def send(stream: IO[bytes], kind: str, data: bytes) -> None:
    """Write a message: `task` to a program; `said` and in the end `result` from it."""
    pickle.dump((kind, data), stream)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[str, bytes]:
    """Read a message.

    Raises:
        EOFError: there is none any more.
    """
    kind, data = pickle.load(stream)  # noqa: S301 - of a program that we have started
    return kind, data


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler.

    Args:
        address: As `tcp://scheduler:8786` or `tls://…`; Dask's own settings say with which certificates.

    Raises:
        OrchestratorError: Dask is not installed, the scheduler does not answer, or its workers can't do our work.
    """
    if importlib.util.find_spec("distributed") is None:
        raise OrchestratorError(
            Code.CLUSTER_UNFIT,
            "Dask is not installed",
            hint=f'Install the extra: `pip install "{DISTRIBUTION}[cluster]"`, here and on the workers.',
        )
    import distributed  # noqa: PLC0415 - an extra, and slow to import

    make: Any = distributed.Client
    try:
        client = make(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise OrchestratorError(
            Code.CLUSTER_UNFIT,
            f"no Dask scheduler answers at {address}: {text.one_line(str(error))}",
            hint="Check the address; `dask scheduler` prints it when it starts.",
        ) from error
    with client:
        yield Cluster(client, address)


class Cluster:
    """A cluster that can do our work.

    Attributes:
        threads: How many threads each worker has, by its address.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client = client  # Dask has types for half of itself: it is Any here
        self._run = uuid.uuid4().hex[:12]
        try:
            client.wait_for_workers(1, timeout=_CONNECT)
        except TimeoutError:
            raise OrchestratorError(
                Code.CLUSTER_UNFIT,
                f"the Dask cluster at {address} has no worker",
                hint=f"Start some: `dask worker {address}`.",
            ) from None
        self.threads: dict[str, int] = client.nthreads()
        try:
            theirs = client.run(_version)
        except Exception as error:
            raise _unfit(f"the workers can't run ours: {type(error).__name__}: {error}") from error
        if others := {version for version in theirs.values() if version != __version__}:
            raise _unfit(f"the workers have {DISTRIBUTION} {', '.join(sorted(others))}, and here is {__version__}")

    def run(self, module: str, tasks: Sequence[bytes], heard: Callable[[bytes], None]) -> Iterator[bytes]:
        """Run a program once for each task, and give the results as they come.

        A worker that is lost is replaced by another one. When the caller goes away, the programs are ended.

        Args:
            module: The program: `python -m MODULE`.
            tasks: What each is given. Its argument is how many threads the worker has.
            heard: Called with what the programs say, in this thread; what is said may come twice.

        Raises:
            OrchestratorError: a program failed, or too many workers were lost.
        """
        news: queue.SimpleQueue[Any] = queue.SimpleQueue()  # batches of what is said, and futures that are done
        topics = [f"orchestrator-{self._run}-{number}" for number in range(len(tasks))]
        addresses = list(self.threads)
        futures: set[Any] = set()
        try:
            for number, (topic, task) in enumerate(zip(topics, tasks, strict=True)):
                self._client.subscribe_topic(topic, lambda event: news.put(event[1]))
                future = self._client.submit(
                    work,
                    module,
                    topic,
                    task,
                    key=topic,
                    pure=False,
                    workers=addresses[number % len(addresses)],
                    allow_other_workers=True,
                )
                futures.add(future)
                future.add_done_callback(news.put)
            while futures:
                new = news.get()
                if isinstance(new, list | tuple):
                    for data in new:
                        heard(data)
                else:
                    futures.remove(new)
                    yield _result(new)
        finally:
            self._client.cancel(list(futures))
            for topic in topics:
                self._client.unsubscribe_topic(topic)


def _result(future: Any) -> bytes:
    from distributed import KilledWorker  # noqa: PLC0415 - see above

    try:
        result: bytes = future.result()
    except KilledWorker as error:
        raise OrchestratorError(
            Code.CLUSTER_FAILED,
            f"too many workers of the cluster were lost: {text.one_line(str(error))}",
            hint="Have they enough memory? What was judged by then is kept: run again to go on.",
        ) from error
    except Exception as error:
        raise OrchestratorError(
            Code.CLUSTER_FAILED,
            f"the work on the cluster failed: {text.one_line(str(error))}",
            hint="What was judged by then is kept: run again to go on.",
        ) from error
    return result


def _unfit(message: str) -> OrchestratorError:
    return OrchestratorError(
        Code.CLUSTER_UNFIT,
        text.one_line(message),
        hint=f'Install the same version on all of them: `pip install "{DISTRIBUTION}[cluster]=={__version__}"`.',
    )


def _version() -> str:
    return __version__


def work(module: str, topic: str, task: bytes) -> bytes:
    """Run a program to its end; called by a worker of the cluster.

    Raises:
        RuntimeError: the program failed, or its result is not wanted any more.
    """
    from distributed import get_client, get_worker  # noqa: PLC0415 - see above

    worker = get_worker()
    earlier = [data for _, batch in get_client().get_events(topic) for data in batch]
    teller = _Teller(lambda batch: worker.log_event(topic, batch), earlier)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(worker.state.nthreads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        tasks, messages = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        listening = threading.Thread(target=teller.listen, args=(messages,), daemon=True)
        listening.start()
        try:
            send(tasks, "task", pickle.dumps((task, earlier)))
            while listening.is_alive():
                listening.join(_POLL)
                teller.pass_on()
                if not _is_wanted(worker, topic):
                    raise RuntimeError("nobody waits for the result any more")
        finally:
            tasks.close()
            _end(process)
            messages.close()
        if teller.result is None:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            raise RuntimeError(f"the program ended with {process.returncode}: {' / '.join(lines[-3:])}")
        return teller.result


class _Teller:
    """Passes on what a program says, a batch at a time."""

    def __init__(self, log: Callable[[list[bytes]], None], earlier: Sequence[bytes]) -> None:
        self._log = log
        self._all = list(earlier)
        self._new: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._count = 0
        self.result: bytes | None = None

    def listen(self, stream: IO[bytes]) -> None:
        """Hear a program to its end."""
        with contextlib.suppress(EOFError, pickle.UnpicklingError):  # it was ended in the middle of a word
            while True:
                kind, data = receive(stream)
                if kind == "result":
                    self.result = data
                else:
                    self._new.put(data)

    def pass_on(self) -> None:
        """Tell the scheduler what is new."""
        batch = []
        while not self._new.empty():
            batch.append(self._new.get())
        if batch:
            self._count += 1
            self._all += batch
            self._log(self._all if self._count % _TOGETHER == 0 else batch)


def _is_wanted(worker: Any, key: str) -> bool:
    """Whether the scheduler still wants a task's result: it takes that back when the client cancels, or is gone."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state in {"executing", "long-running"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program whose input has ended; end it if it takes too long."""
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
