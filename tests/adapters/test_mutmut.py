from __future__ import annotations

import ast
import textwrap
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import mutmut.configuration
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutmut.mutation.file_mutation import mutate_file_contents

from orchestrator.adapters import mutmut as adapter
from orchestrator.adapters import mutmut_worker as worker
from orchestrator.adapters.mutmut import Made, Settings
from orchestrator.errors import Code, OrchestratorError
from orchestrator.mutation import candidates, critical
from orchestrator.mutation.candidates import Candidate
from tests import builders
from tests.record import DATA

# Whatever mutmut has an operator or an exception for.
MANY_SORTS = '''\
"""A module."""

from __future__ import annotations

import enum
from typing import overload

LIMIT = 3


def counted(prices, discount=0, *, name="Pen", factory=dict()):
    """Count."""
    amount = sum(prices)
    amount += 1
    if amount > 10 and not discount:
        amount = None
    for price in prices:
        if price in (1, 2):
            continue
        break
    return dict(a=amount - 1, b=-discount) if amount else name.lower()


async def fetched(key: str = "Key", limit: int = 3) -> str:
    'one line'
    async with key as other:
        return [x async for x in other if x is not None][0] + "é\\x1b\\n"


def nested(number):
    def once(value, step=2):
        return value * number ** step

    handler = lambda x: x + 1
    try:
        return once(handler(number))
    except ValueError as error:
        raise KeyError(
            "It is",
            error,
        ) from error


def matched(value):
    match value:
        case 1:
            return "one"
        case [a, b]:
            return a | b
        case _:
            return f"{value!r:>10}"


def skipped(value):
    first = value + 1  # pragma: no mutate
    return first + 2


class Cart:
    """What somebody wants to buy."""

    size: int = 4

    def __init__(self, items=None):
        self.items = items or []

    def __new__(cls):
        return super().__new__(cls)

    @staticmethod
    def label(name):
        return "cart of " + name

    @classmethod
    def made(cls, name="x"):
        return cls(items=[name, len("abc")])

    @property
    def count(self):
        return len(self.items) + 0

    @overload
    def find(self, key: int) -> str: ...

    def find(self, key):
        text = key.split(",", 1); return text, \\
            key.find("A")

    class Inner:
        def deep(self):
            return 1 + 1


@frozen
class Decorated:
    def kept(self):
        return self.a == 1


class Colour(enum.Enum):
    RED = 1

    def __init__(self, value):
        self.value2 = value + 1

    def shown(self):
        return self.name + "!"


if LIMIT:
    def branch():
        return 1 + 2


def overlong(
    first,
    second=True,
):
    return first < second'''


@pytest.fixture(autouse=True, scope="module")
def _mutmuts_settings() -> Iterator[None]:
    """The one setting that mutmut's visitor asks for, as the worker sets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutmut.configuration, "_config", types.SimpleNamespace(do_not_mutate_patterns=[]))
        yield


def mutants_of(code: str, *patterns: str) -> list[Made]:
    """The mutants of a file, made in this process, where it takes no time."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setattr(mutmut.configuration, "_config", types.SimpleNamespace(do_not_mutate_patterns=list(patterns)))
        return [_made(told) for told in worker.File("shop/a.py", code).mutants()]


def _made(told: dict[str, Any]) -> Made:
    return msgspec.convert(list(told.values()), Made)


def dedented(code: str) -> str:
    return textwrap.dedent(code).lstrip("\n")


def noted(code: str) -> dict[str, str]:
    """The mutants of a dedented code: what stands on the changed lines instead, and the note."""
    text = dedented(code)
    return {changed(text, m): m.note for m in mutants_of(text)}


def replaced(code: str, made: Made) -> list[str]:
    """The lines of the file with the mutant in it."""
    lines = code.split("\n")
    return [*lines[: made.first - 1], *made.lines, *lines[made.last :]]


def changed(code: str, made: Made) -> str:
    """What stands on the changed lines, in one line."""
    new = replaced(code, made)
    after = len(code.split("\n")) - made.changed[1]
    return " ".join(" ".join(new[made.changed[0] - 1 : len(new) - after]).split())


def found_in(root: Path, files: dict[str, str]) -> list[Candidate]:
    for name, body in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body, "utf-8")
    project = builders.project(root, source=["shop"], mutation={"critical": ["shop/*"]})
    selection = critical.select(project, None)
    found, unmutated = candidates.find(project, selection, workers=2)
    assert [u for u in unmutated if "Error" in u.reason] == []
    return found


def shown(function: ast.AST) -> str:
    """A function without its name and decorators."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    function.name, function.decorator_list = "f", []
    return ast.unparse(function)


def functions(code: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def by_mutmut(code: str) -> dict[str, str]:
    """The names that mutmut gives, in its order, each with the mutated function."""
    mutated = mutate_file_contents("shop/a.py", code)
    known = {f.name: f for f in functions(mutated.code)}
    return {name: shown(known[name]) for name in mutated.mutant_names}


def by_us(code: str, found: list[Candidate]) -> dict[str, str]:
    """The same, of the mutants that are told to be mutmut's."""
    told = {}
    for candidate in (c for c in found if c.mutmuts):
        change = candidate.change
        lines = code.split("\n")
        text = "\n".join([*lines[: change.first - 1], *change.lines, *lines[change.last :]])
        starts = {min([f.lineno, *(d.lineno for d in f.decorator_list)]): f for f in reversed(functions(text))}
        told[candidate.mutant.id.rpartition(".")[2]] = shown(starts[change.first])
    return told


def test_plain_functions_have_the_mutants_that_mutmut_makes_with_its_names_in_its_order(tmp_path: Path) -> None:
    files = {
        "shop/many.py": MANY_SORTS,
        "shop/words.py": (DATA / "shop" / "shop" / "words.py.txt").read_text("utf-8"),
        "shop/prices.py": (DATA / "shop" / "shop" / "prices.py.txt").read_text("utf-8"),
        "shop/app.py": (DATA / "shop" / "shop" / "app.py.txt").read_text("utf-8"),
    }
    found = found_in(tmp_path, files)
    for path, code in files.items():
        theirs = by_mutmut(code)
        ours = by_us(code, [c for c in found if c.mutant.path == path])
        assert ours == theirs
        assert list(ours) == list(theirs)
        assert theirs


def kinds(code: str) -> dict[str, set[tuple[str, bool]]]:
    """The kinds of each definition's mutants, and whether mutmut makes them itself."""
    told: dict[str, set[tuple[str, bool]]] = {}
    for made in mutants_of(code):
        told.setdefault(made.name, set()).add((made.kind, made.own))
    return told


def test_every_sort_of_definition_has_its_kind() -> None:
    assert kinds(MANY_SORTS) == {
        "LIMIT": {("module", False)},
        "counted": {("function", True), ("default", True)},
        "fetched": {("function", True), ("default", True)},
        "nested": {("function", True)},
        "matched": {("function", True)},
        "skipped": {("function", True)},
        "Cart.size": {("class", False)},
        "Cart.__init__": {("function", True)},
        "Cart.label": {("handler", True)},
        "Cart.made": {("handler", True), ("default", True)},
        "Cart.count": {("handler", False)},
        "Cart.find": {("function", True)},
        "Cart.Inner.deep": {("function", False)},
        "Decorated.kept": {("function", True)},
        "Colour.RED": {("class", False)},
        "Colour.shown": {("function", True)},
        "branch": {("function", False)},
        "overlong": {("function", True), ("default", True)},
    }


def test_decorated_functions_are_mutated_but_not_their_decorators() -> None:
    code = dedented(
        """
        @app.get("/items")
        @cached(seconds=3)
        def read(limit=1):
            @wrap("inner")
            def inner():
                return 7
            return inner() + limit
        """
    )
    found = mutants_of(code)
    assert {(changed(code, m), m.kind) for m in found} == {
        ("def read(limit=2):", "default"),
        ("return 8", "handler"),
        ("return inner() - limit", "handler"),
    }
    assert {(m.first, m.last, m.own) for m in found} == {(1, 7, False)}


def test_a_decorated_function_in_a_plain_one_is_mutated_and_not_told_to_be_mutmuts() -> None:
    code = "def outer():\n    @wrap\n    def inner():\n        return 1\n    return inner() + 2\n"
    assert {(changed(code, m), m.kind, m.own) for m in mutants_of(code)} == {
        ("return 2", "function", False),
        ("return inner() + 3", "function", True),
        ("return inner() - 2", "function", True),
    }


@pytest.mark.parametrize("decorator", ["overload", "typing.overload", "t.overload"])
def test_what_is_for_type_checkers_alone_has_no_mutants(decorator: str) -> None:
    code = f"@{decorator}\ndef find(key: int = 1) -> str:\n    return 1 + 2\n"
    assert mutants_of(code) == []


@pytest.mark.parametrize("name", ["__init__", "_generate_next_value_"])
@pytest.mark.parametrize("decorator", ["", "    @staticmethod\n", "    @wrap\n"])
def test_what_an_enum_calls_while_it_is_made_has_no_mutants(name: str, decorator: str) -> None:
    assert mutants_of(f"class Colour(Enum):\n{decorator}    def {name}(a):\n        return a + 1\n") == []


@pytest.mark.parametrize("name", ["__new__", "__setattr__", "__getattribute__"])
@pytest.mark.parametrize("decorator", ["", "    @wrap\n"])
def test_what_is_called_before_anything_is_there_has_no_mutants(name: str, decorator: str) -> None:
    assert mutants_of(f"class A:\n{decorator}    def {name}(a):\n        return a + 1\n") == []


def test_a_docstring_in_single_quotes_is_read_when_the_function_is_made() -> None:
    found = mutants_of("def read():\n    'What it is'\n    return 'What'\n")
    assert {(m.changed, m.kind) for m in found} == {((2, 2), "default"), ((3, 3), "function")}


def test_only_defaults_of_the_outermost_function_are_made_at_import() -> None:
    code = "def read(a=1):\n    def inner(b=2):\n        return lambda c=3: c\n    return inner\n"
    assert {(changed(code, m), m.kind) for m in mutants_of(code) if "None" not in changed(code, m)} == {
        ("def read(a=2):", "default"),
        ("def inner(b=3):", "function"),
        ("return lambda c=4: c", "function"),
    }


def test_casts_and_folded_constants_make_no_difference() -> None:
    notes = noted(
        """
        import typing as t
        from typing import cast as c

        def read(value):
            return c("Item", value), t.cast("Item", value)

        def sums():
            return 1 * 1
        """
    )
    assert {new for new, note in notes.items() if note == "equivalent"} == {
        *(f'return c({first}, value), t.cast("Item", value)' for first in ("None", '"XXItemXX"', '"item"', '"ITEM"')),
        *(f'return c("Item", value), t.cast({first}, value)' for first in ("None", '"XXItemXX"', '"item"', '"ITEM"')),
    } | {new for new, note in notes.items() if new == "return 1 ** 1" and note}
    assert notes['return c("Item", None), t.cast("Item", value)'] == ""
    assert notes["return 1 / 1"] == ""  # a float


def test_a_cast_of_somebody_else_is_a_call_like_any_other() -> None:
    notes = noted(
        """
        from sqlalchemy import cast

        def read(value):
            return cast("Item", value)
        """
    )
    assert set(notes.values()) == {""}


def test_what_the_compiler_makes_the_same_of_is_a_duplicate() -> None:
    notes = noted("def read():\n    return 2 + 0\n")
    assert notes == {"return 3 + 0": "", "return 2 + 1": "duplicate", "return 2 - 0": "equivalent"}


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    logger.info('Told', a)\n",
        "def f(a):\n    self._log.warning('Told', extra={'a': 1})\n",
        "def f(a):\n    logging.getLogger('x')\n    logging.error(\n        'Told',\n        a,\n    )\n",
        "class A:\n    def __repr__(self):\n        return 'A' + self.name\n",
        "if TYPE_CHECKING:\n    LIMIT = 1\n",
        "if typing.TYPE_CHECKING:\n    def f():\n        return 1\n",
        "T = TypeVar('T')\n",
        "T = typing.NewType('T', int)\n",
        "__all__ = ['a', 'b']\n",
        "class A:\n    __slots__ = ('a', 'b')\n",
    ],
)
def test_what_says_nothing_about_the_api_is_trivial(code: str) -> None:
    found = mutants_of(code)
    notes = {m.note for m in found if "getLogger" not in changed(code, m)}
    assert notes - {"duplicate"} == {"trivial"}


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    return logger.info('Told', a)\n",
        "def f(a):\n    blog.info('Told', a)\n",
        "def f(a):\n    logger.setLevel(1)\n",
        "class A:\n    def __str__(self):\n        return 'A'\n",
        "if CHECKING:\n    LIMIT = 1\n",
        "class A:\n    LIMIT = 1\n",
    ],
)
def test_what_only_looks_like_it_is_not_trivial(code: str) -> None:
    assert {m.note for m in mutants_of(code)} == {""}


def test_types_are_trivial_where_nobody_looks_at_them(tmp_path: Path) -> None:
    code = {"a.py": 'Kind = Literal["a", "b"]\n'}
    for matter, notes in ((True, {""}), (False, {"trivial"})):
        made, errors = adapter.make(code, [], tmp_path, types_matter=matter, workers=1)
        assert errors == {}
        assert {m.note for m in made["a.py"]} == notes


def test_lines_of_the_patterns_are_left_alone() -> None:
    code = "def f(a):\n    check(a + 1)\n    return a + 2\n"
    assert {m.changed for m in mutants_of(code)} == {(2, 2), (3, 3)}
    assert {m.changed for m in mutants_of(code, r"^\s*check\(")} == {(3, 3)}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("def f(a):\n    b = a + 1  # pragma: no mutate\n    return b + 2\n", {3}),
        ("@wrap\ndef f(a):\n    b = a + 1  # pragma: no mutate\n    return b + 2\n", {4}),
        ("LIMIT = 1  # pragma: no mutate\nMOST = 2\n", {2}),
        ("def f(a):  # pragma: no mutate block\n    return a + 1\ndef g(a):\n    return a + 1\n", {4}),
        ("@wrap\ndef f(a):  # pragma: no mutate block\n    return a + 1\ndef g(a):\n    return a + 1\n", {5}),
        ("# pragma: no mutate start\ndef f(a):\n    return a + 1\n# pragma: no mutate end\nLIMIT = 1\n", {5}),
    ],
)
def test_pragmas_leave_lines_alone(code: str, lines: set[int]) -> None:
    assert {m.changed[0] for m in mutants_of(code)} == lines


def test_a_mutant_that_is_no_python_is_invalid() -> None:
    code = "def f(a):\n    return g(*a, **{}) if a else dict(aXX=1, a=2)\n"
    notes = {changed(code, m): m.note for m in mutants_of(code)}
    assert notes["return g(*a, **{}) if a else dict(aXX=1, aXX=2)"] == "invalid"


def test_answers_are_kept_by_content(tmp_path: Path) -> None:
    def times() -> dict[str, int]:
        return {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}

    files = {"a.py": "A = 1\n", "b.py": "def f():\n    return 'B'\n"}
    first, _ = adapter.make(files, [], tmp_path, types_matter=True, workers=2)
    kept = times()
    assert len(kept) == 2
    again, _ = adapter.make(files, [], tmp_path, types_matter=True, workers=2)
    assert (again, times()) == (first, kept)
    # The path says nothing: what was made of a content is good for it wherever it is.
    moved, _ = adapter.make({"c.py": files["b.py"]}, [], tmp_path, types_matter=True, workers=2)
    assert (moved["c.py"], times()) == (first["b.py"], kept)
    adapter.make({"a.py": "A = 2\n"}, ["B"], tmp_path, types_matter=True, workers=2)
    assert len(times()) == 3


def test_a_kept_answer_that_is_broken_is_asked_for_again(tmp_path: Path) -> None:
    first, _ = adapter.make({"a.py": "A = 1\n"}, [], tmp_path, types_matter=True, workers=1)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert adapter.make({"a.py": "A = 1\n"}, [], tmp_path, types_matter=True, workers=1)[0] == first


def test_a_file_that_mutmut_does_not_understand_costs_the_others_nothing(tmp_path: Path) -> None:
    files = {"a.py": "A = 1\n", "bad.py": "def f(:\n", "c.py": "C = 3\n"}
    made, errors = adapter.make(files, [], tmp_path, types_matter=True, workers=1)
    assert list(made) == list(files)
    assert {path: len(found) for path, found in made.items()} == {"a.py": 2, "bad.py": 0, "c.py": 2}
    assert set(errors) == {"bad.py"}
    assert "\n" not in errors["bad.py"]


def test_a_file_that_mutmut_does_not_understand_is_told_of_each_time(tmp_path: Path) -> None:
    files = {"bad.py": "def f(:\n"}
    first = adapter.make(files, [], tmp_path, types_matter=True, workers=1)
    assert adapter.make(files, [], tmp_path, types_matter=True, workers=1) == first


def test_a_pattern_that_is_no_regular_expression_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\ndo_not_mutate_patterns = ["("]\n')
    with pytest.raises(OrchestratorError, match=r"tool\.mutmut") as caught:
        adapter.settings(builders.project(tmp_path))
    assert caught.value.problem.code == Code.SETTINGS_INVALID


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, Settings()),
        ("", Settings()),
        ('[tool.mutmut]\npaths_to_mutate = "old"\n', Settings()),
        (
            '[tool.mutmut]\nonly_mutate = ["a/*"]\ndo_not_mutate = ["a/b*"]\ndo_not_mutate_patterns = ["log"]\n'
            'max_stack_depth = 3\npytest_add_cli_args = ["-x"]\n',
            Settings(
                only_mutate=("a/*",),
                do_not_mutate=("a/b*",),
                do_not_mutate_patterns=("log",),
                pytest_add_cli_args=("-x",),
            ),
        ),
    ],
)
def test_the_projects_settings_of_mutmut_are_read(tmp_path: Path, text: str | None, wanted: Settings) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert adapter.settings(builders.project(tmp_path)) == wanted


@pytest.mark.parametrize("value", ["3", '"a/*"', "[3]", "{a = 1}"])
def test_settings_of_the_wrong_kind_are_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.mutmut]\nonly_mutate = {value}\n")
    with pytest.raises(OrchestratorError, match=r"only_mutate") as caught:
        adapter.settings(builders.project(tmp_path))
    assert caught.value.problem.code == "QO102"


@pytest.mark.parametrize(
    ("path", "mutates"), [("a/x.py", True), ("a/deep/x.py", True), ("a/bad.py", False), ("b/x.py", False)]
)
def test_globs_choose_files(path: str, mutates: bool) -> None:
    assert Settings(only_mutate=("a/*",), do_not_mutate=("*/bad.py",)).mutates(path) == mutates
    assert Settings().mutates(path)


STATEMENTS = (
    "value = 1",
    "value: int = -2",
    "value += call(1, 'Two')",
    "first = 1; second = 'B'",
    "value = call(\n    first,\n    'Second',  # why\n    third=3,\n)",
    "value = {\n    'a': 1,\n\n    'b': [2,\n  3],\n}",
    "value = 1 + \\\n    2",
    "text = '''first\n  second'''\nvalue = 3",
    "value = f'{value + 1!r:>{width}}' 'tail'",
    "if value > 1:\n    value = call(\n        2,\n    )\nelse:\n    value = 3",
    "if value: value = 4",
    "for value in call(1, 2):\n    # nothing\n    pass",
    "while not value:\n\n    value = 1 if value else 2",
    "with call(1) as value, call(2):\n    value = value.lower()",
    "try:\n    value = 1\nexcept ValueError:\n    value = 2\nfinally:\n    value = 3",
    "match value:\n    case 1:\n        value = 2\n    case 'B':\n        value = 3",
    "call(*value, 1, **value)",
    "value = lambda a, b=1: (\n    a\n    + b\n)",
    "\f\nvalue = 5",
    "value = 'é' + \"\\N{BULLET}\"",
    "def inner(a=1,\n          b=2):\n    return (a if b else\n            3)",
    "@wrap(1)\ndef inner():\n    'Doc'\n    return 6",
    "class Inner:\n    a = 1\n    def method(self): return 7",
    "value = call(1)(2)[3].split(',', 1)",
    "pass",
)
HEADS = (
    "def f(a, b=1):",
    "@wrap(2)\ndef f(a='B'):",
    "async def f(\n    a,\n    b=1,\n):",
    "class A(B):",
    "if first == 1:",
    "with call(1):",
    "try:\n    value = 9\nfinally:",
)


@st.composite
def sources(draw: st.DrawFn, depth: int = 0) -> str:
    """A piece of Python: statements, and blocks of them."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        if depth < 3 and draw(st.booleans()):
            indent = draw(st.sampled_from(["    ", "  ", "\t"]))
            body = draw(sources(depth + 1))
            inner = "".join(line if not line.strip() else indent + line for line in body.splitlines(keepends=True))
            parts.append(draw(st.sampled_from(HEADS)) + "\n" + inner)
        else:
            parts.append(draw(st.sampled_from(STATEMENTS)))
        parts[-1] += draw(st.sampled_from(["", "", "\n", "  # said"]))
    return "\n".join(parts) + ("" if depth else draw(st.sampled_from(["", "\n", "\n\n"])))


def is_python(code: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(code, "<code>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def check_all(code: str) -> list[Made]:
    """Check what is true of each mutant of whatever code."""
    found = mutants_of(code)
    lines = code.split("\n")
    for made in found:
        new = replaced(code, made)
        start, end = made.changed
        assert made.first <= start <= end <= made.last
        assert new[: start - 1] == lines[: start - 1]
        assert new[len(new) - (len(lines) - end) :] == lines[end:]
        assert new != lines
        assert is_python("\n".join(new)) == (made.note != "invalid")
        assert set(made.reach) <= set(range(made.first, made.last + 1))
        assert made.reach
    return found


@settings(max_examples=30)
@given(sources().filter(is_python))
def test_a_mutant_changes_only_the_lines_that_it_tells(code: str) -> None:
    check_all(code)


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize(
    "around",
    [
        "{0}\n",
        "def f():\n{1}\n",
        "class A:\n  @wrap\n  def f(self):\n{1}\n  b = 1\n",
        "if a:\n    try:\n        def f():\n{2}\n    except E: pass\n",
    ],
)
def test_every_sort_of_statement_has_mutants_wherever_it_stands(statement: str, around: str) -> None:
    def at(indent: str) -> str:
        return "".join(indent + line if line.strip() else line for line in statement.splitlines(keepends=True))

    code = around.format(statement, at("    "), at("            "))
    assert is_python(code)
    found = check_all(code)
    assert found or "pass" in statement


def test_a_loop_outside_of_functions_may_end_early() -> None:
    code = "for a in b:\n    call(a)\n    continue\n"
    assert {changed(code, m): m.note for m in mutants_of(code)}["break"] == ""


def test_a_statement_may_stand_behind_one_of_several_lines() -> None:
    code = 'first = """one\ntwo"""; second = 3\n'
    assert {changed(code, m): m.note for m in mutants_of(code)} == {
        "first = None; second = 3": "",
        'two"""; second = 4': "",
        'two"""; second = None': "",
    }


def test_the_recorded_shop_has_mutants_that_are_python() -> None:
    for file in sorted((DATA / "shop" / "shop").glob("*.py.txt")):
        check_all(file.read_text("utf-8"))


def test_a_statements_mutant_shows_only_where_the_statement_is_executed() -> None:
    code = dedented(
        """
        @wrap
        def f(a):
            if a > 1:
                b = call(
                    a,
                    2,
                )
            else:
                b = 3
            return b
        """
    )
    reach = {made.changed: made.reach for made in mutants_of(code) if made.note == ""}
    assert reach == {
        (3, 3): (3,),
        (4, 7): (4,),
        (5, 5): (4,),
        (6, 6): (4,),
        (6, 7): (4,),
        (9, 9): (9,),
    }


def test_a_mutant_that_makes_other_variables_shows_in_the_whole_body() -> None:
    code = "def f(a):\n    if a:\n        b = lambda: a\n    return b\n"
    (made,) = [m for m in mutants_of(code) if changed(code, m) == "b = lambda: None"]
    assert made.reach == (2, 3, 4)  # that the function is defined tells nothing


def test_a_mutant_that_is_no_generator_any_more_shows_where_it_is_called() -> None:
    code = "def f(a):\n    while a:\n        b = a.pop() or (yield 3)\n"
    assert {m.reach for m in mutants_of(code) if "yield" not in "".join(m.lines)} == {(1, 2, 3)}
