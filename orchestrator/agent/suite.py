"""A pytest plugin: one JSON line for each item that ended, with its true duration and its HTTP exchanges.

Loaded with `-p orchestrator_agent.suite`; `ORCHESTRATOR_SUITE` names the file. Under pytest-xdist the items run
in workers and their reports arrive here, so only the controlling process writes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from typing import Any

import pytest

from . import exchanges

_PROPERTY = "orchestrator_agent"

_clock, _MONOTONIC = time.clock_gettime, time.CLOCK_MONOTONIC  # taken now: tests replace what the `time` module offers


def _now() -> float:
    return _clock(_MONOTONIC)


class Recorder:
    """Writes the lines; exists in the controlling process only."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the session
        self._seen: dict[str, dict[str, Any]] = {}

    def write(self, **line: Any) -> None:
        """Write one line, at once: an interrupted session keeps what it had."""
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put the three reports of an item together."""
        told = self._seen.setdefault(report.nodeid, {"outcome": "passed", "message": ""})
        outcome = _outcome(report)
        if outcome and (told["outcome"] == "passed" or outcome in ("failed", "error")):
            told["outcome"] = outcome
            told["message"] = _message(report)
        if report.when not in ("setup", "call"):  # torn down, or its worker crashed and nothing more will come
            self.write(test=report.nodeid, **told, **_found(report.user_properties))
            del self._seen[report.nodeid]

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a file that can't be collected."""
        if report.failed:
            self.write(collection=report.nodeid, message=str(report.longrepr)[-4000:])

    @pytest.hookimpl
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell how many items there are (without xdist: its controller collects none)."""
        self.write(collected=len(session.items))

    @pytest.hookimpl
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Tell that the session came to its end."""
        self.write(exit=int(exitstatus))
        self._file.close()


def _found(properties: list[Any]) -> dict[str, Any]:
    """Return what was measured; other plugins put into the list what they like."""
    for entry in properties:
        if isinstance(entry, (tuple, list)) and len(entry) == 2 and entry[0] == _PROPERTY:
            return dict(entry[1])
    return {}


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed" if report.when == "call" else ""
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return "skipped" if report.skipped else ""


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)[:2000]
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return str(report.longrepr[2])
    told = str(report.longrepr or "")
    reasons = [line[1:].strip() for line in told.splitlines() if line.startswith("E ")]  # as pytest marks them
    return "\n".join(reasons)[:2000] or told[-2000:]


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Start to record, in the controlling process."""
    path = os.environ.get("ORCHESTRATOR_SUITE")
    exchanges.watch_imports()
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(path), "orchestrator-suite-recorder")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, None, None]:
    """Measure the item and listen to its HTTP requests, in whichever process runs it."""
    exchanges.begin()
    found: dict[str, Any] = {"seconds": 0.0, "exchanges": []}
    item.user_properties.append((_PROPERTY, found))  # travels with the reports, also from a worker
    item.stash[_FOUND] = found
    item.stash[_STARTED] = _now()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, None, None]:
    """Fill in what was measured before the last report of the item leaves."""
    if call.when == "teardown":
        item.stash[_FOUND].update(seconds=_now() - item.stash[_STARTED], exchanges=exchanges.heard())
    yield


_STARTED = pytest.StashKey[float]()
_FOUND = pytest.StashKey[dict[str, Any]]()
