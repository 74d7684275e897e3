"""What tests see of the API under a mutant: who sees that it is broken and passes, and the assertion that is missing.

What a test sees after others, in the same child, may be due to what these left behind, and some of it varies by itself.
So a difference counts that is there when the test runs alone, and that is not there without the mutant.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Final

from orchestrator import text
from orchestrator.adapters.session import Change, Ended, Exchange, Job, Said
from orchestrator.agent.mutation.lines import united
from orchestrator.model.mutation import Checked, OracleGap, Proposal, ResponseDifference
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.differences import changed_places, differences
from orchestrator.mutation.proposals import Proposed, Subject, proposed
from orchestrator.mutation.reach import Item, masks

MOST_GAPS: Final = 3  # tests that see a mutant and pass, that are told
_SAMPLED: Final = 4  # tests that are run again for a mutant to see whether identifiers and times vary by themselves
_TRUSTED: Final = 3  # times that a proposed assertion has to hold without the mutant, and to fail under it

Sight = tuple[Exchange, ...]  # what a test saw of the API


class Sights:
    """Looks at what items see.

    Args:
        items: Without a mutant, in pytest's order.
        root: The folder that their names are relative to.
        make_job: Makes a job of a candidate (None: no mutant) and items' numbers; takes `cold`, `partly`, `test` and
            `chance`.
    """

    def __init__(self, items: Sequence[Item], root: str, make_job: Callable[..., Job]) -> None:
        self._items = items
        self._root = root
        self._make_job = make_job
        self._number = {item.name: k for k, item in enumerate(items)}
        self._samples: dict[tuple[int, bool], Sight | None] = {}
        self._held: dict[Change, int] = {}  # how often a changed test has passed without a mutant; -1: it has not
        # The lines that exchanges of each item execute.
        self._executed = [united(*(masks(e.lines) for e in item.exchanges)) for item in items]

    @property
    def digests(self) -> dict[str, list[str]]:
        """The digests of the exchanges of each item that has any."""
        return {item.name: [e.digest for e in item.exchanges] for item in self._items if item.exchanges}

    def execute(self, number: int, path: str, mask: int) -> bool:
        """Whether an exchange of an item executes any of these lines of a file."""
        return bool(self._executed[number].get(path, 0) & mask)

    def of(self, ended: Ended) -> dict[int, Sight]:
        """Return what items that passed saw, of those that saw anything unlike what they see without a mutant."""
        found = {}
        for said in ended.items:
            number = self._number.get(said.item)
            if number is None or said.outcome == "failed":
                continue
            usual = self._items[number].exchanges
            if said.exchanges or said.seen != len(usual):
                unlike = {exchange.number: exchange for exchange in said.exchanges}
                found[number] = tuple(unlike.get(k) or usual[k] for k in range(said.seen))
        return found

    def whole(self, number: int, ended: Ended) -> Sight | None:
        """Return what an item saw that ran alone in its child; None: it did not pass."""
        if not ended.ended or not ended.items or ended.failed:
            return None
        return self.of(ended).get(number, self._items[number].exchanges)

    def checked(self, said: Said) -> Checked | None:
        """Return the only place that differed in what an item saw that failed; None: there were several, or none."""
        number = self._number.get(said.item)
        if number is None:
            return None
        usual = self._items[number].exchanges
        found = {
            (exchange.number, place)
            for exchange in said.exchanges
            for place in (changed_places(usual[exchange.number], exchange) if exchange.number < len(usual) else ("",))
        }
        if len(found) != 1:
            return None
        which, place = found.pop()
        if which >= len(usual):
            return None
        request = text.one_line(f"{usual[which].method} {usual[which].path}")
        return Checked(request=request, status=usual[which].status, place=text.one_line(place))

    def gaps(
        self, candidate: Candidate, sights: Mapping[int, Sight], *, cold: bool
    ) -> Generator[Job, Ended, tuple[OracleGap, ...]]:
        """Return the items that see a response differ because of a mutant, and pass.

        Args:
            candidate: The mutant.
            sights: What items saw under it, maybe after others.
            cold: Whether everything is imported afresh for it.
        """
        gaps: list[OracleGap] = []
        samples = 0
        may_vary = {number: self._may_vary(number, sight) for number, sight in sights.items()}
        for number, sight in sorted(sights.items(), key=lambda one: (may_vary[one[0]], one[0])):
            if len(gaps) == MOST_GAPS:
                break
            usual = self._items[number].exchanges
            if may_vary[number] and (number, cold) not in self._samples:
                samples += 1
                if samples > _SAMPLED:
                    break
            if cold and not (yield from self._differs(number, sight)):
                continue
            sample = yield from self._sample(number, cold=cold)
            if sample is None or not differences(usual, sight, [sample]):
                continue
            again = yield self._make_job(candidate, [number], cold=cold, partly=cold)
            alone = self.whole(number, again)
            told = differences(usual, alone, [sample]) if alone is not None else None
            if told is None or alone is None:
                continue
            which, where = told
            exchange = alone[which] if which < len(alone) else usual[which]
            wanted = not cold and not any(gap.proposal for gap in gaps)
            gaps.append(
                OracleGap(
                    layer="unit",
                    test=self._items[number].name,
                    request=text.one_line(f"{exchange.method} {exchange.path}"),
                    number=which + 1,
                    status=usual[which].status if which < len(usual) else None,
                    differences=where,
                    proposal=(yield from self._proposal(candidate, number, which, where)) if wanted else None,
                )
            )
        return tuple(gaps)

    def _may_vary(self, number: int, sight: Sight) -> bool:
        """Whether a sight has only other identifiers and times than usual: mostly these vary by themselves."""
        usual = self._items[number].exchanges
        pairs = zip(usual, sight, strict=False)
        return len(sight) == len(usual) and not any(changed_places(a, b, tokens=False) for a, b in pairs)

    def _differs(self, number: int, sight: Sight) -> Generator[Job, Ended, bool]:
        """Whether there is more to a sight than what varies by itself, as far as can be told without a fresh import."""
        sample = yield from self._sample(number, cold=False)
        return sample is None or differences(self._items[number].exchanges, sight, [sample]) is not None

    def _sample(self, number: int, *, cold: bool) -> Generator[Job, Ended, Sight | None]:
        """Return what an item sees without a mutant, later and with other random numbers; None: it does not pass."""
        if (number, cold) not in self._samples:
            plain = yield self._make_job(None, [number], cold=cold, partly=cold, chance=1)
            self._samples[number, cold] = self.whole(number, plain)
        return self._samples[number, cold]

    def _proposal(
        self, candidate: Candidate, number: int, which: int, where: Sequence[ResponseDifference]
    ) -> Generator[Job, Ended, Proposal | None]:
        """Return the assertion with which an item notices a mutant; None: none does, or it is not sure."""
        name = self._items[number].name
        path = os.path.realpath(os.path.join(self._root, name.partition("::")[0]))  # noqa: PTH118 - only a name
        try:
            test = Subject(name, path, decode_source(Path(path).read_bytes()))
            guesses = list(proposed(test, self._items[number].exchanges, which, where))
        except (OSError, SyntaxError, ValueError):
            return None
        return (yield from self.trusted(candidate, number, guesses))

    def trusted(
        self, candidate: Candidate, number: int, guesses: Iterable[Proposed]
    ) -> Generator[Job, Ended, Proposal | None]:
        """Return the first change to a test with which it notices a mutant each time; None: none does.

        All items of the same function have to pass with it, as often as it takes to trust them.
        """
        name = self._items[number].name
        stem = name.partition("[")[0]
        alike = [k for k, item in enumerate(self._items) if item.may_kill and item.name.partition("[")[0] == stem]
        for guess in guesses:
            for time in range(_TRUSTED):
                held = self._held.get(guess.change, 0)  # mutants of one value are noticed by the same assertion
                if 0 <= held <= time:
                    plain = yield self._make_job(None, alike, cold=False, test=guess.change)
                    is_held = plain.ended and not plain.failed and len(plain.items) == len(alike)
                    held = self._held[guess.change] = time + 1 if is_held else -1
                if held < 0:
                    break
                mutated = yield self._make_job(candidate, [number], cold=False, test=guess.change)
                if not mutated.failed:
                    break
            else:
                return guess.proposal
        return None
