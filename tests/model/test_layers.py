"""What layers reveal of mutants, together and alone."""

from __future__ import annotations

import pytest

from orchestrator.model.mutation import LAYERS, Mutant, MutantStatus, Step, Strength, strengths
from orchestrator.model.run import OperationRow
from tests import builders


def revealed_by(*layers: str, known: tuple[str, ...] = LAYERS) -> Mutant:
    steps = {layer: Step.REVEALED if layer in layers else Step.REACHED for layer in known}
    return builders.mutant(MutantStatus.KILLED, layers=steps)


def test_a_layer_is_alone_where_no_other_one_notices() -> None:
    found = strengths(
        [
            revealed_by("unit"),
            revealed_by("unit", "contract"),
            revealed_by("property"),
            revealed_by("unit"),
            revealed_by(),
        ]
    )
    assert found == {
        "unit": Strength(revealed=3, alone=2),
        "property": Strength(revealed=1, alone=1),
        "contract": Strength(revealed=1, alone=0),
    }


def test_mutants_of_which_a_layer_is_not_known_do_not_count() -> None:
    assert strengths([revealed_by("unit", known=("unit", "property"))]) == {}
    assert strengths([]) == {}


@pytest.mark.parametrize(
    ("mutants", "only"),
    [
        ([revealed_by("unit"), revealed_by()], True),
        ([revealed_by("unit"), revealed_by("unit", "property")], False),
        ([revealed_by("contract"), revealed_by("unit")], False),
        ([revealed_by()], False),
        ([], False),
    ],
)
def test_an_operation_is_protected_by_unit_tests_only_if_nobody_else_reveals_any(
    mutants: list[Mutant], only: bool
) -> None:
    assert OperationRow(operation="GET /a", strengths=strengths(mutants)).only_unit is only


@pytest.mark.parametrize("layer", LAYERS)
def test_each_step_has_words_for_each_layer(layer: str) -> None:
    assert len({step.meaning(layer) for step in Step}) == len(Step)
