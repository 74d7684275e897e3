from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator import config, history, runner
from orchestrator.config import Project
from orchestrator.errors import Code, ExitCode, OrchestratorError, UsageError
from orchestrator.model.run import Report
from orchestrator.model.stage import Extra, StageResult, StageStatus
from orchestrator.progress import PlainTeller
from orchestrator.stages import Stage
from orchestrator.stages.context import Context, Interrupted, completed


@pytest.fixture
def project(tmp_path: Path) -> Project:
    settings = config.parse({"app": {"target": "shop:app"}}, tmp_path / "pyproject.toml")
    return Project(root=tmp_path, file=tmp_path / "pyproject.toml", settings=settings)


def with_critical(project: Project, *paths: str) -> Project:
    table = {"app": {"target": "shop:app"}, "mutation": {"critical": list(paths)}}
    return Project(root=project.root, file=project.file, settings=config.parse(table, project.file))


def names(stages: tuple[Stage, ...]) -> list[str]:
    return [stage.name for stage in stages]


def found(context: Context) -> StageResult:
    return completed("first", Extra(facts={"answer": "42"}), "found it")


def breaks(context: Context) -> StageResult:
    raise OrchestratorError(Code.NO_PACTS, "no pact", hint="write one")


def has_a_fault(context: Context) -> StageResult:
    raise ZeroDivisionError("ours")


def is_interrupted(context: Context) -> StageResult:
    raise Interrupted(Extra(facts={"known": "so far"}), "a part")


def is_stopped_by_the_keyboard(context: Context) -> StageResult:
    raise KeyboardInterrupt


def run(project: Project, **stages: object) -> Report:
    planned = [Stage(name=name, title=name, run=call) for name, call in stages.items()]  # type: ignore[arg-type]
    return runner.run(project, planned, PlainTeller(Console(file=io.StringIO())))


def test_all_stages_run_when_none_is_asked_for(project: Project) -> None:
    assert names(runner.plan(project, [])) == [
        "generate",
        "suite",
        "properties",
        "contracts",
        "description",
        "mutation",
    ]


def test_a_stage_brings_what_it_needs_in_the_right_order(project: Project) -> None:
    assert names(runner.plan(project, ["properties"])) == ["generate", "properties"]
    assert names(runner.plan(project, ["mutation"])) == ["suite", "mutation"]


def test_critical_operations_need_the_stage_that_records_what_they_execute(project: Project) -> None:
    planned = runner.plan(with_critical(project, "POST /orders"), ["mutation"])
    assert names(planned) == ["generate", "suite", "properties", "mutation"]


def test_critical_files_do_not(project: Project) -> None:
    assert names(runner.plan(with_critical(project, "shop/*.py"), ["mutation"])) == ["suite", "mutation"]


def test_a_stage_that_does_not_exist_is_refused(project: Project) -> None:
    with pytest.raises(UsageError, match=r"QO105: no stage is called 'fuzz'"):
        runner.plan(project, ["fuzz"])


def test_a_stage_that_breaks_costs_no_other_its_result(project: Project) -> None:
    report = run(project, first=found, second=breaks, third=found)
    assert [s.status for s in report.run.stages] == [StageStatus.COMPLETED, StageStatus.ERROR, StageStatus.COMPLETED]
    assert report.verdict.exit_code == ExitCode.STAGE_FAILED
    error = report.run.stages[1].error
    assert error is not None
    assert (error.code, error.message, error.hint) == (Code.NO_PACTS, "no pact", "write one")


def test_a_fault_of_ours_is_a_result_with_its_traceback(project: Project) -> None:
    report = run(project, first=has_a_fault, second=found)
    error = report.run.stages[0].error
    assert error is not None
    assert error.code == Code.INTERNAL
    assert "ZeroDivisionError" in error.detail
    assert report.run.stages[1].status is StageStatus.COMPLETED
    assert report.verdict.exit_code == ExitCode.BUG


@pytest.mark.parametrize("stop", [is_interrupted, is_stopped_by_the_keyboard])
def test_an_interrupt_ends_the_stage_and_skips_the_rest(project: Project, stop: object) -> None:
    report = run(project, first=found, second=stop, third=found)
    assert [s.status for s in report.run.stages] == [
        StageStatus.COMPLETED,
        StageStatus.INTERRUPTED,
        StageStatus.SKIPPED,
    ]
    assert report.verdict.exit_code == ExitCode.INTERRUPTED


def test_what_an_interrupted_stage_knew_is_kept(project: Project) -> None:
    stage = run(project, first=is_interrupted).run.stages[0]
    assert (stage.data, stage.summary) == (Extra(facts={"known": "so far"}), "a part")


def test_results_are_on_disk_after_each_stage(project: Project) -> None:
    seen: list[Report] = []

    def looks(context: Context) -> StageResult:
        seen.append(history.read(project.state / "partial.json"))
        return found(context)

    run(project, first=found, second=looks)
    assert [s.name for s in seen[0].run.stages] == ["first"]


def test_a_bad_baseline_is_an_error_and_a_bad_earlier_run_is_none(project: Project, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    assert runner.earlier(project, tmp_path) is None
    table = {"app": {"target": "shop:app"}, "baseline": "run.json"}
    with_baseline = Project(root=tmp_path, file=project.file, settings=config.parse(table, project.file))
    with pytest.raises(OrchestratorError, match="QO703"):
        runner.earlier(with_baseline, tmp_path)


def test_the_credentials_of_the_environment_are_not_in_the_provenance(project: Project) -> None:
    table = {"app": {"target": "shop:app", "environment": {"KEY": "very-secret"}}}
    secretive = Project(root=project.root, file=project.file, settings=config.parse(table, project.file))
    assert "very-secret" not in str(run(secretive, first=found))
