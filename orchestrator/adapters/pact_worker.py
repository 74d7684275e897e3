"""Verify one pact with the Pact core: `python -m orchestrator.adapters.pact_worker JOB.json`.

A process of its own, because the core writes to the file descriptors, keeps threads, and can't be interrupted. It tells
nothing before it has verified all that it was given, so it is given few interactions at a time: what is known of those
before survives whatever ends this process, or the app.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from pact import Verifier

_DIRECT = build_opener(ProxyHandler({}))  # the agent listens on the loopback interface
_PIECES = 100


def verified(
    *,
    provider: str,
    url: str,
    file: str,
    state_url: str,
    message_url: str = "",
    headers: dict[str, str] | None = None,
    timeout: float = 0.0,
) -> tuple[dict[str, Any], str, str]:
    """Have the core verify a pact; return its results, what it says if not all holds, and its output.

    Args:
        provider: The provider's name.
        url: Where it is served.
        file: The pact.
        state_url: Where its states are set up; empty: it has none.
        message_url: Where messages are asked for; empty: the pact has none.
        headers: That each request has as well.
        timeout: Seconds that a response, and a state, may take; 0: the core's own.
    """
    verifier = Verifier(provider, "127.0.0.1").add_transport(url=url).add_source(file).add_custom_headers(headers or {})
    if state_url:
        # By URL: a Python state handler costs half a second to shut down.
        verifier.state_handler(state_url, teardown=False, body=True)
    if timeout:
        verifier.set_request_timeout(int(timeout * 1000))
    if message_url:
        place = urlsplit(message_url)
        verifier.add_transport(protocol="message", port=place.port, path=place.path, scheme="http")
    try:
        verifier.verify()
    except RuntimeError as error:  # how the binding says that an interaction does not hold
        failed = str(error)
    else:
        failed = ""
    return verifier.results or {}, failed, verifier.output(strip_ansi=True) or ""


def why_nothing(results: dict[str, Any], said: str) -> str:
    """Return why the core has no result at all: it can't read the pact, or lacks a plugin.

    What the binding raises then names nothing but an address in memory.
    """
    told = [
        str(e["mismatch"]["message"]) for e in results.get("errors") or () if "message" in (e.get("mismatch") or {})
    ]
    return "; ".join(told) or said.strip() or "the Pact core broke down"


def pieces(pact: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a pact in at most about a hundred pieces, of one interaction or a few; whole if it needs plugins.

    Plugins would start for each piece.
    """
    if (pact.get("metadata") or {}).get("plugins"):
        yield dict(pact)
        return
    shared = {key: value for key, value in pact.items() if key not in ("interactions", "messages")}
    size = max(1, sum(len(pact.get(key, ())) for key in ("interactions", "messages")) // _PIECES)
    for key, kind in (("interactions", "Interaction"), ("messages", "Message")):
        # The core numbers those without a description: each piece would begin anew.
        named = [{"description": f"{kind} {n}", **one} for n, one in enumerate(pact.get(key, ()))]
        for k in range(0, len(named), size):
            yield {**shared, key: named[k : k + size]}


def _failures(url: str, timeout: float) -> dict[str, Any]:
    """Have states torn down; return which `failures` there are, if anybody answers, and whether the app is `fit`."""
    try:
        with _DIRECT.open(Request(url, b"", method="POST"), timeout=timeout) as answer:  # noqa: S310 - loopback
            return dict(json.load(answer))
    except (OSError, ValueError, HTTPException):
        return {"fit": False}


def main(job: Path) -> int:
    """Do the job and write the core's own results where the job says: a line for each piece, as soon as it is known.

    Beside them are the states that failed, so that each is told to the interaction that needed it. The exit status is
    the job's `unfit` if the app's process takes no requests any more.
    """
    order = json.loads(job.read_bytes())
    how = {key: order[key] for key in ("provider", "url", "state_url", "message_url", "headers", "timeout")}
    piece = job.with_suffix(".piece.json")
    with Path(order["output"]).open("w", encoding="ascii") as output:
        for one in pieces(json.loads(Path(order["file"]).read_bytes())):
            piece.write_text(json.dumps(one), "ascii")
            results, failed, said = verified(file=str(piece), **how)
            if not results.get("interactionResults"):
                why = why_nothing(results, said) if failed else "the Pact core verified nothing"
                results["error"] = why.replace(str(piece), Path(order["file"]).name)
            told = _failures(order["failures_url"], order["timeout"])
            if "failures" in told:
                results["failures"] = told["failures"]
            output.write(json.dumps(results) + "\n")
            output.flush()
            print(said)
            if not told["fit"]:
                return int(order["unfit"])
    piece.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
