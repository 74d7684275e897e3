from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

DRAWS = """
import json, os, random, secrets, sys, uuid
from orchestrator.agent.mutation import chance

chance.install()

def drawn():
    return [str(uuid.uuid4()), secrets.token_hex(8), secrets.randbelow(10**9), random.random(), os.urandom(4).hex(),
            random.SystemRandom().random()]

found = []
for name in sys.argv[1:]:
    chance.settle(name.rstrip("'"), name.count("'"))
    found.append(drawn())
print(json.dumps([*found, len(os.urandom(0)), uuid.UUID(found[0][0]).version]))
"""


def drawn(*names: str) -> list[Any]:
    done = subprocess.run([sys.executable, "-c", DRAWS, *names], capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_a_test_draws_the_same_numbers_whatever_ran_before_it_and_another_test_draws_others() -> None:
    first, second, again, *_ = drawn("a", "b", "a")
    assert first == again
    assert not set(first) & set(second)
    assert len({str(value) for value in (*first, *second)}) == 12


def test_the_same_test_draws_others_when_it_is_asked_to() -> None:
    usual, others, *_ = drawn("a", "a'")
    assert not set(usual) & set(others)


def test_another_process_draws_the_same() -> None:
    assert drawn("a") == drawn("a")


def test_what_is_drawn_is_what_was_asked_for() -> None:
    assert drawn("a")[1:] == [0, 4]  # no byte, and a UUID of version 4
