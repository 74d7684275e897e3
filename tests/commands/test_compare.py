"""`orchestrator compare`, `baseline` and `gate`, on saved runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import report
from orchestrator.errors import ExitCode
from orchestrator.model.mutation import MutantStatus
from orchestrator.model.run import Run
from tests import builders
from tests.acceptance.support import orchestrator
from tests.builders import finding, mutation, properties, run

SETTINGS = '[app]\ntarget = "shop:app"\n'
GOOD = run(properties(), mutation(MutantStatus.KILLED))
BAD = run(properties(finding(fingerprint="3fa29c01d2b4")), mutation(MutantStatus.SURVIVED))


def saved(folder: Path, of: Run) -> Path:
    report.write(builders.report(of), folder)
    return folder / "run.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "orchestrator.toml").write_text(SETTINGS)
    saved(tmp_path / "reports", BAD)
    saved(tmp_path / "before", GOOD)
    return tmp_path


@pytest.mark.parametrize("names", [("before/run.json", "reports/run.json"), ("before", "reports")])
def test_two_runs_are_compared(project: Path, names: tuple[str, str]) -> None:
    ended = orchestrator(project, "compare", *names)
    assert ended.code == ExitCode.PASSED, ended.output
    assert "2 new, 0 fixed" in ended.output
    assert "+ new finding: GET /a: Server error" in ended.output
    assert "\x1b" not in ended.output


def test_a_comparison_is_written_as_markdown(project: Path) -> None:
    ended = orchestrator(project, "compare", "before", "reports", "--markdown")
    assert ended.output.startswith("### Since ")
    assert "<details><summary>2 new</summary>" in ended.output


def test_a_run_that_is_not_there_is_told(project: Path) -> None:
    ended = orchestrator(project, "compare", "nowhere.json", "reports")
    assert ended.code == ExitCode.USAGE
    assert "QO106 nowhere.json can't be read" in ended.output


def test_a_baseline_is_saved_and_compared_with(project: Path) -> None:
    ended = orchestrator(project, "baseline", "save", "before/run.json")
    assert ended.code == ExitCode.PASSED, ended.output
    assert 'baseline = "quality-baseline.json"' in ended.output
    ended = orchestrator(project, "baseline", "compare", "--with", "quality-baseline.json")
    assert "since the baseline" in ended.output
    assert "2 new, 0 fixed" in ended.output


def test_without_a_baseline_it_says_how_to_make_one(project: Path) -> None:
    ended = orchestrator(project, "baseline", "compare")
    assert ended.code == ExitCode.USAGE
    assert "QO703 no baseline is set" in ended.output
    assert "orchestrator baseline save" in ended.output


def test_a_saved_run_is_held_against_the_gates_again(project: Path) -> None:
    assert orchestrator(project, "gate").code == ExitCode.GATE_FAILED
    assert orchestrator(project, "gate", "before/run.json").code == ExitCode.PASSED
    (project / "orchestrator.toml").write_text(f"{SETTINGS}[gates]\nmutation-score = 0\nproperty-findings = 1\n")
    assert orchestrator(project, "gate").code == ExitCode.PASSED


def test_a_gate_is_no_worse_than_the_baseline_that_is_named(project: Path) -> None:
    gates = '[gates]\nmutation-score = false\nproperty-findings = "no worse"\n'
    (project / "orchestrator.toml").write_text(f"{SETTINGS}{gates}")
    ended = orchestrator(project, "gate", "reports", "--baseline", "before")
    assert ended.code == ExitCode.GATE_FAILED
    assert "What the OpenAPI document promises holds: 1 finding (asked: none)" in ended.output
    assert orchestrator(project, "gate", "reports", "--baseline", "reports").code == ExitCode.PASSED


def test_waivers_count_as_of_today(project: Path) -> None:
    def waived(until: str) -> int:
        lines = [
            f'[[waivers]]\nwaives = "{waives}"\nowner = "ann"\nreason = "ticket 7"\nuntil = {until}\n'
            for waives in ("3fa29c01d2b4", "mutation-score")
        ]
        (project / "orchestrator.toml").write_text(SETTINGS + "".join(lines))
        return orchestrator(project, "gate").code

    assert waived("2999-01-01") == ExitCode.PASSED
    assert waived("2026-01-03") == ExitCode.GATE_FAILED


@pytest.mark.parametrize("wrong", ["owner = ''", "reason = ''", "until = 'soon'"])
def test_a_waiver_needs_an_owner_a_reason_and_a_day(project: Path, wrong: str) -> None:
    whole = {"waives": "'x'", "owner": "'ann'", "reason": "'r'", "until": "2026-01-01"}
    key, _, value = wrong.partition(" = ")
    lines = "".join(f"{k} = {v}\n" for k, v in {**whole, key: value}.items())
    (project / "orchestrator.toml").write_text(f"{SETTINGS}[[waivers]]\n{lines}")
    ended = orchestrator(project, "gate")
    assert ended.code == ExitCode.USAGE
    assert f"waivers[0].{key}" in ended.output.replace("`", "")
