"""Scenarios: what generated property tests and pacts have asked of the app, so that it can be asked again.

A scenario of the property layer is a case, or a sequence of them, with the requests that checks send by themselves. One
of the contract layer is an interaction with its provider states.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from orchestrator import codec
from orchestrator.adapters import source
from orchestrator.adapters.agent import Agent
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.config import Project

PROPERTY: Final = "property"
CONTRACT: Final = "contract"

_OF_THE_RUN: Final = ("x-schemathesis-testcaseid", "host", "content-length")
_SHORTEST: Final = 6  # characters of a value that is taken for the app's own
_MOST_VALUES: Final = 200  # of one response that are looked for in later requests


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the app, from data as they are at the start.

    Attributes:
        name: What it is called between us and the agent.
        layer: `property` or `contract`.
        title: What it is called in the report: a generated test, or a consumer's interaction.
        operation: The label of the operation that it is about; empty: none in the document.
        phase: How schemathesis made it; empty: a contract.
        steps: Provider states and requests, as the agent plays them.
        judged: What the judge needs to know of it.
        status: Of the response that was recorded last.
    """

    name: str
    layer: str
    title: str
    operation: str
    phase: str
    steps: tuple[dict[str, Any], ...]
    judged: tuple[dict[str, Any], ...]
    status: int | None = None

    @property
    def asker(self) -> str:
        """Who asks: the generated tests, or one of the consumers; begins with the layer."""
        return self.layer if self.layer == PROPERTY else f"{self.layer} {self.title.partition(': ')[0]}"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """All that was recorded.

    Attributes:
        scenarios: In the order in which they were.
        credentials: Those that requests hold, with the identity that each is of.
        netloc: Host and port that requests were sent to.
        problems: Why something could not be recorded.
    """

    scenarios: tuple[Scenario, ...] = ()
    credentials: dict[str, str] = {}
    netloc: str = "127.0.0.1"
    problems: tuple[str, ...] = ()


def recorded(project: Project) -> Path:
    """Return where the property tests write down what they send."""
    return project.state / "properties" / "scenarios.ndjson"


def _kept_contracts(project: Project) -> Path:
    return project.state / "contracts" / "scenarios.json"


def _about(project: Project) -> Path:
    return project.state / "properties" / "scenarios.about.json"


def are_there(project: Project) -> list[bool]:
    """Return of which layers anything was recorded: property, contract."""
    return [recorded(project).exists(), _kept_contracts(project).exists()]


def content(scenario: Scenario) -> str:
    """Return what two recordings of a scenario have in common: no numbers of cases, no values that the app gave."""
    steps = [_content(step) if "target" in step else [step["state"], step["params"]] for step in scenario.steps]
    return json.dumps([scenario.layer, scenario.title, scenario.phase, scenario.operation, steps], sort_keys=True)


def _content(step: Mapping[str, Any]) -> list[Any]:
    # The Pact core sends them in another order each time.
    headers = sorted([name, value] for name, value in step["headers"] if name.lower() not in _OF_THE_RUN)
    body = base64.b64decode(step["body"]).decode("latin-1")
    told = json.dumps([step["method"], unquote(step["target"]), headers, body])
    for hole in step["holes"]:
        told = told.replace(json.dumps(hole["value"])[1:-1], f"{hole['step']} {hole['place']}")
    return [told]


def keep_about(project: Project, app: Agent) -> None:
    """Write down what the requests of the property tests hold."""
    told = {"credentials": app.credentials(), "netloc": app.url.partition("://")[2].partition("/")[0]}
    codec.write_atomically(_about(project), json.dumps(told).encode(), mode=0o600)


def keep_played(project: Project, played: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write down what the app was asked while pacts were verified, by the pacts' files as they are told."""
    codec.write_atomically(_kept_contracts(project), json.dumps(played).encode(), mode=0o600)


def read(project: Project, pacts: Sequence[Pact], document: Document | None) -> Recorded:
    """Return what the last run of the property tests and of the pacts has recorded."""
    about = _json(_about(project)) or {}
    problems: list[str] = []
    found = [*_of_properties(recorded(project))]
    played = _json(_kept_contracts(project)) or {}
    for pact in pacts:
        name = source.relative(pact.file, project.root)
        if steps := played.get(name):
            interactions, problem = _of_pact(name, pact, steps, document)
            found += interactions
            problems += [problem] if problem else []
    return Recorded(
        scenarios=tuple(found),
        credentials=about.get("credentials", {}),
        netloc=about.get("netloc", "127.0.0.1"),
        problems=tuple(problems),
    )


def answers(project: Project) -> Iterator[tuple[str, int, str]]:
    """Yield the responses that the last run of the property tests has recorded: operation, status, body."""
    try:
        lines = recorded(project).read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            return  # the session was ended while it wrote
        for cases in told["scenarios"]:
            for case in cases:
                if case.get("status") is not None:
                    yield case["operation"], case["status"], case.get("content") or ""


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _of_properties(file: Path) -> Iterator[Scenario]:
    """Yield the scenarios of a record that can be played again."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return
    number = 0
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            return  # the session was ended while it wrote
        for all_cases in told["scenarios"]:
            # A case without an answer says nothing that could be compared.
            cases = [case for case in all_cases if case["case"] and case["main"] is not None and case["main"] >= 0]
            if not cases or not any(case["checked"] for case in cases):
                continue
            number += 1
            yield _of_cases(number, told["test"], cases)


def _of_cases(number: int, test: str, cases: Sequence[dict[str, Any]]) -> Scenario:
    steps: list[dict[str, Any]] = []
    judged = []
    answers: list[tuple[int, Mapping[str, Any]]] = []
    for case in cases:
        first = len(steps)
        for wire in case["wires"]:
            steps.append({**wire, "holes": list(_holes(wire, steps, answers))})
        answers.append((first + case["main"], case))
        keys = ("case", "operation", "phase", "id", "parent", "checked", "main")
        judged.append({**{key: case[key] for key in keys}, "first": first, "count": len(case["wires"])})
    return Scenario(
        name=f"{PROPERTY} {number}",
        layer=PROPERTY,
        title=test,
        operation=cases[-1]["operation"],
        phase=cases[-1]["phase"],
        steps=tuple(steps),
        judged=tuple(judged),
        status=cases[-1]["status"],
    )


def _holes(
    wire: Mapping[str, Any], before: Sequence[Mapping[str, Any]], answers: Iterable[tuple[int, Mapping[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield the values of a request that an earlier response gave: the app made them, and makes others next time."""
    sent = _text(wire)
    earlier = "".join(map(_text, before))
    for step, answer in answers:
        for place, value in _given(answer):
            if value in earlier or not (value in sent or quote(value) in sent):
                continue
            yield {"value": value, "step": step, "place": place}


def _text(wire: Mapping[str, Any]) -> str:
    body = base64.b64decode(wire["body"]).decode("latin-1")
    return "\n".join([wire["target"], *(value for _, value in wire["headers"]), body])


def _given(answer: Mapping[str, Any]) -> Iterator[tuple[list[Any], str]]:
    """Yield the texts of a response that are long enough to be known again, with their places."""
    found = 0
    for name, value in answer["answer"]:
        if name.lower() in ("etag", "location") and len(value) >= _SHORTEST:
            yield ["header", name.lower()], value
        elif name.lower() == "set-cookie":
            cookie, _, content = value.partition(";")[0].partition("=")
            if len(content) >= _SHORTEST:
                yield ["cookie", cookie.strip()], content
    try:
        waiting: list[tuple[list[Any], Any]] = [(["body"], json.loads(answer["content"]))]
    except (ValueError, RecursionError):
        return
    while waiting and found < _MOST_VALUES:
        place, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [([*place, key], inside) for key, inside in value.items()]
        elif isinstance(value, list):
            waiting += [([*place, k], inside) for k, inside in enumerate(value)]
        elif isinstance(value, str) and len(value) >= _SHORTEST:
            found += 1
            yield place, value


def _of_pact(
    name: str, pact: Pact, steps: Sequence[dict[str, Any]], document: Document | None
) -> tuple[list[Scenario], str]:
    """Return the scenarios of a pact's interactions, or why they can't be told apart."""
    groups: list[list[dict[str, Any]]] = [[]]
    for step in steps:
        groups[-1].append(step)
        if "state" not in step:
            groups.append([])
    groups = groups[:-1]
    described = [(k, i) for k, i in enumerate(pact.interactions) if i.method]
    alike = len(groups) == len(described) and all(
        group[-1]["method"] == interaction.method for group, (_, interaction) in zip(groups, described, strict=True)
    )
    if not alike:
        return [], f"{name}: the Pact core sent {len(groups)} requests for {len(described)} interactions"
    found = []
    for group, (number, interaction) in zip(groups, described, strict=True):
        *states, request = group
        named = [step for step in states if step["state"]]
        holes = [
            {"value": str(value), "step": k, "place": ["state", key]}
            for k, state in enumerate(named)
            for key, value in state["returned"].items()
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value) in _text(request)
        ]
        operation = document.match(interaction.method, interaction.path) if document else None
        found.append(
            Scenario(
                name=f"{CONTRACT} {name} {number}",
                layer=CONTRACT,
                title=f"{pact.consumer}: {interaction.description}",
                operation=operation.label if operation else "",
                phase="",
                steps=(*named, {**request, "holes": holes}),
                judged=(
                    {
                        "pact": str(pact.file),
                        "interaction": number,
                        "states": named,
                    },
                ),
            )
        )
    return found, ""
