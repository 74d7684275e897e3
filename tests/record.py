"""Record again, with the installed tools, what `tests/data` holds: `python -m tests.record`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(__file__).parent / "data"


def unpack(folder: Path, target: Path) -> Path:
    """Copy a folder of recorded files; `.txt` behind the name of a Python file goes away."""
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = file.relative_to(folder).as_posix()
        to = target / (name.removesuffix(".txt") if ".py" in file.name else name)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    return target


def pack(files: list[Path], base: Path, tool: str) -> None:
    """Put what a tool wrote into its version's folder."""
    folder = DATA / tool / importlib.metadata.version("pact-python" if tool == "pact" else tool)
    shutil.rmtree(folder, ignore_errors=True)
    for file in files:
        to = folder / file.relative_to(base)
        to = to.with_name(to.name + ".txt") if ".py" in to.name else to
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)


def slim(coverage: Path) -> None:
    """Leave in coverage.py's JSON what is read of it, and more of the same sort, but not every line's number."""
    report = json.loads(coverage.read_bytes())
    files = {name: {"summary": entry["summary"]} for name, entry in report["files"].items()}
    coverage.write_text(json.dumps({"meta": {"version": report["meta"]["version"]}, "files": files}, indent=1) + "\n")


def main() -> None:
    """Run the orchestrator on the recorded project and keep what its tools wrote."""
    with tempfile.TemporaryDirectory() as name:
        project = unpack(DATA / "shop", Path(name) / "shop")
        environment = {k: v for k, v in os.environ.items() if k != "CI"}
        subprocess.run([sys.executable, "-m", "orchestrator", "run"], cwd=project, env=environment, check=False)
        state = project / ".orchestrator"
        pack([state / "properties" / "record.ndjson"], state / "properties", "schemathesis")
        pack(sorted((state / "contracts").glob("*.result.json")), state / "contracts", "pact")
        pack([state / "suite" / "record.ndjson"], state / "suite", "pytest")
        slim(state / "suite" / "coverage.json")
        pack([state / "suite" / "coverage.json"], state / "suite", "coverage")


if __name__ == "__main__":
    main()
