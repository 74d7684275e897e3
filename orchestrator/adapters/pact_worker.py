"""Verify one pact with the Pact core: `python -m orchestrator.adapters.pact_worker JOB.json`.

A process of its own, because the core writes to the file descriptors, keeps threads, and can't be interrupted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pact import Verifier


def main(job: Path) -> None:
    """Do the job and write the core's own results, as JSON, where the job says."""
    order = json.loads(job.read_bytes())
    verifier = (
        Verifier(order["provider"], "127.0.0.1")
        .add_transport(url=order["url"])
        .add_source(order["file"])
        # By URL: a Python state handler costs half a second to shut down.
        .state_handler(order["state_url"], teardown=False, body=True)
    )
    try:
        verifier.verify()
    except RuntimeError as error:  # how the binding says that an interaction does not hold
        verification_error = str(error)
    else:
        verification_error = ""
    results = verifier.results or {}
    if not results.get("interactionResults"):
        results["error"] = verification_error or "the Pact core verified nothing"
    output = Path(order["output"])
    part = output.with_suffix(".part")
    part.write_text(json.dumps(results), "utf-8")
    part.replace(output)  # whole or not at all: this process may be ended at any time
    print(verifier.output(strip_ansi=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
