"""Hold responses against interactions once more, with the real Pact core: `… pact_judge IN OUT FOLDER`.

A process of its own, as the core writes to file descriptors and keeps threads. Asked with an interaction and the
response that came now, it has the core verify that interaction against a server that answers so.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from orchestrator.adapters import judge
from orchestrator.adapters.pact_worker import verified, why_nothing

_STATE = "/_state"
_OF_THE_CONNECTION = ("connection", "transfer-encoding", "content-length", "date")


class _Answers(ThreadingHTTPServer):
    """Answers every request with one response, and provider states with the values that they gave."""

    daemon_threads = True

    def __init__(self) -> None:
        self.told: Mapping[str, Any] = {}
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Answers

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == _STATE:
            asked = json.loads(data or b"{}")
            states = [s for s in self.server.told["states"] if s["state"] == asked.get("state")]
            returned = states[0]["returned"] if states else {}
            self._send(200, [("Content-Type", "application/json")], json.dumps(returned).encode())
            return
        response = self.server.told["response"]
        headers = [(n, v) for n, v in response["headers"] if n.lower() not in _OF_THE_CONNECTION]
        self._send(response["status"], headers, base64.b64decode(response["body"]))

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or status < 200 or status in (204, 304)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if bodiless else body)


def _judged(answers: _Answers, told: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Return the core's result for one interaction."""
    answers.told = told
    pact = json.loads(Path(told["pact"]).read_bytes())
    interaction = pact["interactions"][told["interaction"]]
    needs_states = any(state["returned"] for state in told["states"])
    if not needs_states:  # asking for them takes as long as all the rest
        for key in ("providerState", "provider_state", "providerStates"):
            interaction.pop(key, None)
    pact["interactions"] = [interaction]
    pact.pop("messages", None)
    file.write_text(json.dumps(pact), "utf-8")
    results, _, said = verified(
        provider=pact["provider"]["name"],
        url=answers.url,
        file=str(file),
        state_url=answers.url + _STATE if needs_states else "",
    )
    found = results.get("interactionResults") or []
    return dict(found[0]) if found else {"result": "Error", "mismatch": {"message": why_nothing(results, said)}}


def main(incoming: int, outgoing: int, folder: str) -> None:
    """Answer until nobody asks any more."""
    server, file = _Answers(), Path(folder) / "judged.json"
    judge.serve(
        incoming, outgoing, lambda asked: {"results": [_judged(server, told, file) for told in asked["interactions"]]}
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
