"""The recorder only listens: a plain run of the same tests draws the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from orchestrator.adapters.schemathesis import RECORDER
from tests.acceptance.support import environment

DRAWS = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=300, derandomize=True, database=None)
@given(st.text() | st.integers())
def test_draws(value):
    print(repr(value))
"""


def drawn(folder: Path, *options: str) -> list[str]:
    """What a test draws, line by line."""
    (folder / "test_draws.py").write_text(DRAWS)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *options, "test_draws.py"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[:300]


def test_a_test_draws_the_same_with_and_without_it(tmp_path: Path) -> None:
    plain = drawn(tmp_path)
    assert len(set(plain)) > 100
    assert drawn(tmp_path, "-p", RECORDER) == plain
