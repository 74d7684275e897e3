from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent.mutation.forks import Pipes

SERVICE = """
import os, signal, sys, tempfile, time
from orchestrator.agent.mutation.forks import Forker, Pipes

class Service:
    def __init__(self):
        self.told = []

    def prepare(self, message):
        self.told.append(message.get("say", message.get("job")))

    def work(self, job, write):
        exec(job["code"], {"write": write, "told": self.told, "os": os, "time": time, "signal": signal,
                           "tempfile": tempfile, "sys": sys})

incoming, outgoing, limit, memory = map(int, sys.argv[1:5])
for descriptor in (incoming, outgoing):
    os.set_inheritable(descriptor, False)
Forker(Pipes(incoming, outgoing), Service(), limit, sys.argv[5], memory).serve()
"""

FAR = 60.0  # seconds that nothing here takes


class Served:
    """A forker in a process of its own, and the driver's ends of its pipes."""

    def __init__(self, folder: Path, limit: int, memory: int) -> None:
        incoming, self._jobs = os.pipe()
        self._answers, outgoing = os.pipe()
        self._rest = b""
        self._number = 0
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, *map(str, (incoming, outgoing, limit, memory)), str(folder)],
            pass_fds=(incoming, outgoing),
        )
        os.close(incoming)
        os.close(outgoing)

    def say(self, message: dict[str, Any]) -> None:
        os.write(self._jobs, (json.dumps(message) + "\n").encode())

    def submit(self, code: str, *limits: float) -> int:
        self._number += 1
        self.say({"job": self._number, "code": textwrap.dedent(code), "limits": limits or (FAR,)})
        return self._number

    def answer(self, seconds: float = 20) -> dict[str, Any]:
        """The next answer; it has to come soon."""
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0, until - time.monotonic()))
            assert ready, "there is no answer"
            data = os.read(self._answers, 1 << 16)
            assert data, "the forker is gone"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        told = json.loads(line)
        assert isinstance(told, dict)
        return told

    def ask(self, code: str, *limits: float) -> dict[str, Any]:
        number = self.submit(code, *limits)
        told = self.answer()
        assert told["job"] == number
        return told

    def leave(self) -> None:
        """Close the driver's ends, and wait for the forker's."""
        for descriptor in (self._jobs, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._jobs = self._answers = -1
        self.process.wait(20)


@contextlib.contextmanager
def serving(folder: Path, *, limit: int = 2, memory: int = 1 << 30) -> Iterator[Served]:
    served = Served(folder, limit, memory)
    try:
        yield served
    finally:
        served.leave()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running
    assert running.process.returncode == 0
    assert list(tmp_path.glob("child-*")) == []


def is_gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends soon; a zombie that nobody waits for has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def short(told: dict[str, Any]) -> tuple[list[Any], bool, int, bool]:
    return told["said"], told["ended"], told["code"], told["timed_out"]


def test_what_a_child_says_comes_back(served: Served) -> None:
    told = served.ask("write({'item': 'a'})\nwrite({'item': 'b', 'lines': {'é': 1}})")
    assert short(told) == ([{"item": "a"}, {"item": "b", "lines": {"é": 1}}], True, 0, False)
    assert told["seconds"] > 0
    assert told["cpu"] >= 0


def test_a_child_that_has_nothing_to_say_ends_too(served: Served) -> None:
    assert short(served.ask("pass")) == ([], True, 0, False)


def test_much_is_passed_on_whole(served: Served) -> None:
    told = served.ask("for n in range(300): write({'item': str(n) * 1000})")
    assert [said["item"] for said in told["said"]] == [str(n) * 1000 for n in range(300)]


@pytest.mark.parametrize(
    ("code", "said", "status"),
    [
        ("raise ValueError('no')", [{"fault": "ValueError: no"}], 70),
        ("raise SystemExit(0)", [{"fault": "SystemExit: 0"}], 70),
        ("raise KeyboardInterrupt", [{"fault": "KeyboardInterrupt: "}], 70),
        ("os._exit(3)", [], 3),
        ("os._exit(0)", [], 0),
        ("os.kill(os.getpid(), signal.SIGKILL)", [], -9),
        ("os.kill(os.getpid(), signal.SIGTERM)", [], -15),
        ("os.abort()", [], -6),
    ],
)
def test_a_child_that_breaks_off_is_told_with_what_it_said(
    served: Served, code: str, said: list[Any], status: int
) -> None:
    assert short(served.ask(f"write({{'item': 'a'}})\n{code}")) == ([{"item": "a"}, *said], False, status, False)
    assert short(served.ask("pass")) == ([], True, 0, False)  # and the next one is none the worse


def test_a_half_written_line_is_none(served: Served) -> None:
    code = """
    write({'item': 'a'})
    for descriptor in range(3, 40):
        try:
            if os.path.realpath(f"/proc/self/fd/{descriptor}").rpartition("/")[2].startswith("pipe"):
                os.write(descriptor, b'{"item": "b')
        except OSError:
            pass
    os._exit(1)
    """
    assert short(served.ask(code)) == ([{"item": "a"}], False, 1, False)


@pytest.mark.parametrize(
    "code", ["time.sleep(60)", "while True: pass", "signal.signal(15, lambda *_: 0); time.sleep(60)"]
)
def test_a_child_that_does_not_end_is_ended(served: Served, code: str) -> None:
    told = served.ask(f"write({{'item': 'a'}})\n{code}", FAR, 0.3)
    assert short(told) == ([{"item": "a"}], False, -9, True)
    assert told["seconds"] < 10


def test_each_item_has_its_own_time(served: Served) -> None:
    code = "for n in range(4):\n    time.sleep(0.25)\n    write({'item': n})"
    assert served.ask(code, 0.8)["timed_out"] is False
    told = served.ask("write({})\ntime.sleep(60)", FAR, FAR, 0.2)
    assert told["timed_out"]
    told = served.ask("write({})\nwrite({})\ntime.sleep(0.5)", FAR, 0.2, FAR)
    assert not told["timed_out"]


@pytest.mark.parametrize(("end", "ended", "status"), [("pass", True, 0), ("os._exit(5)", False, 5)])
def test_a_childs_own_children_end_with_it(served: Served, end: str, ended: bool, status: int) -> None:
    told = served.ask(
        f"pid = os.fork()\nif not pid:\n    time.sleep(60)\n    os._exit(0)\nwrite({{'pid': pid}})\n{end}"
    )
    (said,) = told["said"]
    assert short(told) == ([said], ended, status, False)
    assert told["seconds"] < 10
    assert is_gone(said["pid"])


def test_a_child_that_is_late_takes_its_own_children_with_it(served: Served) -> None:
    code = "pid = os.fork()\nif not pid:\n    time.sleep(60)\nwrite({'pid': pid})\ntime.sleep(60)"
    told = served.ask(code, FAR, 0.2)
    assert told["timed_out"]
    assert is_gone(told["said"][0]["pid"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no limit")
def test_a_child_gets_no_more_memory_than_it_may_have(tmp_path: Path) -> None:
    with serving(tmp_path, memory=100 << 20) as running:
        told = running.ask("x = bytearray(50 << 20)\nwrite({'item': 'a'})\nx = bytearray(400 << 20)")
    assert short(told) == ([{"item": "a"}, {"fault": "MemoryError: "}], False, 70, False)


def test_each_child_has_a_temporary_folder_of_its_own(served: Served) -> None:
    code = (
        "open(tempfile.mkdtemp() + '/f', 'w').close()\nwrite({'a': tempfile.gettempdir(), 'b': os.environ['TMPDIR']})"
    )
    folders = set()
    for _ in range(2):
        (said,) = served.ask(code)["said"]
        assert said["a"] == said["b"]
        folders.add(said["a"])
    assert len(folders) == 2
    assert all(Path(f).parent == served.folder and not Path(f).exists() for f in folders)


def test_a_child_may_remove_its_temporary_folder(served: Served) -> None:
    assert served.ask("os.rmdir(tempfile.gettempdir())")["ended"]
    assert served.ask("os.rmdir(tempfile.gettempdir())")["ended"]


def test_a_child_has_nothing_open_of_the_drivers_or_of_its_siblings(served: Served) -> None:
    served.submit("time.sleep(0.5)")
    served.submit(
        "write({'n': sum(os.path.realpath(f'/proc/self/fd/{d}').rpartition('/')[2].startswith('pipe')"
        " for d in os.listdir('/proc/self/fd') if int(d) > 2)})"
    )
    assert served.answer()["said"] == [{"n": 1}]


def test_as_many_run_as_may(served: Served, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    def meets(mine: Path, other: Path) -> str:
        return f"open({str(mine)!r}, 'w').close()\nwhile not os.path.exists({str(other)!r}): time.sleep(0.01)"

    numbers = {served.submit(meets(first, second)), served.submit(meets(second, first))}
    told = [served.answer(), served.answer()]
    assert {t["job"] for t in told} == numbers
    assert all(t["ended"] for t in told)


def test_no_more_run_than_may(tmp_path: Path) -> None:
    with serving(tmp_path, limit=1) as running:
        for _ in range(3):
            running.submit("write({'from': time.monotonic()})\ntime.sleep(0.1)\nwrite({'to': time.monotonic()})")
        times = [value for _ in range(3) for said in running.answer()["said"] for value in said.values()]
    assert times == sorted(times)


def test_a_message_that_is_no_job_is_for_all_children_that_follow(served: Served) -> None:
    slow = served.submit("time.sleep(0.3)\nwrite({'told': told})")
    served.say({"say": "hello"})
    served.submit("write({'told': told})")
    first, second = served.answer(), served.answer()
    assert (first["job"], first["said"]) == (slow, [{"told": [1]}])  # it waits until no child runs
    assert second["said"] == [{"told": [1, "hello", 2]}]


def test_children_end_when_the_driver_is_gone(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        running.submit(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()) + '.')\ntime.sleep(60)")
        until = time.monotonic() + 20
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("."):
            assert time.monotonic() < until
            time.sleep(0.01)
        running.leave()
        assert is_gone(int((tmp_path / "pid").read_text()[:-1]))
    assert list(tmp_path.glob("child-*")) == []


def test_a_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        code = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()) + '.')\n"
        running.submit(code + "while True:\n    time.sleep(0.05)\n    write({'item': 'a'})")
        until = time.monotonic() + 20
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("."):
            assert time.monotonic() < until
            time.sleep(0.01)
        running.process.kill()
        assert is_gone(int((tmp_path / "pid").read_text()[:-1]))


@pytest.fixture
def pipes() -> Iterator[tuple[Pipes, int, int]]:
    """The agent's end, and the driver's: where to write, where to read."""
    incoming, writing = os.pipe()
    reading, outgoing = os.pipe()
    yield Pipes(incoming, outgoing), writing, reading
    for descriptor in (incoming, writing, reading, outgoing):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def test_messages_are_received_when_they_are_whole(pipes: tuple[Pipes, int, int]) -> None:
    ours, writing, _ = pipes
    os.write(writing, b'{"a": 1}\n{"b"')
    assert ours.receive() == [{"a": 1}]
    os.write(writing, b": 2}")
    assert ours.receive() == []
    os.write(writing, b'\n{"c": 3}\n')
    assert ours.receive() == [{"b": 2}, {"c": 3}]
    assert not ours.is_closed
    os.close(writing)
    assert ours.receive() == []
    assert ours.is_closed


def test_the_first_message_is_waited_for_and_the_driver_may_be_gone(pipes: tuple[Pipes, int, int]) -> None:
    ours, writing, _ = pipes
    os.write(writing, b'{"a": "\xc3\xa9"}\n')
    assert ours.receive_one() == {"a": "é"}
    os.close(writing)
    assert ours.receive_one() is None


def test_a_message_is_sent_as_a_line(pipes: tuple[Pipes, int, int]) -> None:
    ours, _, reading = pipes
    ours.send({"a": "é\n", "b": Path("x")})
    line = os.read(reading, 1 << 16)
    assert line.endswith(b"}\n")
    assert json.loads(line) == {"a": "é\n", "b": "x"}
    assert line.count(b"\n") == 1
    ours.close()
    assert os.read(reading, 1) == b""
