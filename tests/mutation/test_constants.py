from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.model.mutation import MutantKind
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.constants import Constant, Names, Readers
from tests.mutation.samples import candidate


def changed(root: Path, name: str, code: str, new: str) -> Candidate:
    """A mutant of the statement whose first line assigns this name: another line stands there."""
    file = root / "prices.py"
    file.write_text(code, "utf-8")
    last = name.rpartition(".")[2]
    (number, line) = next((n, t) for n, t in enumerate(code.split("\n"), 1) if t.split("=")[0].strip() == last)
    indent = line[: len(line) - len(line.lstrip())]
    kind = MutantKind.CLASS if "." in name else MutantKind.MODULE
    return candidate(file, name, indent + new, first=number, kind=kind)


def constant(
    root: Path,
    name: str,
    code: str,
    new: str = "",
    *,
    others: dict[str, str] | None = None,
    tests: dict[str, str] | None = None,
    at_import: dict[str, int] | None = None,
) -> Constant | None:
    found = changed(root, name, code, new or f"{name.rpartition('.')[2]} = 4")
    for file, text in {**(others or {}), **(tests or {})}.items():
        (root / file).write_text(text, "utf-8")
    names = Names(
        [str(root / "prices.py"), *(str(root / f) for f in others or {})],
        [str(root / f) for f in tests or {}],
        {str(root / file): mask for file, mask in (at_import or {"prices.py": 1 << 1}).items()},
    )
    return names.constant(found)


READ = "LIMIT = 3\n\ndef f(a):\n    if a:\n        return a + LIMIT\n"


def test_a_constant_that_only_functions_read_can_be_made_anew(tmp_path: Path) -> None:
    found = constant(tmp_path, "LIMIT", READ, others={"b.py": "import prices\ndef g():\n    return prices.LIMIT\n"})
    assert found == Constant(
        owner="",
        name="LIMIT",
        readers=Readers(lines={str(tmp_path / "prices.py"): 1 << 5, str(tmp_path / "b.py"): 1 << 3}),
    )


def test_an_attribute_of_a_plain_class_can_be_made_anew(tmp_path: Path) -> None:
    code = "class Cart:\n    class In:\n        SIZE = 3\n\n    def f(self):\n        return self.In.SIZE\n"
    found = constant(tmp_path, "Cart.In.SIZE", code)
    assert found is not None
    assert (found.owner, found.name) == ("Cart.In", "SIZE")
    assert found.readers.lines == {str(tmp_path / "prices.py"): 1 << 6}


@pytest.mark.parametrize(
    "new",
    [
        "LIMIT = None",
        "LIMIT = -4",
        "LIMIT: int = 4",
        "LIMIT = ('a', {'b': [1, 2.5]}, {3}, b'x')",
        "LIMIT = 2 * 3 << 4",
        "LIMIT = frozenset({1, 2})",
        "LIMIT = datetime.timedelta(days=3)",
        "LIMIT = re.compile('a', 2)",
        "LIMIT = dict(a=1)",
    ],
)
def test_values_that_only_are_can_be_made_anew(tmp_path: Path, new: str) -> None:
    assert constant(tmp_path, "LIMIT", READ, new) is not None


@pytest.mark.parametrize(
    "new",
    [
        "LIMIT = other",
        "LIMIT = call()",
        "LIMIT = dict(a=call())",
        "LIMIT = {**{}, 'a': b}",
        "LIMIT = {**other}",
        "LIMIT = [x for x in ()]",
        "LIMIT = lambda: 4",
        "LIMIT = f'{4}'",
        "LIMIT = OTHER = 4",
        "LIMIT, OTHER = 4, 5",
        "LIMIT = 4; OTHER = 5",
        "LIMIT += 4",
        "OTHER = 4",
        "LIMIT",
        "LIMIT: int",
        "LIMIT = (",
        "LIMIT = register('a')",
    ],
)
def test_values_that_do_something_or_use_something_are_refused(tmp_path: Path, new: str) -> None:
    assert constant(tmp_path, "LIMIT", READ, new) is None


@pytest.mark.parametrize(
    "code",
    [
        "LIMIT = 3\nMOST = LIMIT + 1\n",
        "LIMIT = 3\n@wrap(LIMIT)\ndef f(): ...\n",
        "LIMIT = 3\ndef f(a=LIMIT): ...\n",
        "LIMIT = 3\ndef f(*, a=[LIMIT]): ...\n",
        "LIMIT = 3\nclass A:\n    def f(self, a=LIMIT): ...\n",
        "LIMIT = 3\nclass A(wrap(LIMIT)): ...\n",
        "LIMIT = 3\nif LIMIT: ...\n",
        "LIMIT = 3\nfor a in range(LIMIT): ...\n",
        "LIMIT = 3\nwith open(LIMIT): ...\n",
        "LIMIT = 3\nmatch 1:\n    case A.LIMIT: ...\n",
        "LIMIT = 3\nf = lambda: LIMIT\n",
        "LIMIT = 3\nMOST = globals()['LIMIT']\n",
        "LIMIT = 3\ncall('a.LIMIT')\n",
        "LIMIT = 3\ndel LIMIT\n",
    ],
)
def test_a_constant_that_is_read_at_import_is_refused(tmp_path: Path, code: str) -> None:
    assert constant(tmp_path, "LIMIT", code) is None


@pytest.mark.parametrize(
    "code",
    [
        "LIMIT = 3\nLIMIT = 5\n",
        "LIMIT = 3\nLIMIT += 1\n",
        "LIMIT = 3\nfor LIMIT in a: ...\n",
        "LIMIT = 3\nif (LIMIT := 4): ...\n",
        "LIMIT = 3\ndef f():\n    global LIMIT\n    LIMIT = 4\n",
        "LIMIT = 3\ndef LIMIT(): ...\n",
        "LIMIT = 3\nclass LIMIT: ...\n",
    ],
)
def test_a_name_that_is_bound_more_than_once_is_refused(tmp_path: Path, code: str) -> None:
    assert constant(tmp_path, "LIMIT", code) is None


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    from fast import LIMIT\nexcept ImportError:\n    LIMIT = 3\n",
        "LIMIT = 3\nfrom fast import LIMIT\n",
        "LIMIT = 3\nfrom fast import *\n",
    ],
)
def test_a_name_that_is_imported_too_is_refused(tmp_path: Path, code: str) -> None:
    assert constant(tmp_path, "LIMIT", code + "def f():\n    return LIMIT\n") is None


def test_a_constant_that_another_module_reads_at_import_is_refused(tmp_path: Path) -> None:
    assert constant(tmp_path, "LIMIT", READ, others={"b.py": "import prices\nMOST = prices.LIMIT\n"}) is None
    others = {"b.py": "from prices import LIMIT\n\nclass A:\n    most = LIMIT\n"}
    assert constant(tmp_path, "LIMIT", READ, others=others) is None


def test_importing_a_constant_is_not_reading_it(tmp_path: Path) -> None:
    found = constant(tmp_path, "LIMIT", READ, others={"b.py": "from prices import LIMIT\ndef g():\n    return LIMIT\n"})
    assert found is not None
    assert found.readers.lines[str(tmp_path / "b.py")] == 1 << 3


def test_a_constant_that_a_module_knows_by_another_name_is_read_by_that_name(tmp_path: Path) -> None:
    used = {"b.py": "from prices import LIMIT as MOST\ndef g():\n    return MOST\n"}
    found = constant(tmp_path, "LIMIT", READ, others=used)
    assert found is None or found.readers.lines.get(str(tmp_path / "b.py")) == 1 << 3
    assert (
        constant(tmp_path, "LIMIT", READ, others={"b.py": "from prices import LIMIT as MOST\nA = MOST + 1\n"}) is None
    )


def test_a_constant_in_a_function_that_runs_at_import_is_refused(tmp_path: Path) -> None:
    assert constant(tmp_path, "LIMIT", READ, at_import={"prices.py": 1 << 1 | 1 << 3 | 1 << 4}) is not None
    assert constant(tmp_path, "LIMIT", READ, at_import={"prices.py": 1 << 1 | 1 << 5}) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("__all__", "__all__ = 3\n"),
        ("Cart.__slots__", "class Cart:\n    __slots__ = 3\n"),
        ("Cart.SIZE", "@dataclass\nclass Cart:\n    SIZE = 3\n"),
        ("Cart.SIZE", "class Cart(metaclass=M):\n    SIZE = 3\n"),
        ("Cart.SIZE", "class Cart(Base, table=True):\n    SIZE = 3\n"),
        ("Cart.SIZE", "class Cart:\n    SIZE = 3\n    MOST = SIZE + 1\n"),
        ("Cart.SIZE", "class Cart:\n    SIZE = 3\n    SIZE = 5\n"),
    ],
)
def test_what_means_something_to_python_or_to_a_decorator_is_refused(tmp_path: Path, name: str, code: str) -> None:
    assert constant(tmp_path, name, code) is None


def test_what_has_no_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prices.py"
    file.write_text("call(1)\n")
    names = Names([str(file)], [], {})
    assert names.constant(candidate(file, "<module>", "call(2)", kind=MutantKind.MODULE)) is None


@pytest.mark.parametrize(
    ("file", "text", "mentions", "everybody"),
    [
        ("test_a.py", "from prices import LIMIT\n", True, False),
        ("test_a.py", "def test_a():\n    assert prices.LIMIT == 3\n", True, False),
        ("a_test.py", "from prices import LIMIT as MOST\n", True, False),
        ("conftest.py", "from prices import LIMIT\n", True, True),
        ("helpers.py", "def f():\n    return LIMIT\n", True, True),
        ("test_a.py", "'LIMIT'\n", False, False),
        ("test_a.py", "def test_a():\n    getattr(prices, 'LIMIT')\n", True, False),
        ("test_a.py", "def test_a(monkeypatch):\n    monkeypatch.setattr('prices.LIMIT', 4)\n", True, False),
        ("test_a.py", "LIMITS\n", False, False),
        ("test_a.py", "def f(:\n", False, False),
    ],
)
def test_tests_that_mention_a_constant_are_told(
    tmp_path: Path, file: str, text: str, mentions: bool, everybody: bool
) -> None:
    found = constant(tmp_path, "LIMIT", READ, tests={file: text})
    assert found is not None
    assert set(found.readers.files) == ({str(tmp_path / file)} if mentions else set())
    assert found.readers.everybody == everybody


@pytest.mark.parametrize("text", ["LIMIT\n", "from prices import LIMIT as MOST\n\nNEXT = MOST + 1\n"])
def test_a_constant_that_a_test_reads_when_it_is_collected_is_refused(tmp_path: Path, text: str) -> None:
    assert constant(tmp_path, "LIMIT", READ, tests={"test_a.py": text}) is None


def test_a_text_with_the_name_is_a_mention_and_a_docstring_is_none(tmp_path: Path) -> None:
    code = "LIMIT = 3\n\ndef f(a):\n    'About LIMIT.'\n    return getattr(a, 'LIMIT')\n"
    found = constant(tmp_path, "LIMIT", code)
    assert found is not None
    assert found.readers.lines == {str(tmp_path / "prices.py"): 1 << 5}


def test_mentions_are_told_of_whatever_a_statement_defines(tmp_path: Path) -> None:
    code = "class Cart:\n    SIZE = call()\n\n    def f(self):\n        return self.SIZE\n\ndef g():\n    return Cart\n"
    found = changed(tmp_path, "Cart.SIZE", code, "SIZE = None")
    names = Names([str(tmp_path / "prices.py")], [], {})
    assert names.mentions(found) == [{str(tmp_path / "prices.py"): 1 << 8}, {str(tmp_path / "prices.py"): 1 << 5}]
    nameless = candidate(tmp_path / "prices.py", "<module>", "call(2)", kind=MutantKind.MODULE)
    assert names.mentions(nameless) == []


DRAFT = "@dataclass\nclass Draft:\n    owner: str\n    label: str = ''\n\ndef make(owner):\n    return Draft(owner)\n"


def default(root: Path, code: str = DRAFT, **more: Any) -> Constant | None:
    """What is said of another default for the field `label` of `Draft`."""
    file = root / "prices.py"
    file.write_text(code, "utf-8")
    number = next(n for n, t in enumerate(code.split("\n"), 1) if t.startswith("    label"))
    found = candidate(file, "Draft.label", "    label: str = 'a'", first=number, kind=MutantKind.CLASS)
    for name, text in (more.get("others", {}) | more.get("tests", {})).items():
        (root / name).write_text(text, "utf-8")
    names = Names(
        [str(file), *(str(root / name) for name in more.get("others", {}))],
        [str(root / name) for name in more.get("tests", {})],
        {str(file): more.get("at_import", 1 << 1)},
    )
    return names.constant(found)


def test_the_default_of_a_dataclass_shows_where_its_name_stands(tmp_path: Path) -> None:
    others = {"b.py": "from prices import Draft as D\n\ndef f(draft: D) -> D:\n    return D('a')\n"}
    found = default(tmp_path, others=others, tests={"test_a.py": "from prices import Draft\n"})
    assert found == Constant(
        owner="Draft",
        name="label",
        readers=Readers(
            lines={str(tmp_path / "prices.py"): 1 << 7, str(tmp_path / "b.py"): 1 << 4},
            files=frozenset({str(tmp_path / "test_a.py")}),
        ),
    )


@pytest.mark.parametrize(
    "more",
    [
        {"others": {"b.py": "from prices import Draft\nFIRST = Draft('a')\n"}},
        {"others": {"b.py": "from prices import Draft as D\nFIRST = D('a')\n"}},
        {"tests": {"test_a.py": "from prices import Draft\nFIRST = Draft('a')\n"}},
        {"tests": {"test_a.py": "from prices import Draft\ndef new():\n    return Draft('a')\n\nALL = [new()]\n"}},
        {"at_import": 1 << 1 | 1 << 7},
        {"others": {"b.py": "import pydantic\n"}},
        {"code": DRAFT + "\nDraft = other(Draft)\n"},
        {"code": DRAFT.replace("@dataclass\n", "@dataclass(slots=True)\n")},
    ],
)
def test_the_default_of_a_dataclass_that_may_have_shown_at_import_is_refused(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    assert default(tmp_path, **more) is None


def test_a_constant_that_a_helper_of_the_tests_reads_at_collection_is_refused(tmp_path: Path) -> None:
    text = "import prices\n\ndef cases():\n    return some()\n\ndef some():\n    return [prices.LIMIT]\n"
    assert constant(tmp_path, "LIMIT", READ, tests={"test_a.py": text}) is not None
    assert constant(tmp_path, "LIMIT", READ, tests={"test_a.py": text + "\nCASES = cases()\n"}) is None


def test_a_name_that_is_bound_is_no_module_that_is_handed_on(tmp_path: Path) -> None:
    code = READ + "\nclass Use:\n    prices: int\n"
    assert constant(tmp_path, "LIMIT", code, at_import={"prices.py": 1 << 1 | 1 << 8}) is not None
    assert constant(tmp_path, "LIMIT", READ + "\nimport prices\nUSED = some(prices)\n") is None
    assert constant(tmp_path, "LIMIT", READ + "\nUSED = some(prices)\n") is not None  # it can't be a module


HANDED_ON = "def f():\n    some({})\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("b.py", "import shop.prices as p\n" + HANDED_ON.format("p")),
        ("b.py", "import shop.prices\n" + HANDED_ON.format("shop.prices")),
        ("b.py", "import shop\n" + HANDED_ON.format("shop")),
        ("b.py", "from shop import prices\n" + HANDED_ON.format("prices")),
        ("b.py", "from shop import *\n" + HANDED_ON.format("prices")),
        ("shop/b.py", "from . import prices\n" + HANDED_ON.format("prices")),
        ("shop/in/b.py", "from .. import prices as p\n" + HANDED_ON.format("[p]")),
        ("shop/in/b.py", "from ... import shop\n" + HANDED_ON.format("shop.prices")),
    ],
)
def test_who_takes_a_module_as_a_whole_may_read_any_constant_of_it(tmp_path: Path, file: str, text: str) -> None:
    found = limit_of(tmp_path, file, text)
    assert found is not None
    assert found.readers.lines == {str(tmp_path / file): 1 << 3}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("b.py", "def f(prices):\n    return some(prices)\n"),
        ("b.py", "from shop import prices\n\ndef f():\n    return prices.total()\n"),
        ("b.py", "import other\n" + HANDED_ON.format("other.prices")),
        ("b.py", "from other import prices\n" + HANDED_ON.format("prices")),
        ("other/b.py", "from . import prices\n" + HANDED_ON.format("prices")),
    ],
)
def test_who_takes_something_else_of_that_name_reads_no_constant(tmp_path: Path, file: str, text: str) -> None:
    found = limit_of(tmp_path, file, text)
    assert found is not None
    assert found.readers.lines == {}


def limit_of(root: Path, file: str, text: str) -> Constant | None:
    """What is said of a constant of the module `shop.prices`, beside another file."""
    (root / "shop" / "in").mkdir(parents=True)
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text(text, "utf-8")
    found = changed(root / "shop", "LIMIT", "LIMIT = 3\n", "LIMIT = 4")
    return Names([str(root / "shop" / "prices.py"), str(root / file)], [], {}).constant(found)


REFUSED = "class Refused(Exception):\n    code = 'refused'\n"
RAISES = "from prices import Refused\n\ndef f(code):\n    raise Refused(code)\n"
SAYS = "def say(error):\n    return error.code\n"


def refused(root: Path, code: str = REFUSED, **more: Any) -> Constant | None:
    return constant(root, "Refused.code", code, "code = 'other'", **more)


def test_an_attribute_shows_to_who_may_have_an_object_of_its_class(tmp_path: Path) -> None:
    found = refused(tmp_path, others={"b.py": RAISES, "c.py": SAYS}, tests={"test_a.py": "import prices\n"})
    assert found is not None
    assert found.readers == Readers(lines={str(tmp_path / "c.py"): 1 << 2})  # not the variable of that name
    assert found.makers == Readers(lines={str(tmp_path / "b.py"): 1 << 4})


def test_an_object_of_a_class_that_inherits_is_one_too(tmp_path: Path) -> None:
    code = REFUSED.replace("(Exception)", "")
    others = {"b.py": "class Gone(Some, prices.Refused):\n    pass\n\ndef f():\n    raise Gone\n", "c.py": SAYS}
    found = refused(tmp_path, code, others=others)
    assert found is not None
    assert found.makers is None  # at import, it is taken as a base
    others["b.py"] = "def f():\n    class Gone(prices.Refused):\n        pass\n\n    raise Gone\n"
    found = refused(tmp_path, code, others=others)
    assert found is not None
    assert found.makers == Readers(lines={str(tmp_path / "b.py"): 1 << 2 | 1 << 5})


@pytest.mark.parametrize(
    "others",
    [
        {"b.py": "import prices\n\nFIRST = prices.Refused()\n"},
        {"b.py": "import prices\n\nBY_NAME = {'refused': prices.Refused}\n"},
    ],
)
def test_anybody_may_have_an_object_of_a_class_that_is_taken_at_import(tmp_path: Path, others: dict[str, str]) -> None:
    found = refused(tmp_path, others=others | {"c.py": SAYS})
    assert found is not None
    assert found.makers is None


@pytest.mark.parametrize(
    ("text", "everybody"), [("from prices import Refused\n", False), ("def f():\n    Refused()\n", False)]
)
def test_tests_that_name_a_class_may_have_an_object_of_it(tmp_path: Path, text: str, everybody: bool) -> None:
    found = refused(tmp_path, others={"c.py": SAYS}, tests={"test_a.py": text})
    assert found is not None
    assert found.makers == Readers(lines={}, files=frozenset({str(tmp_path / "test_a.py")}), everybody=everybody)


def test_the_parameters_of_a_test_are_no_reading(tmp_path: Path) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize(('code', 'b'), [({}, 2)])\ndef test_a(code, b):\n    pass\n"
    assert refused(tmp_path, others={"c.py": SAYS}, tests={"test_a.py": text.format(1)}) is not None
    assert refused(tmp_path, others={"c.py": SAYS}, tests={"test_a.py": text.format("'code'")}) is None


@pytest.mark.parametrize(
    ("value", "is_constant"),
    [
        ("uuid.RFC_4122", True),
        ("{uuid.RFC_4122: f}", True),
        ("Refused", True),
        ("datetime(1970, 1, 1, tzinfo=UTC)", True),
        ("OTHER", False),
        ("uuid.a.b", False),
        ("f()", False),
    ],
)
def test_a_value_may_name_what_always_means_the_same(tmp_path: Path, value: str, is_constant: bool) -> None:
    code = "import uuid\nfrom datetime import UTC\nOTHER = 3\ndef f(): pass\nclass Refused: pass\nLIMIT = 3\n"
    assert (constant(tmp_path, "LIMIT", code, f"LIMIT = {value}") is not None) == is_constant


def test_a_class_may_be_found_among_those_that_inherit_from_another(tmp_path: Path) -> None:
    others = {"b.py": RAISES, "c.py": "def codes(base):\n    return {c.code: c for c in base.__subclasses__()}\n"}
    found = refused(tmp_path, others=others)
    assert found is not None
    assert found.makers == Readers(lines={str(tmp_path / "b.py"): 1 << 4, str(tmp_path / "c.py"): 1 << 2})


def test_a_pattern_reads_the_attributes_that_it_names(tmp_path: Path) -> None:
    found = refused(
        tmp_path, others={"c.py": "def f(e):\n    match e:\n        case object(code=c):\n            return c\n"}
    )
    assert found is not None
    assert found.readers.lines == {str(tmp_path / "c.py"): 1 << 2}
