from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from orchestrator.agent.mutation.lines import OpenedFiles, StatementRecorder


def ran(folder: Path, script: str) -> Any:
    """What a script prints as JSON, run by itself: import hooks and audit hooks stay for good."""
    head = f"import json, os, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, {str(folder)!r})\n"
    head += "from orchestrator.agent.mutation.lines import OpenedFiles, StatementRecorder\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", head + textwrap.dedent(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CODE = '''\
"""The module's
text."""
from __future__ import annotations
import asyncio
from functools import wraps

LIMIT = 3; MOST = 4


def wrap(function):
    """Doc."""
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner


class Cart:
    """A cart."""

    size: int = 1

    @property
    def count(self):
        "One line"
        return self.size


@wrap
def called(a: Missing, b=LIMIT):
    if a > 1:
        return call(
            a,
        )
    elif a == 1:
        b = 2
    else:
        b = 5
    for c in range(2):
        if c:
            continue
    else:
        b += 1
    while b > 100:
        pass
    try:
        assert b
        raise KeyError(b)
    except KeyError as error:
        b = error.args[0]
    finally:
        b += 0
    with open(__file__) as file:
        file.read(1)
    match b:
        case 3:
            return "three"
        case _:
            pass
    lam = lambda x: x
    async def deep():
        global SEEN
        SEEN = [x async for x in many()]
        return lam(b)
    asyncio.run(deep())
    def only_text():
        "only this"
    return b, only_text.__doc__


async def many():
    yield 1


def call(a):
    return a


def never():
    return 1


def results():
    cart = Cart()
    texts = [__doc__, wrap.__doc__, Cart.__doc__, Cart.count.__doc__, called.__name__]
    return [cart.count, MOST, *texts, called.__annotations__, [called(n) for n in (0, 1, 2)], called.__code__.co_flags]
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "prices.py").write_text(CODE, "utf-8")
    return tmp_path


RECORDED = """
    recorder = StatementRecorder(["src"], ["src/env"])
    recorder.start()
    sys.path.insert(0, "src")
    import prices
    def lines(taken):
        return {os.path.relpath(p): [n for n in range(200) if m >> n & 1] for p, m in taken.items()}
"""


def test_instrumented_code_does_what_plain_code_does(project: Path) -> None:
    told = "\nprint(json.dumps(prices.results()))"
    plain = ran(project, "sys.path.insert(0, 'src')\nimport prices\n" + told)
    assert ran(project, textwrap.dedent(RECORDED) + told) == plain
    assert plain[:6] == [1, 4, "The module's\ntext.", "Doc.", "A cart.", "One line"]


def starts(*texts: str) -> list[int]:
    """The lines on which these texts stand, each the first of its sort."""
    lines = CODE.split("\n")
    return sorted({next(n for n, line in enumerate(lines, 1) if line.strip().startswith(t)) for t in texts})


def test_executed_statements_are_told_once(project: Path) -> None:
    script = """
    found = [lines(recorder.take())]
    prices.call(1)
    found.append(lines(recorder.take()))
    found.append(lines(recorder.take()))
    prices.called(2)
    found.append(lines(recorder.take()))
    print(json.dumps(found))
    """
    imported, called, nothing, branch = ran(project, textwrap.dedent(RECORDED) + textwrap.dedent(script))
    file = os.path.join("src", "prices.py")  # noqa: PTH118 - as it is printed
    at_import = starts(
        *("import asyncio", "from functools", "LIMIT", "def wrap", "def inner", "return inner", "class Cart", "size"),
        *("def count", "def called", "async def many", "def call(", "def never", "def results"),
    )
    # A decorated function begins where its `def` is.
    assert imported == {file: at_import}
    assert called == {file: starts("return a")}
    assert nothing == {}
    assert branch == {file: starts("return function", "if a > 1", "return call(", "return a")}


def test_only_the_source_is_instrumented(project: Path) -> None:
    (project / "src" / "env").mkdir()
    (project / "src" / "env" / "foreign.py").write_text("A = 1\n")
    (project / "beside.py").write_text("A = 1\n")
    (project / "src" / "same.py").symlink_to("prices.py")
    script = """
    sys.path.insert(0, "src/env")
    import foreign, beside
    print(json.dumps([sorted(lines(recorder.take())), recorder.unseen()]))
    """
    taken, unseen = ran(project, textwrap.dedent(RECORDED) + textwrap.dedent(script))
    assert taken == [str(Path("src/prices.py"))]
    assert unseen == []


def test_what_was_imported_before_is_told(project: Path) -> None:
    script = "sys.path.insert(0, 'src')\nimport prices\nrecorder = StatementRecorder(['src'], [])\nrecorder.start()\n"
    unseen = ran(project, script + "print(json.dumps(recorder.unseen()))")
    assert unseen == [str((project / "src" / "prices.py").resolve())]


def test_a_single_file_is_a_source_too(tmp_path: Path) -> None:
    recorder = StatementRecorder([str(tmp_path / "a.py"), str(tmp_path / "src")], [str(tmp_path / "src" / "env")])
    inside = ["a.py", "src/b.py", "src/deep/c.py", "src/environment.py"]
    outside = ["b.py", "a.pyx", "srcs/b.py", "src/env/b.py"]
    assert all(recorder.is_source(str(tmp_path / name)) for name in inside)
    assert not any(recorder.is_source(str(tmp_path / name)) for name in outside)


@pytest.mark.parametrize("code", ["", "# only this\n", '"only text"\n', "from __future__ import annotations\n"])
def test_a_module_without_statements_is_imported(project: Path, code: str) -> None:
    (project / "src" / "empty.py").write_text(code)
    script = "\nimport empty\nprint(json.dumps([empty.__doc__, recorder.unseen()]))"
    assert ran(project, textwrap.dedent(RECORDED) + script) == ["only text" if "text" in code else None, []]


def test_a_file_with_a_coding_line_is_instrumented(project: Path) -> None:
    (project / "src" / "old.py").write_bytes("# coding: latin-1\nA = 'é'\n".encode("latin-1"))
    assert ran(project, textwrap.dedent(RECORDED) + "\nimport old\nprint(json.dumps(old.A))") == "é"


def test_a_file_that_is_no_python_fails_as_it_does_without(project: Path) -> None:
    (project / "src" / "bad.py").write_text("def f(:\n")
    script = """
    try:
        import bad
    except SyntaxError as error:
        print(json.dumps([os.path.basename(error.filename), error.lineno]))
    """
    assert ran(project, textwrap.dedent(RECORDED) + textwrap.dedent(script)) == ["bad.py", 1]


OPENED = """
    opened = OpenedFiles(".", ["env"])
    opened.start()
    def took():
        read, written, beyond = opened.take()
        return [[os.path.relpath(p) for p in read], [os.path.relpath(p) for p in written], beyond]
"""


def opened(folder: Path, statement: str) -> Any:
    (folder / "env").mkdir(exist_ok=True)
    for name in ("a.txt", "env/b.txt", "c.pyc"):
        (folder / name).write_text("1")
    return ran(folder, textwrap.dedent(OPENED) + statement + "\nprint(json.dumps(took()))")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("pass", [[], [], False]),
        ("open('a.txt').close()", [["a.txt"], [], False]),
        ("open(b'a.txt').close()", [["a.txt"], [], False]),
        ("open(os.path.abspath('a.txt'), 'rb').close()", [["a.txt"], [], False]),
        ("import pathlib; pathlib.Path('a.txt').read_text()", [["a.txt"], [], False]),
        ("os.close(os.open('a.txt', os.O_RDONLY))", [["a.txt"], [], False]),
        ("open('new.txt', 'w').close()", [[], ["new.txt"], False]),
        ("open('a.txt', 'a').close()", [[], ["a.txt"], False]),
        ("open('a.txt', 'r+').close()", [[], ["a.txt"], False]),
        ("import sqlite3; sqlite3.connect('db.sqlite').close()", [[], ["db.sqlite"], False]),
        ("import sqlite3; sqlite3.connect(':memory:').close()", [[], [], False]),
        ("open('env/b.txt').close(); open('c.pyc').close(); open(os.devnull).close()", [[], [], False]),
        ("opened.stop(); open('a.txt').close(); opened.resume()", [[], [], False]),
        ("open('a.txt').close(); took()", [[], [], False]),
        ("import subprocess; subprocess.run(['true'])", [[], [], True]),
        ("os.system('true')", [[], [], True]),
        ("os.waitpid(os.fork() or os._exit(0), 0)", [[], [], True]),
    ],
)
def test_files_and_programs_that_are_used_are_told(tmp_path: Path, statement: str, told: list[Any]) -> None:
    assert opened(tmp_path, statement) == told


def test_a_file_that_is_not_there_decides_too(tmp_path: Path) -> None:
    statement = "try: open('gone.txt')\nexcept OSError: pass"
    assert opened(tmp_path, statement) == [["gone.txt"], [], False]


def test_paths_are_the_projects_or_none(tmp_path: Path) -> None:
    (tmp_path / "p" / "env").mkdir(parents=True)
    (tmp_path / "link").symlink_to("p")
    files = OpenedFiles(str(tmp_path / "link"), [str(tmp_path / "link" / "env")])
    assert files.path_of(str(tmp_path / "p" / "a.txt")) == str((tmp_path / "p" / "a.txt").resolve())
    assert files.path_of(str(tmp_path / "link" / "a.txt")) == str((tmp_path / "p" / "a.txt").resolve())
    assert files.path_of(str(tmp_path / "p" / "env" / "a.txt")) is None
    assert files.path_of(str(tmp_path / "pp" / "a.txt")) is None


FUNCTIONS = """
    import functools

    def wrap(function):
        '''Doc.'''
        @functools.wraps(function)
        def inner(*args):
            return function(*args)
        return inner

    @wrap
    def decorated(): return 1

    class Cart:
        @property
        def size(self):
            "Only a docstring and this."
            return 2

        @size.setter
        def size(self, value):
            self.value = value

        def only_text(self):
            "Nothing."

        async def later(self):
            yield 3

    if True:
        def within():
            return (lambda: 4)()
"""


def executed(tmp_path: Path, script: str) -> list[list[str]]:
    """Return the functions that each step of a script executes; `step()` ends one."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(textwrap.dedent(FUNCTIONS))
    (tmp_path / "src" / "late.py").write_text("def late():\n    return 5\n")
    head = """
        from orchestrator.agent.mutation.lines import FunctionRecorder
        sys.path.insert(0, 'src')
        recorder = FunctionRecorder(['src'], [])
        recorder.start()
        steps, table = [], []
        def step():
            told = recorder.take()
            table.extend(told.get('table', ()))
            mask = int(told['ran'], 16)
            steps.append([table[n].rpartition('::')[2] for n in range(mask.bit_length()) if mask >> n & 1])
        import shop
        step()
    """
    tail = "\nprint(json.dumps(steps))\n"
    found: list[list[str]] = ran(tmp_path, textwrap.dedent(head) + textwrap.dedent(script) + tail)
    return found


def test_functions_are_recorded_as_they_are_executed(tmp_path: Path) -> None:
    script = """
        shop.decorated(); step()
        cart = shop.Cart(); cart.size; step()
        cart.size = 3; step()
        cart.only_text(); cart.later(); step()
        shop.within(); step()
        step()
    """
    assert executed(tmp_path, script) == [
        ["wrap"],
        ["wrap", "decorated"],
        ["Cart.size"],
        ["Cart.size#2"],
        [],
        ["within"],
        [],
    ]


def test_functions_of_modules_that_are_imported_later_have_the_next_numbers(tmp_path: Path) -> None:
    script = """
        import late
        late.late(); shop.within(); step()
    """
    assert executed(tmp_path, script) == [["wrap"], ["within", "late"]]


def test_a_forked_process_makes_marks_of_its_own(tmp_path: Path) -> None:
    script = """
        import os
        shop.within()
        pid = os.fork()
        if pid == 0:
            recorder.renew()
            shop.decorated()
            os._exit(int(recorder.take()['ran'], 16))
        _, status = os.waitpid(pid, 0)
        step()
        steps.append([table[n].rpartition('::')[2] for n in range(8) if os.waitstatus_to_exitcode(status) >> n & 1])
    """
    assert executed(tmp_path, script) == [["wrap"], ["within"], ["wrap", "decorated"]]


def test_bytecode_that_is_read_stands_for_its_source(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("X = 1\n")
    script = """
        sys.dont_write_bytecode = False
        from orchestrator.agent.mutation.lines import OpenedFiles
        opened = OpenedFiles('.', [])
        opened.start()
        import late
        first = opened.take()
        del sys.modules['late']
        import late
        again = opened.take()
        print(json.dumps([[os.path.basename(p) for p in told] for told in (*first[:2], *again[:2])]))
    """
    assert ran(tmp_path, script) == [["late.py"], [], ["late.py"], []]
