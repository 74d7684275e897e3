"""Where the consumers' tests write their pacts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.consumers.write import FOLDER_VARIABLE


@pytest.fixture(scope="session")
def pacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `python -m tests.consumers.write` asks for; without it, one that goes away."""
    wanted = os.environ.get(FOLDER_VARIABLE)
    return Path(wanted) if wanted else tmp_path_factory.mktemp("pacts")
