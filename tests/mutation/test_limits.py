"""Where time is short: what is judged first, and what becomes of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from orchestrator.errors import Code
from orchestrator.model.mutation import MutantStatus, Mutation
from orchestrator.model.stage import StageResult, StageStatus
from orchestrator.model.suite import Outcome
from orchestrator.progress import PlainTeller
from orchestrator.stages import mutation
from orchestrator.stages.context import Context
from tests import builders
from tests.mutation.subjects import PLAIN, write

FILES = {
    "pkg/__init__.py": "",
    "pkg/shop.py": "".join(f"def f{k}(a, b):\n    return a + b if a > b else a - b * 2\n\n\n" for k in range(10)),
    "tests/test_shop.py": "import time\nimport pytest\nfrom pkg import shop\n\n\n"
    "@pytest.mark.parametrize('k', range(10))\n"
    "def test_it(k):\n    if getattr(shop, f'f{k}')(3, 2) != 5:\n        time.sleep(0.5)\n        raise ValueError\n",
}
SHORT = 7.0  # long enough to collect on a busy machine, and too short for all mutants on an idle one


def run(root: Path, **settings: Any) -> tuple[StageResult, Mutation]:
    write(root, FILES)
    told = {"critical": ["pkg/*.py"], "self-check": 0, "workers": 1, **settings}
    project = builders.project(root, source=["pkg"], tests={"options": PLAIN}, mutation=told)
    with Context(project, PlainTeller(Console(quiet=True))) as context:
        passed = StageResult(name="suite", status=StageStatus.COMPLETED, data=builders.suite(Outcome.PASSED))
        context.results["suite"] = passed
        result = mutation.run(context)
    assert isinstance(result.data, Mutation)
    return result, result.data


def test_a_budget_is_shared_by_all_functions_and_the_rest_is_not_run(tmp_path: Path) -> None:
    result, found = run(tmp_path, budget=SHORT)
    judged = [m for m in found.mutants if m.status.is_detected or m.status is MutantStatus.SURVIVED]
    left = [m for m in found.mutants if m.status is MutantStatus.NOT_RUN]
    assert result.status is StageStatus.COMPLETED
    assert len({m.function for m in judged}) == min(10, len(judged))  # one of each function before two of one
    assert judged
    assert left
    assert not any(m.killer for m in left)


def test_a_stage_whose_time_is_up_says_so_and_keeps_what_it_knows(tmp_path: Path) -> None:
    result, found = run(tmp_path, timeout=SHORT)
    assert result.status is StageStatus.TIMED_OUT
    assert result.error
    assert (result.error.code, "mutation.timeout" in result.error.hint) == (Code.STAGE_TIMED_OUT, True)
    assert found.count(MutantStatus.KILLED)
    assert found.count(MutantStatus.NOT_RUN)
