"""Mutants that the project's own type checker rejects, by the real mypy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from orchestrator.adapters import type_checker
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.mutation import MutantStatus
from orchestrator.mutation import candidates, critical, types
from orchestrator.mutation.candidates import Candidate
from tests import builders
from tests.acceptance import support
from tests.mutation import subjects

MYPY = (sys.executable, "-m", "mypy", "--output=json", "--strict", "--cache-dir=/dev/null", "pkg")
SOURCE = '''
    """A shop."""
    import functools
    from collections.abc import Iterator


    def total(price: int, name: str) -> int:
        if price > 3:
            return price * 2
        return len(name)


    def twice(price: int, name: str) -> int:
        return total(price, name) + total(price, name=name)


    class Cart:
        def __init__(self) -> None:
            self.count = 1

        @property
        def shown(self) -> str:
            return "n: " + str(self.count)

        @shown.setter
        def shown(self, value: str) -> None:
            self.count = len(value)

        @functools.cache
        def rate(self) -> float:
            return 1.5

        def broken(self) -> int:
            return "as it is"
'''


def checked(root: Path) -> list[Candidate]:
    subjects.write(root, {"pkg/__init__.py": "", "pkg/shop.py": SOURCE})
    project = builders.project(root, source=["pkg"], mutation={"critical": ["pkg/*.py"]})
    found, _ = candidates.find(project, critical.select(project, None), workers=1)
    return types.checked(project, found, MYPY)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[MutantStatus, str]]:
    """What became of each mutant, by the line that it adds."""
    return {
        line[1:].strip(): (c.mutant.status, c.mutant.message)
        for c in checked(tmp_path_factory.mktemp("shop"))
        for line in c.mutant.diff.splitlines()[2:]
        if line.startswith("+")
    }


def test_what_it_rejects_is_caught_by_it(told: dict[str, tuple[MutantStatus, str]]) -> None:
    status, message = told['return "n: " - str(self.count)']
    assert status is MutantStatus.TYPE_CHECK
    assert "str" in message


def test_what_it_accepts_is_left_to_the_tests(told: dict[str, tuple[MutantStatus, str]]) -> None:
    assert told["if price >= 3:"] == (MutantStatus.NOT_RUN, "")
    assert told["return price * 3"] == (MutantStatus.NOT_RUN, "")
    assert told["return price / 2"][0] is MutantStatus.TYPE_CHECK, "a float is no int"


def test_what_it_says_of_the_code_as_it_is_is_no_fault_of_a_mutant(
    told: dict[str, tuple[MutantStatus, str]],
) -> None:
    assert told['return "XXas it isXX"'] == (MutantStatus.NOT_RUN, "")


def test_a_line_that_may_give_an_attribute_its_type_is_left_to_the_tests(
    told: dict[str, tuple[MutantStatus, str]],
) -> None:
    assert told["self.count = None"] == (MutantStatus.NOT_RUN, "")


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    subjects.write(tmp_path, {"pkg/__init__.py": "", "pkg/shop.py": SOURCE})
    project = builders.project(tmp_path, source=["pkg"], mutation={"critical": ["pkg/*.py"]})
    found, _ = candidates.find(project, critical.select(project, None), workers=1)
    for command, said in ((("mypi",), "mypi"), ((sys.executable, "-c", "print('no JSON')"), "Expecting value")):
        with pytest.raises(OrchestratorError) as error:
            types.checked(project, found, command)
        assert error.value.problem.code == Code.TYPE_CHECK_FAILED
        assert said in error.value.problem.message
    assert not (project.state / "mutation" / "types").exists()


def test_every_mutant_that_is_called_caught_is_rejected_where_it_stands_alone(tmp_path: Path) -> None:
    caught = [c for c in checked(tmp_path) if c.mutant.status is MutantStatus.TYPE_CHECK]
    assert len(caught) > 5
    project = builders.project(tmp_path, source=["pkg"])
    file = tmp_path / "pkg" / "shop.py"
    original = file.read_text()
    usual = {fault.message for fault in type_checker.run(MYPY, project, tmp_path)}
    for candidate in caught[::2]:
        lines = original.split("\n")
        change = candidate.change
        file.write_text("\n".join([*lines[: change.first - 1], *change.lines, *lines[change.last :]]))
        assert {fault.message for fault in type_checker.run(MYPY, project, tmp_path)} - usual, candidate.mutant.diff


def test_the_stage_counts_them_as_detected_and_apart(tmp_path: Path) -> None:
    shop = support.copy_of(support.SHOP, tmp_path)
    support.setting(shop, 'mutation.critical = ["shop.prices.total"]')
    support.setting(shop, "mutation.self-check = 0")
    with (shop / "pyproject.toml").open("a") as file:
        file.write(f"\n[tool.mutmut]\ntype_check_command = {json.dumps([*MYPY[:-1], 'shop/prices.py'])}\n")
    ended = support.orchestrator(shop, "run", "--stage", "mutation")
    mutation = support.report_of(shop).run.mutation
    assert mutation is not None, ended.output
    caught = [m for m in mutation.mutants if m.status is MutantStatus.TYPE_CHECK]
    assert {m.killer for m in caught} == {"mypy"}
    assert "caught by mypy" in ended.output
