"""The driver's end of the agent that judges mutants: start it in the user's interpreter, give it jobs, hear of them."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from orchestrator import process, text
from orchestrator.adapters import agent, mutmut, pytest
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError

MODULE: Final = f"{agent.PACKAGE}.mutation"

_GRACE: Final = 3.0  # seconds that the agent has to end its children when we are done


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant, as the agent takes it: lines of a file, and what stands there instead.

    Attributes:
        path: The file, absolute, links resolved.
        first: First line of the definition.
        last: Its last line.
        lines: The changed definition.
        function: Whether it is a function, whose code can be swapped.
        constant: Of an assignment that can be made anew: the class around it (may be empty), and the name.
    """

    path: str
    first: int
    last: int
    lines: tuple[str, ...]
    function: bool
    constant: tuple[str, str] | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a child does.

    Attributes:
        items: Numbers of items, in the order in which they run.
        limits: Seconds: until the first item begins, then for each line of the child: mostly, an item has ended.
        change: The mutant; None: the code as it is.
        test: A change to a test, beside it; not of a cold job.
        chance: Which random numbers are drawn: others than usual show what is made of them.
        stop: Whether to end at the first item that fails.
        trace: Whether to record what is reached: it runs where the source is instrumented.
        cold: Whether everything is imported afresh.
        alone: Whether nothing else may run meanwhile.
        files: Files to collect, where not all are needed; only of a cold job.
    """

    items: tuple[int, ...]
    limits: tuple[float, ...]
    change: Change | None = None
    test: Change | None = None
    chance: int = 0
    stop: bool = True
    trace: bool = False
    cold: bool = False
    alone: bool = False
    files: tuple[str, ...] = ()


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that a test sent, and its response.

    Attributes:
        number: Which one of the test, from 0.
        method: In capitals.
        path: With the query.
        status: Of the response.
        headers: Of the response.
        body: Of the response: text, else base64, or its length and digest where it is long; None: it was not read.
        is_text: Whether the body is told as it is.
        client: The module of the client that sent it.
        digest: Of all of this but number and client.
        at: The line of the test's function that sends it, from its first one (decorators included); 0: not known.
        lines: The statements of the source that it executes, by path, as hexadecimal masks of first lines; only where
            they are recorded.
        near: By how much the sides of comparisons differed at least meanwhile, by the comparison's number; only where
            these are watched (`orchestrator.mutation.comparisons`).
    """

    number: int
    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    is_text: bool = True
    client: str = ""
    digest: str = ""
    at: int = 0
    lines: dict[str, str] = {}
    near: dict[int, float] = {}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a child: of an item that ended, or of why there is none.

    Attributes:
        seen: How many exchanges the item had.
        exchanges: Those that are not as they are known to be without a mutant.
        play: Which of a child's mutants begins, where it plays under several.
        cpu: CPU seconds of the item, where that is measured.
        check: Whether the item ran without the mutant, to show that nothing is left of it.
        sullied: Whether requests that change data have been refused since these were brought to their start.
        ran: The functions of the source that it has executed, as a hexadecimal mask of their numbers; empty: not known.
        table: Places of functions that were imported since the line before: the next numbers.
        modules: Modules that it has imported, with their files.
    """

    item: str = ""
    outcome: str = ""
    seconds: float = 0.0
    message: str = ""
    lines: dict[str, str] = {}
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    beyond: bool = False
    functions: tuple[tuple[str, int], ...] = ()
    threads: tuple[str, ...] = ()
    not_swappable: str = ""
    not_collected: int | None = None
    file: str = ""
    imported: bool | None = None
    ran: str = ""
    table: tuple[str, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    seen: int = 0
    exchanges: tuple[Exchange, ...] = ()
    play: int | None = None
    cpu: float = 0.0
    check: bool = False
    sullied: bool = False
    fault: str = ""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a child ended.

    Attributes:
        job: The number of its job.
        said: Its lines.
        ended: It came to its end by itself.
        code: Exit status; negative: the signal that ended it.
        timed_out: It was ended because its time was up.
        seconds: Wall time.
        cpu: CPU time.
    """

    job: int
    said: tuple[Said, ...]
    ended: bool
    code: int
    timed_out: bool
    seconds: float
    cpu: float

    @property
    def items(self) -> tuple[Said, ...]:
        """The items that ended."""
        return tuple(s for s in self.said if s.item)

    def ran(self, table: Sequence[str]) -> list[set[str] | None]:
        """Return the places of the functions that each of its items has executed; None: not known.

        Args:
            table: What was imported before the child was forked, by number.
        """
        known = list(table)
        found: list[set[str] | None] = []
        for said in self.items:
            known += said.table
            digits = f"{int(said.ran, 16):b}"[::-1] if said.ran else ""
            numbers = [n for n, digit in enumerate(digits) if digit == "1"]
            is_known = bool(digits) and (not numbers or numbers[-1] < len(known))
            found.append({known[n] for n in numbers} if is_known else None)
        return found

    @property
    def failed(self) -> bool:
        """Whether the last item that ended did not pass."""
        return bool(self.items) and self.items[-1].outcome == "failed"

    def find(self, key: str) -> Said | None:
        """Return the line that has a value for `key`."""
        return next((s for s in self.said if getattr(s, key) not in ("", None)), None)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a service found when it collected.

    Attributes:
        ready: The items' names, in pytest's order.
        broken: Files that can't be collected: `file`, `message`.
        lines: Statements executed at import and collection, by absolute path, as hexadecimal masks of lines.
        read: Files of the project that were opened meanwhile.
        written: Files of the project that were opened to be written.
        unseen: Source files that were imported without being instrumented.
        files: The project's files that were imported.
        threads: Threads that run: such a process can't be forked.
        modules: Modules of others that were imported, in their order.
        root: pytest's root folder, which the items' names are relative to.
        seconds: What import and collection took.
        table: The functions of the source that were imported where mutants are judged, by their numbers.
    """

    ready: tuple[str, ...] = ()
    broken: tuple[dict[str, str], ...] = ()
    lines: dict[str, str] = {}
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    beyond: bool = False
    unseen: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    root: str = ""
    seconds: float = 0.0
    table: tuple[str, ...] = ()
    failed: str = ""
    status: int = 0
    python: str = ""


def options(project: Project, installed: pytest.Installed, *, deselected: Sequence[str] = ()) -> list[str]:
    """Return pytest's options wherever mutants are judged: its verdict must depend on nothing but the code."""
    apart = ["-n0"] if "pytest-xdist" in installed else []
    uncovered = ["--no-cov"] if "pytest-cov" in installed else []
    repeated = ["-p", "randomly", "--randomly-seed=1"] if "pytest-randomly" in installed else []
    return [
        *("-p", "no:cacheprovider", "-q", "--no-header", "--color=no"),
        *mutmut.settings(project).pytest_add_cli_args,
        *pytest.selection(project, quarantined=deselected),
        *(*apart, *uncovered, *repeated),
    ]


R = TypeVar("R")


class Agents:
    """A running agent of three processes that fork a child for each job.

    Attributes:
        gone: What is said when it has ended by itself.
        way_out: And what can be done then.
    """

    gone = "the agent is gone"
    way_out = ""

    def __init__(self, process_: subprocess.Popen[bytes], pipes: Mapping[str, tuple[int, int]], log: Path) -> None:
        self._process = process_
        self._log = log
        self._pipes = pipes
        self._rest = {incoming: b"" for incoming, _ in pipes.values()}
        self._selector = selectors.DefaultSelector()
        for name, (incoming, outgoing) in pipes.items():
            self._selector.register(incoming, selectors.EVENT_READ, name)
            os.set_blocking(outgoing, False)
        self._heard: list[tuple[str, bytes]] = []  # while something was sent
        self._number = 0

    def begin(self, hello: Mapping[str, Any]) -> None:
        """Say what is to be done.

        Raises:
            OrchestratorError: the agent is gone.
        """
        self._send("cold", hello)

    def _answers(self, kind: type[R], timeout: float) -> Iterator[tuple[str, R]]:
        """Yield what the two services that hold the user's code say when they are ready; ends when the time is up."""
        until = time.monotonic() + timeout
        missing = {"warm", "trace"}
        while missing and time.monotonic() <= until:
            for name, line in self._receive(max(0.0, until - time.monotonic())):
                missing.discard(name)
                yield name, msgspec.json.decode(line, type=kind)

    def submit(self, job: Job) -> int:
        """Give a job; return its number."""
        self._number += 1
        told = {"job": self._number, **msgspec.to_builtins(job)}
        self._send("cold" if job.cold else "trace" if job.trace else "warm", told)
        return self._number

    def wait(self, seconds: float = 0.5) -> list[Ended]:
        """Return the jobs that ended; waits for one, but not longer than `seconds`.

        Raises:
            OrchestratorError: the agent is gone.
        """
        ended = []
        for _, line in self._receive(seconds):
            try:
                ended.append(msgspec.json.decode(line, type=Ended))
            except msgspec.ValidationError as error:  # it says that it is no more
                raise self._gone() from error
        return ended

    def _send(self, name: str, message: object) -> None:
        data = msgspec.json.encode(message) + b"\n"
        _, descriptor = self._pipes[name]
        try:
            while data:
                try:
                    data = data[os.write(descriptor, data) :]
                except BlockingIOError:  # it does not read, and that may be because it waits to be heard itself
                    self._hear_until_writable(descriptor)
        except OSError as error:
            raise self._gone() from error

    def _hear_until_writable(self, descriptor: int) -> None:
        self._selector.register(descriptor, selectors.EVENT_WRITE)
        try:
            self._heard += self._hear(None)
        finally:
            self._selector.unregister(descriptor)

    def _receive(self, seconds: float) -> list[tuple[str, bytes]]:
        """Return the lines that have come, each with the name of its pipe; waits for the first one."""
        heard, self._heard = self._heard, []
        return heard or self._hear(seconds)

    def _hear(self, seconds: float | None) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for key, events in self._selector.select(seconds):
            if not events & selectors.EVENT_READ:
                continue
            data = os.read(key.fd, 1 << 20)
            if not data:
                raise self._gone()
            *lines, self._rest[key.fd] = (self._rest[key.fd] + data).split(b"\n")
            found += [(key.data, line) for line in lines]
        return found

    def _gone(self) -> OrchestratorError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        return OrchestratorError(
            Code.SESSION_DIED,
            self.gone,
            hint=f"What it said last is in {process.told(self._log)}; {self.way_out}",
            detail=text.clean(process.tail(self._log)),
        )

    def close(self) -> None:
        """Let the agent end its children and itself."""
        for _, outgoing in self._pipes.values():
            with contextlib.suppress(OSError):
                os.close(outgoing)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GRACE)
        for incoming, _ in self._pipes.values():
            os.close(incoming)
        self._selector.close()


A = TypeVar("A", bound=Agents)


class Session(Agents):
    """The agent that holds the collected tests.

    Attributes:
        ready: What the warm service found when it collected.
        traced: What the tracing service found.
        start: Seconds that import and collection took.
    """

    gone = "the process that holds the collected tests is gone"
    way_out = '`mutation.mode = "fresh"` does without it.'

    def __init__(self, process_: subprocess.Popen[bytes], pipes: Mapping[str, tuple[int, int]], log: Path) -> None:
        super().__init__(process_, pipes, log)
        self.ready = Ready()
        self.traced = Ready()
        self.start = 0.0

    def wait_until_collected(self, timeout: float) -> None:
        """Wait until the session is collected, but not for more than `timeout` seconds.

        Raises:
            OrchestratorError: pytest can't collect, or takes too long.
        """
        told = {}
        for name, found in self._answers(Ready, timeout):
            self._require_collected(found)
            told[name] = found
        if len(told) < 2:
            raise OrchestratorError(
                Code.COLLECTION_FAILED,
                f"pytest does not come to the end of its collection in {timeout:g} s",
                hint="See what the tests do when they are imported.",
            )
        self.ready, self.traced = told["warm"], told["trace"]
        self.start = max(self.ready.seconds, self.traced.seconds)
        if self.ready.ready != self.traced.ready:
            raise OrchestratorError(
                Code.COLLECTION_FAILED,
                "pytest collects other tests, or in another order, each time",
                hint="Turn off what shuffles them, for example with `tests.options`.",
            )

    def _require_collected(self, found: Ready) -> None:
        if not found.failed and not found.broken:
            return
        broken = found.broken[0] if found.broken else {"file": "", "message": ""}
        said = broken["message"].strip().splitlines()
        raise OrchestratorError(
            Code.COLLECTION_FAILED,
            text.one_line(f"{broken['file']}: {said[-1]}" if said else found.failed),
            hint=f"Run pytest on it by hand with the app's interpreter. Its output is in {process.told(self._log)}.",
            detail=text.clean(broken["message"] or process.tail(self._log)),
        )

    def prepare_cold(self, preload: Sequence[str]) -> None:
        """Tell the cold service what the items are called, and which modules it may import for all its children."""
        self._send("cold", {"names": self.ready.ready, "preload": list(preload)})

    def preload(self, modules: Sequence[tuple[str, str]]) -> None:
        """Have modules imported for all later children, by their names and files: those that are not the project's."""
        for name in ("trace", "warm"):
            self._send(name, {"preload": modules})

    def know(self, digests: Mapping[str, Sequence[str]]) -> None:
        """Tell what the exchanges of items are without a mutant: those are not told where mutants are judged."""
        for name in ("warm", "cold"):
            self._send(name, {"known": digests})

    def prime(self, items: Sequence[int], *, trace: bool) -> None:
        """Have a service run items in its own process, so that what they do first is done for all later children."""
        self._send("trace" if trace else "warm", {"prime": list(items)})


@contextlib.contextmanager
def running(
    project: Project, installed: pytest.Installed, *, workers: int, deselected: Sequence[str] = ()
) -> Iterator[Session]:
    """Do the same as `started`, and wait until the session is collected.

    Raises:
        OrchestratorError: the agent can't be started, or can't collect.
    """
    with started(project, installed, workers=workers, deselected=deselected) as session:
        session.wait_until_collected(project.settings.tests.timeout)
        yield session


@contextlib.contextmanager
def started(
    project: Project, installed: pytest.Installed, *, workers: int, deselected: Sequence[str] = ()
) -> Iterator[Session]:
    """Start the agent, have it collect, and end it when the block is left.

    Args:
        project: Whose tests.
        installed: What the user's interpreter has.
        workers: Children at a time.
        deselected: Items that are not collected.

    Raises:
        OrchestratorError: it can't be started.
    """
    told = {"options": options(project, installed, deselected=deselected), "paths": project.settings.tests.paths}
    with begun(project, Session, MODULE, "mutation", told, workers=workers) as session:
        yield session


@contextlib.contextmanager
def begun(
    project: Project, kind: type[A], module: str, name: str, told: Mapping[str, Any], *, workers: int
) -> Iterator[A]:
    """Start an agent, say what is to be done, and end it when the block is left.

    Args:
        project: Whose code it runs.
        kind: How it is talked to.
        module: What runs in the user's interpreter.
        name: Of its log, and of the folder for its children's files.
        told: What it is told beside what every agent is.
        workers: Children at a time.

    Raises:
        OrchestratorError: it can't be started.
    """
    folder = project.state / f"{name}-children"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = project.state / "logs" / f"{name}.log"
    theirs: list[int] = []
    ours: dict[str, tuple[int, int]] = {}
    for service in ("warm", "trace", "cold"):
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()
        theirs += [their_in, their_out]
        ours[service] = (our_in, our_out)
    hello = {
        "import_paths": agent.import_paths(project),
        "root": str(project.root.resolve()),
        "left_out": _left_out(project),
        "sources": list(map(str, project.sources)),
        "workers": workers,
        "folder": str(folder),
        "memory": int(project.settings.mutation.memory * 2**20),
        **told,
    }
    seed = os.environ.get("PYTHONHASHSEED", "0")
    environment = agent.environment(project, {"PYTHONHASHSEED": seed, "TMPDIR": str(folder)})
    with process.started_group(
        [agent.interpreter(project), "-m", module, *map(str, theirs)],
        directory=project.directory,
        environment=environment,
        log=log,
        pass_fds=theirs,
    ) as agents:
        for descriptor in theirs:
            os.close(descriptor)
        talk = kind(agents, ours, log)
        try:
            talk.begin(hello)
            yield talk
        finally:
            talk.close()
            shutil.rmtree(folder, ignore_errors=True)


def _left_out(project: Project) -> list[str]:
    """Return the folders below the project that are not the project's own: environments, and our state."""
    tops = {folder for top in (project.root, project.directory) for folder in top.iterdir() if folder.is_dir()}
    found = [str(project.state)]
    found += [str(f) for f in tops if (f / "pyvenv.cfg").exists() or f.name in (".nox", ".tox", "node_modules")]
    prefix = Path(agent.interpreter(project)).parent.parent
    if prefix.is_relative_to(project.root) and prefix != project.root:
        found.append(str(prefix))
    return found
