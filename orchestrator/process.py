"""Run another program: its own process group, a time limit, its output in a log, no orphan left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

_GRACE: Final = 5.0  # seconds between asking a program to end and ending it
_POLL: Final = 0.05


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended.

    Attributes:
        code: Its exit status; negative: the signal that ended it.
        seconds: Wall time.
        log: The file that holds its output.
        timed_out: It was ended because its time was up.
    """

    code: int
    seconds: float
    log: Path
    timed_out: bool = False

    @property
    def where(self) -> str:
        """The log, as people are told of it."""
        return told(self.log)

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its output."""
        return tail(self.log, lines)


def told(log: Path) -> str:
    """Return a log's path as people are told of it: from the project's state folder on, for it goes into reports."""
    return "/".join(log.parts[-3:])


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log; empty if there is none."""
    try:
        text = log.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def run(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    timeout: float | None = None,
    watch: Callable[[], None] | None = None,
) -> Finished:
    """Run `command` to its end or to its time limit.

    Its whole process group is ended on a time-out and on any exception (Ctrl-C among them), so that neither a
    test worker nor a served app outlives us.

    Args:
        command: Program and arguments; never shell text.
        directory: Where it runs.
        environment: Its whole environment.
        log: Where its output (both streams) goes.
        timeout: Seconds; None: no limit.
        watch: Called several times a second while it runs, to follow its progress.

    Returns:
        How it ended; a time-out is not an error here.
    """
    started = time.monotonic()
    with started_group(command, directory=directory, environment=environment, log=log) as process:
        while True:
            try:
                code = process.wait(timeout=_POLL)
            except subprocess.TimeoutExpired:
                if watch:
                    watch()
                if timeout is not None and time.monotonic() - started > timeout:
                    end_group(process)
                    return Finished(code=process.returncode, seconds=timeout, log=log, timed_out=True)
                continue
            if watch:
                watch()
            return Finished(code=code, seconds=time.monotonic() - started, log=log)


@contextmanager
def started_group(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `command` in a process group of its own; end the group when the block is left."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started: politely, then for certain."""
    _signal_group(process, signal.SIGTERM)
    if process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    # The group outlives its leader while a child of it runs, and its id is the leader's until then.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
