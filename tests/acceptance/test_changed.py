"""What a run says of changed lines, of a baseline kept in git, and of the runs before it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode
from orchestrator.model.run import GateVerdict
from tests.acceptance import support
from tests.acceptance.support import orchestrator, report_of

PRICES = "shop/prices.py"


def git(project: Path, *arguments: str) -> None:
    command = ["git", "-C", str(project), "-c", "user.name=ann", "-c", "user.email=ann@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project in git: a run of it is kept there as the baseline, and then one line is changed."""
    shop = support.copy_of(support.SHOP, tmp_path_factory.mktemp("changed"))
    for line in (
        'mutation.critical = ["shop/prices.py"]',
        "mutation.self-check = 0",
        'gates.mutation-score = "no worse"',
        "gates.changed-survivors = 0",
    ):
        support.setting(shop, line)
    (shop / ".gitignore").write_text("reports/\n.orchestrator/\n__pycache__/\ntests/generated/\n")
    git(shop, "init", "--quiet", "--initial-branch=main")
    git(shop, "add", "-A")
    git(shop, "commit", "--quiet", "-m", "first")
    ended = orchestrator(shop, "run", "--stage", "mutation")
    assert ended.code == ExitCode.PASSED, ended.output
    assert orchestrator(shop, "baseline", "save").code == ExitCode.PASSED
    git(shop, "add", "-A")
    git(shop, "commit", "--quiet", "-m", "baseline")
    return shop


def test_the_source_of_each_mutated_file_is_kept(shop: Path) -> None:
    mutation = report_of(shop).run.mutation
    assert mutation is not None
    assert mutation.sources == {PRICES: (shop / PRICES).read_text()}


def test_without_a_baseline_nothing_is_known_of_changed_lines(shop: Path) -> None:
    gates = {gate.id: gate for gate in report_of(shop).verdict.gates}
    assert gates["changed-survivors"].verdict is GateVerdict.NOT_COMPUTED
    assert gates["mutation-score"].verdict is GateVerdict.NOT_COMPUTED


def test_mutants_of_changed_lines_are_told_and_judged_by_their_own_gate(shop: Path, tmp_path: Path) -> None:
    project = support.copy_of(shop, tmp_path)
    source = (project / PRICES).read_text()
    added = "\n\ndef unused(count):\n    return count + 1\n"
    (project / PRICES).write_text(source + added)
    ended = orchestrator(project, "run", "--stage", "mutation", "--baseline", "git:main")
    assert ended.code == ExitCode.GATE_FAILED, ended.output
    report = report_of(project)
    mutation = report.run.mutation
    assert mutation is not None
    assert {m.function for m in mutation.mutants if m.changed} == {"unused"}
    gates = {gate.id: gate for gate in report.verdict.gates}
    assert gates["changed-survivors"].verdict is GateVerdict.FAIL
    assert gates["mutation-score"].scope.value == "no worse than the baseline"
    assert gates["mutation-score"].verdict is GateVerdict.FAIL
    page = (project / "reports" / "quality.html").read_text()
    assert page.index("unused</code></h3>") == page.index("</code></h3>") - len("unused")  # the first card


def test_a_file_of_another_name_has_no_new_survivor(shop: Path, tmp_path: Path) -> None:
    project = support.copy_of(shop, tmp_path)
    (project / PRICES).rename(project / "shop" / "pricing.py")
    for file in (project / "shop" / "app.py", project / "shop" / "orders.py", project / "tests" / "test_shop.py"):
        file.write_text(
            file.read_text().replace("shop.prices", "shop.pricing").replace("import prices", "import pricing as prices")
        )
    support.setting(project, 'mutation.critical = ["shop/pricing.py"]')
    orchestrator(project, "run", "--stage", "mutation", "--baseline", "git:main")
    comparison = report_of(project).comparison
    assert comparison is not None
    survivors = [d for d in comparison.differences if d.kind == "survivor"]
    assert {d.change.value for d in survivors} == {"still"}
    assert all(d.was for d in survivors)


def test_each_run_adds_a_line_to_the_history(shop: Path, tmp_path: Path) -> None:
    project = support.copy_of(shop, tmp_path)
    for _ in range(2):
        orchestrator(project, "run", "--stage", "generate")
    orchestrator(project, "run", "--stage", "report")  # the same run once more
    lines = (project / "reports" / "history.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert all(json.loads(line)["stages"].keys() == {"generate"} for line in lines)
