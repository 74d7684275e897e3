from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters import openapi, source
from orchestrator.adapters.agent import Reached
from orchestrator.config import Project
from orchestrator.errors import Code
from orchestrator.model.operations import Operation
from orchestrator.mutation import critical
from tests import builders

PRICES = """\
def total(): pass
def taxes(): pass
class Cart:
    def add(self): pass
    def drop(self): pass
class Cartography:
    def draw(self): pass
"""


def project(root: Path, *paths: str) -> Project:
    for name, body in {
        "shop/prices.py": PRICES,
        "shop/deep/stock.py": "def count():\n    pass\n",
        "shop/pricesx.py": "def other(): pass\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body)
    return builders.project(root, source=["shop"], mutation={"critical": list(paths)})


def chosen(root: Path, *paths: str, reached: dict[str, tuple[str, ...]] | None = None) -> list[str]:
    return [f.place.removeprefix("shop/") for f in critical.select(project(root, *paths), reached).functions]


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("shop/prices.py", ["total", "taxes", "Cart.add", "Cart.drop", "Cartography.draw"]),
        ("shop.prices.total", ["total"]),
        ("shop.prices.t*", ["total", "taxes"]),
        ("shop.prices.Cart", ["Cart.add", "Cart.drop"]),
        ("shop.prices.Cart.*", ["Cart.add", "Cart.drop"]),
        ("shop.prices.Cart.add", ["Cart.add"]),
        ("shop.prices", ["total", "taxes", "Cart.add", "Cart.drop", "Cartography.draw"]),
        ("*.total", ["total"]),
    ],
)
def test_a_critical_path_names_functions(tmp_path: Path, path: str, places: list[str]) -> None:
    assert chosen(tmp_path, path) == [f"prices.py::{p}" for p in places]


@pytest.mark.parametrize("path", ["shop/deep", "shop/deep/", "shop/deep/*.py", "shop/*/stock.py", "shop.deep"])
def test_a_critical_path_names_folders(tmp_path: Path, path: str) -> None:
    assert chosen(tmp_path, path) == ["deep/stock.py::count"]


def test_paths_add_up_in_the_order_of_the_source(tmp_path: Path) -> None:
    assert chosen(tmp_path, "shop.prices.total", "shop/deep", "shop.prices.t*") == [
        "deep/stock.py::count",
        "prices.py::total",
        "prices.py::taxes",
    ]


REACHED = {
    "GET /items": ("shop/prices.py::total",),
    "POST /items": ("shop/prices.py::Cart.add", "shop/gone.py::f"),
    "GET /none": (),
}


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("GET /items", ["prices.py::total"]),
        ("* /items", ["prices.py::total", "prices.py::Cart.add"]),
        ("GET *", []),
        ("GET /*", ["prices.py::total"]),
    ],
)
def test_a_critical_path_names_what_an_operation_executes(tmp_path: Path, path: str, places: list[str]) -> None:
    assert chosen(tmp_path, path, reached=REACHED) == places


@pytest.mark.parametrize(
    ("path", "reached", "hint"),
    [
        ("shop/nothing.py", REACHED, "a glob of source files, a qualified name, or an operation"),
        ("shop.nothing", None, "a glob of source files, a qualified name, or an operation"),
        ("GET /items", None, "recorded by the properties stage"),
        ("DELETE /items", REACHED, "No such operation was called; known are GET /items, GET /none, POST /items"),
        ("GET /none", REACHED, "execute nothing that the other operations' requests don't"),
    ],
)
def test_a_path_that_names_nothing_is_told_with_the_way_out(
    tmp_path: Path, path: str, reached: dict[str, tuple[str, ...]] | None, hint: str
) -> None:
    selection = critical.select(project(tmp_path, path, "shop.prices.total"), reached)
    assert [f.name for f in selection.functions] == ["total"]
    (problem,) = selection.problems
    assert problem.code == Code.NO_CRITICAL_PATH
    assert repr(path) in problem.message
    assert hint in problem.hint.replace("A critical path is ", "")


@pytest.mark.parametrize(
    ("path", "is_operation"),
    [
        ("GET /v1/items", True),
        ("* /v1/*", True),
        ("POST /", True),
        ("shop/prices.py", False),
        ("shop.prices", False),
        ("get /items", False),
        ("/items", False),
    ],
)
def test_operations_are_told_from_files_and_names(path: str, is_operation: bool) -> None:
    assert critical.is_operation(path) == is_operation


def reached_by(root: Path, *seen: tuple[str, str, list[tuple[str, int]]]) -> dict[str, tuple[str, ...]]:
    """What each operation reaches, from (method, path, [(file, line)])."""
    document = openapi.Document(
        source="x",
        raw={},
        whole={},
        specification="OpenAPI 3.1",
        title="",
        version="",
        base_path="/v1",
        operations=(
            Operation(method="GET", path="/items"),
            Operation(method="GET", path="/items/{id}"),
            *(Operation(method="GET", path=f"/{name}") for name in ("taxes", "stock", "carts")),
            Operation(method="DELETE", path="/items", excluded="too dangerous"),
        ),
    )
    entries = [
        Reached(method=m, path=p, places=tuple((f"{root}/shop/{f}", line) for f, line in places))
        for m, p, places in seen
    ]
    return critical.reached_by_operation(entries, document, source.functions(project(root)), str(root))


def test_requests_of_one_operation_are_put_together(tmp_path: Path) -> None:
    found = reached_by(
        tmp_path.resolve(),
        ("GET", "/v1/items/1", [("prices.py", 1)]),
        ("GET", "/v1/items/2", [("prices.py", 4)]),
        ("GET", "/v1/items", [("deep/stock.py", 2)]),
    )
    assert found == {
        "GET /items": ("shop/deep/stock.py::count",),
        "GET /items/{id}": ("shop/prices.py::Cart.add", "shop/prices.py::total"),
    }


def test_what_every_operation_passes_through_belongs_to_none(tmp_path: Path) -> None:
    found = reached_by(
        tmp_path.resolve(),
        ("GET", "/v1/items/1", [("prices.py", 1), ("prices.py", 2)]),
        ("GET", "/v1/items", [("prices.py", 1), ("prices.py", 4)]),
    )
    assert found == {"GET /items": ("shop/prices.py::Cart.add",), "GET /items/{id}": ("shop/prices.py::taxes",)}


def test_one_operation_that_goes_past_it_makes_the_plumbing_nobodys_own(tmp_path: Path) -> None:
    everywhere = [("prices.py", 1)]
    found = reached_by(
        tmp_path.resolve(),
        ("GET", "/v1/items", [*everywhere, ("prices.py", 4)]),
        ("GET", "/v1/items/1", everywhere),
        ("GET", "/v1/taxes", everywhere),
        ("GET", "/v1/stock", everywhere),
        ("GET", "/v1/carts", [("deep/stock.py", 2)]),
    )
    assert found["GET /items"] == ("shop/prices.py::Cart.add",)
    assert found["GET /carts"] == ("shop/deep/stock.py::count",)


def test_what_three_of_four_operations_share_is_their_own(tmp_path: Path) -> None:
    shared = [("prices.py", 1)]
    found = reached_by(
        tmp_path.resolve(),
        ("GET", "/v1/items", shared),
        ("GET", "/v1/items/1", shared),
        ("GET", "/v1/taxes", shared),
        ("GET", "/v1/stock", [("deep/stock.py", 2)]),
    )
    assert found["GET /items"] == ("shop/prices.py::total",)


def test_of_a_single_operation_everything_is_its_own(tmp_path: Path) -> None:
    found = reached_by(tmp_path.resolve(), ("GET", "/v1/items", [("prices.py", 1)]))
    assert found == {"GET /items": ("shop/prices.py::total",)}


def test_requests_of_no_operation_and_of_excluded_ones_count_for_nothing(tmp_path: Path) -> None:
    found = reached_by(
        tmp_path.resolve(),
        ("GET", "/health", [("prices.py", 1)]),
        ("DELETE", "/v1/items", [("prices.py", 1)]),
        ("GET", "/v1/items", [("elsewhere.py", 1), ("prices.py", 999)]),
    )
    assert found == {"GET /items": ()}
