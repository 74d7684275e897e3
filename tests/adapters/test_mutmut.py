from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import codec, config
from orchestrator.adapters import mutmut, source
from orchestrator.adapters.source import Function
from orchestrator.model.mutation import LayerVerdict, Mutant, MutantStatus
from tests import builders
from tests.record import DATA, unpack

RECORDED = DATA / "mutmut" / "3.8.1"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded project, with what mutmut wrote beside it."""
    root = unpack(DATA / "shop", tmp_path_factory.mktemp("mutmut") / "shop")
    unpack(RECORDED, tree(root) / "mutants")
    return root


def tree(root: Path) -> Path:
    return root / ".orchestrator" / "mutation" / "tree"


def functions(root: Path) -> list[Function]:
    return [f for f in source.functions(config.load(root)) if f.path != "shop/app.py"]


def mutants_of(root: Path, *names: str) -> list[Mutant]:
    """What is read of the mutants of these functions; of all, if none is named."""
    chosen = [f for f in functions(root) if not names or f.name in names]
    copy = mutmut.Copy(directory=tree(root), fresh=False, complete=True)
    return list(mutmut.read(config.load(root), copy, chosen, {"GET /a": ("shop/prices.py::total",)}))


def applied(root: Path, mutant: Mutant, folder: Path) -> str:
    """The source file with the mutant's diff applied by git, which refuses a line number that is wrong."""
    target = folder / mutant.path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / mutant.path, target)
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "-"],  # noqa: S607 - whichever git there is
        input=mutant.diff + "\n",
        text=True,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return target.read_text("utf-8")


def test_each_recorded_diff_applies_and_changes_the_line_that_is_named(shop: Path, tmp_path: Path) -> None:
    found = mutants_of(shop)
    assert len(found) == 29
    for mutant in found:
        before = (shop / mutant.path).read_text("utf-8").split("\n")
        after = applied(shop, mutant, tmp_path / mutant.id).split("\n")
        first = next(n for n, (a, b) in enumerate(zip(before, after, strict=False), start=1) if a != b)
        assert first == mutant.line
        compile("\n".join(after), mutant.path, "exec")


def test_each_change_lies_in_its_own_function(shop: Path) -> None:
    lines: dict[str, list[range]] = {}
    for function in functions(shop):
        lines.setdefault(function.place, []).append(range(function.line, function.last + 1))
    for mutant in mutants_of(shop):
        assert any(mutant.line in known for known in lines[f"{mutant.path}::{mutant.function}"])


def test_every_sort_of_function_has_its_mutants(shop: Path) -> None:
    found = mutants_of(shop)
    assert {m.function for m in found} == {
        "total",
        "Cart.__init__",
        "Cart.add",
        "Cart.label",
        "Cart.find",
        "fetch",
        "twice",
        "unused",
        "greet",
    }
    assert {m.line for m in found if m.function == "Cart.find"} == {36, 37}  # not those of its @overload siblings
    assert {m.line for m in found if m.function == "twice"} == {50, 52}  # the nested function's and its own
    assert {m.line for m in found if m.function == "unused"} == {59}  # of a definition of several lines


def test_only_the_chosen_functions_are_read(shop: Path) -> None:
    assert {m.function for m in mutants_of(shop, "Cart.add", "greet")} == {"Cart.add", "greet"}
    copy = mutmut.Copy(directory=tree(shop), fresh=False, complete=True)
    assert mutmut.read(config.load(shop), copy, [], None) == ()


def test_the_recorded_verdicts_are_read(shop: Path) -> None:
    statuses = {m.id.partition("prices.")[2]: m.status for m in mutants_of(shop)}
    assert statuses["x_total__mutmut_2"] is MutantStatus.KILLED
    assert statuses["xǁCartǁadd__mutmut_1"] is MutantStatus.SURVIVED
    assert statuses["x_unused__mutmut_1"] is MutantStatus.NO_TESTS


def test_tests_operations_and_times_are_read(shop: Path) -> None:
    found = {m.id: m for m in mutants_of(shop)}
    total = found["shop.prices.x_total__mutmut_1"]
    assert (total.tests, total.operations, total.layers) == (3, ("GET /a",), {"unit": LayerVerdict.SURVIVED})
    assert total.seconds is not None
    unused = found["shop.prices.x_unused__mutmut_1"]
    assert (unused.tests, unused.operations, unused.seconds) == (0, (), None)


def test_fingerprints_are_distinct_and_do_not_depend_on_lines(shop: Path, tmp_path: Path) -> None:
    before = {m.id: (m.fingerprint, m.line) for m in mutants_of(shop)}
    assert len({f for f, _ in before.values()}) == len(before)
    moved = shutil.copytree(shop, tmp_path / "shop")
    file = moved / "shop" / "prices.py"
    file.write_text("# a line\n# and another\n" + file.read_text("utf-8"), "utf-8")
    after = {m.id: (m.fingerprint, m.line) for m in mutants_of(moved)}
    assert {i: f for i, (f, _) in after.items()} == {i: f for i, (f, _) in before.items()}
    assert {after[i][1] - before[i][1] for i in after if "prices" in i} == {2}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (None, "not run"),
        (0, "survived"),
        (1, "killed"),
        (3, "killed"),
        (2, "not run"),
        (5, "no tests"),
        (33, "no tests"),
        (34, "skipped"),
        (35, "suspicious"),
        (36, "timeout"),
        (152, "timeout"),
        (37, "caught by type check"),
        (-9, "crashed"),
        (-11, "crashed"),
        (99, "suspicious"),
    ],
)
def test_each_exit_status_of_mutmut_has_its_meaning(shop: Path, tmp_path: Path, code: int | None, status: str) -> None:
    root = shutil.copytree(shop, tmp_path / "shop")
    meta = tree(root) / "mutants" / "shop" / "words.py.meta"
    raw = json.loads(meta.read_text("utf-8"))
    raw["exit_code_by_key"] = dict.fromkeys(raw["exit_code_by_key"], code)
    meta.write_text(json.dumps(raw), "utf-8")
    found = mutants_of(root, "greet")
    assert {m.status.value for m in found} == {status}
    killed = {m.layers["unit"] is LayerVerdict.KILLED for m in found}
    assert killed == {status in ("killed", "timeout", "crashed")}


@pytest.mark.parametrize("missing", ["words.py.meta", "words.py.spans", "mutmut-stats.json"])
@pytest.mark.parametrize("data", [None, "", "{", "[1"])
def test_files_that_are_missing_or_half_written_end_nothing(
    shop: Path, tmp_path: Path, missing: str, data: str | None
) -> None:
    root = shutil.copytree(shop, tmp_path / "shop")
    (file,) = (tree(root) / "mutants").rglob(missing)
    file.unlink()
    if data is not None:
        file.write_text(data)
    found = mutants_of(root, "greet", "total")
    assert len(found) == (7 if missing.endswith(".meta") else 10)
    if missing == "mutmut-stats.json":
        assert {m.tests for m in found} == {None}


def test_progress_counts_the_judged_of_the_chosen(shop: Path, tmp_path: Path) -> None:
    prices = {"shop.prices.x_total", "shop.prices.xǁCartǁadd"}
    assert mutmut.progress(tree(shop), prices) == (14, 14)
    assert mutmut.progress(tmp_path, prices) == (0, 0)
    folder = tmp_path / "mutants"
    folder.mkdir()
    statuses = {"a.x_f__mutmut_1": 0, "a.x_f__mutmut_2": None, "a.x_f__mutmut_10": 1, "a.x_ff__mutmut_1": 1}
    (folder / "a.py.meta").write_text(json.dumps({"exit_code_by_key": statuses}))
    (folder / "b.py.meta").write_text('{"exit_code')
    assert mutmut.progress(tmp_path, {"a.x_f"}) == (2, 3)


names = st.from_regex(re.compile(r"[A-Za-zé_][A-Za-z0-9é_]{0,8}"), fullmatch=True)


@given(st.lists(names, min_size=1, max_size=3))
def test_a_name_survives_mangling(parts: list[str]) -> None:
    name = ".".join(parts)
    assert mutmut.unmangled(mutmut.mangled(name)) == name
    assert mutmut.mangled(name).isidentifier() == (len(parts) < 3)


@pytest.mark.parametrize(
    ("name", "mangled"),
    [("total", "x_total"), ("x_total", "x_x_total"), ("Cart.add", "xǁCartǁadd"), ("_a", "x__a"), ("x", "x_x")],
)
def test_names_are_mangled_as_mutmut_does(name: str, mangled: str) -> None:
    assert mutmut.mangled(name) == mangled
    assert mutmut.unmangled(mangled) == name


def test_names_are_only_given_where_a_file_is_not_mutated_whole(shop: Path) -> None:
    known = functions(shop)
    assert mutmut.patterns(known, known) == []
    assert mutmut.patterns([f for f in known if f.path == "shop/words.py"], known) == []
    some = [f for f in known if f.name in ("total", "Cart.add", "greet")]
    assert mutmut.patterns(some, known) == [
        "shop.prices.x_total__mutmut_*",
        "shop.prices.xǁCartǁadd__mutmut_*",
        "shop.words.x_greet__mutmut_*",
    ]


def small(root: Path) -> config.Project:
    """A small project outside git."""
    for name, body in {
        "shop/prices.py": "def total(): return 1\n",
        "tests/test_prices.py": "def test(): pass\n",
        "data/numbers.csv": "1\n",
        "pyproject.toml": '[tool.mutmut]\npaths_to_mutate = "old"\nmutate_only_covered_lines = true\n',
        ".venv/pyvenv.cfg": "",
        ".venv/lib/big.py": "",
        "env/pyvenv.cfg": "",
        "env/big.py": "",
        "node_modules/x.js": "",
        ".orchestrator/logs/old.log": "",
        "shop/__pycache__/prices.pyc": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body)
    return builders.project(root, source=["shop"])


def prepare(project: config.Project, *quarantined: str, tool: str = "3.8.1") -> mutmut.Copy:
    chosen = [f for f in source.functions(project) if f.name == "total"]
    return mutmut.prepare(project, chosen, quarantined, {"mutmut": tool})


def test_the_project_is_copied_without_what_is_not_its_own(tmp_path: Path) -> None:
    copy = prepare(small(tmp_path))
    assert (copy.fresh, copy.complete) == (True, False)
    copied = {p.relative_to(copy.directory).as_posix() for p in copy.directory.rglob("*") if p.is_file()}
    assert copied == {"shop/prices.py", "tests/test_prices.py", "data/numbers.csv", "pyproject.toml"}


def test_in_a_git_work_tree_ignored_files_are_not_copied(tmp_path: Path) -> None:
    project = small(tmp_path)
    (tmp_path / ".gitignore").write_text("*.csv\n/env\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607 - whichever git there is
    copy = prepare(project)
    copied = {p.relative_to(copy.directory).as_posix() for p in copy.directory.rglob("*") if p.is_file()}
    assert copied == {".gitignore", "shop/prices.py", "tests/test_prices.py", "pyproject.toml"}


def test_the_copys_settings_are_the_users_with_ours_on_top(tmp_path: Path) -> None:
    copy = prepare(small(tmp_path), "tests/test_prices.py::test_red")
    own = codec.read_toml(copy.directory / "pyproject.toml")["tool"]["mutmut"]
    assert own["mutate_only_covered_lines"] is True
    assert "paths_to_mutate" not in own
    assert own["source_paths"] == ["shop"]
    assert own["only_mutate"] == ["shop/prices.py"]
    assert "--deselect=tests/test_prices.py::test_red" in own["pytest_add_cli_args"]
    assert own["also_copy"] == ["data", "pyproject.toml", "shop", "tests"]
    assert own["pytest_add_cli_args_test_selection"] == ["tests"]
    # The user's own file stays as it is.
    assert "source_paths" not in (tmp_path / "pyproject.toml").read_text()


def test_an_unchanged_project_is_not_copied_again(tmp_path: Path) -> None:
    project = small(tmp_path)
    first = prepare(project)
    (first.directory / "mutants").mkdir()
    assert prepare(project) == mutmut.Copy(directory=first.directory, fresh=False, complete=False)
    mutmut.finish(project)
    assert prepare(project) == mutmut.Copy(directory=first.directory, fresh=False, complete=True)
    assert (first.directory / "mutants").is_dir()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("tests/test_prices.py", "def test(): assert True\n"),
        ("tests/test_more.py", "def test(): pass\n"),
        ("tests/test_prices.py", None),
        ("data/numbers.csv", "2\n"),
        ("shop/prices.py", "def total(): return 2\n"),
        ("pyproject.toml", ""),
    ],
)
def test_whatever_changes_makes_a_fresh_copy(tmp_path: Path, name: str, body: str | None) -> None:
    project = small(tmp_path)
    first = prepare(project)
    mutmut.finish(project)
    (first.directory / "mutants").mkdir()
    if body is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(body)
    again = prepare(project)
    assert (again.fresh, again.complete) == (True, False)
    assert not (again.directory / "mutants").exists()
    if body and name != "pyproject.toml":
        assert (again.directory / name).read_text() == body


def test_other_tools_or_other_quarantined_tests_make_a_fresh_copy(tmp_path: Path) -> None:
    project = small(tmp_path)
    prepare(project)
    assert prepare(project, tool="3.8.2").fresh
    assert prepare(project, "a::b", tool="3.8.2").fresh
    assert not prepare(project, "a::b", tool="3.8.2").fresh


def test_a_copy_that_broke_off_is_made_again(tmp_path: Path) -> None:
    project = small(tmp_path)
    copy = prepare(project)
    (copy.directory.parent / "content").unlink()
    assert prepare(project).fresh
