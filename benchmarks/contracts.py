"""What contracts cost beside the bare tools: `python benchmarks/contracts.py --json FILE`.

- `verify_ratio`: our time for a pact of 1,000 interactions, each with a provider state, to that of pact-python's bare
  `Verifier` with the same pact, the same served app and the same state URL; both in turn, three times, the median.
- `side_by_side_ratio`: our time for four pacts of 250 interactions that only read, which are verified at the same time,
  to that of the bare `Verifier`, one after the other; likewise.
- `openapi_seconds`: pact against OpenAPI document for 1,000 interactions.
- `reference_ratio`: our time for them to that of the reference comparator, once in a new process as in a run, without
  the start of node or Python; in turn, three times, the median.
- `comparator_cases`, `comparator_differences`: see `comparator_oracle.py`; needs git and npm, or `--checkout` and
  `--package`.
- `breaking_rules`: rules for changes of OpenAPI documents.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from orchestrator import config
from orchestrator.adapters import agent, openapi, pact
from orchestrator.contracts import comparator
from orchestrator.contracts.evolution.rules import RULES
from orchestrator.contracts.verifying import Verifying

REPOSITORY: Final = "https://github.com/pactflow/openapi-pact-comparator"
PACKAGE: Final = "@pactflow/openapi-pact-comparator@2.3.1"
APP: Final = '''
import json


def app(environ, start_response):
    """Answers any `/items/N`."""
    number = int(environ["PATH_INFO"].rpartition("/")[2] or 0)
    body = json.dumps({"id": number, "name": f"item {number}"}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


states = {"an item": lambda number: None}
'''
SETTINGS: Final = """\
[app]
target = "shop:app"
[contracts]
pacts = ["web-shop.json"]
states = "shop:states"
"""
BARE: Final = """\
import sys
from pact import Verifier
url, file, state = sys.argv[1:]
verifier = Verifier("shop", "127.0.0.1").add_transport(url=url).add_source(file)
verifier.state_handler(state, teardown=False, body=True).verify()
"""

REFERENCE: Final = """
const { Comparator } = require(process.argv[1]);
const [document, pact] = JSON.parse(require("fs").readFileSync(0));
(async () => {
  const begun = process.hrtime.bigint();
  for await (const one of new Comparator({ oas: document }).compare(pact)) throw Error(JSON.stringify(one));
  process.stdout.write(String(Number(process.hrtime.bigint() - begun) / 1e9));
})();
"""
OURS: Final = """
import json, sys, time
from orchestrator.contracts import comparator
document, pact = json.load(sys.stdin)
begun = time.perf_counter()
assert not comparator.check(pact, document)
print(time.perf_counter() - begun)
"""


def a_pact(count: int) -> dict[str, Any]:
    """Return a pact with so many interactions."""
    rules = {"body": {"$.name": {"combine": "AND", "matchers": [{"match": "type"}]}}}
    return {
        "consumer": {"name": "web"},
        "provider": {"name": "shop"},
        "metadata": {"pactSpecification": {"version": "3.0.0"}},
        "interactions": [
            {
                "description": f"item {k}",
                "providerStates": [{"name": "an item", "params": {"number": k}}],
                "request": {"method": "GET", "path": f"/items/{k}"},
                "response": {
                    "status": 200,
                    "headers": {"Content-Type": "application/json"},
                    "body": {"id": k, "name": "text"},
                    "matchingRules": rules,
                },
            }
            for k in range(count)
        ],
    }


def a_document() -> dict[str, Any]:
    """Return what describes them."""
    item = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    }
    answer = {"description": "ok", "content": {"application/json": {"schema": item}}}
    number = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "shop", "version": "1"},
        "paths": {"/items/{number}": {"get": {"parameters": [number], "responses": {"200": answer}}}},
    }


def verify_ratio(folder: Path, count: int) -> dict[str, float]:
    """Return how long both take, and the ratio."""
    project = config.load(folder)
    (one,), _ = pact.read_all(pact.find(project), project)
    ours, bare = [], []
    with agent.running(project) as app:
        for _ in range(3):
            begun = time.monotonic()
            found, _ = pact.verify(one, app, project, None, timeout=600)
            ours.append(time.monotonic() - begun)
            if len(found) != count or any(i.result != "verified" for i in found):
                raise SystemExit(f"not all was verified: {found[:2]}")
            begun = time.monotonic()
            command = [sys.executable, "-c", BARE, app.url, str(one.file), f"{app.control}/state"]
            subprocess.run(command, check=True, capture_output=True)
            bare.append(time.monotonic() - begun)
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    return {
        "verify_seconds": statistics.median(ours),
        "bare_seconds": statistics.median(bare),
        "verify_ratio": round(ratio, 3),
    }


def side_by_side_ratio(folder: Path, count: int) -> float:
    """Return our time for pacts that only read to that of the bare verifier."""
    shutil.copy(folder / "shop.py", folder / "reading")
    (folder / "reading" / "orchestrator.toml").write_text(SETTINGS.replace("web-shop.json", "*.json"))
    for k in range(4):
        pact_of_it = a_pact(count)
        pact_of_it["consumer"]["name"] = f"web-{k}"
        for interaction in pact_of_it["interactions"]:
            del interaction["providerStates"]
        (folder / "reading" / f"web-{k}.json").write_text(json.dumps(pact_of_it))
    project = config.load(folder / "reading")
    pacts, _ = pact.read_all(pact.find(project), project)
    ratios = []
    with agent.running(project) as app:
        for _ in range(3):
            begun = time.monotonic()
            verifying = Verifying(
                project,
                pacts,
                app=lambda: app,
                document=None,
                deadline=begun + 600,
                watch=lambda *_: None,
            )
            verifying.run()
            ours = time.monotonic() - begun
            if any(i.result != "verified" for i in verifying.interactions) or len(verifying.interactions) != 4 * count:
                raise SystemExit("not all was verified")
            begun = time.monotonic()
            for one in pacts:
                command = [sys.executable, "-c", BARE, app.url, str(one.file), f"{app.control}/state"]
                subprocess.run(command, check=True, capture_output=True)
            ratios.append(ours / (time.monotonic() - begun))
    return round(statistics.median(ratios), 3)


def openapi_seconds(folder: Path) -> float:
    """Return how long the comparison of all interactions with the document takes, the best of three."""
    project = config.load(folder)
    (one,), _ = pact.read_all(pact.find(project), project)
    document = openapi.parse(json.dumps(a_document()).encode(), "openapi.json")
    taken = []
    for _ in range(3):
        begun = time.monotonic()
        found = comparator.compare([one], document)
        taken.append(time.monotonic() - begun)
        if found:
            raise SystemExit(f"they agree, and {found[0]} was found")
    return min(taken)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the figures are written")
    parser.add_argument("--interactions", type=int, default=1000)
    parser.add_argument("--checkout", type=Path, help="a clone of the reference comparator; else it is cloned")
    parser.add_argument("--package", type=Path, help="where npm has installed it; else it is installed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(APP)
        (folder / "orchestrator.toml").write_text(SETTINGS)
        (folder / "web-shop.json").write_text(json.dumps(a_pact(arguments.interactions)))
        figures: dict[str, Any] = verify_ratio(folder, arguments.interactions)
        (folder / "reading").mkdir()
        figures["side_by_side_ratio"] = side_by_side_ratio(folder, arguments.interactions // 4)
        figures["openapi_seconds"] = round(openapi_seconds(folder), 3)
        package = arguments.package or folder / "package"
        figures |= oracle(arguments.checkout or folder / "checkout", package)
        if figures["comparator_cases"] is not None:
            figures["reference_ratio"] = reference_ratio(package, arguments.interactions)
    figures["breaking_rules"] = len(RULES)
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def oracle(checkout: Path, package: Path) -> dict[str, Any]:
    """Return on how many of the reference's own cases ours was asked, and where it says something else.

    What is not there is fetched; where it can't be, nothing is computed, and it says why.
    """
    try:
        if not checkout.exists():
            run("git", "clone", "--quiet", "--depth", "1", REPOSITORY, str(checkout))
        if not package.exists():
            run("npm", "install", "--silent", "--prefix", str(package), PACKAGE)
        output = package / "oracle.json"
        script = Path(__file__).parent / "comparator_oracle.py"
        options = ("--checkout", str(checkout), "--package", str(package), "--json", str(output))
        subprocess.run([sys.executable, str(script), *options], check=False, capture_output=True)
        told = json.loads(output.read_text())
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        return {"comparator_cases": None, "comparator_differences": None, "comparator_why": str(error)[:300]}
    return {"comparator_cases": told["cases"], "comparator_differences": len(told["differences"])}


def reference_ratio(package: Path, count: int) -> float:
    """Return our time for so many interactions to that of the reference."""
    module = str((package / "node_modules" / "@pactflow" / "openapi-pact-comparator").resolve())
    asked = json.dumps([a_document(), a_pact(count)])
    node = shutil.which("node") or "node"
    ratios = []
    for _ in range(3):
        ours = subprocess.run([sys.executable, "-c", OURS], input=asked, capture_output=True, text=True, check=True)
        theirs = subprocess.run(
            [node, "-e", REFERENCE, module], input=asked, capture_output=True, text=True, check=True
        )
        ratios.append(float(ours.stdout) / float(theirs.stdout))
    return round(statistics.median(ratios), 3)


def run(*command: str) -> None:
    """Run a program that has to do well."""
    subprocess.run(command, check=True, capture_output=True, timeout=600)


if __name__ == "__main__":
    main()
