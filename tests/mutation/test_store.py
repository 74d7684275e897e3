from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation import store
from orchestrator.mutation.judging import COLLECTION, Verdict
from orchestrator.mutation.reach import Item, Reach
from orchestrator.mutation.store import Code, Dependencies, File, Journal, Record
from orchestrator.mutation.tree import Digests
from tests.mutation.samples import candidate

SOURCE = """\
import typing

LIMIT = 3

@wrap(
    LIMIT
)
def read(key):
    return find(key)


class Cart:
    SIZE = 1

    @typing.overload
    def get(self, a: int): ...

    @typing.overload
    def get(self, a: str): ...

    def get(self, a):
        def inner():
            return a
        return inner() + self.size


if LIMIT:
    async def branch():
        pass
else:
    def branch():
        return 1
"""


def test_a_file_is_taken_apart_into_functions_and_the_rest() -> None:
    file = File("/p/a.py", SOURCE, is_test=False)
    assert [(u.place, u.name, u.first, u.last) for u in file.functions] == [
        ("/p/a.py::read", "read", 5, 9),
        ("/p/a.py::Cart.get", "Cart.get", 15, 16),
        ("/p/a.py::Cart.get#2", "Cart.get", 18, 19),
        ("/p/a.py::Cart.get#3", "Cart.get", 21, 24),
        ("/p/a.py::branch", "branch", 28, 29),
        ("/p/a.py::branch#2", "branch", 31, 32),
    ]
    assert file.functions[0].names == {"wrap", "LIMIT", "key", "find"}
    assert file.functions[3].names == {"self", "a", "inner", "size"}
    assert (file.rest.place, file.rest.last) == ("/p/a.py", len(SOURCE.split("\n")))


def test_functions_are_hit_by_any_of_their_lines() -> None:
    file = File("/p/a.py", SOURCE, is_test=False)
    assert [u.place for u in file.hit(1 << 3)] == []
    assert [u.place for u in file.hit(1 << 9 | 1 << 19)] == ["/p/a.py::read", "/p/a.py::Cart.get#2"]
    assert [u.place for u in file.hit(1 << 5)] == ["/p/a.py::read"]
    read = file.unit("/p/a.py::read")
    assert read is not None
    assert read.name == "read"
    assert file.unit("/p/a.py::gone") is None


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("return find(key)", "return lose(key)", set()),
        ("\n\nclass", "\n\n\n\nclass", set()),
        ("LIMIT = 3", "LIMIT = 4", {"rest"}),
        ("SIZE = 1", "SIZE = 2", {"rest"}),
        ("def read(key):", "def read(key=1):", {"rest"}),
        ("    LIMIT\n)", "    LIMIT + 1\n)", {"rest"}),
    ],
)
def test_the_rest_is_what_runs_at_import(old: str, new: str, changes: set[str]) -> None:
    before, after = (File("/p/a.py", text, is_test=False) for text in (SOURCE, SOURCE.replace(old, new, 1)))
    assert SOURCE.count(old) == 1 or old == "\n\nclass"
    assert (before.rest.digest != after.rest.digest) == ("rest" in changes)


def test_one_more_test_is_no_change_to_the_others() -> None:
    def rest(text: str, *, is_test: bool = True) -> str:
        return File("/p/test_a.py", text, is_test=is_test).rest.digest

    plain = "import a\n\ndef test_a():\n    pass\n"
    more = plain + "\n@mark(1)\ndef test_b(tmp_path):\n    pass\n"
    helper = plain + "\ndef helper():\n    pass\n"
    assert rest(plain) == rest(more) != rest(helper)
    assert rest(plain, is_test=False) != rest(more, is_test=False)


FILES = {
    "a.py": "def read(key):\n    return find(key)\n\ndef alone():\n    return 1\n",
    "b.py": "def find(key):\n    return deeper(key)\n\n"
    "def deeper(key):\n    return key\n\ndef other():\n    return 2\n",
    "c.py": "class C:\n    def __eq__(self, thing):\n        return True\n\n    def method(self):\n        return 3\n",
}


def code(root: Path, **files: str) -> Code:
    """The files as they are now, all of them known."""
    for name, text in {**FILES, **{f"{stem}.py": text for stem, text in files.items()}}.items():
        (root / name).write_text(text, "utf-8")
    return present(root)


def present(root: Path) -> Code:
    """The files that are there, all of them known."""
    found = Code(root, [root / "tests"], [])
    paths = sorted(root.glob("*.py"))
    found.take_in(map(str, paths), [str(path) for path in paths if path.name in ("b.py", "c.py")])
    return found


def depending(root: Path, known: Code, around: str = "around") -> Dependencies:
    return Dependencies(known, around, Digests(root, root / "memory"))


def short(places: dict[str, store.Unit]) -> set[str]:
    return {Path(place).name for place in places}


def test_executed_functions_are_found_by_lines(tmp_path: Path) -> None:
    known = code(tmp_path)
    lines = {str(tmp_path / "a.py"): 1 << 2, str(tmp_path / "b.py"): 1 << 1 | 1 << 8, str(tmp_path / "gone.py"): 1 << 1}
    assert short(known.executed(lines)) == {"a.py::read", "b.py::find", "b.py::other"}


def test_that_a_function_of_the_source_is_defined_does_not_execute_it(tmp_path: Path) -> None:
    code(tmp_path)
    lines = {str(tmp_path / "a.py"): 1 << 1 | 1 << 5}
    assert short(Code(tmp_path, [], [tmp_path]).executed(lines)) == {"a.py::alone"}
    assert short(Code(tmp_path, [], [tmp_path / "a.py"]).executed(lines)) == {"a.py::alone"}
    assert short(Code(tmp_path, [], [tmp_path / "b.py"]).executed(lines)) == {"a.py::read", "a.py::alone"}


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (("return deeper(key)", "return deeper(key) or 0"), False),  # others execute that
        (("def other():", "def other(a=1):"), True),
        (("def find(key):", "def find(key: str):"), True),
        (("    return 2", '    "Told by the help."; return 2'), True),
        (("    return 2", "    return 2\n\nTWO = 2"), True),
    ],
)
def test_a_test_depends_on_what_a_module_does_when_it_is_imported(
    tmp_path: Path, change: tuple[str, str], matters: bool
) -> None:
    code(tmp_path)

    def digest() -> str:
        test = item(lines={str(tmp_path / "b.py"): 1 << 1 | 1 << 4 | 1 << 7})
        return depending(tmp_path, Code(tmp_path, [], [tmp_path])).of_item(test)

    first = digest()
    (tmp_path / "b.py").write_text(FILES["b.py"].replace(*change))
    assert (digest() != first) is matters


def test_a_file_that_is_not_there_or_no_python_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n")
    (tmp_path / "binary.py").write_bytes(b"\0\xff")
    known = Code(Path("/"), [], [])
    assert [known.file(str(tmp_path / n)) for n in ("bad.py", "binary.py", "gone.py")] == [None, None, None]


def test_a_function_leads_to_those_without_a_record_whose_names_occur_or_that_need_no_name(tmp_path: Path) -> None:
    known = code(tmp_path)
    executed = known.executed({str(tmp_path / "a.py"): 1 << 2})
    assert short(known.closure(executed)) == {"a.py::read", "b.py::find", "b.py::deeper", "c.py::C.__eq__"}
    alone = known.executed({str(tmp_path / "a.py"): 1 << 5})
    assert short(known.closure(alone)) == {"a.py::alone", "c.py::C.__eq__"}


@pytest.mark.parametrize("by", ["getattr(a, key)", "eval(key)", "import_module(key).x()", "globals()[key]()"])
def test_what_calls_by_text_leads_anywhere(tmp_path: Path, by: str) -> None:
    known = code(tmp_path, a=f"def read(a, key):\n    return {by}\n")
    found = known.closure(known.executed({str(tmp_path / "a.py"): 1 << 2}))
    assert short(found) == {
        *("a.py::read", "b.py::find", "b.py::deeper", "b.py::other", "c.py::C.__eq__", "c.py::C.method"),
    }


def item(name: str = "t::a", **more: object) -> Item:
    defaults = {"outcome": "passed", "alone": "passed", "seconds": 0.5}
    return Item(name=name, **{**defaults, **more})  # type: ignore[arg-type] # parts of an item, by name


def test_a_test_depends_on_what_it_executes_and_where_that_may_lead(tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("1")

    def digest(**files: str) -> str:
        known = code(tmp_path, **files)
        test = item(lines={str(tmp_path / "a.py"): 1 << 2}, read=(str(data),))
        return depending(tmp_path, known).of_item(test)

    first = digest()
    assert digest() == first
    assert digest(a=FILES["a.py"].replace("return 1", "return 2")) == first
    assert digest(b=FILES["b.py"].replace("return 2", "return 3")) == first
    assert digest(b=FILES["b.py"].replace("return key", "return -key")) != first
    assert digest(b=FILES["b.py"].replace("return deeper", "return -deeper")) != first
    assert digest(b="\n\n" + FILES["b.py"]) == first
    assert digest(c=FILES["c.py"].replace("return True", "return False")) != first
    assert digest(c=FILES["c.py"].replace("return 3", "return 4")) == first
    assert digest() == first
    data.write_text("22")
    assert digest() != first


def test_a_test_depends_on_its_end_and_on_what_is_around(tmp_path: Path) -> None:
    def digest(test: Item, around: str = "around") -> str:
        return depending(tmp_path, code(tmp_path), around).of_item(test)

    first = digest(item())
    assert digest(item(seconds=9.0)) == first
    assert first not in (digest(item(outcome="failed")), digest(item(alone="failed")), digest(item(), "another"))


def test_collection_depends_on_what_is_around_alone(tmp_path: Path) -> None:
    found = depending(tmp_path, code(tmp_path))
    items = {"t::a": item()}
    assert found.of([COLLECTION, "gone"], items) == {COLLECTION: "around"}
    assert found.of(["t::a"], items) == {"t::a": found.of_item(items["t::a"])}


def kept(root: Path, *items: Item, once: dict[str, int] | None = None, around: str = "around") -> Path:
    file = root / "kept.json"
    reach = Reach(items={i.name: i for i in items}, primers=("t::b",), once=once or {})
    known = code(root)
    depends = depending(root, known, around)
    depends.prime(reach.once)
    store.keep(file, reach, known, depends)
    return file


def recalled(root: Path, file: Path, around: str = "around") -> Reach:
    known = present(root)
    return store.recall(file, known, depending(root, known, around))


def full_item(root: Path) -> Item:
    (root / "data.txt").write_text("1")
    return item(
        lines={str(root / "a.py"): 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5, str(root / "none.py"): 1 << 4},
        read=(str(root / "data.txt"),),
        written=(str(root / "out.txt"),),
        beyond=True,
    )


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    items = (full_item(tmp_path), item("t::b", outcome="skipped", alone="xfailed"))
    once = {str(tmp_path / "a.py"): 1 << 2 | 1 << 5}
    file = kept(tmp_path, *items, once=once)
    assert recalled(tmp_path, file) == Reach(items={i.name: i for i in items}, primers=("t::b",), once=once)


def test_lines_move_with_their_function(tmp_path: Path) -> None:
    path = str(tmp_path / "a.py")
    file = kept(tmp_path, item(lines={path: 1 << 1 | 1 << 2 | 1 << 5}))
    (tmp_path / "a.py").write_text("# one\n# two\n" + FILES["a.py"].replace("def alone", "# three\ndef alone"))
    assert recalled(tmp_path, file).items["t::a"].lines == {path: 1 << 3 | 1 << 4 | 1 << 8}


def test_an_overloads_sibling_is_another_function(tmp_path: Path) -> None:
    text = "@overload\ndef f(a: int): ...\n\ndef f(a):\n    return a\n"
    (tmp_path / "d.py").write_text(text)
    path = str(tmp_path / "d.py")
    file = kept(tmp_path, item(lines={path: 1 << 5}))
    (tmp_path / "d.py").write_text("# moved\n" + text.replace("...", "pass"))
    assert recalled(tmp_path, file).items["t::a"].lines == {path: 1 << 6}


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        (root / name).write_text((root / name).read_text().replace(old, new))

    return edit


def test_what_is_not_executed_does_not_count(tmp_path: Path) -> None:
    file = kept(tmp_path, item(lines={str(tmp_path / "a.py"): 1 << 2}))
    _edit("a.py", "return 1", "return 2")(tmp_path)
    _edit("b.py", "return 2", "return 3")(tmp_path)
    assert set(recalled(tmp_path, file).items) == {"t::a"}


@pytest.mark.parametrize(
    "change",
    [
        _edit("a.py", "return find(key)", "return find(-key)"),
        _edit("a.py", "def read", "def reads"),
        _edit("b.py", "return key", "return -key"),
        lambda root: (root / "b.py").unlink(),
        lambda root: (root / "new.py").write_text("def find(key): ..."),
        _edit("data.txt", "1", "22"),
        lambda root: (root / "data.txt").unlink(),
        lambda root: (root / "a.py").unlink(),
        lambda root: (root / "a.py").write_text("def f(:\n"),
    ],
)
def test_a_test_is_run_again_when_what_it_uses_has_changed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    code(tmp_path, c=FILES["c.py"])
    alone = item("t::b")
    file = kept(tmp_path, full_item(tmp_path), alone)
    change(tmp_path)
    assert set(recalled(tmp_path, file).items) == {"t::b"}


def test_what_is_called_without_its_name_counts_for_all(tmp_path: Path) -> None:
    file = kept(tmp_path, full_item(tmp_path), item("t::b"))
    _edit("c.py", "return True", "return False")(tmp_path)
    assert recalled(tmp_path, file).items == {}


def test_empty_lines_in_a_text_are_part_of_it() -> None:
    one, two = (File("/p/a.py", f'A = """a{lines}b"""\n', is_test=False) for lines in ("\n", "\n\n"))
    assert one.rest.digest != two.rest.digest


def test_functions_named_outside_of_functions_may_run_at_import(tmp_path: Path) -> None:
    text = "A = find(1)\n\n@wrap(alone)\ndef f(a=other()):\n    return deeper(a)\n\nclass D(Base):\n    b = method\n"
    known = code(tmp_path, d=text)
    assert short(known.named_at_import([str(tmp_path / "d.py")])) == {
        *("a.py::alone", "b.py::find", "b.py::other", "c.py::C.method"),
    }


def test_no_item_is_recalled_when_what_is_around_has_changed(tmp_path: Path) -> None:
    file = kept(tmp_path, full_item(tmp_path), item("t::b"))
    assert set(recalled(tmp_path, file).items) == {"t::a", "t::b"}
    assert recalled(tmp_path, file, "another").items == {}


def test_no_item_is_recalled_when_what_primers_leave_behind_has_changed(tmp_path: Path) -> None:
    file = kept(tmp_path, full_item(tmp_path), item("t::b"), once={str(tmp_path / "a.py"): 1 << 2})
    _edit("a.py", "find(key)", "find(-key)")(tmp_path)
    assert recalled(tmp_path, file).items == {}


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"format":1,"primer":"","items":[]}'])
def test_what_is_no_memory_is_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "kept.json"
    if content is not None:
        file.write_bytes(content)
    assert recalled(tmp_path, file) == Reach(items={})


def record(name: str = "m1", status: MutantStatus = MutantStatus.KILLED, **more: str) -> Record:
    return Record(
        mutant=name,
        text="digest",
        verdict=Verdict(status=status, killer=more.get("killer", "")),
        depends={"t::a": "1"},
        place=more.get("place", ""),
    )


def written(file: Path, *records: Record) -> None:
    journal = Journal(file)
    for entry in records:
        journal.add(entry)
    journal.close()


def read(file: Path) -> dict[str, Record]:
    journal = Journal(file)
    journal.close()
    return journal.known


def test_a_verdict_is_on_disk_as_soon_as_it_is_known(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "journal.ndjson"
    journal = Journal(file)
    journal.add(record())
    assert read(file) == {"m1": record()}  # while the other one is open
    journal.close()


def test_of_several_verdicts_the_last_one_counts(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    written(file, record(), record("m2"), record(status=MutantStatus.SURVIVED))
    assert read(file) == {"m1": record(status=MutantStatus.SURVIVED), "m2": record("m2")}


@pytest.mark.parametrize("torn", [b"{", b'{"mutant":"m3","text":"', b"\xff\xfe", b"null"])
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "journal"
    written(file, record(), record("m2"))
    with file.open("ab") as output:
        output.write(torn)
    written(file, record("m4"))
    assert set(read(file)) == {"m1", "m2", "m4"}
    written(file, record("m5"))
    assert set(read(file)) == {"m1", "m2", "m4", "m5"}


def test_a_line_that_is_no_record_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_bytes(b'nonsense\n{"mutant":1}\n\n')
    written(file, record())
    assert set(read(file)) == {"m1"}


def test_a_long_journal_is_made_short(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    written(file, *(record(f"m{n % 3}", killer=str(n)) for n in range(120)))
    assert file.read_bytes().count(b"\n") == 120
    before = read(file)
    assert file.read_bytes().count(b"\n") == 3
    assert read(file) == before
    assert {name: r.verdict.killer for name, r in before.items()} == {"m0": "117", "m1": "118", "m2": "119"}


def test_killers_are_told_by_function(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    survivor = record("m4", MutantStatus.SURVIVED, place="a.py::f")
    written(
        file,
        record("m1", place="a.py::f", killer="t::a"),
        record("m2", place="a.py::f", killer="t::b"),
        record("m3", place="a.py::g", killer="t::a"),
        survivor,
        record("m5", killer="t::a"),
    )
    journal = Journal(file)
    journal.close()
    assert journal.killers() == {"a.py::f": ["t::a", "t::b"], "a.py::g": ["t::a"]}


def test_the_text_of_a_mutant_is_before_and_after() -> None:
    one, two = candidate("a.py", "f", "def f():", "    return 2"), candidate("a.py", "f", "def f():", "    return 3")
    before = ["def f():", "    return 1"]
    texts = [store.text_of(one, before), store.text_of(two, before), store.text_of(one, [*before, ""])]
    assert len(set(texts)) == 3
    assert store.text_of(one, before) == texts[0]


@pytest.mark.parametrize("status", MutantStatus)
def test_only_what_somebody_noticed_or_nobody_is_a_verdict_to_keep(status: MutantStatus) -> None:
    final = {"killed", "survived", "timeout", "crashed", "caught by type check", "no tests"}
    assert store.is_final(status) == (status.value in final)
