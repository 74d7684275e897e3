"""A process that forks a child for each job, bounds it, and passes on what it says.

A job says which items run, under which change, and how long each may take. The child writes a line for each item as it
ends; the last words are its parent's: how it ended.
"""

from __future__ import annotations

import collections
import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, Protocol

Write = Callable[[dict[str, Any]], None]

_MONOTONIC = time.monotonic


class Service(Protocol):
    """What a forker's processes do."""

    def prepare(self, message: dict[str, Any]) -> None:
        """Do in the parent what all children can use; told of each message before a child is forked for it."""

    def work(self, job: dict[str, Any], write: Write) -> None:
        """Do a job, in a child; its process ends when this returns."""


class Pipes:
    """The driver's end: jobs come in at any time, so nothing here waits for one message."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.incoming = incoming
        self._outgoing = outgoing
        self._rest = b""
        self.is_closed = False

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have arrived whole; waits until there is anything to read."""
        data = os.read(self.incoming, 1 << 20)
        if not data:
            self.is_closed = True
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def receive_one(self) -> dict[str, Any] | None:
        """Wait for the first message; None: the driver is gone."""
        while not self.is_closed:
            messages = self.receive()
            if messages:
                return messages[0]
        return None

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        self.pass_on((json.dumps(message, default=str) + "\n").encode())

    def pass_on(self, data: bytes) -> None:
        """Send a message that is a line already."""
        while data:
            data = data[os.write(self._outgoing, data) :]

    def close(self) -> None:
        """Close both ends here; a child has no business with the driver."""
        os.close(self.incoming)
        os.close(self._outgoing)


def serve_three(
    descriptors: list[int],
    begin: Callable[[dict[str, Any]], None],
    serve: Callable[[Pipes, dict[str, Any], bool], None],
    serve_cold: Callable[[Pipes, dict[str, Any]], None],
) -> None:
    """Be three processes, forked before anything of the user's is imported: *warm*, *trace* and, this one, *cold*.

    Args:
        descriptors: Pipes from and to the driver, of each in this order.
        begin: Called with what the driver said first, before the others are forked.
        serve: Be one of the two that hold the user's code; told whether it traces.
        serve_cold: Be the one whose children import everything afresh.
    """
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    warm, trace, cold = (Pipes(*descriptors[k : k + 2]) for k in (0, 2, 4))
    hello = cold.receive_one()
    if hello is None:
        return
    sys.path[:0] = hello["import_paths"]
    begin(hello)
    children = []
    for mine, others, traces in ((warm, (trace, cold), False), (trace, (warm, cold), True)):
        pid = os.fork()
        if pid == 0:
            for other in others:
                other.close()
            serve(mine, hello, traces)
            os._exit(0)
        children.append(pid)
    warm.close()
    trace.close()
    serve_cold(cold, hello)
    for pid in children:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


class _Child:
    def __init__(self, job: dict[str, Any], pid: int, pipe: int, folder: str) -> None:
        self.job = job
        self.pid = pid
        self.pipe = pipe
        self.folder = folder
        self.started = _MONOTONIC()
        self.deadline = self.started + sum(job["limits"][:2])  # until the first item has ended
        self.lines = 0
        self.data: list[bytes] = []
        self.is_leaving = False  # it has said its last word
        self.timed_out = False
        self._ended: tuple[int, float] | None = None  # exit status and CPU seconds

    def has_ended(self) -> bool:
        """Whether its process is no more."""
        if self._ended is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._ended = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        return self._ended is not None

    def wait(self, seconds: float) -> None:
        """Wait for its end, but not for long."""
        until = _MONOTONIC() + seconds
        pause = 0.0002
        while not self.has_ended() and _MONOTONIC() < until:
            time.sleep(pause)
            pause = min(2 * pause, 0.02)

    def end(self) -> None:
        """End it, and what it started: the process group is its own."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        if not self.has_ended():
            with contextlib.suppress(OSError):  # it may not have come so far as to have a group
                os.kill(self.pid, signal.SIGKILL)
            _, status, usage = os.wait4(self.pid, 0)
            self._ended = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime

    def told(self) -> bytes:
        """Return what the driver is told when all is over; the child's lines are passed on as they are."""
        lines = b"".join(self.data).split(b"\n")[:-1]
        has_end = bool(lines) and lines[-1] == _LAST
        code, cpu = self._ended or (0, 0.0)
        ended = {
            "job": self.job["job"],
            "ended": has_end,
            "code": code,
            "timed_out": self.timed_out or code == -signal.SIGXCPU,
            "seconds": round(_MONOTONIC() - self.started, 5),
            "cpu": round(cpu, 5),
        }
        return b'%s, "said": [%s]}\n' % (
            json.dumps(ended).encode().rstrip(b"}"),
            b", ".join(lines[:-1] if has_end else lines),
        )


class Forker:
    """Serves jobs until the driver goes away.

    Args:
        pipes: To the driver.
        service: What is done.
        limit: Children at a time.
        folder: Where each child gets a temporary folder of its own.
        memory: Bytes that a child may take on top of what this process has.
    """

    def __init__(self, pipes: Pipes, service: Service, limit: int, folder: str, memory: int) -> None:
        self._pipes = pipes
        self._service = service
        self._limit = limit
        self._folder = folder
        self._memory = memory
        self._most = 0  # bytes of address space that a child may have; 0: no limit
        self._waiting: collections.deque[dict[str, Any]] = collections.deque()
        self._children: dict[int, _Child] = {}
        self._empty: list[str] = []  # folders in which nothing is left
        self._poll = select.poll()
        self._poll.register(pipes.incoming, select.POLLIN)

    def serve(self) -> None:
        """Fork, watch, answer. A message that is no job is for this process alone, when no child runs."""
        self._most = _address_space() + self._memory if sys.platform == "linux" else 0
        gc.collect()
        gc.freeze()  # children must not copy pages only because they collect garbage
        try:
            while not self._pipes.is_closed:
                while self._waiting and sum(not c.is_leaving for c in self._children.values()) < self._limit:
                    if "job" not in self._waiting[0] and self._children:
                        break
                    message = self._waiting.popleft()
                    self._service.prepare(message)
                    if "job" in message:
                        self._start(message)
                    else:
                        gc.freeze()
                for descriptor, _ in self._poll.poll(self._patience()):
                    if descriptor == self._pipes.incoming:
                        self._waiting += self._pipes.receive()
                    else:
                        self._hear(self._children[descriptor])
                self._look()
        finally:
            for child in self._children.values():
                child.end()
                shutil.rmtree(child.folder, ignore_errors=True)
            for folder in self._empty:
                shutil.rmtree(folder, ignore_errors=True)

    def _patience(self) -> int | None:
        if not self._children:
            return None
        left = min(c.deadline for c in self._children.values()) - _MONOTONIC()
        return max(0, min(int(left * 1000) + 1, 500))

    def _start(self, job: dict[str, Any]) -> None:
        reading, writing = os.pipe()
        folder = self._empty.pop() if self._empty else tempfile.mkdtemp(prefix="child-", dir=self._folder)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            os.close(writing)
            child = self._children[reading] = _Child(job, pid, reading, folder)
            self._poll.register(child.pipe, select.POLLIN)
            return
        status = 70
        try:
            os.setpgid(0, 0)
            os.close(reading)
            self._pipes.close()
            for other in self._children:
                os.close(other)
            self._bound(job)
            os.environ["TMPDIR"] = tempfile.tempdir = folder
            write = _writer(writing)
            self._service.work(job, write)
            write({"end": True})
            status = 0
        except BaseException as error:  # noqa: BLE001 - the parent must hear of it
            with contextlib.suppress(BaseException):
                _writer(writing)({"fault": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(status)

    def _bound(self, job: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):
            seconds = int(sum(job["limits"])) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
        if self._most:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))

    def _hear(self, child: _Child) -> None:
        data = os.read(child.pipe, 1 << 16)
        child.data.append(data)
        if lines := data.count(b"\n"):  # an item has ended: the next one has its own time
            limits = child.job["limits"]
            child.lines += lines
            child.deadline = _MONOTONIC() + limits[min(child.lines + 1, len(limits) - 1)]
        if not data:
            self._finish(child)
        elif data.endswith(_END) or b"".join(child.data[-2:]).endswith(_END):
            child.is_leaving = True  # while it does, the next one begins
            child.deadline = _MONOTONIC() + _LAST_STEPS

    def _look(self) -> None:
        """End who is late, and miss nobody whose own children keep the pipe open."""
        now = _MONOTONIC()
        for child in list(self._children.values()):
            if now >= child.deadline:
                child.timed_out = not child.is_leaving
                self._finish(child)
            elif child.has_ended():
                self._finish(child)

    def _finish(self, child: _Child) -> None:
        self._poll.unregister(child.pipe)
        del self._children[child.pipe]
        if not child.timed_out:
            child.wait(_LAST_STEPS)
        child.end()
        os.set_blocking(child.pipe, False)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(child.pipe, 1 << 16):
                child.data.append(data)
        os.close(child.pipe)
        if child.is_leaving and _is_empty(child.folder):
            self._empty.append(child.folder)
        else:
            shutil.rmtree(child.folder, ignore_errors=True)
        with contextlib.suppress(BrokenPipeError):
            self._pipes.pass_on(child.told())


def _is_empty(folder: str) -> bool:
    """Whether a folder is there, and nothing in it: a child may remove its own."""
    with contextlib.suppress(OSError):
        return not os.listdir(folder)
    return False


def _address_space() -> int:
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
    return 0


_LAST = b'{"end": true}'
_END = _LAST + b"\n"
_LAST_STEPS = 1.0  # seconds between a child's last word and the end of its process


def _writer(descriptor: int) -> Write:
    parent = os.getppid()

    def write(line: dict[str, Any]) -> None:
        if os.getppid() != parent:  # nobody listens any more
            os._exit(1)
        data = (json.dumps(line, default=str) + "\n").encode()
        while data:
            data = data[os.write(descriptor, data) :]

    return write
