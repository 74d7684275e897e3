from __future__ import annotations

import gc
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent.mutation.swap import Change, ChangedImport, LiveFunctions, NotSwappable, Source

Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Writes modules of the user's and imports them; they are gone at the end."""
    names: list[str] = []

    def loaded(code: str, name: str = "user_prices") -> Any:
        (tmp_path / f"{name}.py").write_text(code, "utf-8")
        names.append(name)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        patch.setattr(sys, "dont_write_bytecode", True)
        yield loaded
    for name in names:
        sys.modules.pop(name, None)
    gc.collect()


def changed(module: Any, old: str, new: str, *, first: int, last: int, **more: Any) -> Change:
    """A definition's lines with one text in them replaced."""
    path = str(Path(module.__file__).resolve())
    lines = Path(path).read_text("utf-8").split("\n")[first - 1 : last]
    text = "\n".join(lines)
    assert text.count(old) == 1
    told = {"path": path, "first": first, "last": last, "lines": text.replace(old, new).split("\n")}
    return Change({**told, "function": True, "constant": None, **more})


def swapped(module: Any, old: str, new: str, *, first: int, last: int) -> int:
    swap = LiveFunctions("/", [sys.prefix, sys.base_prefix]).swap(changed(module, old, new, first=first, last=last))
    swap.apply()
    return len(swap.functions)


SHAPES = """\
import functools

if True:
    class Outer:
        try:
            class Inner:
                @property
                def size(self):
                    return 1
        finally:
            pass

def plain():
    def nested():
        return 2
    return nested
"""


def test_a_skeleton_is_a_definition_at_its_line_in_its_classes() -> None:
    source = Source(SHAPES)
    lines = source.lines[6:9]
    skeleton = source.skeleton(7, 9, lines)
    assert skeleton.split("\n") == [
        "",
        "",
        "if 1:",
        "    class Outer:",
        "        if 1:",
        "            class Inner:",
        *lines,
    ]
    compile(skeleton, "<skeleton>", "exec", dont_inherit=True)
    assert source.skeleton(13, 16, source.lines[12:16]).split("\n")[12:] == source.lines[12:16]


def test_what_is_nested_in_a_function_has_no_skeleton() -> None:
    with pytest.raises(NotSwappable, match="line 14 is in a function"):
        Source(SHAPES).skeleton(14, 15, [])


def test_a_source_is_read_as_python_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# coding: latin-1\r\nA = 'é'\r\n".encode("latin-1"))
    source = Source.read(str(tmp_path / "a.py"))
    assert source.lines == ["# coding: latin-1", "A = 'é'", ""]
    told = {"path": "", "first": 2, "last": 2, "lines": ["A = 1", "B = 2"], "function": False, "constant": None}
    assert source.changed(Change(told)) == "# coding: latin-1\nA = 1\nB = 2\n"


def test_a_function_has_its_new_code_wherever_it_is_known(load: Load) -> None:
    module = load("def total(a, b=2):\n    return a + b\n\ntable = {'t': total}\n")
    known = module.total
    assert swapped(module, "+", "-", first=1, last=2) == 1
    assert (module.total(5), known(5), module.table["t"](5, 3)) == (3, 3, 2)
    assert known.__code__.co_firstlineno == 1
    assert known.__code__.co_filename == module.__file__


def test_methods_of_every_sort_are_swapped(load: Load) -> None:
    module = load(
        """\
class Base:
    def size(self):
        return 1

class Cart(Base):
    def size(self):
        return super().size() + 1

    @staticmethod
    def label():
        return "a"

    @classmethod
    def made(cls):
        return cls, 1

    @property
    def count(self):
        return self.__hidden() + 0

    def __hidden(self):
        return 5
"""
    )
    cart = module.Cart()
    assert swapped(module, "+ 1", "- 1", first=6, last=7) == 1
    assert swapped(module, '"a"', '"b"', first=9, last=11) == 1
    assert swapped(module, "cls, 1", "cls, 2", first=13, last=15) == 1
    assert swapped(module, "+ 0", "+ 1", first=17, last=19) == 1
    assert swapped(module, "5", "6", first=21, last=22) == 1
    assert (cart.size(), cart.label(), cart.made(), cart.count) == (0, "b", (module.Cart, 2), 7)


def test_a_function_behind_a_wrapper_is_swapped(load: Load) -> None:
    module = load(
        """\
import functools

def wrap(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args) * 10
    return inner

@wrap
@wrap
def total(a):
    return a + 1
"""
    )
    assert swapped(module, "+ 1", "+ 2", first=9, last=12) == 1
    assert module.total(1) == 300
    # The wrapper's inner function exists twice, and both are changed.
    assert swapped(module, "* 10", "* 2", first=3, last=7) >= 2
    assert module.total(1) == 12


def test_coroutines_and_generators_are_swapped(load: Load) -> None:
    module = load("async def one():\n    return 1\n\ndef two():\n    yield 2\n")
    swapped(module, "1", "3", first=1, last=2)
    swapped(module, "2", "4", first=4, last=5)
    with pytest.raises(StopIteration) as stopped:
        module.one().send(None)
    assert (stopped.value.value, list(module.two())) == (3, [4])


def test_closures_that_live_are_swapped_with_their_variables(load: Load) -> None:
    module = load(
        """\
def counter(start):
    def following(step):
        nonlocal start
        start += step
        return start
    return following

mine = counter(10)
"""
    )
    mine = module.mine
    assert mine(1) == 11
    assert swapped(module, "+=", "-=", first=1, last=6) == 2
    assert (mine(1), module.counter(0)(1)) == (10, -1)


def test_a_closure_that_would_need_other_variables_is_refused(load: Load) -> None:
    module = load("def outer(a):\n    def inner():\n        return a\n    return inner\n\nmine = outer(3)\n")
    change = changed(module, "return a", "return None", first=1, last=4)
    with pytest.raises(NotSwappable, match="other variables"):
        LiveFunctions("/", [sys.prefix, sys.base_prefix]).swap(change)
    assert module.mine() == 3


def test_lambdas_and_comprehensions_in_a_function_are_its_code(load: Load) -> None:
    module = load("def total(a):\n    return [x + 1 for x in a], (lambda y: y)(2)\n")
    swapped(module, "x + 1", "x + 2", first=1, last=2)
    assert module.total([1]) == ([3], 2)


def test_caches_of_a_changed_function_are_emptied(load: Load) -> None:
    module = load(
        """\
import functools

@functools.lru_cache
def cached(a):
    return a + 1

@functools.cache
def other(a):
    return a

cached(1), other(1)
"""
    )
    assert swapped(module, "+ 1", "+ 2", first=3, last=5) == 1
    assert module.cached(1) == 3
    assert module.other.cache_info().currsize == 1


def test_a_function_keeps_its_modules_future(load: Load) -> None:
    module = load(
        "from __future__ import annotations\n\ndef total():\n    def inner(a: Missing): ...\n    return inner, 1\n"
    )
    swapped(module, "inner, 1", "inner, 2", first=3, last=5)
    inner, two = module.total()
    assert (inner.__annotations__, two) == ({"a": "Missing"}, 2)


def test_a_function_that_nobody_kept_is_refused(load: Load) -> None:
    module = load("def gone(function):\n    return len\n\n@gone\ndef total(a):\n    return 1\n")
    gc.collect()
    with pytest.raises(NotSwappable, match="keeps no function"):
        swapped(module, "1", "2", first=4, last=6)


def test_a_module_that_is_not_imported_yet_is_imported_changed(load: Load, tmp_path: Path) -> None:
    (tmp_path / "user_late.py").write_text("def total():\n    return 1\n")
    late = types.SimpleNamespace(__file__=str(tmp_path / "user_late.py"))
    change = changed(late, "1", "2", first=1, last=2)
    live = LiveFunctions("/", [sys.prefix, sys.base_prefix])
    assert not live.swap(change).functions
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SourceFileLoader, "get_code", SourceFileLoader.get_code)
        imported = ChangedImport(change, live.source(change.path))
        assert load("A = 1\n", "user_other").A == 1
        assert not imported.used
        assert load("def total():\n    return 1\n", "user_late").total() == 2
        assert imported.used


def bound(module: Any, name: str, value: str, *, owner: str = "") -> None:
    path = str(Path(module.__file__).resolve())
    indent = "    " if owner else ""
    told = {"path": path, "first": 1, "last": 1, "lines": [f"{indent}{name} = {value}"], "function": False}
    LiveFunctions("/", [sys.prefix, sys.base_prefix]).prepared(Change({**told, "constant": [owner, name]}))()


def test_a_constant_is_bound_in_every_module_that_imports_it(load: Load) -> None:
    module = load("LIMIT = ('a', 3)\n")
    user = load("from user_prices import LIMIT, LIMIT as MOST\nOWN = LIMIT\n", "user_of_it")
    other = load("LIMIT = ('a', 3)\n", "user_alike")
    bound(module, "LIMIT", "('a', 4)")
    assert module.LIMIT == user.LIMIT == user.MOST == ("a", 4)
    assert user.OWN == other.LIMIT == ("a", 3)


def test_a_module_with_the_same_value_by_chance_keeps_it(load: Load) -> None:
    module = load("LIMIT = None\n")
    chance = load("LIMIT = None\n", "user_chance")
    bound(module, "LIMIT", "4")
    assert (module.LIMIT, chance.LIMIT) == (4, None)


def test_a_module_that_imports_the_same_name_from_elsewhere_keeps_it(load: Load) -> None:
    module = load("KIND = 'user_euro'\n")
    alike = load("KIND = 'user_euro'\n", "user_alike")
    user = load("from user_alike import KIND\n", "user_of_alike")
    assert module.KIND is alike.KIND  # Python has only one of such texts
    bound(module, "KIND", "'dollar'")
    assert (module.KIND, alike.KIND, user.KIND) == ("dollar", "user_euro", "user_euro")


def test_an_attribute_of_a_class_is_bound(load: Load) -> None:
    module = load("class Cart:\n    class In:\n        SIZE = 1\n\ncart = Cart.In()\n")
    bound(module, "SIZE", "2", owner="Cart.In")
    assert module.cart.SIZE == 2


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class Meta(type): ...\nclass Cart(metaclass=Meta):\n    SIZE = 1\n", "in a way of its own"),
        ("import enum\nclass Cart(enum.Enum):\n    SIZE = 1\n", "in a way of its own"),
        (
            "class Base:\n    def __init_subclass__(cls): ...\nclass Cart(Base):\n    SIZE = 1\n",
            "in a way of its own",
        ),
        ("class Cart: ...\n", "in a way of its own"),
    ],
)
def test_a_class_that_is_made_in_a_way_of_its_own_is_refused(load: Load, code: str, reason: str) -> None:
    module = load(code)
    with pytest.raises(NotSwappable, match=reason):
        bound(module, "SIZE", "2", owner="Cart")


def test_a_constant_that_the_module_does_not_have_is_refused(load: Load) -> None:
    module = load("if False:\n    LIMIT = 3\n")
    with pytest.raises(NotSwappable, match="no such name"):
        bound(module, "LIMIT", "4")
    with pytest.raises(NotSwappable, match="can't be made"):
        bound(module, "LIMIT", "1 / 0")


def test_a_constant_that_is_imported_with_everything_is_refused(load: Load) -> None:
    module = load("LIMIT = ('a',)\n")
    load("from user_prices import *\n", "user_star")
    with pytest.raises(NotSwappable, match="imports everything"):
        bound(module, "LIMIT", "('b',)")


def test_a_change_that_only_shows_at_import_leaves_the_process_alone(load: Load) -> None:
    module = load("def total(a=1):\n    return a\n")
    live = LiveFunctions("/", [sys.prefix, sys.base_prefix])
    live.prepared(changed(module, "a=1", "a=2", first=1, last=2, function=False))()
    assert module.total() == 1


def test_preparing_leaves_the_process_alone_and_refuses_nothing_yet(load: Load) -> None:
    module = load("import functools\n\n@functools.cache\ndef total(a):\n    return a + 1\n")
    assert module.total(1) == 2
    live = LiveFunctions("/", [sys.prefix, sys.base_prefix])
    put = live.prepared(changed(module, "a + 1", "a + 2", first=3, last=5))
    assert module.total(1) == 2
    assert module.total.cache_info().currsize == 1
    put()
    assert module.total(1) == 3
    refused = live.prepared(changed(module, "a + 1", "a + ", first=3, last=5))
    with pytest.raises(SyntaxError):
        refused()


DATACLASS = (
    "from dataclasses import dataclass, field\n\n@dataclass(frozen=True)\nclass Draft:\n    owner: str = 'team'\n"
)


def rebound(module: Any, name: str, value: str) -> Any:
    """Bind the default of a field of `Draft` anew; return what takes it back."""
    path = str(Path(module.__file__).resolve())
    told = {"path": path, "first": 1, "last": 1, "lines": [f"    {name}: str = {value}"], "function": False}
    live = LiveFunctions("/", [sys.prefix, sys.base_prefix])
    return live.prepared(Change({**told, "constant": ["Draft", name]}))()


@pytest.mark.parametrize("field", ["label: str = ''", "label: str = field(default='')"])
@pytest.mark.parametrize("options", ["", "(frozen=True)", "(kw_only=True)", "(order=True, unsafe_hash=True)"])
def test_the_default_of_a_field_is_bound_wherever_it_shows_and_taken_back(load: Load, options: str, field: str) -> None:
    code = DATACLASS.replace("(frozen=True)", options)
    module = load(f"{code}    {field}\n    size: int = 3\n")
    before = module.Draft()
    undo = rebound(module, "label", "'new'")
    assert module.Draft(owner="a") == module.Draft(owner="a", label="new", size=3)
    assert (module.Draft.label, module.Draft.__dataclass_fields__["label"].default) == ("new", "new")
    assert module.Draft(label="given").label == "given"
    assert before.label == ""
    undo()
    assert module.Draft() == before
    assert (module.Draft.label, module.Draft.__dataclass_fields__["label"].default) == ("", "")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (f"{DATACLASS}    label: str = ''\n", "[]"),
        (f"{DATACLASS}    label: list = field(default_factory=list)\n", "'a'"),
        (f"{DATACLASS}    label: str = field(default='', init=False)\n", "'a'"),
        (f"{DATACLASS}    label: str = ''\n\nclass Special(Draft): ...\n", "'a'"),
        (f"{DATACLASS}    label: str = ''\n    def __init__(self, label='b'): ...\n", "'a'"),
        (DATACLASS, "'a'"),
    ],
)
def test_a_default_that_a_dataclass_has_elsewhere_or_would_refuse_is_refused(load: Load, code: str, value: str) -> None:
    with pytest.raises(NotSwappable):
        rebound(load(code), "label", value)
