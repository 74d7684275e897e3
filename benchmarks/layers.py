"""What do the property and the contract layer cost, and for how many survivors is there a proposal?

    python benchmarks/layers.py [--json FILE] [--folder DIR]

A copy of this repository's service is run twice, from nothing each time: with the unit layer alone, then with all
layers. Written are the seconds of both mutation stages, the CPU time that the two layers take of a mutant in the
median (its children, and its share of the judges and of the driver), how many mutants were judged, and how far the
survivors got in each layer. A third copy has time for all mutants: how many of its survivors have a verified proposal.
Then `orchestrator propose --all --write` writes its tests into that copy, which is run again: the mutation score
before, the one announced, and the one that came.
"""

from __future__ import annotations

import argparse
import collections
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from orchestrator import history
from orchestrator.model.mutation import LAYERS, MutantStatus, Mutation

import mutation  # isort: skip - the files beside this one
import ripr_check  # isort: skip


def main() -> None:
    """Run both, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "orchestrator-layers")
    arguments = parser.parse_args()
    alone, _ = measured(arguments.folder / "unit", {"layers": '["unit"]'})
    everything, found = measured(arguments.folder / "all", {})
    survivors = [m for m in found.mutants if m.status is MutantStatus.SURVIVED]
    _, whole = measured(arguments.folder / "whole", {"import-time-budget": "3600"})
    left = [m for m in whole.mutants if m.status is MutantStatus.SURVIVED]
    proposed = [m for m in left if m.proposals]
    told, again = proposed_in(arguments.folder / "whole")
    figures: dict[str, Any] = {
        "unit_seconds": alone,
        "all_seconds": everything,
        "judged": sum(m.status.is_detected or m.status.is_undetected for m in found.mutants),
        "in_all_layers": sum(set(LAYERS) <= m.layers.keys() for m in found.mutants),
        "cpu_seconds_a_mutant_median": found.seconds.get("layers-cpu-median"),
        "seconds": found.seconds,
        "survivors": len(survivors),
        "survivors_by_step": {
            layer: dict(collections.Counter(str(m.layers.get(layer, "not computed")) for m in survivors))
            for layer in LAYERS
        },
        "judged_of_all": sum(m.status.is_detected or m.status.is_undetected for m in whole.mutants),
        "survivors_of_all": len(left),
        "survivors_with_proposal": len(proposed),
        "share_with_proposal": round(len(proposed) / len(left), 3) if left else None,
        "requests_tried": sum(m.input_gap.tried for m in survivors if m.input_gap),
        "document": {
            "changes": len(found.document),
            "unnoticed": sum(not one.noticed for one in found.document),
        },
        "propose": told,
        "score_before": whole.score,
        "score_after": again.score,
    }
    mutation.tell(figures, arguments.json)


def proposed_in(folder: Path) -> tuple[str, Mutation]:
    """Have all proposed tests written, and run again; return what was announced, and what that found."""
    command = [sys.executable, "-m", "orchestrator"]
    done = subprocess.run(
        [*command, "propose", "--all", "--write", "tests"], cwd=folder, capture_output=True, text=True, check=True
    )
    told = next(line for line in done.stdout.splitlines() if "mutation score goes" in line)
    subprocess.run([*command, "run"], cwd=folder, stdout=subprocess.DEVNULL, check=False)
    return told, mutation_of(folder)[1]


def measured(folder: Path, settings: dict[str, str]) -> tuple[float, Mutation]:
    """Run a fresh copy with other settings of the mutation stage; return its seconds, and what it found."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ripr_check.ROOT, folder, ignore=ripr_check.LEFT_OUT)
    file = folder / "pyproject.toml"
    told = [f"mutation.{name} = {value}\n" for name, value in settings.items()]
    kept = [
        line
        for line in file.read_text("utf-8").splitlines(keepends=True)
        if not line.startswith(tuple(f"mutation.{name} =" for name in settings))
    ]
    at = next(k for k, line in enumerate(kept) if line.startswith("mutation.critical ="))
    file.write_text("".join([*kept[:at], *told, *kept[at:]]), "utf-8")
    subprocess.run([sys.executable, "-m", "orchestrator", "run"], cwd=folder, stdout=subprocess.DEVNULL, check=False)
    return mutation_of(folder)


def mutation_of(folder: Path) -> tuple[float, Mutation]:
    """Return the seconds of the last run's mutation stage, and what that found."""
    run = history.read(folder / "reports" / "run.json").run
    stage = run.stage("mutation")
    if stage is None or run.mutation is None:
        raise SystemExit("there are no mutants")
    return stage.seconds, run.mutation


if __name__ == "__main__":
    main()
