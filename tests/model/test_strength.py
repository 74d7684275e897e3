"""What layers reveal of mutants, together and alone."""

from __future__ import annotations

import msgspec
import pytest

from orchestrator.model.mutation import LAYERS, Amendment, Mutant, MutantStatus, Mutation, Notice, OracleGap, Step
from orchestrator.model.run import OperationRow
from orchestrator.model.strength import Strength, consumers, lacking, strengths
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


def noticed_by(*names: str, layers: tuple[str, ...] = ("contract",)) -> Mutant:
    notices = tuple(Notice(layer="contract", by=name, what="", message="") for name in names)
    steps = {layer: Step.REVEALED if layer in layers else Step.REACHED for layer in LAYERS}
    return builders.mutant(MutantStatus.KILLED, layers=steps, noticed=notices)


def test_a_consumer_is_alone_where_neither_another_one_nor_another_layer_notices() -> None:
    mutants = [
        noticed_by("till"),
        noticed_by("till", "web"),
        noticed_by("web", layers=("unit", "contract")),
        noticed_by("till", layers=("property", "contract")),
        revealed_by("unit"),
    ]
    mutation = Mutation(mutants=tuple(mutants), critical=(), all_tests=True)
    assert consumers(mutation) == {"till": Strength(revealed=3, alone=1), "web": Strength(revealed=2, alone=0)}
    assert consumers(msgspec.structs.replace(mutation, all_tests=False)) == {}


def letting_through(status: MutantStatus, *at: str) -> Mutant:
    amendments = [Amendment(at=pointer, update='{"minimum": 0}', seen=3) for pointer in at]
    gaps = [
        OracleGap(layer="property", test="t", request="GET /a", number=1, differences=(), amendment=amendment)
        for amendment in amendments
    ]
    return builders.mutant(status, gaps=tuple(gaps))


def test_what_the_document_lacks_is_counted_by_mutants_and_those_that_nobody_reveals_come_first() -> None:
    killed, survived = MutantStatus.KILLED, MutantStatus.SURVIVED
    found = lacking([letting_through(killed, "#/a"), letting_through(killed, "#/a"), letting_through(survived, "#/b")])
    assert [(one.amendment.at, one.mutants, one.unnoticed) for one in found] == [("#/b", 1, 1), ("#/a", 2, 0)]
    assert lacking([revealed_by("unit")]) == ()
