"""A pytest plugin that writes down what the generated property tests send, receive and find.

Loaded with `-p`; it only listens, through schemathesis' public hooks, so that a plain `pytest` run of the same
modules does the same. One JSON line a test, as soon as the test ends: an interrupted session keeps what it had.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import functools
import json
import os
import pickle
import sys
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests.adapters
import schemathesis
from schemathesis.core.failures import FailureGroup
from schemathesis.engine.recorder import ScenarioRecorder

from orchestrator.adapters.schemathesis import RECORD_VARIABLE, SCENARIOS_VARIABLE, UNSAVED

_BODY = 16_000


class _Seen:
    """What the running test saw."""

    def __init__(self) -> None:
        self.cases: collections.Counter[tuple[str, str, int]] = collections.Counter()
        self.findings: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.last: Any = None  # the case that was sent last


_seen = _Seen()


class _Sent:
    """The scenarios of the running test: what was sent and answered, to be sent again.

    A case is a scenario of its own, unless it belongs to a sequence. It is kept as it is, pickled, for who judges it
    again; each request as it went over the wire, those that checks send by themselves too.
    """

    def __init__(self) -> None:
        self.scenarios: list[list[dict[str, Any]]] = []
        self.parents: dict[str, str | None] = {}
        self.is_sequence = False

    def begun(self, case: Any) -> None:
        """A case is about to be sent."""
        if not self.is_sequence or not self.scenarios:
            self.scenarios.append([])
        step = {"case": "", "operation": case.operation.label, "phase": _phase(case), "id": case.id}
        step |= {"parent": self.parents.get(case.id), "wires": [], "main": None, "checked": False}
        self.scenarios[-1].append(step)

    def went(self, request: Any) -> None:
        """A request went over the wire."""
        if not self.scenarios or not self.scenarios[-1]:
            return
        url = urlsplit(request.url)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        wire = {
            "method": request.method,
            "target": f"{url.path or '/'}?{url.query}" if url.query else url.path or "/",
            "headers": _pairs(request.headers),
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else "",
        }
        self.scenarios[-1][-1]["wires"].append(wire)

    def answered(self, case: Any, response: Any) -> None:
        """The case has its response: it is now what checks look at."""
        if self.scenarios and self.scenarios[-1]:
            step = self.scenarios[-1][-1]
            step["case"] = _saved(case)
            step["main"] = len(step["wires"]) - 1
            step["status"] = response.status_code
            step["answer"] = _pairs(response.headers)
            step["content"] = _body(response.content)

    def checked(self) -> None:
        """What the document says of the response was checked."""
        if self.scenarios and self.scenarios[-1]:
            self.scenarios[-1][-1]["checked"] = True


_sent: _Sent | None = None  # if it is to be written down


def _saved(case: Any) -> str:
    """Return a case without its operation; empty: it can't be kept."""
    state = {name: getattr(case, name) for name in type(case).__slots__ if name not in UNSAVED}
    try:
        return base64.b64encode(pickle.dumps(state)).decode()
    except Exception:  # noqa: BLE001 - a body may be anything that a user's strategy makes
        return ""


def _listen() -> None:
    """Hear what schemathesis sends, and to which scenario each case belongs."""
    send, began, recorded = requests.adapters.HTTPAdapter.send, ScenarioRecorder.__init__, ScenarioRecorder.record_case

    @functools.wraps(send)
    def hear_send(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if _sent:
            _sent.went(request)
        return send(adapter, request, *args, **kwargs)

    @functools.wraps(began)
    def hear_begin(recorder: Any, *args: Any, **kwargs: Any) -> None:
        began(recorder, *args, **kwargs)
        if _sent:
            _sent.is_sequence = True
            _sent.scenarios.append([])

    @functools.wraps(recorded)
    def hear_case(recorder: Any, *, case: Any, parent_id: str | None = None, **kwargs: Any) -> None:
        if _sent:
            _sent.parents[case.id] = parent_id
        recorded(recorder, case=case, parent_id=parent_id, **kwargs)

    patched: Any = requests.adapters.HTTPAdapter
    patched.send = hear_send
    patched = ScenarioRecorder
    patched.__init__ = hear_begin
    patched.record_case = hear_case


def _phase(case: Any) -> str:
    return case.meta.phase.name.value if case.meta else "fuzzing"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Remember the case, for when no response comes."""
    _seen.last = case
    if _sent:
        _sent.begun(case)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count the case."""
    _seen.cases[case.operation.label, _phase(case), response.status_code] += 1
    if _sent:
        _sent.answered(case, response)


@schemathesis.hook
def after_validate(context: Any, case: Any, response: Any, results: Any) -> None:
    """Note each check that failed; of several cases the one with the shortest curl line stays."""
    if _sent:
        _sent.checked()
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


def _private(path: str, flags: int) -> int:
    """Open a file that holds credentials, for its owner alone."""
    return os.open(path, flags, 0o600)


class _Writer:
    def __init__(self, path: str, scenarios: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the session
        self._scenarios = open(scenarios, "w", encoding="utf-8", opener=_private) if scenarios else None  # noqa: SIM115

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
        global _seen, _sent  # noqa: PLW0603 - schemathesis' hooks are module functions
        _seen = _Seen()
        _sent = _Sent() if self._scenarios else None
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
            if self._scenarios and _sent:
                told = {"test": item.nodeid, "scenarios": [s for s in _sent.scenarios if s]}
                self._scenarios.write(json.dumps(told) + "\n")

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
        if self._scenarios:
            self._scenarios.close()


_ERROR = pytest.StashKey[str]()


def _is_transport_error(error: BaseException) -> bool:
    return any(kind.__module__.startswith(("requests.", "urllib3.")) for kind in type(error).__mro__)


def pytest_configure(config: pytest.Config) -> None:
    """Start to record."""
    _stay_out_of_draws()
    path = os.environ.get(RECORD_VARIABLE)
    if path:
        scenarios = os.environ.get(SCENARIOS_VARIABLE, "")
        if scenarios:
            _listen()
        config.pluginmanager.register(_Writer(path, scenarios), "orchestrator-properties-recorder")


def _stay_out_of_draws() -> None:
    """Keep our own modules out of what Hypothesis draws from.

    It takes constants from modules that stand outside of site-packages, and so do ours where they are installed in
    place. A plain run of the same tests, which does not load us, has to draw the same.
    """
    with contextlib.suppress(Exception):  # there is no public way, and without it only such an installation differs
        from hypothesis.internal.conjecture import providers  # noqa: PLC0415 - it may be anywhere else

        ours = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == "orchestrator"]
        providers._seen_modules.update(map(id, ours))
