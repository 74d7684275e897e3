from __future__ import annotations

import importlib.util
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import agent
from orchestrator.agent.gateways import Request
from orchestrator.agent.reach import ReachRecorder
from orchestrator.config import App, Project, Settings
from tests.agent.interpreters import VERSIONS, interpreter
from tests.agent.served import WAIT, Asked

SOURCE = """\
import functools
import json
import os
import threading


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def one():
    return 1


@decorated
@decorated
def two():
    return one() + 1


class Cart:
    total = sum(n for n in [1, 2])

    def add(self):
        return [one() for _ in range(2)]

    @property
    def size(self):
        return 1

    @staticmethod
    def price():
        return 1


def nested():
    def inside():
        return 1

    class Local:
        def method(self):
            return inside()

    return Local().method()


def generated():
    yield one()


def in_thread():
    thread = threading.Thread(target=one)
    thread.start()
    thread.join()


def anonymous():
    return (lambda: 1)()


def of_the_library():
    return json.dumps(os.path.join("a", "b"))


def made():
    names = {}
    exec("def from_text(): return 1", names)
    return names["from_text"]()


def unused():
    return 0
"""
CALLS = {
    "/one": "one()",
    "/two": "two()",
    "/cart": "Cart().add(), Cart().size, Cart.price()",
    "/nested": "nested()",
    "/generated": "list(generated())",
    "/thread": "in_thread()",
    "/lambda": "anonymous()",
    "/library": "of_the_library()",
    "/made": "made()",
    "/nothing": "None",
}

APP = f"""\
from shop import *

CALLS = {{{", ".join(f"{path!r}: lambda: ({call})" for path, call in CALLS.items())}}}


def app(environ, start_response):
    CALLS[environ["PATH_INFO"]]()
    start_response("204 No Content", [])
    return []
"""


def line(text: str, occurrence: int = 1) -> int:
    """Return the line of the source that holds `text`."""
    found = [number for number, content in enumerate(SOURCE.splitlines(), start=1) if text in content]
    return found[occurrence - 1]


WRAPPER = line("@functools.wraps")
REACHED = {
    "/one": {line("def one")},
    "/two": {line("@decorated"), WRAPPER, line("def one")},  # a decorated function begins with its decorator
    "/cart": {line("def add"), line("def one"), line("@property"), line("@staticmethod")},
    "/nested": {line("def nested"), line("def inside"), line("def method")},
    "/generated": {line("def generated"), line("def one")},
    "/thread": {line("def in_thread"), line("def one")},
    "/lambda": {line("def anonymous"), line("lambda: 1")},
    "/library": {line("def of_the_library")},
    "/made": {line("def made")},
    "/nothing": set(),
}


# The whole agent, in each interpreter that there is


@pytest.mark.parametrize("version", VERSIONS)
def test_each_request_reaches_the_functions_that_it_runs(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    (tmp_path / "shop.py").write_text(SOURCE)
    (tmp_path / "main.py").write_text(APP)
    settings = Settings(python=python, source=("shop.py",), app=App(target="main:app"))
    project = Project(root=tmp_path, file=tmp_path / "orchestrator.toml", settings=settings)
    with agent.running(project, reach=True) as running:
        assert running.python.startswith(version or "3.")
        assert running.reached() == ()
        for _ in range(2):  # the second time nothing is new to the interpreter
            reached = asked(running)
            assert {path: lines for (_, path), lines in reached.items()} == REACHED
        assert running.reached() == ()


def asked(running: agent.Agent) -> dict[tuple[str, str], set[int]]:
    """Ask for everything, and return the lines that each path reached."""
    for path in CALLS:
        assert Asked(running.url + path, b"").status == 204
    reached = running.reached()
    assert {Path(file).name for r in reached for file, _ in r.places} == {"shop.py"}
    return {(r.method, r.path): {number for _, number in r.places} for r in reached}


# In this process


@pytest.fixture
def source(tmp_path: Path) -> types.ModuleType:
    return imported(tmp_path / "src" / "shop.py", SOURCE)


def imported(path: Path, content: str) -> types.ModuleType:
    """Write a module and import it."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ReachRecorder]:
    """A recorder of this process, which leaves what watched before in place."""
    before, before_of_threads = sys.gettrace(), threading.gettrace()
    recorder = ReachRecorder([str(tmp_path / "src")])
    recorder.start()
    yield recorder
    if sys.version_info >= (3, 12):
        sys.monitoring.free_tool_id(3)
    else:
        sys.settrace(before)
        threading.settrace(before_of_threads)


def during(recorder: ReachRecorder, path: str, *calls: Callable[[], Any], method: str = "GET") -> None:
    """Call functions while a request is served."""
    with recorder.around(Request(method, path, [], b"", ("", 0), ("", 0))):
        for call in calls:
            call()


def lines(recorder: ReachRecorder) -> dict[tuple[str, str], list[int]]:
    return {key: sorted(number for _, number in places) for key, places in recorder.take().items()}


def test_what_runs_outside_a_request_is_not_recorded(recorder: ReachRecorder, source: types.ModuleType) -> None:
    source.one()
    during(recorder, "/")
    source.one()
    assert lines(recorder) == {("GET", "/"): []}


def test_what_ran_before_is_recorded_all_the_same(recorder: ReachRecorder, source: types.ModuleType) -> None:
    source.one()
    during(recorder, "/a", source.one)
    during(recorder, "/b", source.one)
    assert lines(recorder) == {("GET", "/a"): [line("def one")], ("GET", "/b"): [line("def one")]}


def test_requests_of_one_path_are_put_together(recorder: ReachRecorder, source: types.ModuleType) -> None:
    during(recorder, "/a?x=1", source.one)
    during(recorder, "/a?x=2", source.anonymous)
    during(recorder, "/a", source.one, method="POST")
    reached = lines(recorder)
    assert reached["GET", "/a"] == [line("def one"), line("def anonymous"), line("lambda: 1")]
    assert reached["POST", "/a"] == [line("def one")]


def test_reach_is_told_once(recorder: ReachRecorder, source: types.ModuleType) -> None:
    during(recorder, "/a", source.one)
    assert recorder.take()
    assert recorder.take() == {}


def test_requests_that_overlap_are_each_given_what_runs_meanwhile(
    recorder: ReachRecorder, source: types.ModuleType
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        assert go_on.wait(WAIT)

    thread = threading.Thread(target=during, args=(recorder, "/slow", slow))
    thread.start()
    assert entered.wait(WAIT)
    during(recorder, "/quick", source.one)
    go_on.set()
    thread.join(WAIT)
    during(recorder, "/later", source.anonymous)
    reached = lines(recorder)
    assert reached["GET", "/slow"] == reached["GET", "/quick"] == [line("def one")]
    assert line("def one") not in reached["GET", "/later"]


def test_a_request_that_fails_reached_what_it_ran(recorder: ReachRecorder, source: types.ModuleType) -> None:
    def fail() -> None:
        source.one()
        raise ValueError("no such order")

    with pytest.raises(ValueError, match="no such order"):
        during(recorder, "/", fail)
    assert lines(recorder) == {("GET", "/"): [line("def one")]}


def test_equal_functions_of_two_files_are_told_apart(recorder: ReachRecorder, tmp_path: Path) -> None:
    content = "def same():\n    return 1\n"
    ours = imported(tmp_path / "src" / "a.py", content)
    other = imported(tmp_path / "src" / "b.py", content)
    library = imported(tmp_path / "library" / "c.py", content)
    assert ours.same.__code__ == library.same.__code__
    during(recorder, "/", library.same, ours.same, other.same)
    (places,) = recorder.take().values()
    assert sorted(Path(file).name for file, _ in places) == ["a.py", "b.py"]


def test_a_module_imported_by_a_request_is_no_function(recorder: ReachRecorder, tmp_path: Path) -> None:
    during(recorder, "/", lambda: imported(tmp_path / "src" / "late.py", "class A:\n    x = [1 for _ in 'a']\n"))
    assert lines(recorder) == {("GET", "/"): []}


def test_source_may_be_a_single_file_behind_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    module = imported(real / "shop.py", SOURCE)
    (tmp_path / "link").symlink_to(real)
    recorder = ReachRecorder([str(tmp_path / "link" / "shop.py")])
    assert recorder._place(module.one.__code__) == (str((real / "shop.py").resolve()), line("def one"))
    assert recorder._place(test_reach_is_told_once.__code__) is None


def test_nothing_is_recorded_before_it_begins(source: types.ModuleType) -> None:
    recorder = ReachRecorder([str(Path(source.__file__ or "").parent)])
    during(recorder, "/", source.one)
    assert recorder.take() == {}
