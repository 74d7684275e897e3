from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters import session
from orchestrator.config import Project
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation import reach
from orchestrator.mutation.reach import Reach
from tests import builders
from tests.mutation.subjects import PLAIN, installed, judge, write

# What takes long the first time, in a process: 60 ms or so.
WARM = """\
    DONE = []

    def warmed():
        if not DONE:
            DONE.append(sum(k * k for k in range(800_000)))
        return DONE[0] > 0
    """
FILES = {
    "shop/__init__.py": "",
    "shop/rates.py": """\
        KNOWN = {}

        def rate(name):
            if name not in KNOWN:
                KNOWN[name] = computed(name)
            return KNOWN[name]

        def computed(name):
            return len(name) * 2

        def plus(a, b):
            return a + b
        """,
    "tests/__init__.py": "",
    "tests/warm.py": WARM,
    **{
        f"tests/test_{letter}.py": f"""\
        from shop.rates import plus
        from tests.warm import warmed

        def test_first():
            assert warmed() and plus({number}, 1) == {number + 1}

        def test_second():
            assert warmed() and plus({number}, 2) == {number + 2}
        """
        for number, letter in enumerate("ab")
    },
    "tests/test_rates.py": """\
        from shop.rates import rate
        from tests.warm import warmed

        def test_first():
            assert warmed() and rate("abc") == 6

        def test_second():
            assert rate("abc") == 6
        """,
}
PLUS, COMPUTED = 1 << 12, 1 << 9  # the statements of these functions


def recorded(
    project: Project, mutated: int = PLUS, known: Reach | None = None, files: Mapping[str, str] = FILES
) -> Reach:
    write(project.root, files)
    source = str((project.root / "shop/rates.py").resolve())
    with session.running(project, installed(), workers=2) as running:
        return reach.record(
            running, known or Reach(items={}), lambda *_: None, mutants=1000, mutated=lambda: {source: mutated}
        )


def subject(root: Path) -> Project:
    write(root, FILES)
    return builders.project(root, source=["shop"], tests={"options": PLAIN})


def test_the_first_tests_of_files_are_run_before_all_others(tmp_path: Path) -> None:
    found = recorded(subject(tmp_path))
    assert found.primers == (
        "tests/test_a.py::test_first",
        "tests/test_b.py::test_first",
        "tests/test_rates.py::test_first",
    )
    assert found.once == {str((tmp_path / "shop/rates.py").resolve()): 1 << 5 | COMPUTED}  # and not the lines of `plus`
    assert all(item.may_kill for item in found.items.values())


def test_a_test_that_executes_mutated_code_only_once_is_not_run_before_others(tmp_path: Path) -> None:
    found = recorded(subject(tmp_path), PLUS | COMPUTED)
    assert found.primers == ("tests/test_a.py::test_first", "tests/test_b.py::test_first")
    assert found.once == {}


def test_nothing_is_run_before_others_where_it_saves_nothing(tmp_path: Path) -> None:
    quick = {name: text.replace("800_000", "8") for name, text in FILES.items()}
    assert recorded(subject(tmp_path), files=quick).primers == ()


def test_nothing_is_run_before_others_that_they_do_not_bear(tmp_path: Path) -> None:
    first = "def test_first():\n    assert warmed()"
    polluting = FILES["tests/test_b.py"].replace("def test_first():", "def test_first():\n            rates.TAX = 1")
    files = {
        **FILES,
        "tests/test_a.py": f"from tests.warm import warmed\nfrom shop import rates\n\n{first}\n\n"
        "def test_second():\n    assert not hasattr(rates, 'TAX')\n",
        "tests/test_b.py": polluting.replace(
            "        from shop.rates", "        from shop import rates\n        from shop.rates"
        ),
    }
    found = recorded(subject(tmp_path), files=files)
    assert found.primers == ()
    assert found.items["tests/test_a.py::test_second"].may_kill


def test_what_is_known_holds_while_what_primers_leave_behind_is_the_same(tmp_path: Path) -> None:
    project = subject(tmp_path)
    known = recorded(project)
    kept = {name: item for name, item in known.items.items() if name != "tests/test_a.py::test_first"}
    again = recorded(project, known=Reach(items=kept, primers=known.primers, once=known.once))
    assert (again.primers, again.once) == (known.primers, known.once)
    assert again.items["tests/test_b.py::test_first"] is kept["tests/test_b.py::test_first"]
    forgotten = recorded(project, known=Reach(items=kept, primers=known.primers, once={}))
    assert forgotten.once == known.once
    assert forgotten.items["tests/test_b.py::test_first"] is not kept["tests/test_b.py::test_first"]


def test_mutants_of_what_is_kept_are_noticed_though_tests_ran_before(tmp_path: Path) -> None:
    judged = judge(tmp_path, FILES, critical=["shop/*.py"], source=["shop"])
    assert judged.of("computed") == {MutantStatus.KILLED}
    assert judged.of("plus") == {MutantStatus.KILLED}
