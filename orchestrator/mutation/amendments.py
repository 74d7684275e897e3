"""What the OpenAPI document lacks: what it would have to say for schemathesis' checks to notice a mutant.

A constraint is proposed when it was tried: with it in the document every recorded response passes as before, and the
response under the mutant does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator import text
from orchestrator.adapters.scenarios import PROPERTY, Scenario
from orchestrator.adapters.session import Exchange
from orchestrator.model.mutation import Amendment
from orchestrator.mutation.constraints import Constraint, Described
from orchestrator.mutation.judges import Judges, Sight, sign
from orchestrator.references import Pointer, written

_MOST_TRIED: Final = 4  # constraints of one response


class Amendments:
    """Finds constraints.

    Args:
        raw: The document.
        judges: Who tries them.
        everything: The scenarios.
        usual: What comes back in each without a mutant.
        fails: What fails in each without a mutant.
    """

    def __init__(
        self,
        raw: Mapping[str, Any],
        judges: Judges,
        everything: Sequence[Scenario],
        usual: Sequence[Sight],
        fails: Sequence[frozenset[str]],
    ) -> None:
        self._judges = judges
        self._all = everything
        self._usual = usual
        self._fails = fails
        self._described = Described(raw)
        self._met: dict[Pointer, dict[tuple[str, str], int]] = {}  # one scenario for each response that is different
        self._seen: dict[Pointer, int] = {}
        self._holding: dict[Constraint, bool] = {}

    def learn(self, steady: Iterable[int]) -> None:
        """Take in the scenarios, by their numbers, that are answered alike each time."""
        for number in (k for k in steady if self._all[k].layer == PROPERTY):
            for operation, exchange in _answers(self._all[number], self._usual[number]):
                for pointer in self._described.learn(operation, exchange):
                    self._met.setdefault(pointer, {}).setdefault((operation, exchange.digest), number)
                    self._seen[pointer] = self._seen.get(pointer, 0) + 1

    def amendment(self, number: int, sight: Sight) -> Amendment | None:
        """Return what the document would have to say to notice what came back in a scenario; None: nothing is found."""
        usual = {exchange.digest for exchange in self._usual[number]}
        for operation, exchange in _answers(self._all[number], sight):
            if exchange.digest in usual:
                continue
            for constraint in self._described.broken(operation, exchange)[:_MOST_TRIED]:
                if self._holds(constraint) and self._news(number, sight, constraint):
                    return Amendment(
                        at="#" + written(constraint.at),
                        update=text.one_line(constraint.update, limit=1000),
                        seen=self._seen[constraint.at],
                    )
        return None

    def _holds(self, constraint: Constraint) -> bool:
        """Whether all recorded responses pass with a constraint as they do without it."""
        if constraint not in self._holding:
            numbers = sorted(set(self._met[constraint.at].values()))
            failing = self._judges.failing([(self._all[k], self._usual[k]) for k in numbers], constraint)
            self._holding[constraint] = all(
                sign(self._all[k], failed) in self._fails[k]
                for k, fails in zip(numbers, failing, strict=True)
                for failed in fails
            )
        return self._holding[constraint]

    def _news(self, number: int, sight: Sight, constraint: Constraint) -> bool:
        (fails,) = self._judges.failing([(self._all[number], sight)], constraint)
        return any(sign(self._all[number], failed) not in self._fails[number] for failed in fails)


def _answers(scenario: Scenario, sight: Sight) -> Iterator[tuple[str, Exchange]]:
    """Yield the responses of a scenario that checks are made of, with the operations that gave them."""
    for step in scenario.judged:
        which = step["first"] + step["main"]
        if step["checked"] and which < len(sight):
            yield step["operation"], sight[which]
