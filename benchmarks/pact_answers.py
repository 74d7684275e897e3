"""The app that `pact_specification.py` serves: it answers as it is told, request by request and message by message.

A POST to `/-/begin` with the path of a JSON file says with what: a list, in the order of the pact's interactions. It
goes into a temporary project beside the pacts, and runs in the agent: no import but the standard library's.
"""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_left: list[dict[str, Any]] = []


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request with what the pact's interaction has for it."""
    if environ["PATH_INFO"] == "/-/begin":
        told = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        with _lock:
            _left[:] = json.loads(Path(told).read_bytes())
        answer: dict[str, Any] | None = {"status": 204, "headers": [], "body": ""}
    else:
        answer = _taken(environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))
    if answer is None:
        start_response("410 Gone", [("Content-Length", "0")])
        return [b""]
    body = base64.b64decode(answer["body"])
    headers = [(name, value) for name, value in answer["headers"] if name.lower() != "content-length"]
    start_response(f"{answer['status']} As told", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def messages(name: str) -> tuple[bytes, dict[str, Any]]:
    """Return the contents and the metadata of the next message of a name."""
    with _lock:
        answer = next(a for a in _left if a.get("message") == name)
        _left.remove(answer)
    return base64.b64decode(answer["body"]), answer["metadata"]


def states(state: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Accept every provider state."""
    return {}


def _taken(method: str, path: str) -> dict[str, Any] | None:
    """Take the next answer for the request out of the list; where a generator changed the path, that of the method."""
    with _lock:
        waiting = [a for a in _left if "method" in a]
        same = [a for a in waiting if a["method"] == method]
        exact = [a for a in same if urllib.parse.unquote(a["path"]) == path]
        found = next(iter(exact or same or waiting), None)
        if found is not None:
            _left.remove(found)
        return found
