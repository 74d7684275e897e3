"""Verdicts of an earlier run are those of a run from the start, whatever has changed in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model.mutation import MutantStatus
from tests.mutation import subjects

FILES = {
    "pkg/__init__.py": "",
    "pkg/prices.py": """
        LIMIT = 10


        def total(price, count):
            if count >= LIMIT:
                return price * count * rebate() // 100
            return price * count


        def rebate():
            return 90


        def shown(cents):
            return f"{cents // 100}.{cents % 100:02}"
    """,
    "pkg/texts.py": """
        from pathlib import Path


        def greeting(name):
            template = (Path(__file__).parent / "greeting.txt").read_text()
            return template.strip().replace("NAME", name)


        def initials(name):
            return "".join(part[0] for part in name.split())
    """,
    "pkg/greeting.txt": "Hello NAME\n",
    "pkg/ways.py": """
        def quick():
            return 1


        def slow():
            return 2


        def way(n):
            if n != 1:
                return slow()
            return quick()


        def told(clock):
            return clock.now() + 1
    """,
    "pkg/factory.py": """
        def make():
            from pkg import parts
            return parts.Part()
    """,
    "pkg/parts.py": """
        SIZE = 4


        class Part:
            def size(self):
                return SIZE * 2

            def name(self):
                "A name."
                return "part"


        def loose():
            return 5
    """,
    "tests/conftest.py": """
        import pytest


        @pytest.fixture
        def part():
            from pkg.factory import make
            return make()


        @pytest.fixture(scope="session")
        def price():
            return 100
    """,
    "tests/helpers.py": """
        def expected(price, count):
            return price * count


        class Clock:
            def now(self):
                return 10
    """,
    "tests/test_ways.py": """
        from pkg import ways
        from tests.helpers import Clock


        def test_way():
            assert ways.way(1) in (1, 2)


        def test_told():
            assert ways.told(Clock()) > 5
    """,
    "tests/__init__.py": "",
    "tests/test_prices.py": """
        from pkg import prices
        from tests.helpers import expected


        def test_few(price):
            assert prices.total(price, 2) == expected(price, 2)


        def test_many(price):
            assert prices.total(price, 10) < expected(price, 10)
    """,
    "tests/test_parts.py": """
        def test_size(part):
            assert part.size() > 5


        def test_name(part):
            assert part.name() == "part"
    """,
    "tests/test_texts.py": """
        from pkg import texts


        def test_greeting():
            assert texts.greeting("Ann") == "Hello Ann"
    """,
}


def edit(name: str, before: str, after: str) -> Callable[[Path], None]:
    """Return what replaces a text of a file."""

    def apply(root: Path) -> None:
        content = (root / name).read_text()
        assert before in content
        (root / name).write_text(content.replace(before, after, 1))

    return apply


def append(name: str, text: str) -> Callable[[Path], None]:
    """Return what adds lines to a file."""

    def apply(root: Path) -> None:
        (root / name).write_text((root / name).read_text() + text)

    return apply


EDITS = {
    "nothing": edit("pkg/prices.py", "LIMIT", "LIMIT"),
    "a test that is stricter": edit("tests/test_prices.py", "< expected(price, 10)", "== 900"),
    "lines that move": edit("pkg/prices.py", "LIMIT = 10", "# The vendor's.\n\nLIMIT = 10"),
    "a test of what nobody tested": append(
        "tests/test_prices.py", "\n\ndef test_shown():\n    assert prices.shown(1205) == '12.05'\n"
    ),
    "another value of a fixture": edit("tests/conftest.py", "return 100", "return 0"),
    "the fixture as it was": edit("tests/conftest.py", "return 0", "return 100"),
    "a helper of the tests that lets all pass": edit("tests/helpers.py", "return price * count", "return Anything()"),
    "what that helper needs": append(
        "tests/helpers.py",
        "\n\nclass Anything:\n    def __eq__(self, other):\n        return True\n\n    def __gt__(self, other):\n"
        "        return True\n\n    __hash__ = None\n",
    ),
    "a constant": edit("pkg/prices.py", "LIMIT = 10", "LIMIT = 3"),
    "what only a mutant executes": edit("pkg/ways.py", "return 2", "return 3"),
    "a stand-in that only the source calls": edit("tests/helpers.py", "return 10", "return 5"),
    "what one test executes": edit("pkg/ways.py", "return clock.now() + 1", "return 1 + clock.now()"),
    "a function that another one calls": edit("pkg/prices.py", "return 90", "return 80 + 10"),
    "a file that the source reads": edit("pkg/greeting.txt", "Hello NAME", "Hello  NAME"),
    "the file as it was": edit("pkg/greeting.txt", "Hello  NAME", "Hello NAME"),
    "one function of a module that a fixture imports": edit("pkg/parts.py", 'return "part"', 'return "PART".lower()'),
    "its constant": edit("pkg/parts.py", "SIZE = 4", "SIZE = 3"),
    "a function of it that nobody calls": edit("pkg/parts.py", "return 5", "return 6"),
    "a test that is gone": edit("tests/test_texts.py", "def test_greeting", "def no_test"),
    "a new function": append("pkg/texts.py", "\n\ndef loud(text):\n    return text.upper() + '!'\n"),
    "a class with a test": append(
        "tests/test_texts.py",
        "\n\nclass TestTexts:\n    def test_initials(self):\n        assert texts.initials('Ann Lee') == 'AL'\n",
    ),
}


@pytest.mark.slow
def test_verdicts_after_any_change_are_those_of_a_run_from_the_start(tmp_path: Path) -> None:
    project = tmp_path / "project"
    subjects.judge(project, FILES)
    reused = {}
    for name, change in EDITS.items():
        change(project)
        found = subjects.judge(project, {})
        again = tmp_path / "again"
        shutil.copytree(project, again, ignore=shutil.ignore_patterns(".orchestrator", "__pycache__"))
        made = Path(".orchestrator") / "mutation" / "made"  # mutmut's mutants of each text; no verdict is in them
        shutil.copytree(project / made, again / made)
        fresh = subjects.judge(again, {})
        told = {m.id: (m.status, m.tests) for m in found.mutants}
        assert told == {m.id: (m.status, m.tests) for m in fresh.mutants}, name
        assert fresh.result.reused == 0
        reused[name] = found.result.reused / sum(m.status not in subjects.NOT_JUDGED for m in found.mutants)
        shutil.rmtree(again)
    assert reused["nothing"] == reused["lines that move"] == 1, reused
    assert reused["a test of what nobody tested"] > 0.5, reused
    assert 0.5 < reused["what one test executes"] < 1, reused
    assert 0.5 < reused["what only a mutant executes"] < 1, reused
    assert 0.5 < reused["one function of a module that a fixture imports"] < 1, reused
    assert reused["its constant"] < 1, reused
    assert reused["a function of it that nobody calls"] > 0.95, reused
    assert reused["another value of a fixture"] < 1, reused
    assert reused["a file that the source reads"] < 1, reused


def test_a_journal_that_was_cut_off_loses_one_verdict_at_most(tmp_path: Path) -> None:
    files = {name: body for name, body in FILES.items() if "texts" not in name}
    first = subjects.judge(tmp_path, files)
    journal = tmp_path / ".orchestrator" / "mutation" / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    half = lines[: len(lines) // 2]
    journal.write_bytes(b"".join(half) + lines[-1][:25])  # as a process leaves it that is ended while it writes
    second = subjects.judge(tmp_path, {})
    assert second.result.reused == len(half)
    assert {m.id: m.status for m in second.mutants} == {m.id: m.status for m in first.mutants}
    names = [json.loads(line)["mutant"] for line in journal.read_bytes().splitlines() if line.endswith(b"}")]
    judged = [m for m in first.mutants if m.status in (MutantStatus.KILLED, MutantStatus.SURVIVED)]
    assert {m.fingerprint for m in judged} <= set(names)
    assert len(names) == len(set(names)), "a verdict was reached twice"
