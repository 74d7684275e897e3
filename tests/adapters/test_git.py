from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters import git
from orchestrator.errors import Code, ExitCode, UsageError
from orchestrator.model.run import Subject


def run(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.test", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments],  # noqa: S607 - whichever git there is
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.py").write_text("1\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_project_outside_git_has_a_name_only(tmp_path: Path) -> None:
    assert git.subject("shop", tmp_path) == Subject(name="shop")
    assert git.files(tmp_path) is None


def test_a_project_without_git_at_all_has_a_name_only(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git.subject("shop", repository) == Subject(name="shop")
    assert git.files(repository) is None


def test_a_repository_without_a_commit_has_a_name_only(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    assert git.subject("shop", tmp_path) == Subject(name="shop")


def test_commit_and_branch_are_told(repository: Path) -> None:
    found = git.subject("shop", repository)
    assert found == Subject(name="shop", commit=run(repository, "rev-parse", "HEAD"), branch="main", dirty=False)
    assert len(found.commit) == 40


def test_a_changed_work_tree_is_dirty_and_a_new_file_is_not(repository: Path) -> None:
    (repository / "new.py").write_text("1\n")
    assert not git.subject("shop", repository).dirty
    (repository / "a.py").write_text("2\n")
    assert git.subject("shop", repository).dirty


def test_a_detached_head_is_told(repository: Path) -> None:
    run(repository, "checkout", "-q", "--detach")
    assert git.subject("shop", repository).branch == "HEAD"


def test_files_are_those_that_git_tracks_or_would(repository: Path) -> None:
    for name in ("b.py", "deep/c.py", "x.log", 'it\'s "q" é.py', "new\nline.py"):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text("1\n")
    assert git.files(repository) == sorted(
        [".gitignore", "a.py", "b.py", "deep/c.py", 'it\'s "q" é.py', "new\nline.py"]
    )


def test_files_of_a_folder_are_relative_to_it(repository: Path) -> None:
    (repository / "service").mkdir()
    (repository / "service" / "app.py").write_text("1\n")
    assert git.files(repository / "service") == ["app.py"]


def test_a_repository_of_no_file_has_none(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    assert git.files(tmp_path) is None


def test_changed_lines_are_those_of_the_work_tree_since_a_revision(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    (tmp_path / "kept.py").write_text("a = 1\n")
    (tmp_path / "changed.py").write_text("".join(f"line{n} = {n}\n" for n in range(1, 11)))
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "first")
    lines = (tmp_path / "changed.py").read_text().splitlines(keepends=True)
    lines[2] = "line3 = 0\n"
    lines[7:7] = ["new = 1\n", "newer = 2\n"]
    (tmp_path / "changed.py").write_text("".join(lines))
    (tmp_path / "added.py").write_text("b = 2\n")
    found = git.changed_lines(tmp_path, "HEAD")
    assert {path: [list(r[:5]) for r in ranges] for path, ranges in found.items()} == {
        "changed.py": [[3], [8, 9]],
        "added.py": [[1, 2, 3, 4, 5]],
    }


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", ""])
def test_a_revision_that_git_does_not_know_is_refused(tmp_path: Path, revision: str) -> None:
    run(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="knows no revision") as raised:
        git.changed_lines(tmp_path, revision)
    assert raised.value.problem.code == Code.UNKNOWN_REVISION
    assert raised.value.exit_code == ExitCode.USAGE
