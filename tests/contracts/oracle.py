"""Asks the reference, `@pactflow/openapi-pact-comparator`, about cases, and writes its findings and ours alike.

It is installed with `npm install --prefix DIR @pactflow/openapi-pact-comparator@2.3.1` into any folder outside of the
project; the environment variable `COMPARATOR_ORACLE` names that folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from orchestrator.contracts.findings import OURS, Finding

VARIABLE: Final = "COMPARATOR_ORACLE"
Told = tuple[str, str, str]  # code, level, place
_PACKAGE: Final = Path("node_modules", "@pactflow", "openapi-pact-comparator")
_SCRIPT: Final = """
const { Comparator } = require(process.argv[1]);
const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", async () => {
  const answers = [];
  for (const [document, pact] of JSON.parse(Buffer.concat(chunks).toString())) {
    const results = [];
    try {
      for await (const one of new Comparator({ oas: document }).compare(pact))
        results.push([one.code, one.type, one.mockDetails?.location ?? ""]);
      answers.push(results);
    } catch (error) {
      answers.push(String(error && error.message));
    }
  }
  process.stdout.write(JSON.stringify(answers));
});
"""


def missing() -> str:
    """Return why the reference can't be asked; empty: it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    folder = os.environ.get(VARIABLE)
    if not folder:
        return f"{VARIABLE} names no folder with the npm package @pactflow/openapi-pact-comparator"
    return "" if (Path(folder) / _PACKAGE).is_dir() else f"{VARIABLE}: {folder} has no {_PACKAGE}"


def ask(cases: Sequence[tuple[Any, Any]], folder: Path) -> list[Counter[Told] | str]:
    """Return what the reference finds in each case, a document and a pact; a text: why it gave up.

    Args:
        cases: Documents and pacts.
        folder: Where the package is installed.
    """
    finished = subprocess.run(
        ["node", "-e", _SCRIPT, str((folder / _PACKAGE).resolve())],  # noqa: S607 - the user's node
        input=json.dumps(cases).encode(),
        capture_output=True,
        check=True,
    )
    answers = json.loads(finished.stdout)
    return [answer if isinstance(answer, str) else Counter(theirs(*one) for one in answer) for answer in answers]


def told(findings: Iterable[Finding]) -> Counter[Told]:
    """Return our findings, without those that only we have, as the reference would write them."""
    return Counter((f.code, f.level.value, _place(f)) for f in findings if f.code not in OURS)


def theirs(code: str, level: str, location: str) -> Told:
    """Return a finding of the reference as `told` returns ours."""
    place = re.sub(r"^\[root\]\.interactions\[(\d+)\]", r"\1", location)
    return code, level, place.lower()


def _place(finding: Finding) -> str:
    at = finding.at_pact
    if at[1:3] == ("body", "content"):  # version 4 wraps the body; the reference unwraps it first
        at = (*at[:2], *at[3:])
    parts = (part.replace("~", "~0").replace("/", "~1") for part in at)
    return ".".join([str(finding.index), *parts]).lower()
