from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import support


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the small project."""
    return support.copy_of(support.SHOP, tmp_path)
