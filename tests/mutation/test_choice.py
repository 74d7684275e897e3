from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Code
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation import candidates, choice, critical
from orchestrator.mutation.candidates import Candidate
from tests import builders

CODE = """\
LIMIT = 10


def total(price, count):
    if count > LIMIT:
        return price * count - 1
    return price * count
"""


def found(root: Path, code: str = CODE, **mutation: Any) -> tuple[list[Candidate], list[str]]:
    """Return the candidates of a file after the suppressions, and what is said of these."""
    (root / "shop").mkdir(exist_ok=True)
    (root / "shop" / "prices.py").write_text(code)
    project = builders.project(root, source=["shop"], mutation={"critical": ["shop/*.py"], **mutation})
    made, _ = candidates.find(project, critical.select(project, None), workers=1)
    left, problems = choice.suppressed(project, made)
    assert {p.code for p in problems} <= {Code.SUPPRESSION_USELESS}
    return left, [p.message for p in problems]


def hidden(made: Sequence[Candidate]) -> dict[str, str]:
    return {c.mutant.id: c.mutant.reason for c in made if c.mutant.status is MutantStatus.SUPPRESSED}


def test_a_suppression_names_a_mutant_by_its_fingerprint(tmp_path: Path) -> None:
    made, _ = found(tmp_path)
    one = made[3].mutant
    made, said = found(tmp_path, suppress=[{"mutant": one.fingerprint, "reason": "It is the vendor's."}])
    assert hidden(made) == {one.id: "It is the vendor's."}
    assert said == []


def test_a_suppression_names_several_by_their_name(tmp_path: Path) -> None:
    made, said = found(tmp_path, suppress=[{"mutant": "shop.prices.LIMIT__import_*", "reason": "Set by hand."}])
    assert set(hidden(made)) == {c.mutant.id for c in made if c.mutant.function == "LIMIT"}
    assert said == []


def test_a_suppression_that_matches_nothing_is_told(tmp_path: Path) -> None:
    made, said = found(tmp_path, suppress=[{"mutant": "shop.taxes.*", "reason": "They are gone."}])
    assert hidden(made) == {}
    assert said == ["`mutation.suppress`: 'shop.taxes.*' matches no mutant"]


def test_a_comment_suppresses_the_mutants_of_its_line(tmp_path: Path) -> None:
    code = CODE.replace("LIMIT = 10", "LIMIT = 10  # no-mutants: the vendor's limit")
    made, said = found(tmp_path, code)
    assert set(hidden(made).values()) == {"the vendor's limit"}
    assert {c.mutant.line for c in made if c.mutant.id in hidden(made)} == {1}
    assert said == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("LIMIT = 10  # no-mutants", "`# no-mutants` says no reason, so it suppresses nothing"),
        ("import os  # no-mutants: as it is", "`# no-mutants` is at a line without mutants"),
    ],
)
def test_a_comment_that_suppresses_nothing_is_told(tmp_path: Path, line: str, said: str) -> None:
    made, problems = found(tmp_path, CODE.replace("LIMIT = 10", line, 1) + "\nLIMIT = 3\n")
    assert hidden(made) == {}
    assert problems == [f"shop/prices.py:1: {said}"]


def test_what_has_not_changed_is_not_run(tmp_path: Path) -> None:
    made, _ = found(tmp_path)
    left = choice.changed(made, {"shop/prices.py": [range(6, 7)], "shop/other.py": [range(1, 100)]}, "main")
    assert {c.mutant.line for c in left if choice.is_wanted(c)} == {6}
    assert {c.mutant.reason for c in left if not choice.is_wanted(c)} == {"unchanged since main"}
    assert {c.mutant.status for c in left} == {MutantStatus.NOT_RUN}


def test_one_mutant_of_each_line_comes_first(tmp_path: Path) -> None:
    made, _ = found(tmp_path)
    lines = [c.mutant.line for c in choice.by_value(made)]
    different = len(set(lines))
    assert len(set(lines[:different])) == different
    assert sorted(lines) == sorted(c.mutant.line for c in made)
