"""What generated tests and pacts see of an app that is really served: the other half of `ripr_check.py`.

The app of a copy of the project is started as a server (`orchestrator serve`). Recorded requests are sent to it one by
one over HTTP, each scenario from reset data; then plain pytest runs the generated property tests against it, and the
Pact core verifies each pact. Nothing of the engine takes part: no fork, no swapped code, no selection, no judge.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from orchestrator import config, history
from orchestrator.adapters import agent, judge, pact_modules
from orchestrator.model.contracts import Verification

Answers = list[list[Any]]  # of a scenario: status, headers and body of each response
_LEFT_OUT = ("date", "content-length", "server", "connection")


class Served(msgspec.Struct, frozen=True):
    """What came of one served app.

    Attributes:
        answers: By scenario.
        failing: Generated tests that fail.
        judged: Recorded scenarios of theirs that fail a check of schemathesis', given these answers.
        broken: Interactions that do not hold.
        fault: Why nothing is known; empty: it is.
    """

    answers: dict[str, Answers]
    failing: list[str]
    judged: list[str]
    broken: list[str]
    fault: str = ""


def look(project: Path, environment: Path, scenarios: Sequence[Mapping[str, Any]]) -> Served:
    """Serve a project and look at it.

    Args:
        project: A copy of the project, maybe changed.
        environment: The project whose interpreter is used.
        scenarios: What is asked: `name`, `steps` as the agent plays them.
    """
    file = project / "pyproject.toml"
    python = agent.interpreter(config.load(environment))
    told = file.read_text("utf-8")
    if 'python = "' in told:
        file.write_text(re.sub(r'^python = ".*"$', f"python = {json.dumps(python)}", told, flags=re.MULTILINE), "utf-8")
    try:
        with serving(project) as (url, control):
            answers = {s["name"]: asked(url, control, s["steps"]) for s in scenarios}
            return Served(
                answers,
                failing(project, url, control),
                judged(project, url, control, scenarios, answers),
                broken(project),
            )
    except (OSError, http.client.HTTPException, RuntimeError) as error:
        return Served({}, [], [], [], f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def serving(project: Path) -> Iterator[tuple[str, str]]:
    """Serve the app of a project, on a port that the system gives."""
    command = [sys.executable, "-m", "orchestrator", "serve"]
    with subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "PYTHONHASHSEED": "0"},  # sets have one order then
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            found = re.match(r"API_URL=(\S+) API_CONTROL=(\S+)", line)
            if not found:
                raise RuntimeError("the app does not start")
            yield found[1], found[2]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def posted(url: str, data: object) -> Any:
    """Return what the control address answers."""
    request = urllib.request.Request(url, method="POST", data=json.dumps(data).encode())  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def asked(url: str, control: str, steps: Sequence[Mapping[str, Any]]) -> Answers:
    """Send a scenario's requests, with what earlier answers gave in the place of what was recorded."""
    posted(f"{control}/reset", {})
    given: list[Any] = []
    answers: Answers = []
    for step in steps:
        if "state" in step:
            given.append(posted(f"{control}/state", {"state": step["state"], "params": step["params"]}))
            continue
        body, target, headers = base64.b64decode(step["body"]), step["target"], dict(step["headers"])
        for hole in step["holes"]:
            value = found_at(given[hole["step"]], hole["place"])
            if value is not None:
                body = body.replace(hole["value"].encode(), value.encode())
                target = target.replace(hole["value"], quote(value)).replace(quote(hole["value"]), quote(value))
                headers = {name: told.replace(hole["value"], value) for name, told in headers.items()}
        headers = {n: v for n, v in headers.items() if n.lower() != "content-length"} | {
            "Content-Length": str(len(body))
        }
        connection = http.client.HTTPConnection(url.partition("//")[2], timeout=30)
        try:
            connection.request(step["method"], target, body, {n: v.encode("latin-1") for n, v in headers.items()})
            response = connection.getresponse()
            told = {k.lower(): v for k, v in response.getheaders() if k.lower() not in _LEFT_OUT}
            answers.append([response.status, told, response.read().decode("utf-8", "backslashreplace")])
        except (OSError, http.client.HTTPException) as error:
            answers.append([0, {}, type(error).__name__])
        finally:
            connection.close()
        given.append(answers[-1])
    return answers


def found_at(source: Any, place: Sequence[Any]) -> str | None:
    """Return a value of an earlier answer, or of a provider state."""
    try:
        if place[0] == "header":
            return str(source[1][place[1]])
        data = json.loads(source[2]) if place[0] == "body" else source
        for key in place[1:]:
            data = data[key]
        return str(data)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def failing(project: Path, url: str, control: str) -> list[str]:
    """Return the generated property tests that fail, run by plain pytest; those beside them are the pacts' own."""
    loaded = config.load(project)
    folder = loaded.settings.properties.directory
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rf", "-c", os.devnull),
            *("--rootdir", ".", "--confcutdir", folder, "--import-mode=importlib", folder),
            *("--ignore", str(pact_modules.folder(loaded))),
        ],
        cwd=project,
        env={**os.environ, "API_URL": url, "API_CONTROL": control},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)


def judged(
    project: Path, url: str, control: str, scenarios: Sequence[Mapping[str, Any]], answers: Mapping[str, Answers]
) -> list[str]:
    """Return the recorded scenarios that fail a check, given what was answered now: other cases may be made now."""
    cases = [s for s in scenarios if s["layer"] == "property"]
    told = [
        {
            "steps": s["judged"],
            "requests": s["steps"],
            "responses": [
                {"status": status, "headers": list(headers.items()), "body": base64.b64encode(body.encode()).decode()}
                for status, headers, body in answers[s["name"]]
            ],
        }
        for s in cases
    ]
    with judge.started(
        "orchestrator.adapters.schemathesis_judge",
        config.load(project).settings.properties.directory,
        directory=project,
        environment={**os.environ, "API_URL": url, "API_CONTROL": control},
        log=project / "judge.log",
    ) as running:
        failures = running.ask({"scenarios": told})["failures"]
    return [f"{s['name']} {found[0]['check']}" for s, found in zip(cases, failures, strict=True) if found]


def broken(project: Path) -> list[str]:
    """Return the interactions that do not hold, as the Pact core verifies them; a state that fails says nothing."""
    command = [sys.executable, "-m", "orchestrator", "run", "--stage", "contracts"]
    subprocess.run(command, cwd=project, capture_output=True, timeout=300, check=False)
    found = history.read(project / "reports" / "run.json").run.contracts
    return [i.description for i in found.interactions if i.result is Verification.MISMATCH] if found else []
