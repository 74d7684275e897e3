from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.config import Project
from orchestrator.model.mutation import MutantKind, MutantStatus, Unmutated
from orchestrator.mutation import candidates, critical
from orchestrator.mutation.candidates import Candidate
from tests import builders

PRICES = """\
LIMIT = 3
def total(prices):
    amount = sum(prices)
    return call(
        amount,
        LIMIT + 1,
    )


class Cart:
    SIZE = 4

    def add(self, count=1):
        return self.items + count

    @property
    def size(self):
        return len(self.items) + 0


def twice(a):
    return a + a


def twice(a):
    return a + a
"""
# Its last line has no line end, and is changed.
STOCK = """\
from typing import overload

if LIMIT:
    LIMIT = 1


@overload
def find(key: int) -> str: ...


def find(key):
    return key


class A:
    def __new__(cls):
        return 1 + 1

    def count(self, a): return 'Été' if a else None"""
ONLY_LINE = "LIMIT = 1"


def project(root: Path, *paths: str, files: dict[str, str] | None = None) -> Project:
    for name, body in (
        files or {"shop/prices.py": PRICES, "shop/deep/stock.py": STOCK, "shop/one.py": ONLY_LINE}
    ).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body, "utf-8")
    return builders.project(root, source=["shop"], mutation={"critical": list(paths)})


def find(of: Project, reached: dict[str, tuple[str, ...]] | None = None) -> tuple[list[Candidate], list[Unmutated]]:
    return candidates.find(of, critical.select(of, reached), workers=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("candidates")


@pytest.fixture(scope="module")
def everything(root: Path) -> list[Candidate]:
    return find(project(root, "shop/*"))[0]


def changed_text(root: Path, candidate: Candidate) -> str:
    lines = (root / candidate.mutant.path).read_text("utf-8").split("\n")
    change = candidate.change
    return "\n".join([*lines[: change.first - 1], *change.lines, *lines[change.last :]])


def test_every_diff_applies_and_gives_the_changed_file(root: Path, everything: list[Candidate], tmp_path: Path) -> None:
    for name in ("shop/prices.py", "shop/deep/stock.py", "shop/one.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    assert {c.mutant.path for c in everything} == {"shop/prices.py", "shop/deep/stock.py", "shop/one.py"}
    for candidate in everything:
        file = tmp_path / candidate.mutant.path
        file.write_bytes((root / candidate.mutant.path).read_bytes())
        subprocess.run(
            ["git", "apply", "-"],  # noqa: S607 - whichever git there is
            input=f"{candidate.mutant.diff}\n".encode(),
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        assert file.read_text("utf-8") == changed_text(root, candidate)


def test_every_diff_tells_true_line_numbers(root: Path, everything: list[Candidate]) -> None:
    for candidate in everything:
        lines = (root / candidate.mutant.path).read_text("utf-8").split("\n")
        _, _, header, *body = candidate.mutant.diff.split("\n")
        number = int(header.split(" ")[1].partition(",")[0].removeprefix("-"))
        removed = []
        for line in body:
            if line[0] in " -":
                assert lines[number - 1] == line[1:]
                removed += [number] * (line[0] == "-")
                number += 1
        assert removed[0] == candidate.mutant.line


def test_the_first_and_the_last_line_of_a_file_are_changed(everything: list[Candidate]) -> None:
    diffs = {c.mutant.diff for c in everything}
    assert (
        "--- a/shop/one.py\n+++ b/shop/one.py\n@@ -1 +1 @@\n"
        "-LIMIT = 1\n\\ No newline at end of file\n+LIMIT = 2\n\\ No newline at end of file"
    ) in diffs
    assert (
        "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -1,4 +1,4 @@\n-LIMIT = 3\n+LIMIT = 4\n"
        " def total(prices):\n     amount = sum(prices)\n     return call("
    ) in diffs
    assert (
        "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -23,4 +23,4 @@\n \n \n def twice(a):\n"
        "-    return a + a\n+    return a - a"
    ) in diffs


def test_ids_and_fingerprints_are_unique(everything: list[Candidate]) -> None:
    assert len({c.mutant.id for c in everything}) == len(everything)
    assert len({c.mutant.fingerprint for c in everything}) == len(everything)


def test_ids_say_module_and_definition(everything: list[Candidate]) -> None:
    ids = {c.mutant.id.rpartition("_")[0] for c in everything}
    assert ids == {
        "shop.prices.LIMIT__import",
        "shop.prices.x_total__mutmut",
        "shop.prices.Cart.SIZE__import",
        "shop.prices.xǁCartǁadd__mutmut",
        "shop.prices.xǁCartǁsize__mutmut",
        "shop.prices.x_twice__mutmut",
        "shop.deep.stock.LIMIT__import",
        "shop.deep.stock.xǁAǁcount__mutmut",
        "shop.one.LIMIT__import",
    }


def test_candidates_come_in_the_order_of_files_and_lines(everything: list[Candidate]) -> None:
    paths = [c.mutant.path for c in everything]
    assert list(dict.fromkeys(paths)) == ["shop/deep/stock.py", "shop/one.py", "shop/prices.py"]
    for path in set(paths):
        firsts = [c.change.first for c in everything if c.mutant.path == path]
        assert firsts == sorted(firsts)


def test_only_functions_are_swapped_and_statuses_are_open(everything: list[Candidate]) -> None:
    for candidate in everything:
        kind = candidate.mutant.kind
        assert candidate.change.function == (kind in (MutantKind.FUNCTION, MutantKind.HANDLER))
        assert candidate.at_import == (not candidate.change.function)
    of_size = {c.mutant.diff.split("\n")[-4]: c.mutant.status for c in everything if c.mutant.function == "Cart.size"}
    assert MutantStatus.NOT_RUN in of_size.values()


def test_fingerprints_stay_when_lines_move(root: Path, everything: list[Candidate], tmp_path: Path) -> None:
    moved = {"shop/prices.py": "# one\n# two\n\n" + PRICES.replace("class Cart:", "class Cart:\n    # three\n")}
    found, _ = find(project(tmp_path, "shop/*", files=moved))
    before = {c.mutant.id: c.mutant for c in everything if c.mutant.path == "shop/prices.py"}
    after = {c.mutant.id: c.mutant for c in found}
    assert {i: m.fingerprint for i, m in after.items()} == {i: m.fingerprint for i, m in before.items()}
    assert {after[i].line - before[i].line for i in after if "Cart" not in i and "twice" not in i} == {3}
    assert {after[i].line - before[i].line for i in after if "Cart" in i or "twice" in i} == {5}


def test_fingerprints_differ_when_the_change_does(tmp_path: Path) -> None:
    def prints(code: str) -> set[str]:
        return {c.mutant.fingerprint for c in find(project(tmp_path, "shop/*", files={"shop/a.py": code}))[0]}

    first = prints("def f(a):\n    return a + 1\n")
    assert len(first) == 2
    assert first.isdisjoint(prints("def f(a):\n    return a * 2\n"))
    assert first.isdisjoint(prints("def g(a):\n    return a + 1\n"))


def names(*paths: str, root: Path, reached: dict[str, tuple[str, ...]] | None = None) -> set[str]:
    found, _ = find(project(root, *paths), reached)
    return {f"{c.mutant.path.removeprefix('shop/')}::{c.mutant.function}" for c in found}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("shop/one.py", {"one.py::LIMIT"}),
        ("shop/deep", {"deep/stock.py::LIMIT", "deep/stock.py::A.count"}),
        ("shop.prices.total", {"prices.py::total"}),
        ("shop.prices.Cart", {"prices.py::Cart.SIZE", "prices.py::Cart.add", "prices.py::Cart.size"}),
        ("shop.prices.Cart.add", {"prices.py::Cart.add"}),
        ("shop.prices.t*", {"prices.py::total", "prices.py::twice"}),
        ("GET /items", {"prices.py::total"}),
    ],
)
def test_a_critical_path_chooses_mutants(root: Path, path: str, wanted: set[str]) -> None:
    assert names(path, root=root, reached={"GET /items": ("shop/prices.py::total",)}) == wanted


@pytest.mark.parametrize("path", ["shop.prices.LIMIT", "shop.prices.Cart.SIZE", "shop.one", "shop.one.LIMIT"])
def test_a_critical_path_names_a_constant(root: Path, path: str) -> None:
    name = path.removeprefix("shop.").partition(".")[2] or "LIMIT"
    assert names(path, root=root) == {f"{path.split('.')[1]}.py::{name}"}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("shop/*.py", {"LIMIT", "Cart.SIZE", "total"}),
        ("shop/", {"LIMIT", "Cart.SIZE", "total"}),
        ("shop", {"LIMIT", "Cart.SIZE", "total"}),
        ("shop.prices", {"LIMIT", "Cart.SIZE", "total"}),
        ("shop.prices.*", {"LIMIT", "Cart.SIZE", "total"}),
        ("shop.prices.total", {"total"}),
        ("shop.prices.Cart", {"Cart.SIZE"}),
        ("shop.prices.Cart.SIZE", {"Cart.SIZE"}),
        ("shop.prices.LIMIT", {"LIMIT"}),
        ("shop/deep", set()),
        ("GET /items", {"total"}),
        ("POST /items", set()),
    ],
)
def test_a_selection_says_what_it_wants(root: Path, path: str, wanted: set[str]) -> None:
    chosen = critical.select(project(root, path), {"GET /items": ("shop/prices.py::total",)})
    file, module = "shop/prices.py", "shop.prices"
    kinds = {"LIMIT": False, "Cart.SIZE": False, "total": True}
    found = {name for name, function in kinds.items() if chosen.wants(file, module, name, is_function=function)}
    assert found == wanted
    assert chosen.concerns(file) == bool(wanted)


def test_a_constant_is_chosen_beside_a_function_of_its_file(root: Path) -> None:
    assert names("shop.prices.LIMIT", "shop.prices.twice", root=root) == {"prices.py::LIMIT", "prices.py::twice"}


@pytest.mark.parametrize("path", ["shop/one.py", "shop.one", "shop.prices.LIMIT", "shop.prices.Cart.SIZE"])
def test_a_critical_path_that_names_only_constants_names_something(root: Path, path: str) -> None:
    assert critical.select(project(root, path), None).problems == ()


def test_what_cannot_be_mutated_is_told_with_its_reason(root: Path) -> None:
    _, unmutated = find(project(root, "shop/*"))
    assert {(u.path, u.function, u.line, u.reason.partition(":")[0]) for u in unmutated} == {
        ("shop/deep/stock.py", "find", 8, "an @overload is for type checkers alone"),
        ("shop/deep/stock.py", "find", 11, "mutmut finds nothing in it that it can change"),
        ("shop/deep/stock.py", "A.__new__", 16, "__new__ is called before anything of the object is there"),
    }


def test_a_function_without_mutants_and_a_broken_file_are_told(tmp_path: Path) -> None:
    files = {
        "shop/bad.py": "def f(:\n",
        "shop/plain.py": "def find(key):\n    return key\n\n@overload\ndef get(a): ...\n",
    }
    found, unmutated = find(project(tmp_path, "shop/*", files=files))
    assert found == []
    assert [(u.path, u.function, u.line) for u in unmutated] == [
        ("shop/bad.py", "", 1),
        ("shop/plain.py", "find", 1),
        ("shop/plain.py", "get", 5),
    ]
    assert "overload" in unmutated[2].reason


def test_mutmuts_own_settings_choose_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nonly_mutate = ["shop/*"]\ndo_not_mutate = ["*/one.py"]\n')
    assert names("shop/one.py", "shop.prices.total", root=tmp_path) == {"prices.py::total"}


def test_a_mask_of_lines_holds_both_ends() -> None:
    assert candidates.span(2, 4) == 0b11100
    assert candidates.span(3, 3) == 0b1000
