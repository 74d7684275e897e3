from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import source
from orchestrator.adapters.source import Function
from tests import builders


def functions(root: Path, body: str | bytes, name: str = "shop/prices.py", **settings: Any) -> list[Function]:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body if isinstance(body, bytes) else textwrap.dedent(body).encode())
    return list(source.functions(builders.project(root, **{"source": ["shop"], **settings})))


def names(root: Path, body: str | bytes) -> list[str]:
    return [f.name for f in functions(root, body)]


def test_functions_and_methods_are_found_with_their_lines(tmp_path: Path) -> None:
    found = functions(
        tmp_path,
        """\
        import functools

        def total(
            a,
        ):
            def nested(): pass
            return a

        class Cart:
            @functools.cache
            @staticmethod
            def size(): return 1

            async def load(self):
                pass
        """,
    )
    assert [(f.name, f.first, f.line, f.last, f.decorators) for f in found] == [
        ("total", 3, 3, 7, ()),
        ("Cart.size", 10, 12, 12, ("functools.cache", "staticmethod")),
        ("Cart.load", 14, 14, 15, ()),
    ]
    assert {(f.path, f.module) for f in found} == {("shop/prices.py", "shop.prices")}
    assert found[1].place == "shop/prices.py::Cart.size"


def test_what_is_nested_belongs_to_what_is_around_it(tmp_path: Path) -> None:
    body = """\
        def outer():
            class Inner:
                def method(self): pass
        class A:
            class B:
                def method(self): pass
        """
    assert names(tmp_path, body) == ["outer", "A.B.method"]


def test_functions_under_a_condition_are_found_whichever_branch_they_are_in(tmp_path: Path) -> None:
    body = """\
        if FAST:
            def a(): pass
        elif OLD:
            def b(): pass
        else:
            def c(): pass
        try:
            def d(): pass
        except ImportError:
            def e(): pass
        else:
            def f(): pass
        finally:
            def g(): pass
        with lock:
            def h(): pass
        class K:
            if FAST:
                def i(self): pass
            else:
                def j(self): pass
        """
    assert names(tmp_path, body) == ["a", "b", "c", "d", "e", "f", "g", "h", "K.i", "K.j"]


def test_functions_of_the_same_name_are_all_found(tmp_path: Path) -> None:
    body = """\
        @overload
        def find(key: int) -> str: ...
        @overload
        def find(key: str) -> int: ...
        def find(key): return key
        """
    assert [(f.name, f.line) for f in functions(tmp_path, body)] == [("find", 2), ("find", 4), ("find", 5)]


@pytest.mark.parametrize("body", [b"def broken(:\n", b"\x00", b"\xff\xfe", b"x = '\xe9'\n", b""])
def test_a_file_that_is_not_python_has_no_functions(tmp_path: Path, body: bytes) -> None:
    assert names(tmp_path, body) == []


@pytest.mark.parametrize(
    "body",
    [
        "\ufeffdef total(): pass\n".encode(),
        "# coding: latin-1\ndef total(): return 'é'\n".encode("latin-1"),
        b"def total():\r\n    pass\r\n",
        b"def total(): return '\\d'\n",
    ],
)
def test_whatever_python_reads_is_read(tmp_path: Path, body: bytes, recwarn: pytest.WarningsRecorder) -> None:
    assert names(tmp_path, body) == ["total"]
    assert len(recwarn) == 0


def project_with(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("def f(): pass\n")


def files(root: Path, **settings: Any) -> list[str]:
    project = builders.project(root, **settings)
    return [f.relative_to(root.resolve()).as_posix() for f in source.files(project)]


def test_files_are_those_of_the_source_without_the_tests(tmp_path: Path) -> None:
    project_with(tmp_path, "shop/b.py", "shop/a.py", "shop/tests/test_a.py", "tool.py", "other/c.py", "shop/x.txt")
    settings = {"source": ["shop", "tool.py", "shop"], "tests": {"paths": ["shop/tests", "tests"]}}
    assert files(tmp_path, **settings) == ["shop/a.py", "shop/b.py", "tool.py"]


def test_the_tests_of_a_path_with_a_node_id_are_left_out_too(tmp_path: Path) -> None:
    project_with(tmp_path, "shop/a.py", "shop/test_a.py")
    assert files(tmp_path, source=["shop"], tests={"paths": ["shop/test_a.py::test_a"]}) == ["shop/a.py"]


def test_tests_in_the_folder_of_the_source_do_not_hide_it(tmp_path: Path) -> None:
    project_with(tmp_path, "shop/a.py")
    assert files(tmp_path, source=["shop"], tests={"paths": ["shop"]}) == ["shop/a.py"]


@pytest.mark.parametrize(
    ("file", "settings", "module"),
    [
        ("shop/a.py", {}, "shop.a"),
        ("shop/__init__.py", {}, "shop"),
        ("src/shop/a.py", {}, "shop.a"),
        ("lib/shop/a.py", {"import-paths": ["lib"]}, "shop.a"),
        ("lib/deep/shop/a.py", {"import-paths": ["lib", "lib/deep"]}, "shop.a"),
        ("service/shop/a.py", {"directory": "service"}, "shop.a"),
        ("service/src/shop/a.py", {"directory": "service"}, "shop.a"),
        ("tool.py", {}, "tool"),
    ],
)
def test_a_module_has_the_name_under_which_it_is_imported(
    tmp_path: Path, file: str, settings: dict[str, Any], module: str
) -> None:
    project = builders.project(tmp_path, **settings)
    assert source.module_name((tmp_path / file).resolve(), project) == module


def test_paths_are_relative_to_the_project_and_not_to_where_it_runs(tmp_path: Path) -> None:
    project_with(tmp_path, "service/shop/a.py")
    (found,) = source.functions(builders.project(tmp_path, directory="service", source=["shop"]))
    assert (found.path, found.module) == ("service/shop/a.py", "shop.a")


def test_every_function_of_this_package_is_found() -> None:
    root = Path(source.__file__).parents[2]
    project = builders.project(root, source=["orchestrator"], tests={"paths": ["tests"]})
    found = {(f.path, f.line) for f in source.functions(project)}
    for file in (root / "orchestrator").rglob("*.py"):
        path = file.relative_to(root).as_posix()
        tree = ast.parse(file.read_bytes())
        top = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
        assert {(path, n.lineno) for n in top} <= found
