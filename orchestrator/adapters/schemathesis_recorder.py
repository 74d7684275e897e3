"""A pytest plugin that writes down what the generated property tests send, receive and find.

Loaded with `-p`; it only listens, through schemathesis' public hooks, so that a plain `pytest` run of the same
modules does the same. One JSON line a test, as soon as the test ends: an interrupted session keeps what it had.
"""

from __future__ import annotations

import collections
import json
import os
from collections.abc import Generator
from typing import Any

import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup

from orchestrator.adapters.schemathesis import RECORD_VARIABLE

_BODY = 16_000


class _Seen:
    """What the running test saw."""

    def __init__(self) -> None:
        self.cases: collections.Counter[tuple[str, str, int]] = collections.Counter()
        self.findings: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.last: Any = None  # the case that was sent last


_seen = _Seen()


def _phase(case: Any) -> str:
    return case.meta.phase.name.value if case.meta else "fuzzing"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Remember the case, for when no response comes."""
    _seen.last = case


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count the case."""
    _seen.cases[case.operation.label, _phase(case), response.status_code] += 1


@schemathesis.hook
def after_validate(context: Any, case: Any, response: Any, results: Any) -> None:
    """Note each check that failed; of several cases the one with the shortest curl line stays."""
    for result in results:
        if result.failure is None:
            continue
        sent = response.request
        curl = case.as_curl_command(headers=dict(sent.headers), verify=response.verify)
        _note(
            case,
            check=result.name,
            title=result.failure.title,
            message=result.failure.message or result.failure.title,
            severity=result.failure.severity.value,
            curl=curl,
            request={
                "method": sent.method,
                "url": sent.url,
                "headers": _pairs(sent.headers),
                "body": _body(sent.body),
            },
            response={
                "status": response.status_code,
                "headers": _pairs(response.headers),
                "body": _body(response.content),
            },
        )


def _note(case: Any, **found: Any) -> None:
    key = (case.operation.label, found["check"], _phase(case))
    known = _seen.findings.get(key)
    cases = known["cases"] + 1 if known else 1
    if known is None or len(found["curl"]) < len(known["curl"]):
        known = {"operation": key[0], "phase": key[2], **found}
    _seen.findings[key] = known | {"cases": cases}


def _pairs(headers: Any) -> list[tuple[str, str]]:
    pairs = []
    for name, value in headers.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(str(name), v.decode("latin-1") if isinstance(v, bytes) else str(v)) for v in values]
    return pairs


def _body(body: Any) -> str:
    if body is None:
        return ""
    if isinstance(body, bytes | bytearray):
        return bytes(body[:_BODY]).decode("utf-8", errors="backslashreplace")
    return body[:_BODY] if isinstance(body, str) else f"[{type(body).__name__}]"


class _Writer:
    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the session

    def write(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")  # ASCII: lone surrogates pass
        self._file.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.write(collected=len(session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.write(test=report.nodeid, error=str(report.longrepr))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        global _seen  # noqa: PLW0603 - schemathesis' hooks are module functions
        _seen = _Seen()
        item.stash[_ERROR] = ""
        try:
            return (yield)
        finally:
            self.write(
                test=item.nodeid,
                cases=[[*key, count] for key, count in _seen.cases.items()],
                findings=list(_seen.findings.values()),
                error=item.stash[_ERROR],
            )

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Tell failed checks, noted already, from a missing response and from a test that could not judge."""
        error = call.excinfo.value if call.excinfo else None
        if error is None or isinstance(error, FailureGroup | pytest.skip.Exception):
            return
        if _is_transport_error(error) and _seen.last is not None:
            case = _seen.last
            _note(
                case,
                check="response_received",
                title="No response",
                message=f"{type(error).__name__}: {error}",
                severity="critical",
                curl=case.as_curl_command(),
                request={"method": case.method, "url": case.formatted_path, "headers": [], "body": ""},
                response=None,
            )
        else:
            item.stash[_ERROR] = f"{type(error).__name__}: {error}"

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.write(exit=int(exitstatus))
        self._file.close()


_ERROR = pytest.StashKey[str]()


def _is_transport_error(error: BaseException) -> bool:
    return any(kind.__module__.startswith(("requests.", "urllib3.")) for kind in type(error).__mro__)


def pytest_configure(config: pytest.Config) -> None:
    """Start to record."""
    path = os.environ.get(RECORD_VARIABLE)
    if path:
        config.pluginmanager.register(_Writer(path), "orchestrator-properties-recorder")
