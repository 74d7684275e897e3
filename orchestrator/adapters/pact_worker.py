"""Verify one pact with the Pact core: `python -m orchestrator.adapters.pact_worker JOB.json`.

A process of its own, because the core writes to the file descriptors, keeps threads, and can't be interrupted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pact import Verifier


def verified(
    *,
    provider: str,
    url: str,
    file: str,
    state_url: str,
    message_url: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[dict[str, Any], str, str]:
    """Have the core verify a pact; return its results, what it says if not all holds, and its output.

    Args:
        provider: The provider's name.
        url: Where it is served.
        file: The pact.
        state_url: Where its states are set up; empty: it has none.
        message_url: Where messages are asked for; empty: the pact has none.
        headers: That each request has as well.
    """
    verifier = Verifier(provider, "127.0.0.1").add_transport(url=url).add_source(file).add_custom_headers(headers or {})
    if state_url:
        # By URL: a Python state handler costs half a second to shut down.
        verifier.state_handler(state_url, teardown=False, body=True)
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


def main(job: Path) -> None:
    """Do the job and write the core's own results, as JSON, where the job says."""
    order = json.loads(job.read_bytes())
    output = Path(order.pop("output"))
    results, failed, said = verified(**order)
    if not results.get("interactionResults"):
        results["error"] = why_nothing(results, said) if failed else "the Pact core verified nothing"
    part = output.with_suffix(".part")
    part.write_text(json.dumps(results), "utf-8")
    part.replace(output)  # whole or not at all: this process may be ended at any time
    print(said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
