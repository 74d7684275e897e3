"""Mutants judged on a Dask cluster: real workers in processes of their own, which may be killed."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import distributed
import msgspec
import psutil
import pytest

from orchestrator.adapters import dask
from orchestrator.errors import Code, OrchestratorError
from orchestrator.mutation.store import Record
from tests.mutation.subjects import Judged, judge

DASK: Any = distributed  # only half of it has types
FILES = {
    "pkg/__init__.py": "",
    "pkg/shop.py": """
        LIMIT = 3

        def total(prices, rate=2):
            if len(prices) > LIMIT:
                return 0
            return sum(prices) * rate

        def unused(a):
            return a + 1
    """,
    "tests/test_shop.py": """
        import time
        from pkg import shop

        def test_one():
            time.sleep(0.1)
            assert shop.total([1]) == 2

        def test_many():
            assert shop.total([1, 2, 3, 4]) == 0
    """,
}


@contextmanager
def running(workers: int) -> Iterator[Any]:
    with DASK.LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(2) as cluster:
        yield cluster.scheduler_address


def verdicts(judged: Judged) -> list[tuple[str, str, str, int | None]]:
    return sorted((m.fingerprint, m.status.value, m.killer, m.tests) for m in judged.mutants)


def test_the_verdicts_of_a_cluster_are_those_of_one_machine_and_hold_there(tmp_path: Path, address: str) -> None:
    told: list[tuple[int, int]] = []
    there = judge(tmp_path / "there", FILES, dask=address, watch=lambda done, total, _: told.append((done, total)))
    here = judge(tmp_path / "here", FILES)
    assert verdicts(there) == verdicts(here)
    assert there.result.read == [name.replace("/here/", "/there/") for name in here.result.read]
    judged = sum(m.id in there.result.verdicts for m in there.mutants)
    assert told[-1] == (judged, judged)
    again = judge(tmp_path / "there", FILES)
    assert verdicts(again) == verdicts(there)
    assert (there.result.reused, again.result.reused) == (0, judged)


def test_a_cluster_uses_what_is_known_already(tmp_path: Path, address: str) -> None:
    here = judge(tmp_path, FILES)
    there = judge(tmp_path, FILES, dask=address)
    assert verdicts(there) == verdicts(here)
    assert there.result.reused == len(here.result.verdicts)


def test_the_self_checks_of_all_workers_are_joined(tmp_path: Path, address: str) -> None:
    there = judge(tmp_path, FILES, dask=address, **{"self-check": 100})
    assert there.result.self_check
    assert there.result.self_check.checked == len(there.result.verdicts)
    assert not there.result.self_check.disagreements


def test_nothing_is_lost_or_done_twice_when_a_worker_is_killed(tmp_path: Path) -> None:
    with running(2) as cluster, DASK.Client(cluster.scheduler_address) as client:
        processes: dict[str, int] = client.run(os.getpid)
        killed = False

        def kill(done: int, _total: int, _what: str) -> None:
            nonlocal killed
            if done >= 3 and not killed:
                killed = True
                os.kill(next(iter(processes.values())), signal.SIGKILL)

        there = judge(tmp_path / "there", FILES, dask=cluster.scheduler_address, watch=kill)
        events: dict[str, Any] = client.get_events()
        said = [
            msgspec.json.decode(line, type=Record).mutant
            for topic, found in events.items()
            if topic.startswith("orchestrator-")
            for _, batch in found
            for line in batch
        ]
    assert killed
    assert verdicts(there) == verdicts(judge(tmp_path / "here", FILES))
    assert len(said) == len(there.result.verdicts)
    assert Counter(said).most_common(1)[0][1] == 1


def test_ctrl_c_keeps_what_is_known_and_leaves_nothing_running(tmp_path: Path, address: str) -> None:
    files = FILES | {"tests/test_slow.py": "import time\nfrom pkg import shop\n\ndef test_slow():\n    time.sleep(2)\n"}
    files["tests/test_slow.py"] += "    shop.unused(1)\n"

    def stop(done: int, _total: int, _what: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(tmp_path, files, dask=address, watch=stop)
    with DASK.Client(address) as client:
        workers: dict[str, int] = client.run(os.getpid)
    end = time.monotonic() + 20
    while left := [child for pid in workers.values() for child in programs(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.1)
    assert judge(tmp_path, files).result.reused > 0


def programs(worker: int) -> list[psutil.Process]:
    """Return what a worker has started: all but what Python's own multiprocessing needs."""
    found = []
    for child in psutil.Process(worker).children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            if "multiprocessing" not in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_what_stops_an_engine_there_is_told_here(tmp_path: Path, address: str) -> None:
    red = FILES | {"tests/test_shop.py": "from pkg import shop\n\ndef test_red():\n    assert shop.total([1]) == 5\n"}
    with pytest.raises(OrchestratorError) as error:
        judge(tmp_path, red, dask=address)
    assert error.value.problem.code == Code.ALL_TESTS_RED


def test_a_program_that_breaks_is_told_with_its_last_words(address: str) -> None:
    with dask.connected(address) as cluster, pytest.raises(OrchestratorError) as error:
        list(cluster.run("tests.no_such_module", [b""], lambda _: None))
    assert error.value.problem.code == Code.CLUSTER_FAILED
    assert "no_such_module" in error.value.problem.message


def test_workers_with_another_version_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "__version__", "0.0")  # here, and not there
    with pytest.raises(OrchestratorError) as error, dask.connected(address):
        pass
    assert error.value.problem.code == Code.CLUSTER_UNFIT


def test_a_cluster_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "_CONNECT", 1)
    with running(0) as cluster, pytest.raises(OrchestratorError) as error, dask.connected(cluster.scheduler_address):
        pass
    assert error.value.problem.code == Code.CLUSTER_UNFIT
    assert "no worker" in error.value.problem.message


def test_an_address_where_nobody_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "_CONNECT", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OrchestratorError) as error, dask.connected(address):
            pass
    assert error.value.problem.code == Code.CLUSTER_UNFIT
    assert address in error.value.problem.message
