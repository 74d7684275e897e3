from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator import baseline, config, history
from orchestrator.config import Project
from orchestrator.errors import Code, OrchestratorError
from tests import builders


@pytest.fixture
def project(tmp_path: Path) -> Project:
    file = tmp_path / "orchestrator.toml"
    return Project(root=tmp_path, file=file, settings=config.parse({"app": {"target": "shop:app"}}, file))


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(root), *identity, *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("told", ["kept.json", "nightly"])
def test_a_baseline_is_a_file_or_a_folder_of_reports(project: Project, told: str) -> None:
    report = builders.report(builders.full_run())
    path = project.root / ("kept.json" if told == "kept.json" else "nightly/run.json")
    baseline.save(report, path)
    assert baseline.load(project, told) == report


def test_a_baseline_is_kept_without_its_own_history(project: Project) -> None:
    report = builders.report(builders.full_run(), history.compare(builders.run(), builders.run(), "baseline"))
    baseline.save(report, project.root / "kept.json")
    kept = baseline.load(project, "kept.json")
    assert (kept.run, kept.comparison, kept.history) == (report.run, None, ())


def test_a_baseline_is_read_from_a_revision_of_git(project: Project) -> None:
    first, second = (builders.report(builders.run(seconds=seconds)) for seconds in (1.0, 2.0))
    path = project.root / baseline.FILE
    git(project.root, "init", "--quiet", "--initial-branch=main")
    baseline.save(first, path)
    git(project.root, "add", "-A")
    git(project.root, "commit", "--quiet", "-m", "first")
    baseline.save(second, path)
    assert baseline.load(project, "git:main").run.seconds == 1.0
    assert baseline.load(project, f"git:main:{baseline.FILE}").run.seconds == 1.0
    assert baseline.load(project, baseline.FILE).run.seconds == 2.0
    for told, why in (("git:nowhere", "is no revision"), ("git:main:other.json", "has no other.json")):
        with pytest.raises(OrchestratorError, match=why) as caught:
            baseline.load(project, told)
        assert caught.value.problem.code == Code.BASELINE_UNREADABLE


@pytest.mark.parametrize(
    ("told", "file"),
    [("", baseline.FILE), ("kept.json", "kept.json"), ("git:main", baseline.FILE), ("nightly", baseline.FILE)],
)
def test_a_baseline_is_saved_where_the_settings_look_for_it(project: Project, told: str, file: str) -> None:
    settings = config.parse({"app": {"target": "shop:app"}, "baseline": told}, project.file)
    named = Project(root=project.root, file=project.file, settings=settings)
    assert baseline.place(named) == project.root / file
