"""How the app and its tests are installed: for CI, which starts from nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

TOOLS: Final = ("pytest", "coverage", "pytest-xdist")
_GROUPS: Final = ("dev", "test", "tests", "testing")
_REQUIREMENTS: Final = (
    *("requirements.txt", "requirements/base.txt"),
    *("requirements-dev.txt", "dev-requirements.txt", "requirements_dev.txt", "requirements/dev.txt"),
    *("requirements-test.txt", "test-requirements.txt", "requirements/test.txt", "requirements/tests.txt"),
)


def arguments(root: Path, pyproject: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what `uv pip install` is given to install the app and its tests; empty: nothing says how."""
    project = pyproject.get("project", {})
    found: list[str] = []
    if "build-system" in pyproject:
        extras = ",".join(_known(project.get("optional-dependencies", {})))
        found += ["-e", f".[{extras}]" if extras else "."]
    elif "project" in pyproject:
        found += ["-r", "pyproject.toml"]
        for extra in _known(project.get("optional-dependencies", {})):
            found += ["--extra", extra]
    for group in _known(pyproject.get("dependency-groups", {})):
        found += ["--group", group]
    for name in _REQUIREMENTS:
        if (root / name).is_file():
            found += ["-r", name]
    return tuple(found)


def _known(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in _GROUPS]
