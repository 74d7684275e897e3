"""Survivors in the order in which a reviewer should look at them, few at first, like ones together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable

import msgspec

from orchestrator.model.mutation import LAYERS, Mutant, MutantStatus
from orchestrator.model.run import Change, Report
from orchestrator.report.blame import blamed_survivors

AT_ONCE = 12  # cards that are open to the eye
AN_OPERATION = 5  # … of them of one operation
WITHOUT_SCRIPT = 100  # mutants that are on the page as such; others need JavaScript


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A survivor, and those that are like it.

    Attributes:
        mutant: The first of them.
        like: The others: of the same line, or with the same damage in the same function.
        operation: The label of the operation where it shows, or whose requests execute it; empty: none is known.
        new: Fingerprints of those that were not there before.
        blamed: Whether a gate fails because of any.
        find: Words by which it is found, in lower case.
    """

    mutant: Mutant
    like: tuple[Mutant, ...]
    operation: str
    new: frozenset[str]
    blamed: bool
    find: str

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """All of them."""
        return (self.mutant, *self.like)


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """The cards, the worst first.

    Attributes:
        first: Those to look at.
        more: Those behind a click.
        rest: Those that only a script shows.
    """

    first: tuple[Card, ...]
    more: tuple[Card, ...]
    rest: tuple[Card, ...]


def ranked(report: Report) -> Ranked:
    """Return the survivors of a report as cards."""
    cards = _cards(report)
    first: list[Card] = []
    later: list[Card] = []
    shown: Counter[str] = Counter()
    for card in cards:
        is_first = len(first) < AT_ONCE and shown[card.operation] < AN_OPERATION
        shown[card.operation] += is_first
        (first if is_first else later).append(card)
    room = WITHOUT_SCRIPT - sum(len(card.mutants) for card in first)
    count = 0
    for card in later:
        room -= len(card.mutants)
        if room < 0:
            break
        count += 1
    return Ranked(first=tuple(first), more=tuple(later[:count]), rest=tuple(later[count:]))


def _cards(report: Report) -> list[Card]:
    mutants = report.run.mutation.mutants if report.run.mutation else ()
    new = frozenset(d.fingerprint for d in report.comparison.of(Change.NEW)) if report.comparison else frozenset()
    blamed = blamed_survivors(report)
    survivors = sorted((m for m in mutants if m.status.is_undetected), key=lambda m: _weight(m, new))
    return [_card(group, new, blamed) for group in _grouped(survivors)]


def _weight(mutant: Mutant, new: Collection[str]) -> tuple[object, ...]:
    """What comes first: changed code, what is new, damage that a test sees, a request that is missing."""
    return (
        not mutant.changed,
        mutant.fingerprint not in new,
        not mutant.gaps,
        not (mutant.input_gap and mutant.input_gap.request),
        mutant.status is MutantStatus.NO_TESTS,
        mutant.path,
        mutant.line,
    )


def _grouped(survivors: Iterable[Mutant]) -> list[list[Mutant]]:
    """Put those together that change the same line, or do the same damage in the same function."""
    groups: list[list[Mutant]] = []
    known: dict[Hashable, list[Mutant]] = {}
    for mutant in survivors:
        names: list[Hashable] = [(mutant.path, mutant.line)]
        if mutant.gaps:
            gap = mutant.gaps[0]
            names.append((mutant.path, mutant.function, gap.operation or gap.request, gap.differences[0].place))
        group = next((known[name] for name in names if name in known), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(mutant)
        known.update(dict.fromkeys(names, group))
    return groups


def _card(mutants: list[Mutant], new: frozenset[str], blamed: Collection[str]) -> Card:
    first = mutants[0]
    shown_in = [gap.operation for m in mutants for gap in m.gaps if gap.operation]
    operation = next(iter([*shown_in, *(o for m in mutants for o in m.operations)]), "")
    ours = frozenset(m.fingerprint for m in mutants) & new
    return Card(
        mutant=first,
        like=tuple(mutants[1:]),
        operation=operation,
        new=ours,
        blamed=any(m.fingerprint in blamed for m in mutants),
        find=" ".join(dict.fromkeys(word for m in mutants for word in _words(m, m.fingerprint in new))).lower(),
    )


def _words(mutant: Mutant, is_new: bool) -> list[str]:
    words = [
        f"{mutant.path}:{mutant.line}",
        mutant.function,
        *mutant.operations,
        *(gap.operation for gap in mutant.gaps),
        mutant.status.value,
        mutant.kind.value,
        mutant.fingerprint,
        *(f"{layer} {mutant.layers[layer].value}" for layer in LAYERS if layer in mutant.layers),
    ]
    if is_new:
        words.append("new")
    if mutant.changed:
        words.append("changed")
    if mutant.gaps:
        words.append("seen, not checked")
    return words
