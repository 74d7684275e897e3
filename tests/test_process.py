from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator import process

# A program that starts a child, which starts nothing; both write down their process ids and then sleep.
FAMILY = """
import os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
{before}
child = subprocess.Popen([sys.executable, "-c", {child!r}, str(folder)])
(folder / "parent").write_text(str(os.getpid()))
print("started", flush=True)
{then}
"""
CHILD = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1], 'child').write_text(str(os.getpid())); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def run(folder: Path, script: str, **more: object) -> process.Finished:
    return process.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)],
        directory=folder,
        environment=dict(os.environ),
        log=folder / "logs" / "x.log",
        **more,  # type: ignore[arg-type] # passed through
    )


def family(*, then: str = "time.sleep(60)", before: str = "", child: str = CHILD) -> str:
    return FAMILY.format(then=then, before=before, child=child)


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_gone(folder: Path, name: str) -> bool:
    """Whether a member of the family has ended; a zombie that its new parent has not looked at yet has."""
    pid = int((folder / name).read_text())

    def gone() -> bool:
        found = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607 - whichever ps there is
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        return found in ("", "Z") or found.startswith("Z")

    return eventually(gone)


def both_started(folder: Path) -> Callable[[], None]:
    """A watch that raises once the family is complete."""

    def watch() -> None:
        if all((folder / n).exists() and (folder / n).read_text() for n in ("parent", "child")):
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize("code", [0, 3, 255])
def test_a_program_ends_with_its_status(tmp_path: Path, code: int) -> None:
    done = run(tmp_path, f"raise SystemExit({code})")
    assert (done.code, done.timed_out) == (code, False)
    assert 0 < done.seconds < 30


def test_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    done = run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert done.code == -signal.SIGKILL


def test_both_streams_go_into_the_log_in_order(tmp_path: Path) -> None:
    done = run(tmp_path, "import os; os.write(1, b'one\\n'); os.write(2, b'two\\xff\\n'); os.write(1, b'three\\n')")
    assert done.log.read_bytes() == b"one\ntwo\xff\nthree\n"
    assert done.tail() == "one\ntwo\ufffd\nthree"
    assert done.tail(1) == "three"


def test_each_run_has_a_fresh_log(tmp_path: Path) -> None:
    run(tmp_path, "print('a' * 1000)")
    assert run(tmp_path, "print('b')").tail() == "b"


def test_a_log_that_is_not_there_has_no_last_lines(tmp_path: Path) -> None:
    assert process.tail(tmp_path / "none.log") == ""


def test_a_program_has_its_folder_its_environment_and_no_input(tmp_path: Path) -> None:
    done = process.run(
        [
            sys.executable,
            "-c",
            "import os, sys; print(os.getcwd(), os.environ['A'], 'HOME' in os.environ, repr(sys.stdin.read()))",
        ],
        directory=tmp_path,
        environment={"A": "b"},
        log=tmp_path / "x.log",
    )
    assert done.tail() == f"{tmp_path} b False ''"


def test_arguments_are_no_shell_text(tmp_path: Path) -> None:
    done = process.run(
        [sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id); `id` *"],
        directory=tmp_path,
        environment=dict(os.environ),
        log=tmp_path / "x.log",
    )
    assert done.tail() == "$(id); `id` *"


def test_a_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    done = run(tmp_path, family(), timeout=1.0)
    assert done.timed_out
    assert done.code == -signal.SIGTERM
    assert done.tail() == "started"
    assert is_gone(tmp_path, "parent")
    assert is_gone(tmp_path, "child")


def test_a_time_out_ends_what_does_not_want_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.2)
    stubborn = family(before=STUBBORN.replace("import signal; ", ""), child=STUBBORN + CHILD)
    done = run(tmp_path, stubborn, timeout=1.0)
    assert done.timed_out
    assert done.code == -signal.SIGKILL
    assert is_gone(tmp_path, "parent")
    assert is_gone(tmp_path, "child")


def test_a_program_that_ends_in_time_is_not_timed_out(tmp_path: Path) -> None:
    assert not run(tmp_path, "pass", timeout=60.0).timed_out


def test_an_interrupt_ends_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, family(), watch=both_started(tmp_path), timeout=30)
    assert is_gone(tmp_path, "parent")
    assert is_gone(tmp_path, "child")


def test_a_fault_of_ours_ends_the_whole_group(tmp_path: Path) -> None:
    interrupt = both_started(tmp_path)

    def watch() -> None:
        try:
            interrupt()
        except KeyboardInterrupt:
            raise ZeroDivisionError from None

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, family(), watch=watch, timeout=30)
    assert is_gone(tmp_path, "child")


def test_what_a_program_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    waits = "while not (folder / 'child').exists(): time.sleep(0.01)"
    done = run(tmp_path, family(then=waits), timeout=30)
    assert (done.code, done.timed_out) == (0, False)
    assert is_gone(tmp_path, "child")


def test_a_real_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """The signal goes to us alone, as from a CI system: the program is in a group of its own."""
    ours = textwrap.dedent(
        """
        import os, pathlib, sys
        from orchestrator import process
        folder = pathlib.Path(sys.argv[1])
        try:
            process.run([sys.executable, "-c", sys.argv[2], str(folder)], directory=folder,
                        environment=dict(os.environ), log=folder / "x.log")
        except KeyboardInterrupt:
            sys.exit(130)
        """
    )
    with subprocess.Popen([sys.executable, "-c", ours, str(tmp_path), family()]) as started:
        assert eventually(lambda: (tmp_path / "child").exists() and bool((tmp_path / "child").read_text()))
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=20) == 130
    assert is_gone(tmp_path, "parent")
    assert is_gone(tmp_path, "child")


def test_progress_is_watched_until_the_end(tmp_path: Path) -> None:
    seen: list[int] = []
    script = """
        import pathlib, sys, time
        for n in range(3):
            pathlib.Path(sys.argv[1], str(n)).touch()
            time.sleep(0.1)
        """
    run(tmp_path, script, watch=lambda: seen.append(len([p for p in tmp_path.iterdir() if p.name.isdigit()])))
    assert seen == sorted(seen)
    assert len(seen) >= 3
    assert seen[-1] == 3


def test_a_group_runs_while_the_block_does(tmp_path: Path) -> None:
    with process.started_group(
        [sys.executable, "-c", family(), str(tmp_path)],
        directory=tmp_path,
        environment=dict(os.environ),
        log=tmp_path / "x.log",
    ) as started:
        assert eventually((tmp_path / "child").exists)
        assert started.poll() is None
        assert os.getpgid(started.pid) == started.pid != os.getpgid(0)
    assert started.returncode == -signal.SIGTERM
    assert is_gone(tmp_path, "child")


def test_file_descriptors_are_passed_and_no_others(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        with process.started_group(
            [sys.executable, "-c", f"import os; os.write({writing}, b'hello')"],
            directory=tmp_path,
            environment=dict(os.environ),
            log=tmp_path / "x.log",
            pass_fds=[writing],
        ) as started:
            started.wait(timeout=20)
        assert os.read(reading, 10) == b"hello"
    finally:
        os.close(reading)
        os.close(writing)
