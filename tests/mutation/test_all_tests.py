"""Which tests kill which mutants: all that reach one are asked."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.mutation import MutantStatus
from tests.mutation.subjects import judge

FILES = {
    "pkg/__init__.py": "",
    "pkg/shop.py": """
        def total(prices, rate=2):
            if not prices:
                return 0
            return sum(prices) * rate
    """,
    "tests/test_shop.py": """
        from pkg import shop

        def test_one():
            assert shop.total([1]) == 2

        def test_two():
            assert shop.total([1, 2]) == 6

        def test_runs():
            shop.total([3])

        def test_nothing():
            assert shop.total([]) == 0
    """,
}
ONE, TWO, RUNS, NOTHING = (f"tests/test_shop.py::test_{n}" for n in ("one", "two", "runs", "nothing"))


def test_all_killers_of_a_mutant_are_known(tmp_path: Path) -> None:
    judged = judge(tmp_path, FILES, **{"all-tests": True})
    assert set(judged["return sum(prices) / rate"].killers) == {ONE, TWO}
    assert set(judged["if prices:"].killers) == {ONE, TWO}
    assert judged["return 1"].killers == (NOTHING,)
    assert all(m.killer in m.killers for m in judged.mutants if m.status.is_detected)
    assert set(judged["return sum(None) * rate"].killers) == {ONE, TWO, RUNS}


def test_where_a_mutant_never_ends_the_others_are_not_asked(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/shop.py": "def wait(n):\n    while n:\n        n -= 1\n",
        "tests/test_shop.py": "from pkg import shop\n"
        + "".join(f"def test_{k}(): shop.wait({k})\n" for k in range(1, 9)),
    }
    judged = judge(tmp_path, files, **{"all-tests": True})
    assert judged["n += 1"].status is MutantStatus.TIMEOUT
    assert len(judged["n += 1"].killers) == 1


def test_the_verdicts_are_those_of_a_run_that_ends_at_the_first_killer(tmp_path: Path) -> None:
    full = judge(tmp_path / "full", FILES, **{"all-tests": True})
    plain = judge(tmp_path / "plain", FILES)
    assert {m.id: m.status for m in full.mutants} == {m.id: m.status for m in plain.mutants}
    assert not any(m.killers for m in plain.mutants)


def test_all_killers_are_still_known_when_nothing_has_changed_and_after_a_change(tmp_path: Path) -> None:
    first = judge(tmp_path, FILES, **{"all-tests": True})
    again = judge(tmp_path, {}, **{"all-tests": True})
    assert {m.id: m.killers for m in again.mutants} == {m.id: m.killers for m in first.mutants}
    assert again.result.reused == sum(m.status.is_detected or m.status.is_undetected for m in first.mutants)
    changed = FILES["tests/test_shop.py"].replace("== 6", "> 3")
    after = judge(tmp_path, {"tests/test_shop.py": changed}, **{"all-tests": True})
    assert set(after["return sum(prices) / rate"].killers) == {ONE, TWO}
    assert set(after["if prices:"].killers) == {ONE, TWO}


def test_a_verdict_with_one_killer_is_not_taken_for_one_with_all(tmp_path: Path) -> None:
    judge(tmp_path, FILES)
    judged = judge(tmp_path, {}, **{"all-tests": True})
    assert set(judged["return sum(prices) / rate"].killers) == {ONE, TWO}
    plain = judge(tmp_path, {})
    assert plain.result.reused == sum(m.status.is_detected or m.status.is_undetected for m in plain.mutants)
