"""Several pacts against one app: a real one, served by the agent, and the real Pact core."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator import config
from orchestrator.adapters import agent, pact
from orchestrator.adapters.agent import Agent
from orchestrator.config import Project
from orchestrator.contracts.verifying import Verifying
from orchestrator.model.contracts import Verification

APP = '''
import threading
import time

meeting = threading.Barrier(2)
inside = threading.Lock()
headers = set()
orders = {"1"}


def app(environ, start_response):
    """Answers what is asked of it, in different ways."""
    headers.update(k for k in environ if k.startswith("HTTP_"))
    path = environ["PATH_INFO"]
    status = "200 OK"
    if path == "/meet":  # only if somebody else comes too
        try:
            meeting.wait(timeout=5)
        except threading.BrokenBarrierError:
            status = "503 Service Unavailable"
    elif path.startswith("/alone"):  # only if nobody else is here
        if not inside.acquire(blocking=False):
            status = "500 Internal Server Error"
        else:
            time.sleep(0.3)
            inside.release()
    elif path == "/slow":
        time.sleep(60)
    elif path == "/marks":
        status = "400 Bad Request" if any("MARK" in name for name in headers) else "200 OK"
    elif path.startswith("/orders/"):
        status = "200 OK" if path[8:] in orders else "404 Not Found"
    start_response(status, [("Content-Length", "0")])
    return []


def reset():
    orders.clear()
    orders.add("1")


states = {"an order": lambda number: orders.add(str(number))}
'''
SETTINGS = """\
[app]
target = "shop:app"
reset = "shop:reset"
[contracts]
states = "shop:states"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "orchestrator.toml").write_text(SETTINGS)
    return config.load(tmp_path)


@pytest.fixture
def app(project: Project) -> Iterator[Agent]:
    with agent.running(project) as running:
        yield running


def write(project: Project, consumer: str, *paths: str, method: str = "GET", **more: Any) -> Path:
    interactions = [
        {
            "description": f"{consumer} {k}",
            "request": {"method": method, "path": path},
            "response": {"status": 200},
            **more,
        }
        for k, path in enumerate(paths)
    ]
    file = project.root / f"{consumer}.json"
    file.write_text(
        json.dumps(
            {
                "consumer": {"name": consumer},
                "provider": {"name": "shop"},
                "metadata": {"pactSpecification": {"version": "3.0.0"}},
                "interactions": interactions,
            }
        )
    )
    return file


def verifying(project: Project, app: Agent, *files: Path, watch: Any = lambda *_: None) -> Verifying:
    return Verifying(
        project,
        [pact.read(file, project.root) for file in files],
        app=lambda: app,
        document=None,
        deadline=time.monotonic() + 60,
        watch=watch,
    )


def results(made: Verifying) -> dict[str, Verification]:
    return {i.description: i.result for i in made.interactions}


def test_pacts_that_only_read_are_verified_at_the_same_time(project: Project, app: Agent) -> None:
    made = verifying(project, app, write(project, "web", "/meet"), write(project, "till", "/meet"))
    made.run()
    assert set(results(made).values()) == {Verification.VERIFIED}


def test_what_fails_beside_others_is_verified_by_itself(project: Project, app: Agent) -> None:
    made = verifying(project, app, write(project, "web", "/alone/1", "/gone"), write(project, "till", "/alone/2"))
    made.run()
    assert set(results(made).values()) == {Verification.VERIFIED}


def test_what_does_not_hold_does_not_hold_by_itself_either(project: Project, app: Agent) -> None:
    made = verifying(project, app, write(project, "web", "/orders/1", "/orders/2"), write(project, "till", "/orders/1"))
    made.run()
    assert results(made) == {
        "web 0": Verification.VERIFIED,
        "web 1": Verification.MISMATCH,
        "till 0": Verification.VERIFIED,
    }


def test_a_provider_state_is_nobody_elses(project: Project, app: Agent) -> None:
    state = [{"name": "an order", "params": {"number": 2}}]
    files = [
        write(project, "web", "/orders/1"),
        write(project, "desk", "/orders/2", providerStates=state),
        write(project, "till", "/orders/1"),
    ]
    made = verifying(project, app, *files)
    made.run()
    assert set(results(made).values()) == {Verification.VERIFIED}
    assert [i.consumer for i in made.interactions] == ["web", "desk", "till"]


def test_what_was_asked_is_told_by_pact_and_the_app_does_not_see_who_asks(project: Project, app: Agent) -> None:
    files = [write(project, "web", "/orders/1", "/marks"), write(project, "till", "/marks", "/orders/1", "/marks")]
    made = verifying(project, app, *files)
    made.run()
    assert set(results(made).values()) == {Verification.VERIFIED}
    assert {name: [s["target"] for s in steps] for name, steps in made.played.items()} == {
        "web.json": ["/orders/1", "/marks"],
        "till.json": ["/marks", "/orders/1", "/marks"],
    }
    told = [name.lower() for steps in made.played.values() for step in steps for name, _ in step["headers"]]
    assert not [name for name in told if "mark" in name]


def test_who_interrupts_does_not_wait_for_those_that_go_on(project: Project, app: Agent) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    made = verifying(project, app, write(project, "web", "/orders/1"), write(project, "till", "/slow"), watch=interrupt)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        made.run()
    assert time.monotonic() - begun < 30
    assert results(made) == {"web 0": Verification.VERIFIED}


@pytest.mark.parametrize(
    ("method", "more", "reads"),
    [
        ("GET", {}, True),
        ("HEAD", {}, True),
        ("POST", {}, False),
        ("GET", {"providerStates": [{"name": "an order"}]}, False),
    ],
)
def test_a_pact_changes_nothing_if_it_only_reads_and_needs_no_state(
    project: Project, method: str, more: dict[str, Any], reads: bool
) -> None:
    file = write(project, "web", "/a", method=method, **more)
    assert pact.read(file, project.root).changes_nothing is reads
