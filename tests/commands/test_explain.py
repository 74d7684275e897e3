"""The story of one mutant, in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import codec
from orchestrator.errors import ExitCode
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation, Step
from tests import builders
from tests.acceptance import support
from tests.report.hostile import STRINGS

SEEN = builders.mutant(
    MutantStatus.SURVIVED,
    "1",
    tests=2,
    operations=("GET /total",),
    layers={"unit": Step.PROPAGATED},
    gaps=(builders.oracle_gap(),),
)
KILLED = builders.mutant(
    MutantStatus.KILLED,
    "2",
    killer="tests/test_a.py::test_b",
    message="AssertionError: assert 2 == 3",
    layers={"unit": Step.REVEALED},
)
NOT_RUN = builders.mutant(MutantStatus.NOT_RUN, "3")


def told(folder: Path, mutant: Mutant, name: str = "") -> str:
    """Return what is said of a mutant of a saved run."""
    (folder / "orchestrator.toml").write_text('[app]\ntarget = "shop.app:app"\n')
    (folder / "reports").mkdir()
    run = builders.run(builders.stage(Mutation(mutants=(mutant,), critical=("shop/*.py",))))
    (folder / "reports" / "run.json").write_bytes(codec.to_json(builders.report(run)))
    ended = support.orchestrator(folder, "explain", name or mutant.fingerprint)
    assert ended.code == ExitCode.PASSED, ended.output
    return ended.output


def test_a_survivor_whose_damage_a_test_sees_is_told_with_request_place_and_commands(tmp_path: Path) -> None:
    output = told(tmp_path, SEEN, SEEN.id)
    for line in (
        "shop.prices.x_total__mutmut_1 (m-1): survived",
        "shop/prices.py:7 total, function",
        "executed by GET /total",
        "-    return 1",
        "+    return 2",
        "unit layer: propagated: a response differs, and the test that sees it passes; tests that execute it: 2",
        "property layer: not computed",
        "unit layer: tests/test_a.py::test_a passes, though request 2 of it is answered differently:",
        "  GET /3",
        "    $.total: 3 → 3!",
        "With this line it fails under the mutant, and passes without it (both were run three times):",
        "+3",
        "  orchestrator mutant m-1 --apply",
        "  pytest tests/test_a.py::test_a",
        "  orchestrator mutant m-1 --undo",
        "  orchestrator propose --mutant m-1 --write tests/",
    ):
        assert line in output.splitlines()


def test_a_killed_mutant_is_told_with_who_noticed_and_what_it_said(tmp_path: Path) -> None:
    output = told(tmp_path, KILLED)
    assert "revealed: a test fails (tests/test_a.py::test_b: AssertionError: assert 2 == 3)" in output
    assert "  pytest tests/test_a.py::test_b" in output.splitlines()


def test_who_notices_beside_the_tests_is_told_and_is_not_taken_for_a_test(tmp_path: Path) -> None:
    output = told(
        tmp_path,
        builders.mutant(
            MutantStatus.KILLED,
            "4",
            killer="till: a request for an order",
            layers={"unit": Step.REACHED, "property": Step.NOT_REACHED, "contract": Step.REVEALED},
            noticed=(builders.notice("till", "a request for an order"),),
        ),
    ).splitlines()
    assert "unit layer: reached: tests execute it, and every response that they see stays the same" in output
    assert "property layer: not reached: no generated case executes the changed code" in output
    at = output.index("contract layer: revealed: an interaction does not hold any more")
    assert output[at + 1 : at + 3] == ["  till: a request for an order", "  a request for an order"]
    assert "  pytest" in output


def test_what_was_not_judged_is_not_computed(tmp_path: Path) -> None:
    output = told(tmp_path, NOT_RUN)
    assert "unit layer: not computed" in output.splitlines()
    assert "  pytest" in output.splitlines()


@pytest.mark.parametrize("said", [s for s in STRINGS if "\x1b" in s or "\u202e" in s or "[" in s])
def test_foreign_text_does_not_act_on_the_terminal(tmp_path: Path, said: str) -> None:
    gaps, noticed = (builders.oracle_gap(said, said, said),), (builders.notice(said, said),)
    output = told(tmp_path, builders.mutant(gaps=gaps, noticed=noticed, message=said))
    assert not {"\x1b", "\u202e", "\x07"} & set(output)
