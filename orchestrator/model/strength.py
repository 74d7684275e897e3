"""Who protects what: layers, consumers and tests by the mutants that they reveal, and what the document lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from orchestrator.model.mutation import LAYERS, Amendment, Mutant, Mutation, Step


class Strength(msgspec.Struct, frozen=True, kw_only=True):
    """What a layer reveals.

    Attributes:
        revealed: How many mutants.
        alone: How many of them no other layer reveals.
    """

    revealed: int
    alone: int


def known_in_all_layers(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants of which it is known for all layers how far they get."""
    return [m for m in mutants if set(LAYERS) <= m.layers.keys()]


def strengths(mutants: Sequence[Mutant]) -> dict[str, Strength]:
    """Return what each layer reveals of mutants, of which it is known for all layers; empty: of none it is."""
    known = known_in_all_layers(mutants)
    if not known:
        return {}
    revealing = [tuple(layer for layer in LAYERS if m.layers[layer] is Step.REVEALED) for m in known]
    return {
        layer: Strength(
            revealed=sum(layer in found for found in revealing), alone=sum(found == (layer,) for found in revealing)
        )
        for layer in LAYERS
    }


def consumers(mutation: Mutation) -> dict[str, Strength]:
    """Return what each consumer's pact reveals of mutants, of which it is known for all layers; empty: not computed.

    Alone is what neither another consumer nor another layer reveals: without the pact it would go unnoticed. Consumers
    that reveal none are missing.
    """
    revealed: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for mutant in known_in_all_layers(mutation.mutants) if mutation.all_tests else ():
        noticing = {notice.by for notice in mutant.noticed if notice.layer == "contract"}
        revealed.update(noticing)
        layers = [layer for layer in LAYERS if mutant.layers[layer] is Step.REVEALED]
        if len(noticing) == 1 and layers == ["contract"]:
            alone.update(noticing)
    return {name: Strength(revealed=count, alone=alone[name]) for name, count in sorted(revealed.items())}


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the OpenAPI document does not say.

    Attributes:
        amendment: What it would have to say.
        mutants: How many mutants the generated tests would reveal then, that they don't.
        unnoticed: How many of these nobody else reveals.
    """

    amendment: Amendment
    mutants: int
    unnoticed: int


def lacking(mutants: Sequence[Mutant]) -> tuple[Lacking, ...]:
    """Return what the document would have to say for the generated tests to reveal more, the most telling first."""
    total: Counter[Amendment] = Counter()
    unnoticed: Counter[Amendment] = Counter()
    for mutant in mutants:
        found = {gap.amendment for gap in mutant.gaps if gap.amendment}
        total.update(found)
        if mutant.status.is_undetected:
            unnoticed.update(found)
    told = (Lacking(amendment=a, mutants=count, unnoticed=unnoticed[a]) for a, count in total.items())
    return tuple(sorted(told, key=lambda one: (-one.unnoticed, -one.mutants, one.amendment.at, one.amendment.update)))


class Kills(msgspec.Struct, frozen=True, kw_only=True):
    """What a test kills.

    Attributes:
        test: The test.
        killed: How many mutants.
        alone: How many of them no other test kills.
    """

    test: str
    killed: int
    alone: int


def kills(mutation: Mutation) -> tuple[Kills, ...]:
    """Return what each test kills, those that kill most alone first; empty: not all tests were asked.

    A test that kills no mutant alone could go, as far as these mutants can tell. A test that kills none is not here.
    """
    killed: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for mutant in mutation.mutants:
        killed.update(mutant.killers)
        if len(mutant.killers) == 1:
            alone.update(mutant.killers)
    found = (Kills(test=test, killed=count, alone=alone[test]) for test, count in killed.items())
    return tuple(sorted(found, key=lambda k: (-k.alone, -k.killed, k.test)))
