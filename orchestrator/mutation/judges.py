"""Who judges what came back: schemathesis' own checks, and the real Pact core, each in a process of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from orchestrator.adapters import judge
from orchestrator.adapters.scenarios import CONTRACT, PROPERTY, Recorded, Scenario
from orchestrator.adapters.session import Exchange
from orchestrator.config import Project
from orchestrator.mutation.constraints import Constraint

_SCHEMATHESIS: Final = "orchestrator.adapters.schemathesis_judge"
_PACT: Final = "orchestrator.adapters.pact_judge"

Sight = tuple[Exchange, ...]  # what came back in a scenario
Failed = dict[str, Any]


class Judges:
    """Says what fails in scenarios.

    Args:
        running: By layer.
    """

    def __init__(self, running: Mapping[str, judge.Judge]) -> None:
        self._running = running
        self._known: dict[tuple[str, ...], list[Failed]] = {}

    def failing(
        self, sights: Sequence[tuple[Scenario, Sight]], constraint: Constraint | None = None
    ) -> list[list[Failed]]:
        """Return what fails in each scenario, given what came back.

        Args:
            sights: Scenarios, and what came back.
            constraint: What the document says in addition; scenarios of the property layer alone.
        """
        more = ("/".join(constraint.at), constraint.update) if constraint else ()
        keys = [
            (s.name, hashlib.sha256("".join(e.digest for e in sight).encode()).hexdigest(), *more)
            for s, sight in sights
        ]
        by_layer: dict[str, list[tuple[tuple[str, ...], Scenario, Sight]]] = {}
        for key, (scenario, sight) in dict(zip(keys, sights, strict=True)).items():
            if key not in self._known:
                by_layer.setdefault(scenario.layer, []).append((key, scenario, sight))
        for layer, group in by_layer.items():
            if layer == PROPERTY:
                update = {"at": constraint.at, "with": json.loads(constraint.update)} if constraint else None
                told = [_as_cases(scenario, sight) for _, scenario, sight in group]
                answers = self._running[layer].ask({"scenarios": told, "update": update})["failures"]
            else:
                told = [_as_interaction(scenario, sight) for _, scenario, sight in group]
                results = self._running[layer].ask({"interactions": told})["results"]
                answers = [[] if r.get("result") == "OK" else _mismatches(r) for r in results]
            self._known |= {key: answer for (key, _, _), answer in zip(group, answers, strict=True)}
        return [self._known[key] for key in keys]


def sign(scenario: Scenario, failed: Mapping[str, Any]) -> str:
    """Return what tells one failure of a scenario from another."""
    return f"{failed.get('step', 0)} {failed['check']}" if scenario.layer == PROPERTY else "mismatch"


def _as_cases(scenario: Scenario, sight: Sight) -> dict[str, Any]:
    requests = [{key: step[key] for key in ("method", "target", "headers", "body")} for step in scenario.steps]
    for request, exchange in zip(requests, sight, strict=False):
        request["target"] = exchange.path
    return {"steps": scenario.judged, "requests": requests, "responses": [_as_response(e) for e in sight]}


def _as_interaction(scenario: Scenario, sight: Sight) -> dict[str, Any]:
    return {**scenario.judged[0], "response": _as_response(sight[-1])}


def _as_response(exchange: Exchange) -> dict[str, Any]:
    body = exchange.body or ""
    content = base64.b64encode(body.encode()).decode() if exchange.is_text else body
    return {"status": exchange.status, "headers": exchange.headers, "body": content}


def _mismatches(result: Mapping[str, Any]) -> list[Failed]:
    """Return what the Pact core found, in its words."""
    mismatch = result.get("mismatch") or {}
    found = [str(m.get("mismatch", "")) for m in mismatch.get("mismatches") or () if isinstance(m, dict)]
    return [{"message": told} for told in found or [str(mismatch.get("message", ""))]]


def begin(project: Project, stack: ExitStack, recorded: Recorded, url: str, control: str) -> Judges:
    """Start the judges that scenarios need; they end with the stack.

    Args:
        project: Whose.
        stack: Ends them.
        recorded: What is judged.
        url: Where the document's paths are: nothing is sent there, but a document may be read.
        control: Where the app's control is.
    """
    environment = {**os.environ, "PACT_DO_NOT_TRACK": "true", "API_URL": url, "API_CONTROL": control}
    folder = project.state / "judges"
    folder.mkdir(parents=True, exist_ok=True)
    running: dict[str, judge.Judge] = {}
    for layer, module, place in (
        (PROPERTY, _SCHEMATHESIS, project.root / project.settings.properties.directory),
        (CONTRACT, _PACT, folder),
    ):
        if any(scenario.layer == layer for scenario in recorded.scenarios):
            running[layer] = stack.enter_context(
                judge.started(
                    module,
                    str(place),
                    directory=project.root,
                    environment=environment,
                    log=project.state / "logs" / f"{layer}-judge.log",
                )
            )
    return Judges(running)
