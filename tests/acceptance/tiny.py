"""A project of two modules that starts in no time, for faults of which there are many: a WSGI app, states, pacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.model.contracts import Contracts, Verification
from tests.acceptance import support

APP = """
import ctypes, os, re, signal, socket, threading, time

things = []


def endless():
    while True:
        yield b"x" * 65536


def dripping():
    while True:
        time.sleep(0.1)
        yield b" "


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    if path == "/segfault":
        ctypes.string_at(0)
    if path == "/kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "/stop":
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(3600)  # this thread may go on for a moment
    if path == "/busy":  # and no other thread of Python runs in the meantime
        re.match("(a+)+$", "a" * 60 + "b")
    if path == "/hang":
        time.sleep(3600)
    if path == "/close":
        for fd in map(int, os.listdir("/proc/self/fd")):
            try:
                if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                    end = socket.socket(fileno=os.dup(fd))
                    if end.getsockname()[1] == int(environ["SERVER_PORT"]) and not end.getsockopt(
                        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
                    ):
                        end.shutdown(socket.SHUT_RDWR)
                    end.close()
            except OSError:
                pass
    start_response("200 OK", [("Content-Type", "application/json")])
    if path == "/endless":
        return endless()
    if path == "/dripping":
        return dripping()
    return [str(len(things)).encode() if path == "/things" else b'{"ok": true}']
"""

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Tiny", "version": "1"},
    "paths": {"/a": {"get": {"responses": {"200": {"description": "what there is"}}}}},
}

SETTINGS = """
[tool.orchestrator]
name = "Tiny"
app.target = "tiny:app"
"""


def made(folder: Path, *, hooks: str = "", **pacts: dict[str, Any]) -> Path:
    """Write the project, with provider states (`states`) in a module `hooks` and these pacts."""
    project = folder / "tiny"
    (project / "pacts").mkdir(parents=True)
    (project / "tiny.py").write_text(APP)
    (project / "hooks.py").write_text(hooks)
    (project / "pyproject.toml").write_text(SETTINGS)
    if hooks:
        support.setting(project, 'contracts.states = "hooks:states"')
    for name, content in pacts.items():
        (project / "pacts" / f"{name}.json").write_text(json.dumps(content))
    return project


def interaction(path: str, *states: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """An interaction that asks for a path."""
    told = {
        "description": f"read {path}",
        "providerStates": [{"name": state} for state in states],
        "request": {"method": "GET", "path": path},
        "response": {"status": 200} | ({} if body is None else {"body": body}),
    }
    return told | more


def pact(*interactions: dict[str, Any], consumer: str = "web", provider: str = "tiny") -> dict[str, Any]:
    """A pact of version 3 of the specification."""
    return {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": list(interactions),
        "metadata": {"pactSpecification": {"version": "3.0.0"}},
    }


def results(project: Path) -> dict[str, Verification]:
    """What became of each interaction of the last run, by its description; nothing: nothing was kept."""
    data = support.stage(project, "contracts").data
    return {i.description: i.result for i in data.interactions} if isinstance(data, Contracts) else {}
