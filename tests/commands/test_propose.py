"""What is proposed holds what is announced of it: the score rises by exactly that, in a project and in the service."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from orchestrator.errors import Code, ExitCode
from orchestrator.model.mutation import Mutation
from tests.acceptance.support import SHOP, copy_of, edit, orchestrator, report_of, setting

ROOT = Path(__file__).parents[2]
ANNOUNCED = re.compile(
    r"(\d+) tests? in (\d+) files? notices? (\d+) of (\d+) survivors?: "
    r"the mutation score goes from ([\d.]+) % to ([\d.]+) %"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after a run."""
    project = copy_of(SHOP, tmp_path_factory.mktemp("propose"))
    ended = orchestrator(project, "run", "--stage=mutation")
    assert ended.code == ExitCode.PASSED, ended.output
    return project


def found_in(project: Path) -> Mutation:
    mutation = report_of(project).run.mutation
    assert mutation
    return mutation


def fulfilled(project: Path, *wanted: str) -> list[str]:
    """Write what is proposed, run again, and return the written files: the score is the announced one."""
    before = found_in(project)
    told = orchestrator(project, "propose", *wanted, "--write", "tests")
    assert told.code == ExitCode.PASSED, told.output
    announced = ANNOUNCED.search(told.output)
    assert announced, told.output
    tests, files, noticed, survivors, score, promised = announced.groups()
    assert int(tests) > 0
    assert score == f"{before.score:.2f}"
    written = re.findall(r"written: (\S+)", told.output)
    assert len(written) == int(files)
    again = orchestrator(project, "run", "--stage=mutation")
    assert again.code == ExitCode.PASSED, again.output
    after = found_in(project)
    undetected = [{m.fingerprint for m in found.mutants if m.status.is_undetected} for found in (before, after)]
    assert undetected[1] <= undetected[0]
    assert len(undetected[0]) == int(survivors)
    assert len(undetected[0] - undetected[1]) == int(noticed)
    assert f"{after.score:.2f}" == promised
    left = orchestrator(project, "propose", "--all")
    assert left.code == ExitCode.PASSED, left.output
    assert "No test to propose" in left.output
    return written


def test_without_write_tests_are_shown_and_nothing_is_written(shop: Path) -> None:
    mutant = next(m for m in found_in(shop).mutants if m.status.is_undetected and any(g.proposal for g in m.gaps))
    before = sorted((shop / "tests").rglob("*.py"))
    ended = orchestrator(shop, "propose", "--mutant", mutant.fingerprint)
    assert ended.code == ExitCode.PASSED, ended.output
    assert '"""Proposed by `orchestrator propose` for ' in ended.output
    assert f": {mutant.fingerprint}" in ended.output
    assert "With --write DIR they are written." in ended.output
    assert sorted((shop / "tests").rglob("*.py")) == before
    assert not (shop / ".orchestrator" / "trial").exists()


def test_an_operation_that_no_mutant_has_is_told(shop: Path) -> None:
    unknown = orchestrator(shop, "propose", "--operation", "GET /nothing")
    assert (unknown.code, str(Code.UNKNOWN_MUTANT) in unknown.output) == (ExitCode.USAGE, True)
    assert "POST /orders" in unknown.output


def test_it_has_to_be_said_for_which_survivors_and_where(shop: Path) -> None:
    nothing = orchestrator(shop, "propose")
    assert (nothing.code, str(Code.PROPOSE_UNCLEAR) in nothing.output) == (ExitCode.USAGE, True)
    elsewhere = orchestrator(shop, "propose", "--all", "--write", str(Path.home()))
    assert (elsewhere.code, str(Code.PROPOSE_UNCLEAR) in elsewhere.output) == (ExitCode.USAGE, True)


def test_tests_that_the_settings_do_not_name_are_told(shop: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(shop, tmp_path / "shop", symlinks=True))
    mutant = next(m for m in found_in(shop).mutants if m.status.is_undetected and any(g.proposal for g in m.gaps))
    ended = orchestrator(project, "propose", "--mutant", mutant.fingerprint, "--write", "elsewhere")
    assert "`tests.paths` does not name elsewhere/test_proposed_" in ended.output


def test_a_source_that_has_changed_since_the_run_is_told(shop: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(shop, tmp_path / "shop"))
    for file in (project / "shop").glob("*.py"):
        file.write_text(file.read_text().replace("    ", "        "))
    ended = orchestrator(project, "propose", "--all")
    assert (ended.code, str(Code.UNKNOWN_MUTANT) in ended.output) == (ExitCode.USAGE, True), ended.output
    assert "run again" in ended.output


def test_the_score_rises_as_announced(shop: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(shop, tmp_path / "shop"))
    operations = {g.operation for m in found_in(shop).mutants for g in m.gaps if g.proposal}
    for path in fulfilled(project, *(f"--operation={operation}" for operation in operations)):
        assert (project / path).is_file()


def test_the_score_of_the_service_rises_as_announced(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "generated", ".orchestrator")
    for name in ("backend", "openapi", "contracts", "tests/backend", "tests/consumers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    for name in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    # The whole of it takes minutes: `benchmarks/layers.py` does that. Here it is one module and the tests of its route.
    for file in (tmp_path / "tests" / "backend").rglob("test_*.py"):
        if file.name != "test_uuids.py":
            file.unlink()
    edit(
        tmp_path / "pyproject.toml",
        'mutation.critical = ["backend/app/services/*.py", "backend/app/routes/uuids.py"]',
        'mutation.critical = ["backend/app/services/idempotency.py"]',
    )
    setting(tmp_path, 'mutation.layers = ["unit"]')
    ended = orchestrator(tmp_path, "run", "--stage=mutation")
    assert ended.code == ExitCode.PASSED, ended.output
    assert fulfilled(tmp_path, "--all") == ["tests/backend/routes/test_proposed_post_v1_uuids.py"]
