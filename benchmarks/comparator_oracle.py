"""Do we find what the reference finds, on the reference's own cases?

    python benchmarks/comparator_oracle.py --checkout DIR --package DIR [--json FILE]

`--checkout` is a clone of https://github.com/pactflow/openapi-pact-comparator: its cases are read there, and not kept
here. `--package` is a folder into which `npm install --prefix DIR @pactflow/openapi-pact-comparator@2.3.1` was done.
Every case with an OpenAPI document is given to both; so are what the reference has written down of its own findings.
Compared are code, level and place of each finding, and how often it is there. Messages have other words here, findings
about asynchronous messages are left out, and so are those that only we have: they are counted.

`cases` and `differences`, each with its story, are the result.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from orchestrator.contracts import comparator
from orchestrator.contracts.findings import OURS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.contracts import oracle

CASES: Final = Path("src", "__tests__", "fixtures")
# Why a case may differ; a difference that is not told here is a fault.
STORIES: Final[dict[str, str]] = {}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One of the reference's cases."""

    name: str
    document: Any
    pact: Any
    recorded: Counter[oracle.Told]


def main() -> int:
    """Run both, write the result; the exit status is 1 if a difference has no story."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    root = arguments.checkout / CASES
    cases = list(_cases(root))
    answers = oracle.ask([(case.document, case.pact) for case in cases], arguments.package)
    ours = [comparator.check(case.pact, case.document) for case in cases]
    differences = [
        difference
        for case, answer, found in zip(cases, answers, ours, strict=True)
        for difference in _differences(case, answer, oracle.told(found))
    ]
    only_ours = Counter(finding.code for found in ours for finding in found if finding.code in OURS)
    result = {
        "cases": len(cases),
        "interactions": sum(len(case.pact.get("interactions", ())) for case in cases),
        "findings": sum(len(found) for found in ours) - only_ours.total(),
        "without_openapi": sum(1 for _ in root.rglob("pact.json")) - len(cases),
        "only_ours": dict(only_ours),
        "differences": differences,
    }
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")
    return int(any(not difference["story"] for difference in differences))


def _cases(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("pact.json")):
        document = file.with_name("oas.yaml")
        if document.exists():
            yield Case(
                name=file.parent.relative_to(root).as_posix(),
                document=yaml.load(document.read_bytes(), _Loader),  # noqa: S506 - a safe loader, of this file's own
                pact=json.loads(file.read_bytes()),
                recorded=_recorded(file.with_name("results.json")),
            )


class _Loader(yaml.SafeLoader):
    """Leaves times as texts, and keys too."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def _recorded(file: Path) -> Counter[oracle.Told]:
    results = json.loads(file.read_bytes())
    return Counter(
        oracle.theirs(r["code"], r["type"], (r.get("mockDetails") or {}).get("location", "")) for r in results
    )


def _differences(
    case: Case, answer: Counter[oracle.Told] | str, ours: Counter[oracle.Told]
) -> Iterator[dict[str, Any]]:
    for by, theirs in (("the package", answer), ("its records", case.recorded)):
        if isinstance(theirs, str):
            yield {"case": case.name, "by": by, "gave_up": theirs, "story": STORIES.get(case.name, "")}
            continue
        of_requests = Counter({told: n for told, n in theirs.items() if not told[0].startswith("message.")})
        only_theirs, only_ours = of_requests - ours, ours - of_requests
        if only_theirs or only_ours:
            yield {
                "case": case.name,
                "by": by,
                "only_theirs": sorted(map(list, only_theirs.elements())),
                "only_ours": sorted(map(list, only_ours.elements())),
                "story": STORIES.get(case.name, ""),
            }


if __name__ == "__main__":
    sys.exit(main())
