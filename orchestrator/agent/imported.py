"""A pytest plugin: say whether a module was imported from a certain file.

Loaded with `-p orchestrator_agent.imported`; `ORCHESTRATOR_CHANGED` names the file, `ORCHESTRATOR_ANSWER` where to say
it. It proves that a changed copy of the source was the one that the tests ran with.
"""

from __future__ import annotations

import os
import sys

import pytest


@pytest.hookimpl
def pytest_sessionfinish() -> None:
    """Look at what has been imported."""
    changed, answer = os.environ["ORCHESTRATOR_CHANGED"], os.environ["ORCHESTRATOR_ANSWER"]
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = any(isinstance(file, str) and os.path.realpath(file) == changed for file in files)
    with open(answer, "w", encoding="utf-8") as told:
        told.write("imported" if found else "not imported")
