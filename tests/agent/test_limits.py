from __future__ import annotations

import sys
import threading
import time

import pytest

from orchestrator.agent.limits import Hooks, LeftError
from orchestrator.agent.loading import LoadError
from tests.agent.served import WAIT


def test_hooks_are_called_in_one_thread_and_their_errors_are_raised() -> None:
    hooks = Hooks(WAIT)
    assert hooks.call(threading.current_thread) is hooks.call(threading.current_thread)
    assert hooks.call(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        hooks.call(lambda: 1 // 0)
    with pytest.raises(SystemExit):
        hooks.call(sys.exit)
    assert hooks.call(lambda: 7) == 7
    assert not hooks.has_left


def test_without_a_limit_hooks_are_called_where_they_are_asked_for() -> None:
    assert Hooks(None).call(threading.current_thread) is threading.current_thread()


def test_a_hook_that_hangs_is_left_behind_and_what_follows_it_is_not_done() -> None:
    hooks, wakes, done = Hooks(0.05), threading.Event(), []

    def hangs() -> None:
        wakes.wait(WAIT)
        try:
            hooks.go_on()
        except LeftError:
            done.append("left")
            raise
        done.append("went on")

    begun = time.monotonic()
    with pytest.raises(LoadError, match=r"did not come to its end within 0\.05 s") as raised:
        hooks.call(hangs)
    assert time.monotonic() - begun < WAIT / 2
    assert raised.value.code == "QO504"
    hooks.call(hooks.go_on)
    assert hooks.has_left
    wakes.set()
    deadline = time.monotonic() + WAIT
    while not done and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done == ["left"]
