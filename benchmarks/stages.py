"""What the stages cost beside the tools that they run: the same work with and without us, in one run, as ratios.

    python benchmarks/stages.py [--json FILE] [--rounds 3]

It works on a copy of this repository's own subject (`backend/`). Each pair is run in turn, `--rounds` times, and the
medians are compared: the suite against plain pytest with coverage.py, the property tests against plain pytest on the
same modules and the same served app, the pacts against the bare Verifier in one process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("backend", "openapi", "contracts", "tests/backend", "tests/consumers", "tests/__init__.py", "pyproject.toml")
VERIFIER = """
import glob, os
from pact import Verifier
for file in sorted(glob.glob("contracts/*.json")):
    verifier = Verifier("uuid-service", "127.0.0.1").add_transport(url=os.environ["API_URL"]).add_source(file)
    verifier.state_handler(os.environ["API_CONTROL"] + "/state", teardown=False, body=True).verify()
"""


def main() -> None:
    """Measure and print, and write the figures if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = copied(Path(folder))
        run(project, "-m", "orchestrator", "run", "--stage", "generate")
        figures = measure(project, arguments.rounds)
    print(f"{'stage':<12}{'ours (s)':>10}{'tool (s)':>10}{'ratio':>8}")
    for stage, (ours, tool) in figures.items():
        print(f"{stage:<12}{ours:>10.2f}{tool:>10.2f}{ours / tool:>8.2f}")
    if arguments.json:
        objects = {s: {"seconds": o, "tool_seconds": t, "ratio": o / t} for s, (o, t) in figures.items()}
        arguments.json.write_text(json.dumps(objects, indent=1) + "\n", "utf-8")


def copied(folder: Path) -> Path:
    """Return a copy of the subject, its tests and its pacts."""
    for name in NEEDED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def measure(project: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return, per stage, the median seconds of ours and of the tool alone."""
    plain = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider", "-q")
    ours: dict[str, list[float]] = {"suite": [], "properties": [], "contracts": []}
    tool: dict[str, list[float]] = {"suite": [], "properties": [], "contracts": []}
    for _ in range(rounds):
        for stage, seconds in ours.items():
            run(project, "-m", "orchestrator", "run", "--stage", stage)
            seconds.append(stage_seconds(project, stage))
        covered = ("-m", "coverage", "run", "--include=backend/*", "-m", "pytest", *plain, "tests/backend")
        tool["suite"].append(run(project, *covered))
        with served(project) as where:
            modules = ("-c", os.devnull, "--rootdir", ".", "--import-mode=importlib", "tests/generated")
            tool["properties"].append(run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules, **where))
        with served(project) as where:
            tool["contracts"].append(run(project, "-c", VERIFIER, **where))
    return {stage: (statistics.median(ours[stage]), statistics.median(tool[stage])) for stage in ours}


def run(project: Path, *arguments: str, **variables: str) -> float:
    """Run Python in the project and return the seconds it took."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PACT_DO_NOT_TRACK": "true", "PYTHONPATH": str(project), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.monotonic() - started


def stage_seconds(project: Path, stage: str) -> float:
    """Return what the last run says a stage took."""
    saved = json.loads((project / "reports" / "run.json").read_bytes())
    return next(float(s["seconds"]) for s in saved["run"]["stages"] if s["name"] == stage)


@contextlib.contextmanager
def served(project: Path) -> Iterator[dict[str, str]]:
    """Serve the app; the block is given the variables that say where."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "serve"], cwd=project, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        line = process.stdout.readline()
        try:
            yield dict(re.findall(r"(API_\w+)=(\S+)", line))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
