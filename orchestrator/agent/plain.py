"""A pytest plugin for runs on a changed copy of the project: one item first, and proof that the copy was imported.

Loaded with `-p orchestrator_agent.plain`; `ORCHESTRATOR_CHANGED` names the changed file, `ORCHESTRATOR_ANSWER` the file
in which to say whether it was the one that the tests ran with, and `ORCHESTRATOR_FIRST` the item to begin with.
"""

from __future__ import annotations

import os
import sys

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put one item in front; the others stay as they are."""
    first = os.environ.get("ORCHESTRATOR_FIRST")
    items.sort(key=lambda item: item.nodeid != first)


@pytest.hookimpl
def pytest_sessionfinish() -> None:
    """Look at what has been imported."""
    changed, answer = os.environ["ORCHESTRATOR_CHANGED"], os.environ["ORCHESTRATOR_ANSWER"]
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = any(isinstance(file, str) and os.path.realpath(file) == changed for file in files)
    with open(answer, "w", encoding="utf-8") as told:
        told.write("imported" if found else "not imported")
