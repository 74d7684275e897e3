"""Hold responses against the OpenAPI document once more, with schemathesis' own checks.

`python -m orchestrator.adapters.schemathesis_judge IN OUT FOLDER`, a process of its own: it loads the document as the
generated tests in the folder do. Asked with a scenario, its cases as they were recorded and the responses that came
now, it answers which checks fail. Nothing is sent: what a check asks the API by itself was recorded and replayed too.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import importlib
import json
import pickle
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
import schemathesis
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.generation.case import Case
from schemathesis.transport.requests import RequestsTransport

from orchestrator import references
from orchestrator.adapters import judge
from orchestrator.adapters.schemathesis import UNSAVED

_failed: list[Any] = []
_update: list[Mapping[str, Any]] = []  # what the document says in addition


_MOST_DOCUMENTS = 8  # that are kept, each of which says something else


class _NotRecordedError(Exception):
    """A check asks the API something that it did not ask without the mutant."""


@schemathesis.hook
def after_validate(context: Any, case: Any, response: Any, results: Any) -> None:
    """Keep the names of the checks that fail: the error has only their texts."""
    _failed.extend(result for result in results if result.failure is not None)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Have the document say more than it does."""
    for update in _update:
        references.at(raw_schema, update["at"]).update(update["with"])


class _Scenario:
    """The responses of one scenario; gives those to come to checks that ask for more."""

    def __init__(self, base_url: str, told: Mapping[str, Any]) -> None:
        self._base_url = base_url
        self._told = told
        self._next = 0
        self._last = 0

    def response(self, number: int) -> Response:
        """Return a response by its number."""
        self._next = number + 1
        told = self._told["responses"][number]
        headers: dict[str, list[str]] = {}
        for name, value in told["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        first = CaseInsensitiveDict({name: values[0] for name, values in headers.items()})
        content = base64.b64decode(told["body"])
        return Response(
            status_code=told["status"],
            headers=headers,
            content=content,
            request=_request(self._base_url, self._told["requests"][number]),
            elapsed=0.01,
            verify=True,
            message=requests.status_codes._codes.get(told["status"], ("",))[0],  # type: ignore[attr-defined]
            encoding=requests.utils.get_encoding_from_headers(first),
        )

    def probe(self, case: Any) -> Response:
        """Return the response to what a check sends by itself.

        Raises:
            _NotRecordedError: it did not send that when the scenario was recorded.
        """
        if self._next >= min(self._last, len(self._told["responses"])):
            raise _NotRecordedError
        if self._told["requests"][self._next]["method"] != case.method:
            raise _NotRecordedError
        return self.response(self._next)

    def until(self, number: int) -> None:
        """Say to which number responses belong to the case that is judged now."""
        self._last = number


def _request(base_url: str, told: Mapping[str, Any]) -> requests.PreparedRequest:
    request: Any = requests.PreparedRequest()
    request.method = told["method"]
    request.url = base_url + told["target"]
    request.headers = CaseInsensitiveDict(told["headers"])
    request.body = base64.b64decode(told["body"]) or None
    request._cookies = RequestsCookieJar()
    return request  # type: ignore[no-any-return]


class _Document:
    """The document as the generated tests load it."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder.parent))
        api = importlib.import_module(f"{folder.name}.api")
        self.base_url: str = api.API_URL
        schema = api.load("coverage")
        self._operations = {}
        for result in schema.get_all_operations():
            operation = result.ok()
            self._operations[operation.label] = operation

    def judged(self, told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the checks of a scenario that fail."""
        scenario = _Scenario(self.base_url, told)
        recorder = ScenarioRecorder(label="replayed")
        is_sequence = any(step["phase"] == "stateful" for step in told["steps"])
        RequestsTransport.send = lambda _, case, **__: scenario.probe(case)  # type: ignore[method-assign]
        for number, step in enumerate(told["steps"]):
            case = self._case(step)
            response = scenario.response(step["first"] + step["main"])
            scenario.until(step["first"] + step["count"])
            recorder.record_case(case=case, parent_id=step["parent"])
            recorder.record_response(case_id=case.id, response=response)
            if step["checked"]:
                for failed in _checked(case, response, recorder if is_sequence else None):
                    yield {"step": number, "curl": _curl(case, response), **failed}

    def _case(self, step: Mapping[str, Any]) -> Any:
        state = pickle.loads(base64.b64decode(step["case"]))  # noqa: S301 - our own recorder wrote it
        case = Case.__new__(Case)
        object.__setattr__(case, "operation", self._operations[step["operation"]])
        for name in UNSAVED:
            if name != "operation":
                object.__setattr__(case, name, None)
        for name, value in state.items():
            object.__setattr__(case, name, value)
        return case


def _checked(case: Any, response: Response, recorder: ScenarioRecorder | None) -> Iterator[dict[str, Any]]:
    """Yield the checks of a response that fail."""
    _failed.clear()
    try:
        case.validate_response(response, recorder=recorder)
    except FailureGroup:
        pass
    except _NotRecordedError:
        _failed.clear()
        _check_each(case, response, recorder)
    for result in _failed:
        yield {"check": result.name, "title": result.failure.title, "message": result.failure.message or ""}


def _check_each(case: Any, response: Response, recorder: ScenarioRecorder | None) -> None:
    """Make one check after the other, without those that ask the API something else than before."""
    enabled = case.operation.schema.config.checks_config_for(operation=case.operation)
    for check in CHECKS.get_all():
        if not isinstance(check, type) and enabled.get_by_name(name=check.__name__).enabled:
            with contextlib.suppress(FailureGroup, _NotRecordedError):
                case.validate_response(response, checks=[check], recorder=recorder)


def _curl(case: Any, response: Response) -> str:
    return str(case.as_curl_command(headers=dict(response.request.headers), verify=True))


def main(incoming: int, outgoing: int, folder: str) -> None:
    """Answer until nobody asks any more."""

    @functools.lru_cache(maxsize=_MOST_DOCUMENTS)
    def document(update: str) -> _Document:
        _update[:] = [json.loads(update)] if update else []
        return _Document(Path(folder).resolve())

    def answered(asked: dict[str, Any]) -> dict[str, Any]:
        update = asked.get("update")
        held = document(json.dumps(update) if update else "")
        return {"failures": [list(held.judged(told)) for told in asked["scenarios"]]}

    judge.serve(incoming, outgoing, answered)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
