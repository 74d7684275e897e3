"""Write the committed pacts again: `python -m tests.consumers.write`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CONTRACTS: Final = ROOT / "contracts"

# Where the consumers' tests write their pacts; without it, to a folder that goes away.
FOLDER_VARIABLE: Final = "CONSUMER_PACTS"

_TESTS = ("test_billing_worker.py", "test_mobile_app.py", "test_web_frontend.py")


class ConsumerTestsError(Exception):
    """The consumers' tests fail, so that there are no pacts; the message is their output."""


def write_pacts(folder: Path) -> None:
    """Run the consumers' tests, in a process of their own, and have them write their pacts.

    Args:
        folder: Where to; what is written is added to pacts that are there.

    Raises:
        ConsumerTestsError: A test fails.
    """
    here = Path(__file__).parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *(here / t for t in _TESTS)],
        cwd=ROOT,
        env={**environment, FOLDER_VARIABLE: str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise ConsumerTestsError(finished.stdout + finished.stderr)


def main() -> None:
    """Replace the pacts in `contracts/`; they stay as they are when a test fails."""
    with TemporaryDirectory() as folder:
        write_pacts(Path(folder))
        for old in CONTRACTS.glob("*.json"):
            old.unlink()
        for new in sorted(Path(folder).glob("*.json")):
            (CONTRACTS / new.name).write_bytes(new.read_bytes())
            print(f"contracts/{new.name}")


if __name__ == "__main__":
    try:
        main()
    except ConsumerTestsError as error:
        sys.exit(str(error))
