"""Other interpreters, to see that the agent runs in them: it is the user's, not ours."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# "" is the one that runs the tests.
VERSIONS = ("", "3.10", "3.12", "3.13", "3.14")


def interpreter(version: str) -> str:
    """Return an interpreter of that version, or skip the test with a word."""
    if not version:
        return ""
    found = _find(version)
    if found is None:
        pytest.skip(f"no Python {version} can be found and run")
    return found


@functools.cache
def _find(version: str) -> str | None:
    for candidate in _candidates(version):
        done = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.')"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path) for path in sorted(versions.glob(f"{version}.*/bin/python{version}")))
