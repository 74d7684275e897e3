from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.session import Agents, Change, Ended, Job

# Says as much of each job as it was told, before it reads on: more than a pipe holds.
AGENT = """\
import json, os, sys

with os.fdopen(int(sys.argv[1])) as jobs, os.fdopen(int(sys.argv[2]), "w") as told:
    for line in jobs:
        said = [{"message": "x" * len(line)}]
        ended = {"ended": True, "code": 0, "timed_out": False, "seconds": 0, "cpu": 0}
        print(json.dumps({"job": json.loads(line)["job"], "said": said, **ended}), file=told, flush=True)
"""
LONG = 300_000


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[Agents]:
    (theirs, ours), (heard, told) = os.pipe(), os.pipe()
    process = subprocess.Popen([sys.executable, "-c", AGENT, str(theirs), str(told)], pass_fds=(theirs, told))
    os.close(theirs)
    os.close(told)
    running = Agents(process, {"warm": (heard, ours)}, tmp_path / "agent.log")
    yield running
    process.kill()
    process.wait()
    running.close()


def job(length: int) -> Job:
    change = Change(path="/p/a.py", first=1, last=1, lines=("x" * length,), function=True)
    return Job(items=(1,), limits=(1.0,), change=change)


def test_long_jobs_and_long_answers_do_not_wait_for_each_other(agents: Agents) -> None:
    sending = threading.Thread(target=lambda: [agents.submit(job(LONG)) for _ in range(4)], daemon=True)
    sending.start()
    sending.join(30)
    assert not sending.is_alive()
    ended: list[Ended] = []
    while len(ended) < 4:
        ended += agents.wait(30)
    assert [(one.job, len(one.said[0].message) > LONG) for one in ended] == [(k, True) for k in (1, 2, 3, 4)]
