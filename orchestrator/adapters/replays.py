"""The driver's end of the agent that replays recorded requests on the user's app, in a child for each mutant."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.adapters import agent
from orchestrator.adapters.scenarios import Recorded
from orchestrator.adapters.session import Agents, Ended, Job, Said, begun
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError

_BETWEEN: Final = 2.0  # seconds between two jobs of a child
_CHECKED: Final = 1  # scenarios that are played once more after each

MODULE: Final = f"{agent.PACKAGE}.mutation.replay"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a service found when it loaded the app.

    Attributes:
        threads: Threads that run: such a process can't be forked.
        has_files: Whether the app keeps files that all children share.
        lines: Statements executed meanwhile, by absolute path, as hexadecimal masks of lines.
        unseen: Source files that were imported without being instrumented.
        read: The project's files that were opened.
        written: Those that were opened to be written.
        beyond: Whether it talked to other programs or hosts.
        table: The functions of the source that were imported, by their numbers.
        seconds: What it took.
        failed: Why the app can't be loaded; empty: it is.
    """

    threads: tuple[str, ...] = ()
    has_files: bool = False
    lines: dict[str, str] = {}
    unseen: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    beyond: bool = False
    table: tuple[str, ...] = ()
    seconds: float = 0.0
    failed: str = ""
    code: str = ""
    hint: str = ""
    python: str = ""


class Replays(Agents):
    """The agent that holds the app.

    Attributes:
        ready: What the service found in which mutants are played.
        traced: What the tracing one found.
    """

    gone = "the process that replays requests is gone"
    way_out = '`mutation.layers = ["unit"]` does without it.'

    def __init__(self, process_: subprocess.Popen[bytes], pipes: Mapping[str, tuple[int, int]], log: Path) -> None:
        super().__init__(process_, pipes, log)
        self.ready = Ready()
        self.traced = Ready()

    def wait_until_loaded(self, timeout: float) -> None:
        """Wait until the app is loaded, but not for more than `timeout` seconds.

        Raises:
            OrchestratorError: it can't be, or takes too long, or has threads.
        """
        told = {}
        for name, found in self._answers(Ready, timeout):
            if found.failed:
                raise OrchestratorError(Code(found.code), text.one_line(found.failed), hint=found.hint)
            told[name] = found
        if len(told) < 2:
            raise OrchestratorError(
                Code.APP_IMPORT_FAILED,
                f"the app did not start within {timeout:g} s to have requests replayed",
                hint="Raise `app.start-timeout`, or see what its import waits for.",
            )
        self.ready, self.traced = told["warm"], told["trace"]
        if self.ready.threads:
            raise OrchestratorError(
                Code.NOT_REPLAYABLE,
                f"threads of the app run: {', '.join(self.ready.threads[:3])}; a forked process would not have them",
                hint="Start them when the first request comes, or leave them away under `app.environment`.",
            )

    def play(self, jobs: Sequence[Job]) -> int:
        """Give jobs to one child, which does one after the other; return the number they have together."""
        self._number += 1
        first = jobs[0]
        limits = [first.limits[0]]
        for job in jobs:
            between = [] if job.cold else [_BETWEEN]  # a cold child says itself when it begins
            limits += [*between, *job.limits[1:], *job.limits[-1:] * _CHECKED]
        told = {
            "job": self._number,
            "limits": limits,
            "chance": first.chance,
            "plays": [{"change": job.change, "items": job.items} for job in jobs],
        }
        self._send("cold" if first.cold else "trace" if first.trace else "warm", told)
        return self._number

    def know(self, digests: Mapping[str, Sequence[str]]) -> None:
        """Tell what the exchanges of scenarios are without a mutant: those are not told."""
        for name in ("warm", "cold"):
            self._send(name, {"known": digests})

    def share(self) -> None:
        """Tell that all children share data, which each has to bring back to their start."""
        for name in ("warm", "trace"):
            self._send(name, {"shared": True})

    def prime(self, scenarios: Sequence[int]) -> None:
        """Have scenarios played where mutants are, so that what is done first is done for all later children."""
        self._send("warm", {"prime": list(scenarios)})


def split(ended: Ended, count: int) -> list[tuple[Ended, tuple[Said, ...]] | None]:
    """Return, of each of the jobs that a child had, how it ended, and what was said once it was undone.

    None: the child did not come to it.
    """
    parts: list[tuple[list[Said], list[Said]]] = []
    for said in ended.said:
        if said.play is not None or not parts:
            parts.append(([], []))
        if said.play is None:
            parts[-1][said.check].append(said)
    whole: list[tuple[Ended, tuple[Said, ...]] | None] = []
    for number, (said_, checks) in enumerate(parts):
        is_over = ended.ended or number < len(parts) - 1
        mine = msgspec.structs.replace(
            ended, said=tuple(said_), ended=is_over, timed_out=ended.timed_out and not is_over
        )
        whole.append((mine, tuple(checks)))
    return [*whole, *[None] * (count - len(whole))]


@contextlib.contextmanager
def started(project: Project, recorded: Recorded, *, workers: int) -> Iterator[Replays]:
    """Start the agent, have it load the app, and end it when the block is left.

    Args:
        project: Whose app.
        recorded: What is to be replayed.
        workers: Children at a time.

    Raises:
        OrchestratorError: it can't be started.
    """
    settings = project.settings
    state = project.state / "replays"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    told = {
        "app": msgspec.structs.asdict(settings.app) | {"environment": None},
        "environment": dict(settings.app.environment),
        "states": settings.contracts.states,
        "identities": [msgspec.structs.asdict(i) for i in settings.identities],
        "credentials": recorded.credentials,
        "netloc": recorded.netloc,
        "state": str(state),
        "scenarios": [{"name": scenario.name, "steps": scenario.steps} for scenario in recorded.scenarios],
    }
    try:
        with begun(project, Replays, MODULE, "replays", told, workers=workers) as replays:
            yield replays
    finally:
        shutil.rmtree(state, ignore_errors=True)
