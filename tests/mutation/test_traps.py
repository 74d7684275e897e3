"""Code in which a mutant is easily missed or falsely found: the whole engine on small projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import OrchestratorError
from orchestrator.model.mutation import MutantStatus
from tests.mutation.subjects import judge

KILLED, SURVIVED = MutantStatus.KILLED, MutantStatus.SURVIVED

PLUS = "def plus(a, b):\n    return a + b\n"


# What runs once, and is then there for all tests.


def test_what_a_session_fixture_computes_belongs_to_every_test_that_uses_it(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/prices.py": """\
                def price():
                    return 20 + 1

                def loose():
                    return 7 * 5
                """,
            "tests/conftest.py": """\
                import pytest
                from pkg import prices

                @pytest.fixture(scope="session")
                def price():
                    return prices.price()

                @pytest.fixture(scope="session", autouse=True)
                def loose():
                    return prices.loose()
                """,
            "tests/test_prices.py": """\
                def test_first(price, loose):
                    assert price and loose

                def test_second(price):
                    assert price == 21
                """,
        },
    )
    assert judged.of("price") == {KILLED}
    assert judged["return 20 - 1"].killer == "tests/test_prices.py::test_second"
    assert judged.of("loose") == {SURVIVED}


@pytest.mark.parametrize("seconds", [0, 0.2], ids=["soon", "slowly, so that the first test primes the others"])
def test_what_fills_a_global_belongs_to_every_test_that_reads_it(tmp_path: Path, seconds: float) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/rates.py": f"""\
                import time

                _rate = None

                def rate():
                    global _rate
                    if _rate is None:
                        _rate = load()
                    return _rate

                def load():
                    time.sleep({seconds})
                    return 20 + 1
                """,
            "tests/test_rates.py": """\
                from pkg.rates import rate

                def test_first():
                    assert rate() != 0

                def test_second():
                    assert rate() == 21

                def test_third():
                    assert rate()
                """,
        },
        critical=["pkg.rates.load", "pkg.rates.rate", "pkg.rates._rate"],
    )
    assert judged.of("rate") == judged.of("_rate") == {KILLED}
    assert judged["return 20 - 1"].status is judged["return 21 + 1"].status is KILLED


def test_closures_made_at_import_are_changed_where_they_are(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/closures.py": """\
                def adder(n):
                    def add(x):
                        return x + n
                    return add

                def scaler(n):
                    def scale(x):
                        return x * n
                    return scale

                two = adder(2)
                thrice = scaler(3)
                """,
            "tests/test_closures.py": """\
                from pkg.closures import thrice, two

                def test_two():
                    assert two(3) == 5

                def test_thrice():
                    assert thrice(1)
                """,
        },
    )
    assert judged.of("adder") == judged.of("two") == {KILLED}
    assert judged["return x / n"].status is SURVIVED
    assert judged["scaler(4)"].status is SURVIVED
    assert judged["scaler(None)"].status is KILLED


def test_a_cache_filled_at_import_hides_no_mutant(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/caches.py": """\
                from functools import cache, lru_cache

                @lru_cache
                def size(n):
                    return n * 2

                @cache
                def loose(n):
                    return n + 2

                SIZE = size(4)
                LOOSE = loose(4)
                """,
            "tests/test_caches.py": """\
                from pkg.caches import loose, size

                def test_size():
                    assert size(4) == 8

                def test_loose():
                    assert loose(4)
                """,
        },
    )
    assert judged.of("size") == {KILLED}
    assert judged.of("loose") == {SURVIVED}
    assert judged["LOOSE = loose(5)"].status is SURVIVED
    assert judged["LOOSE = loose(None)"].status is KILLED


def test_handlers_of_an_app_that_exists_already_are_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/factory.py": """\
                def create_app():
                    routes = {}

                    def route(path):
                        def register(handler):
                            routes[path] = handler
                            return handler
                        return register

                    @route("/sum")
                    def total(a, b):
                        return a + b

                    @route("/product")
                    def product(a, b):
                        return a * b

                    return routes
                """,
            "pkg/main.py": "from pkg.factory import create_app\n\napp = create_app()\n",
            "tests/test_app.py": """\
                from pkg.main import app

                def test_sum():
                    assert app["/sum"](1, 2) == 3

                def test_product():
                    assert app["/product"](1, 2)
                """,
        },
    )
    assert judged["return a - b"].status is KILLED
    assert judged["return a / b"].status is SURVIVED
    assert judged["routes[path] = None"].status is KILLED
    assert judged["routes = None"].status is KILLED
    assert judged["app = None"].status is KILLED


def test_a_nested_function_of_a_factory_that_tests_call_is_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/factory.py": """\
                def make(n):
                    def add(x):
                        return x + n

                    def scale(x):
                        return x * n

                    return add, scale
                """,
            "tests/test_factory.py": """\
                import pytest
                from pkg.factory import make

                @pytest.fixture
                def made():
                    return make(2)

                def test_add(made):
                    assert made[0](1) == 3

                def test_scale(made):
                    assert made[1](1)
                """,
        },
    )
    assert judged["return x - n"].status is KILLED
    assert judged["return x / n"].status is SURVIVED


# What runs at import.


def test_a_constant_is_changed_in_every_module_that_has_taken_it(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": "LIMIT = 3\nLOOSE = 50\nMOST = 1000\nUNUSED = 4000\n",
            "pkg/rules.py": """\
                from pkg import limits
                from pkg.limits import LIMIT, LOOSE as few

                def fits(n):
                    return n <= LIMIT

                def some(n):
                    return n <= few

                def most(n):
                    return n == limits.MOST
                """,
            "tests/test_rules.py": """\
                from pkg.rules import fits, most, some

                def test_fits():
                    assert fits(3) and not fits(4)

                def test_some():
                    assert some(1)

                def test_most():
                    assert most(1000)
                """,
        },
    )
    assert judged.of("LIMIT") == judged.of("MOST") == {KILLED}
    assert judged["LOOSE = 51"].status is SURVIVED
    assert judged["LOOSE = None"].status is KILLED
    assert not any(status.is_detected for status in judged.of("UNUSED"))


def test_a_constant_that_only_a_test_imports_survives(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": f"LIMIT = 3\n\n{PLUS}",
            "tests/test_limits.py": """\
                from pkg.limits import LIMIT, plus

                def test_plus():
                    assert plus(1, 2) == 3
                """,
        },
    )
    assert judged.of("plus") == {KILLED}
    assert judged.of("LIMIT") == {SURVIVED}


def test_a_constant_that_a_test_reads_when_it_is_collected_is_changed_there_too(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": "LIMIT = 1000\n\ndef fits(n):\n    return n <= LIMIT\n",
            "tests/test_limits.py": """\
                import pytest
                from pkg.limits import LIMIT, fits

                @pytest.mark.parametrize("most", [LIMIT])
                def test_fits(most):
                    assert fits(most) and not fits(most + 1)
                """,
        },
    )
    assert judged["LIMIT = 1001"].status is SURVIVED
    assert judged["LIMIT = None"].status is KILLED
    assert judged.of("fits") == {KILLED}


def test_a_constant_is_changed_where_it_is_imported_with_all_others(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": "LIMIT = 1000\nLOOSE = 2000\n",
            "pkg/rules.py": """\
                from pkg.limits import *

                def fits(n):
                    return n <= LIMIT

                def some(n):
                    return n <= LOOSE
                """,
            "tests/test_rules.py": """\
                from pkg.rules import fits, some

                def test_fits():
                    assert fits(1000) and not fits(1001)

                def test_some():
                    assert some(1)
                """,
        },
    )
    assert judged.of("LIMIT") == {KILLED}
    assert judged["LOOSE = 2001"].status is SURVIVED
    assert judged["LOOSE = None"].status is KILLED


def test_a_constant_is_changed_in_settings_that_were_copied_at_import(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/settings.py": "LIMIT = 1000\nLOOSE = 2000\n",
            "pkg/rules.py": """\
                from pkg import settings

                config = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}

                def fits(n):
                    return n <= config["LIMIT"]

                def some(n):
                    return n <= config["LOOSE"]
                """,
            "tests/test_rules.py": """\
                from pkg.rules import fits, some

                def test_fits():
                    assert fits(1000) and not fits(1001)

                def test_some():
                    assert some(1)
                """,
        },
    )
    assert judged.of("LIMIT") == {KILLED}
    assert judged["LOOSE = 2001"].status is SURVIVED


def test_a_constant_is_changed_where_its_name_is_put_together(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": "SMALL_LIMIT = 1000\nLARGE_LIMIT = 2000\n",
            "pkg/rules.py": """\
                from pkg import limits

                def limit(size):
                    return getattr(limits, f"{size}_LIMIT")
                """,
            "tests/test_rules.py": """\
                from pkg.rules import limit

                def test_small():
                    assert limit("SMALL") == 1000

                def test_large():
                    assert limit("LARGE") > 0
                """,
        },
        critical=["pkg/limits.py"],
    )
    assert judged.of("SMALL_LIMIT") == {KILLED}
    assert judged["LARGE_LIMIT = 2001"].status is SURVIVED


def test_a_constant_that_a_test_replaces_survives_there(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/limits.py": "LIMIT = 1000\nMOST = 2000\n\ndef fits(n):\n    return n <= LIMIT and n < MOST\n",
            "tests/test_limits.py": """\
                from pkg.limits import fits

                def test_fits(monkeypatch):
                    monkeypatch.setattr("pkg.limits.LIMIT", 5)
                    assert fits(5) and not fits(6)
                """,
        },
    )
    assert judged.of("LIMIT") == {SURVIVED}
    assert judged["MOST = 2001"].status is SURVIVED
    assert judged["MOST = None"].status is KILLED


def test_a_module_that_is_first_imported_in_a_test_is_imported_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/late.py": "LIMIT = 3\nLOOSE = 50\n\ndef fits(n):\n    return n <= LIMIT\n",
            "tests/test_late.py": """\
                def test_fits():
                    from pkg.late import fits
                    assert fits(3) and not fits(4)
                """,
        },
    )
    assert judged.of("LIMIT") == judged.of("fits") == {KILLED}
    assert not any(status.is_detected for status in judged.of("LOOSE"))


def test_defaults_of_parameters_are_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/texts.py": """\
                def greet(name="you", times=2, *, end="!"):
                    return name * times + end

                def join(words, separator=";"):
                    return separator.join(words)
                """,
            "tests/test_texts.py": """\
                from pkg.texts import greet, join

                def test_greet():
                    assert greet() == "youyou!"

                def test_join():
                    assert join("ab", "-") == "a-b"
                """,
        },
    )
    assert judged.of("greet") == {KILLED}
    assert judged["XX;XX"].status is SURVIVED
    assert {m.status for m in judged.mutants if m.killer == "tests/test_texts.py::test_join"} <= {KILLED}


def test_attributes_of_classes_enums_and_dataclasses_are_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/classes.py": """\
                from dataclasses import dataclass
                from enum import Enum

                class Plain:
                    size = 1000
                    loose = 2000

                class Child(Plain):
                    pass

                class Colour(Enum):
                    RED = 1
                    BLUE = 2

                @dataclass
                class Point:
                    x: int = 4
                    y: int = 5
                """,
            "tests/test_classes.py": """\
                from pkg.classes import Child, Colour, Point

                def test_plain():
                    assert Child().size == 1000

                def test_loose():
                    assert hasattr(Child, "loose")

                def test_red():
                    assert Colour(1) is Colour.RED

                def test_blue():
                    assert Colour.BLUE

                def test_point():
                    assert Point().x == 4 and Point(y=1).y == 1
                """,
        },
    )
    assert judged.of("Plain.size") == judged.of("Colour.RED") == judged.of("Point.x") == {KILLED}
    assert not any(status.is_detected for status in judged.of("Plain.loose"))
    assert judged["BLUE = 3"].status is SURVIVED
    assert judged["y: int = 6"].status is SURVIVED


def test_a_regular_expression_of_a_module_is_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/names.py": """\
                import re

                NAME = re.compile("[a-z]+")
                LOOSE = re.compile("[a-z]*")

                def is_name(text):
                    return NAME.fullmatch(text) is not None

                def is_loose(text):
                    return LOOSE.match(text) is not None
                """,
            "tests/test_names.py": """\
                from pkg.names import is_loose, is_name

                def test_names():
                    assert is_name("abc") and not is_name("ABC")

                def test_loose():
                    assert is_loose("")
                """,
        },
    )
    assert judged.of("NAME") == judged.of("is_name") == {KILLED}
    assert judged["[A-Z]*"].status is SURVIVED


# Functions of all sorts.


def test_the_implementation_beside_overloads_is_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/doubles.py": """\
                from typing import overload

                @overload
                def double(value: int) -> int: ...
                @overload
                def double(value: str) -> str: ...
                def double(value):
                    return value * 2

                class Box:
                    @overload
                    def take(self, value: int) -> int: ...
                    @overload
                    def take(self, value: str) -> str: ...
                    def take(self, value):
                        return value + value
                """,
            "tests/test_doubles.py": """\
                from pkg.doubles import Box, double

                def test_double():
                    assert double(3) == 6

                def test_take():
                    assert Box().take(0) == 0
                """,
        },
    )
    assert judged.of("double") == {KILLED}
    assert judged["return value - value"].status is SURVIVED


def test_methods_of_every_kind_are_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/kinds.py": """\
                class Box:
                    def __init__(self, n):
                        self.n = n

                    @property
                    def double(self):
                        return self.n * 2

                    @double.setter
                    def double(self, value):
                        self.n = value // 2

                    @staticmethod
                    def add(a, b):
                        return a + b

                    @classmethod
                    def make(cls, n):
                        return cls(n + 10)

                    def __len__(self):
                        return self.n + 100

                    @property
                    def loose(self):
                        return self.n + 5
                """,
            "tests/test_kinds.py": """\
                from pkg.kinds import Box

                def test_property():
                    box = Box(3)
                    assert box.double == 6
                    box.double = 9
                    assert box.n == 4

                def test_static():
                    assert Box.add(1, 2) == 3

                def test_class():
                    assert Box.make(1).n == 11

                def test_len():
                    assert len(Box(1)) == 101

                def test_loose():
                    assert Box(1).loose
                """,
        },
    )
    assert judged.of("Box.loose") == {SURVIVED}, judged.told
    assert {m.status for m in judged.mutants if m.function != "Box.loose"} == {KILLED}, judged.told
    assert {m.function for m in judged.mutants} >= {"Box.add", "Box.double", "Box.make", "Box.__len__", "Box.__init__"}


def test_generators_coroutines_and_wrapped_functions_are_changed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/kinds.py": """\
                import asyncio
                import functools

                def count(n):
                    for k in range(n):
                        yield k + 1

                async def later(n):
                    await asyncio.sleep(0)
                    return n * 2

                async def stream(n):
                    yield n - 1

                def logged(function):
                    @functools.wraps(function)
                    def call(*arguments):
                        return [function(*arguments)]
                    return call

                @logged
                def total(a, b):
                    return a + b + 5

                @functools.lru_cache(maxsize=8)
                def cached(n):
                    return n // 2

                @logged
                def loose(a):
                    return a - 7
                """,
            "tests/test_kinds.py": """\
                import asyncio
                from pkg import kinds

                async def first(stream):
                    async for value in stream:
                        return value

                def test_count():
                    assert list(kinds.count(2)) == [1, 2]

                def test_later():
                    assert asyncio.run(kinds.later(2)) == 4

                def test_stream():
                    assert asyncio.run(first(kinds.stream(2))) == 1

                def test_total():
                    assert kinds.total(1, 2) == [8]

                def test_cached():
                    assert kinds.cached(5) == 2

                def test_cached_again():
                    assert kinds.cached(5) == 2

                def test_loose():
                    assert kinds.loose(1)
                """,
        },
    )
    assert judged.of("count") == judged.of("stream") == judged.of("total") == {KILLED}
    assert judged["return n * 3"].status is judged["await asyncio.sleep(None)"].status is KILLED
    assert judged["await asyncio.sleep(1)"].status is SURVIVED
    assert judged.of("cached") == {KILLED}
    assert judged.of("loose") == {SURVIVED}


def test_a_function_whose_decorator_keeps_none_of_it_is_imported_afresh(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/kinds.py": """\
                def evaluated(function):
                    return function(2)

                def retyped(function):
                    import types
                    return types.FunctionType(function.__code__.replace(co_name="other"), globals())

                @evaluated
                def six(n):
                    return n * 3

                @retyped
                def plus(a, b):
                    return a + b

                @retyped
                def loose(a, b):
                    return a * b
                """,
            "tests/test_kinds.py": """\
                from pkg.kinds import loose, plus, six

                def test_six():
                    assert six == 6

                def test_plus():
                    assert plus(1, 2) == 3

                def test_loose():
                    assert loose(1, 2)
                """,
        },
    )
    assert judged.of("six") == {KILLED}
    assert judged["return a - b"].status is KILLED
    assert judged["return a / b"].status is SURVIVED


# Hostile subjects.


@pytest.mark.slow
def test_threads_that_run_at_import_are_met_with_fresh_interpreters(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/busy.py": f"""\
                import threading

                threading.Thread(target=threading.Event().wait, daemon=True).start()

                {PLUS.replace(chr(10), chr(10) + " " * 16)}
                def loose(a, b):
                    return a * b
                """,
            "tests/test_busy.py": """\
                from pkg.busy import loose, plus

                def test_plus():
                    assert plus(1, 2) == 3 and loose(1, 2)
                """,
        },
        critical=["pkg.busy.plus", "pkg.busy.loose"],
    )
    assert judged.codes == ["QO607"]
    assert judged.result.mode == "fresh"
    assert judged.of("plus") == {KILLED}
    assert judged.of("loose") == {SURVIVED}


def test_threads_that_run_at_import_are_refused_where_mutants_must_be_judged_warm(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="threads run when the tests are collected") as caught:
        judge(
            tmp_path,
            {
                "pkg/busy.py": PLUS,
                "tests/test_busy.py": """\
                    import threading
                    threading.Thread(target=threading.Event().wait, daemon=True).start()
                    def test_nothing(): pass
                    """,
            },
            mode="warm",
        )
    assert caught.value.problem.code == "QO607"


def test_a_test_that_fails_after_another_one_kills_only_what_it_notices(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"seen = []\n\n{PLUS}\ndef times(a, b):\n    return a * b\n",
            "tests/test_sums.py": """\
                import time
                from pkg import sums

                def test_clean():  # slow, so that the other one is tried before
                    time.sleep(0.05)
                    assert sums.seen == []
                    assert sums.plus(1, 2) and sums.times(1, 2) == 2

                def test_leaks():
                    sums.seen.append(sums.plus(1, 2) and sums.times(1, 2))
                """,
        },
        critical=["pkg.sums.plus", "pkg.sums.times"],
    )
    assert judged.of("plus") == {SURVIVED}
    assert judged.of("times") == {KILLED}
    assert judged.codes == []


def test_a_test_that_needs_another_one_may_not_kill(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"seen = []\n\n{PLUS}\ndef times(a, b):\n    return a * b\n",
            "tests/test_sums.py": """\
                from pkg import sums

                def test_first():
                    sums.seen.append(1)
                    assert sums.times(1, 2) == 2

                def test_second():
                    assert sums.seen == [1]
                    assert sums.plus(1, 2) == 3
                """,
        },
        critical=["pkg.sums.plus", "pkg.sums.times"],
    )
    assert judged.codes == ["QO612"]
    assert "test_second" in judged.result.notices[0].message
    assert judged.of("times") == {KILLED}
    assert not any(status.is_detected for status in judged.of("plus"))


def test_a_mutant_that_ends_the_process_has_crashed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/ends.py": """\
                import os

                def check(n):
                    if n > 3:
                        os._exit(0)
                    return n * 2
                """,
            "tests/test_ends.py": """\
                from pkg.ends import check

                def test_loose():
                    assert check(1)

                def test_check():
                    assert check(3) == 6
                """,
        },
    )
    assert judged["if n >= 3:"].status is MutantStatus.CRASHED
    assert judged["if n >= 3:"].killer == "tests/test_ends.py::test_check"
    assert judged["if n > 4:"].status is SURVIVED
    assert judged["return n / 2"].status is judged["return n * 3"].status is KILLED


@pytest.mark.parametrize("settings", [{"self-check": 100}, {"mode": "fresh"}], ids=["checked", "fresh"])
def test_a_mutant_that_ends_pytest_with_success_is_detected_in_a_fresh_interpreter(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/ends.py": "import os\n\ndef check(n):\n    if n > 3:\n        os._exit(0)\n",
            "tests/test_ends.py": "from pkg.ends import check\n\ndef test_check():\n    check(3)\n",
        },
        critical=["pkg.ends.check"],
        **settings,
    )
    assert judged["if n >= 3:"].status.is_detected
    assert judged.result.self_check is None or judged.result.self_check.disagreements == ()


def test_the_self_check_leaves_out_the_tests_that_may_not_kill(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"seen = []\n\n{PLUS}",
            "tests/test_sums.py": """\
                from pkg import sums

                def test_first():
                    sums.seen.append(sums.plus(1, 2))

                def test_second():
                    assert sums.seen and sums.plus(1, 2) == 3
                """,
        },
        **{"critical": ["pkg.sums.plus"], "self-check": 100},
    )
    assert judged.codes == ["QO612"]
    assert judged.of("plus") == {SURVIVED}
    assert judged.result.self_check is not None
    assert (judged.result.self_check.checked, judged.result.self_check.disagreements) == (1, ())


@pytest.mark.slow
def test_a_mutant_that_never_ends_is_timed_out(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/loops.py": """\
                def drain(n):
                    while n > 0:
                        n -= 1
                    return n
                """,
            "tests/test_loops.py": """\
                import signal
                from pkg.loops import drain

                def test_drain():
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
                    assert drain(3) == 0
                """,
        },
        critical=["pkg.loops.drain"],
    )
    assert judged["n += 1"].status is MutantStatus.TIMEOUT
    assert (judged["n += 1"].seconds or 0.0) < 10  # a second at first, three when it is seen again
    assert judged["n -= 2"].status is KILLED


def test_a_mutant_that_takes_all_memory_is_noticed_and_harms_no_other(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/memory.py": """\
                def fill(n):
                    rows = []
                    while n != 0:
                        rows.append(bytearray(1048576))
                        n -= 1
                    return rows

                def block(size):
                    return bytearray(size << 9 >> 9)

                def loose(a):
                    return a + 5
                """,
            "tests/test_memory.py": """\
                from pkg.memory import block, fill, loose

                def test_fill():
                    assert len(fill(2)) == 2

                def test_block():
                    assert block(1048576)

                def test_loose():
                    assert loose(1)
                """,
        },
        memory=256,
    )
    assert judged["n += 1"].status in (KILLED, MutantStatus.CRASHED)
    assert judged["size << 9 << 9"].status in (KILLED, MutantStatus.CRASHED)
    assert judged["size >> 9 >> 9"].status is SURVIVED
    assert judged.of("loose") == {SURVIVED}


def test_tests_that_fork_kill_what_they_notice(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"{PLUS}\ndef loose(a):\n    return a - 5\n",
            "tests/test_sums.py": """\
                import os
                import time
                from pkg.sums import loose, plus

                def test_plus():
                    pid = os.fork()
                    if not pid:
                        time.sleep(0.01)
                        os._exit(3)
                    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == plus(1, 2)

                def test_leaves_a_process_behind():
                    if not os.fork():
                        time.sleep(30)
                        os._exit(0)
                    assert loose(1)

                def test_comes_back_twice():
                    os.fork()
                    assert loose(1)
                """,
        },
    )
    assert judged.of("plus") == {KILLED}
    assert judged.of("loose") == {SURVIVED}


def test_what_only_a_forked_process_of_a_test_executes_is_reached(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"{PLUS}\ndef times(a, b):\n    return a * b\n",
            "tests/test_sums.py": """\
                import multiprocessing
                import os
                from pkg.sums import plus, times

                def test_plus():
                    pid = os.fork()
                    if not pid:
                        os._exit(plus(1, 2))
                    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3

                def test_times():
                    with multiprocessing.get_context("fork").Pool(1) as pool:
                        assert pool.starmap(times, [(1, 2)]) == [2]
                """,
        },
    )
    assert judged.of("plus") == judged.of("times") == {KILLED}


def test_tests_that_install_signal_handlers_change_no_verdict(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/sums.py": f"{PLUS}\ndef loose(a):\n    return a - 5\n",
            "tests/test_sums.py": """\
                import os
                import signal
                from pkg.sums import loose, plus

                def test_handlers():
                    heard = []
                    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM):
                        signal.signal(number, lambda n, _: heard.append(n))
                    os.kill(os.getpid(), signal.SIGTERM)
                    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
                    assert heard[0] == signal.SIGTERM and loose(1)
                    signal.setitimer(signal.ITIMER_REAL, 0)

                def test_plus():
                    assert plus(1, 2) == 3
                """,
        },
    )
    assert judged.of("plus") == {KILLED}
    assert judged.of("loose") == {SURVIVED}


def test_options_of_the_subject_change_no_verdict(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pyproject.toml": """\
                [tool.pytest.ini_options]
                addopts = ["-x", "--strict-markers", "-ra", "--maxfail=1"]
                markers = ["known"]
                """,
            "pkg/sums.py": f"{PLUS}\ndef times(a, b):\n    return a * b\n",
            "tests/test_sums.py": """\
                import pytest
                from pkg.sums import plus, times

                def test_red():
                    assert plus(1, 2) == 4

                @pytest.mark.known
                def test_loose():
                    assert plus(1, 2) and times(1, 2)

                def test_plus():
                    assert plus(1, 2) == 3
                """,
        },
    )
    assert judged.codes == ["QO612"]
    assert judged.of("plus") == {KILLED}
    assert judged["return a - b"].killer == "tests/test_sums.py::test_plus"
    assert judged.of("times") == {SURVIVED}


def test_warnings_that_are_errors_kill_only_where_the_mutant_warns(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pyproject.toml": '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n',
            "pkg/sums.py": """\
                import warnings

                LIMIT = 1000

                def old(n):
                    if n > 3:
                        warnings.warn("old", DeprecationWarning)
                    return n + LIMIT
                """,
            "tests/test_sums.py": """\
                from pkg.sums import old

                def test_old():
                    assert old(3)

                def test_older():
                    assert old(2)
                """,
        },
    )
    assert judged["if n >= 3:"].status is KILLED
    assert judged["if n > 4:"].status is SURVIVED
    assert judged["return n - LIMIT"].status is judged["LIMIT = 1001"].status is SURVIVED


def test_a_src_layout_is_imported_from_its_folder(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "src/shop/__init__.py": "",
            "src/shop/sums.py": f"LIMIT = 1000\n\n{PLUS}\ndef loose(a):\n    return a + LIMIT\n",
            "tests/test_sums.py": """\
                from shop.sums import loose, plus

                def test_plus():
                    assert plus(1, 2) == 3 and loose(1)
                """,
        },
        **{"source": ["src/shop"], "import-paths": ["src"], "critical": ["src/shop/*.py"]},
    )
    assert judged.of("plus") == {KILLED}
    assert judged.of("loose") == {SURVIVED}
    assert judged["return a - b"].id.startswith("shop.sums.")


def test_a_namespace_package_is_imported_as_it_is(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/deep/sums.py": f"LIMIT = 1000\n\n{PLUS}\ndef loose(a, most=LIMIT):\n    return a + most\n",
            "tests/test_sums.py": """\
                from pkg.deep.sums import loose, plus

                def test_plus():
                    assert plus(1, 2) == 3 and loose(1)
                """,
        },
    )
    assert judged.of("plus") == {KILLED}
    assert judged["LIMIT = 1001"].status is judged["return a - most"].status is SURVIVED
    assert judged["return a - b"].id.startswith("pkg.deep.sums.")


def test_unittest_classes_and_their_subtests_kill(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/sums.py": f"{PLUS}\ndef times(a, b):\n    return a * b\n\ndef loose(a):\n    return a - 5\n",
            "tests/test_sums.py": """\
                import unittest
                from pkg.sums import loose, plus, times

                class SumsTest(unittest.TestCase):
                    @classmethod
                    def setUpClass(cls):
                        cls.three = plus(1, 2)

                    def test_anything(self):
                        self.assertTrue(self.three)

                    def test_three(self):
                        self.assertEqual(self.three, 3)

                    def test_subtests(self):
                        for n in (1, 2):
                            with self.subTest(n=n):
                                self.assertEqual(times(n, 2), 2 * n)
                        self.assertTrue(loose(1))
                """,
        },
    )
    assert judged.of("plus") == judged.of("times") == {KILLED}
    assert judged["return a - b"].killer == "tests/test_sums.py::SumsTest::test_three"
    assert judged.of("loose") == {SURVIVED}


def test_the_killer_is_one_of_the_parametrised_tests(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/signs.py": "def sign(n):\n    return -1 if n < 0 else 1\n",
            "tests/test_signs.py": """\
                import pytest
                from pkg.signs import sign

                @pytest.mark.parametrize(("n", "expected"), [(-5, -1), (0, 1), (5, 1)], ids=["below [0]", "Null", "ä"])
                def test_sign(n, expected):
                    assert sign(n) == expected
                """,
        },
    )
    assert judged.of("sign") == {KILLED}
    assert judged["n <= 0"].killer == "tests/test_signs.py::test_sign[Null]"


def test_hypothesis_tests_kill(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/signs.py": "def sign(n):\n    return -1 if n < 0 else 1\n\ndef loose(a):\n    return a - 5\n",
            "tests/test_signs.py": """\
                from hypothesis import given, settings, strategies as st
                from pkg.signs import loose, sign

                @given(st.integers())
                @settings(deadline=1, max_examples=50)
                def test_sign(n):
                    assert sign(n) * abs(n) == n and sign(0) == 1

                @given(st.integers(-9, 9))
                def test_loose(n):
                    assert loose(n) < 99
                """,
        },
    )
    assert judged.of("sign") == {KILLED}
    assert judged.of("loose") == {SURVIVED}


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        ("from pkg.sums import plus\n", "QO401"),
        ("from pkg.sums import plus\ndef test_plus():\n    assert plus(1, 2) == 4\n", "QO402"),
        ("from pkg.sums import minus\n", "QO404"),
    ],
    ids=["none", "red", "broken"],
)
def test_tests_that_can_say_nothing_are_refused(tmp_path: Path, tests: str, code: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        judge(tmp_path, {"pkg/sums.py": PLUS, "tests/test_sums.py": tests})
    assert caught.value.problem.code == code


def test_a_hook_that_reads_how_a_test_failed_finds_all_of_it(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/plus.py": PLUS,
            "tests/conftest.py": """\
                import pytest

                @pytest.hookimpl(hookwrapper=True)
                def pytest_runtest_makereport():
                    result = yield
                    report = result.get_result()
                    if report.failed and "known to be flaky" in str(report.longrepr):
                        assert report.longrepr.reprcrash.lineno == 4
                        report.outcome = "skipped"
                        report.longrepr = (__file__, 1, "flaky")
                """,
            "tests/test_plus.py": """\
                from pkg.plus import plus

                def test_plus():
                    assert plus(1, 2) == 3  # known to be flaky
                """,
        },
    )
    assert judged.of("plus") == {SURVIVED}


def test_what_is_left_out_of_a_report_nobody_reads_is_not_missed(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/plus.py": PLUS,
            "tests/conftest.py": """\
                import pytest

                def pytest_assertrepr_compare(left, right):
                    return [f"{left} apples are no {right} pears"]

                @pytest.fixture(autouse=True)
                def writes(request):
                    reporter = request.config.pluginmanager.getplugin("terminalreporter")
                    reporter.write_line("it begins")
                    assert reporter.verbosity <= 0
                    yield
                    reporter.write_sep("-", "it ends")
                """,
            "tests/test_plus.py": """\
                from pkg.plus import plus

                def test_plus():
                    assert plus(1, 2) == 3
                """,
        },
    )
    assert judged.of("plus") == {KILLED}
    assert judged["a - b"].message == "AssertionError: assert -1 apples are no 3 pears"


def test_an_exception_whose_text_cannot_be_made_is_told_by_its_name(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/plus.py": PLUS,
            "tests/test_plus.py": """\
                from pkg.plus import plus

                class Wrong(Exception):
                    def __str__(self):
                        return str(1 // 0)

                def test_plus():
                    if plus(1, 2) != 3:
                        raise Wrong
                """,
        },
    )
    assert judged["a - b"].message == "test_plus.Wrong: its text can't be made"


def test_packages_of_others_that_tests_import_are_there_for_each_and_the_projects_own_are_not(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/late.py": "",
            "pkg/plus.py": """\
                def first(a, b):
                    return a + b

                def second(a, b):
                    return a + b
                """,
            "tests/test_late.py": """\
                import sys
                from pkg import plus

                def test_that_imports():
                    import colorsys
                    from pkg import late

                def test_that_needs_what_was_imported_of_others():
                    assert "colorsys" in sys.modules
                    assert plus.first(1, 2) == 3

                def test_that_needs_what_was_imported_of_the_project():
                    assert "pkg.late" in sys.modules
                    assert plus.second(1, 2) == 3
                """,
        },
    )
    assert judged.of("first") == {KILLED}
    assert judged.of("second") == {MutantStatus.NO_TESTS}  # alone, its test fails without any mutant


def test_what_the_first_test_imports_for_all_others_is_changed_where_it_is(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/factory.py": """\
                def make():
                    from pkg import parts
                    return parts.Part()
                """,
            "pkg/parts.py": """\
                import time

                SIZE = 4
                time.sleep(0.1)

                class Part:
                    def size(self):
                        return SIZE * 2

                    def loose(self):
                        return SIZE + 1
                """,
            "tests/conftest.py": """\
                import pytest
                from pkg.factory import make

                @pytest.fixture
                def part():
                    return make()
                """,
            "tests/test_part.py": """\
                import pytest

                @pytest.mark.parametrize("n", range(10))
                def test_part(part, n):
                    assert part.loose() and n < 10

                def test_size(part):
                    assert part.size() == 8
                """,
        },
        critical=["pkg.parts.Part.size", "pkg.parts.Part.loose", "pkg.parts.SIZE"],
    )
    assert judged.of("Part.size") == judged.of("SIZE") == {KILLED}
    assert SURVIVED in judged.of("Part.loose")
    functions = [m.id for m in judged.mutants if m.function.startswith("Part.")]
    assert not any(judged.result.verdicts[name].cold for name in functions if name in judged.result.verdicts)


def test_a_fixture_that_fails_kills_with_what_it_says(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/plus.py": PLUS,
            "tests/test_plus.py": """\
                import pytest
                from pkg.plus import plus

                @pytest.fixture
                def three():
                    if plus(1, 2) != 3:
                        raise ValueError(f"{plus(1, 2)} is not three")
                    return 3

                def test_three(three):
                    assert three == 3
                """,
        },
    )
    assert judged["a - b"].status is KILLED
    assert judged["a - b"].message == "ValueError: -1 is not three"


def test_the_default_of_a_dataclass_is_changed_wherever_it_shows(tmp_path: Path) -> None:
    judged = judge(
        tmp_path,
        {
            "pkg/drafts.py": """\
                from __future__ import annotations
                from dataclasses import dataclass

                @dataclass(frozen=True)
                class Draft:
                    owner: str
                    label: str = "none"
                    size: int = 30
                    unused: int = 40

                @dataclass
                class Kept:
                    size: int = 50

                KEPT = Kept()

                def drafted(owner: str) -> Draft:
                    return Draft(owner)
                """,
            "tests/test_drafts.py": """\
                from pkg.drafts import KEPT, Draft, drafted

                def test_label():
                    assert drafted("a").label == "none"

                def test_size():
                    assert Draft.size == 30

                def test_kept():
                    assert KEPT.size == 50
                """,
        },
    )
    assert judged['label: str = "XXnoneXX"'].killer == "tests/test_drafts.py::test_label"
    assert judged["size: int = 31"].killer == "tests/test_drafts.py::test_size"
    assert judged["unused: int = 41"].status is SURVIVED
    assert judged["size: int = 51"].killer == "tests/test_drafts.py::test_kept"
