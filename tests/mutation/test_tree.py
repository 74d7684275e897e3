from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.config import Project
from orchestrator.mutation import tree
from orchestrator.mutation.tree import Copy, Digests
from tests import builders


def small(root: Path, **settings: str) -> Project:
    for name, body in {
        "shop/prices.py": "def total(): return 1\n",
        "tests/test_prices.py": "def test(): pass\n",
        "data/numbers.csv": "1\n",
        "reports/old.html": "",
        ".venv/lib/big.py": "",
        "env/pyvenv.cfg": "",
        "env/big.py": "",
        "node_modules/x.js": "",
        ".orchestrator/logs/old.log": "",
        "shop/__pycache__/prices.pyc": "",
        "mutants/shop/prices.py": "",
        ".hypothesis/x": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body)
    return builders.project(root, source=["shop"], reports="reports", **settings)


OWN = ["data/numbers.csv", "shop/prices.py", "tests/test_prices.py"]


def copied(copy: Copy) -> list[str]:
    return sorted(p.relative_to(copy.root).as_posix() for p in copy.root.rglob("*") if not p.is_dir())


def test_files_are_the_projects_own(tmp_path: Path) -> None:
    assert tree.files(small(tmp_path)) == OWN


def test_in_a_git_work_tree_ignored_and_deleted_files_are_none(tmp_path: Path) -> None:
    project = small(tmp_path)
    (tmp_path / ".gitignore").write_text("*.csv\n/env\n")
    (tmp_path / "gone.py").write_text("")
    for command in (["init", "-q"], ["add", "gone.py"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S607 - whichever git there is
    (tmp_path / "gone.py").unlink()
    assert sorted(tree.files(project)) == [".gitignore", "shop/prices.py", "tests/test_prices.py"]


def test_a_digest_is_of_the_content(tmp_path: Path) -> None:
    for name, body in {"a": "1", "b": "1", "c": "2", "e": ""}.items():
        (tmp_path / name).write_text(body)
    digests = Digests(tmp_path, tmp_path / "memory")
    assert digests.of("a") == digests.of("b") == digests.of(str(tmp_path / "a")) != digests.of("c")
    assert digests.of("gone") == digests.of(".") == ""
    assert digests.of("e") != ""


def test_a_change_is_seen_by_its_time(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    os.utime(file, ns=(1, 1))
    digests = Digests(tmp_path, tmp_path / "memory")
    first = digests.of("a")
    file.write_text("2")
    os.utime(file, ns=(1, 2))
    assert digests.of("a") != first
    file.unlink()
    assert digests.of("a") == ""


def test_what_was_seen_is_remembered_and_what_was_not_is_forgotten(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("1")
        os.utime(tmp_path / name, ns=(1, 1))
    first = Digests(tmp_path, tmp_path / "memory")
    one = first.of("a")
    first.keep()
    for name in "ab":  # as no editor does it: same size, same time
        (tmp_path / name).write_text("2")
        os.utime(tmp_path / name, ns=(1, 1))
    second = Digests(tmp_path, tmp_path / "memory")
    assert second.of("a") == one != second.of("b")
    (tmp_path / "a").unlink()
    third = Digests(tmp_path, tmp_path / "memory")
    assert third.of("a") == ""
    third.keep()
    assert (tmp_path / "memory").read_bytes() == b"{}"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":[1]}'])
def test_a_broken_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "memory").write_bytes(content)
    (tmp_path / "a").write_text("1")
    assert Digests(tmp_path, tmp_path / "memory").of("a")


def test_one_digest_stands_for_many_files_and_more(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    digests = Digests(tmp_path, tmp_path / "memory")
    whole = digests.of_all(["a", "b"], {"x": 1, "y": 2})
    assert digests.of_all(["b", "a", "b"], {"y": 2, "x": 1}) == whole
    others = [digests.of_all(["a"], {"x": 1, "y": 2}), digests.of_all(["a", "b"]), digests.of_all(["a", "b", "c"])]
    assert len({whole, *others}) == 4


def test_a_copy_has_the_projects_own_files(tmp_path: Path) -> None:
    project = small(tmp_path / "p")
    folder = tmp_path / "copy"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "file.py").write_text("")
    copy = Copy(project, folder)
    assert copied(copy) == OWN
    assert copy.directory == copy.root == folder
    stat = (project.root / "shop/prices.py").stat()
    assert (folder / "shop/prices.py").stat().st_mtime_ns == stat.st_mtime_ns


def test_the_copys_directory_is_where_the_app_runs(tmp_path: Path) -> None:
    project = small(tmp_path / "p")
    (tmp_path / "p" / "service").mkdir()
    project = builders.project(tmp_path / "p", directory="service")
    assert Copy(project, tmp_path / "copy").directory == tmp_path / "copy" / "service"


def test_a_file_of_the_copy_is_changed_and_restored(tmp_path: Path) -> None:
    copy = Copy(small(tmp_path / "p"), tmp_path / "copy")
    file = copy.change("shop/prices.py", "def total(): return 'é'\r\n")
    assert file == tmp_path / "copy" / "shop" / "prices.py"
    assert file.read_bytes() == "def total(): return 'é'\r\n".encode()
    assert (tmp_path / "p" / "shop" / "prices.py").read_text() == "def total(): return 1\n"
    copy.restore("shop/prices.py")
    assert file.read_text() == "def total(): return 1\n"


def test_a_link_in_the_copy_is_changed_without_its_target_and_restored(tmp_path: Path) -> None:
    project = small(tmp_path / "p")
    (tmp_path / "p" / "shop" / "alias.py").symlink_to("prices.py")
    copy = Copy(project, tmp_path / "copy")
    link = copy.root / "shop" / "alias.py"
    assert link.is_symlink()
    copy.change("shop/alias.py", "changed")
    assert (copy.root / "shop" / "prices.py").read_text() == "def total(): return 1\n"
    assert link.read_text() == "changed"
    copy.restore("shop/alias.py")
    assert link.read_text() == "def total(): return 1\n"
