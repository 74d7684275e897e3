"""What each test reaches while the code is as it is, and which tests may kill.

Every item is run twice where the source is instrumented: in pytest's order with all others, and alone in a child of its
own. A fixture of the session, a global that is filled once, a cache: they run in whichever item comes first, and only
the second way shows that they belong to every item that uses them. The reaches are united. An item that does not end
the same both ways depends on others, or on chance: it may not kill.

Frameworks do much when they are used first (routes, mappers, templates), and a forked child always uses them first. So
one item, the *primer*, is run in the parent of the children: one with a small reach after which the next is quicker.
What some items import of other packages while they run is imported there before.
What it has executed of the source may have left something behind, so no child can tell who else needs it: mutants of
those statements are judged without the primer, by every item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator.adapters.session import Ended, Exchange, Job, Said, Session
from orchestrator.agent.mutation.lines import united

UNKNOWN: Final = ""  # the place of a function that can't be told
GREEN: Final = ("passed", "xfailed", "skipped")

_PATIENCE: Final = 600.0  # seconds that an item may take when nothing is known of it
_SAMPLES: Final = 16
_GOOD: Final = 0.2  # share of the best primer's gain that is good enough
_CHANCE: Final = 0.008  # CPU seconds that an item may be quicker after any other: the child's memory is its own by then
_WORTH_PRIMING: Final = 0.5  # CPU seconds that it saves in all


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A test, as it is without any mutant.

    Attributes:
        name: pytest's node id.
        outcome: How it ends among the others.
        alone: How it ends alone.
        seconds: How long it takes alone.
        lines: The statements of the source that it executes, and the functions of its own, by absolute path, as masks
            of first lines.
        read: The project's files that it opens.
        written: Those that it opens to write.
        beyond: Whether it starts other programs or talks to other hosts: what these do is not seen.
        exchanges: What it sees of the API when it runs alone.
    """

    name: str
    outcome: str = ""
    alone: str = ""
    seconds: float = 0.0
    lines: Mapping[str, int] = {}
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    beyond: bool = False
    exchanges: tuple[Exchange, ...] = ()

    @property
    def may_kill(self) -> bool:
        """Whether its failure says something about a mutant."""
        return self.outcome in GREEN and self.alone == self.outcome


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of all tests.

    Attributes:
        items: By name.
        primer: The item that is run before others, by name; empty: none is.
        modules: What tests import while they run, with its files: that of others is imported before them.
    """

    items: dict[str, Item]
    primer: str = ""
    modules: tuple[tuple[str, str], ...] = ()

    @property
    def primed(self) -> Mapping[str, int]:
        """The statements that the primer executes."""
        return self.items[self.primer].lines if self.primer else {}


def masks(lines: Mapping[str, str]) -> dict[str, int]:
    """Return masks as numbers from the way in which they travel."""
    return {path: int(mask, 16) for path, mask in lines.items()}


def record(
    session: Session,
    known: Reach,
    watch: Callable[[int, int], None],
    *,
    mutants: int = 0,
    mutated: Callable[[], Mapping[str, int]] = dict,
) -> Reach:
    """Run the items that are not known yet, in both ways, and return what all are like.

    Args:
        session: The collected session.
        known: What is known of an earlier run. Where its primer is gone, nothing is.
        watch: Told how many items are done, of how many.
        mutants: How many there may be to judge afterwards: a primer is of use for each.
        mutated: Gives the statements that mutants change: a primer had better not execute them.
    """
    names = session.ready.ready
    items = {name: known.items[name] for name in names if name in known.items}
    missing = [k for k, name in enumerate(names) if name not in items]
    if not missing:
        session.preload(known.modules)
        return Reach(items=items, primer=known.primer, modules=known.modules)
    alone: dict[str, Said] = {}
    if items:
        primer, modules = known.primer, known.modules
        session.preload(modules)
    else:
        sample = _sample(names, missing)
        modules = _modules(session, sample)
        session.preload(modules)
        chosen = _primer(session, sample, len(missing) + mutants, mutated)
        primer = chosen.item if chosen else ""
        if chosen:
            alone[primer] = chosen
            missing = [k for k in missing if names[k] != primer]
    if primer:
        session.prime([names.index(primer)], trace=True)
    everything = [k for k, name in enumerate(names) if name not in items]
    serial = session.submit(_job(everything))
    jobs = {session.submit(_job([number])): number for number in missing}
    together: dict[str, Said] = {}
    waiting = {serial, *jobs}
    while waiting:
        for ended in session.wait():
            waiting.discard(ended.job)
            if ended.job == serial:
                together = {said.item: said for said in ended.items}
            else:
                alone[names[jobs[ended.job]]] = _single(ended)
        watch(len(alone), len(everything))
    if any(said.written for said in together.values()):  # they may have disturbed each other
        together = {said.item: said for said in _ended(session, _job(everything)).items}
        unlike = [k for k in missing if alone[names[k]].outcome != together.get(names[k], Said()).outcome]
        alone |= {names[k]: _single(_ended(session, _job([k]))) for k in unlike}
    for number in everything:
        name = names[number]
        items[name] = _item(name, together.get(name, Said()), alone[name])
    return Reach(items=items, primer=primer, modules=modules)


def _sample(names: Sequence[str], numbers: Sequence[int]) -> list[list[int]]:
    """Return the first two items of some files, or the only one."""
    by_file: dict[str, list[int]] = {}
    for number in numbers:
        by_file.setdefault(names[number].partition("::")[0], []).append(number)
    groups = [group[:2] for group in by_file.values()]
    return groups[:: max(1, len(groups) // _SAMPLES)][:_SAMPLES]


def _modules(session: Session, sample: Iterable[Sequence[int]]) -> tuple[tuple[str, str], ...]:
    """Return what items import while they run; nothing of those that leave threads behind."""
    jobs = {session.submit(_job(group)) for group in sample}
    found: dict[tuple[str, str], None] = {}
    while jobs:
        for ended in session.wait():
            jobs.discard(ended.job)
            found |= {module: None for said in ended.items if not said.threads for module in said.modules}
    return tuple(found)


def _primer(
    session: Session, sample: Iterable[Sequence[int]], runs: int, mutated: Callable[[], Mapping[str, int]]
) -> Said | None:
    """Return the item after which others are quicker, and which reaches little; None: it makes no difference.

    Of pairs of items of one file the second is run alone, and after the first: what it takes less then is what the
    first one does for it. That has to be so for most of the pairs, and to pay for as many runs as are expected.
    """
    jobs = {session.submit(_job(items)): items for pair in sample if len(pair) > 1 for items in (pair, pair[1:])}
    alone: dict[int, float] = {}
    after: list[tuple[int, Said, float]] = []
    while jobs:
        for ended in session.wait():
            items = jobs.pop(ended.job)
            if not ended.ended or any(said.outcome not in GREEN for said in ended.items):
                continue
            first, *others = ended.items
            if not others:
                alone[items[0]] = first.cpu
            elif not (first.threads or first.beyond or first.written):
                after.append((items[1], first, others[0].cpu))
    gains = [(alone[k] - cpu, first) for k, first, cpu in after if k in alone]
    if not gains:
        return None
    usual = sorted(gain for gain, _ in gains)[(len(gains) - 1) // 2]
    if usual < _CHANCE or usual * runs < _WORTH_PRIMING:
        return None
    most = max(gain for gain, _ in gains)
    changed = mutated()

    def cost(said: Said) -> tuple[int, int]:
        """What it executes can't be judged after it: mutants first of all, then what reads constants."""
        lines = masks(said.lines)
        hit = sum((mask & changed.get(path, 0)).bit_count() for path, mask in lines.items())
        return hit, sum(mask.bit_count() for mask in lines.values())

    return min((said for gain, said in gains if gain > _GOOD * most), key=cost)


def _job(numbers: Iterable[int]) -> Job:
    return Job(items=tuple(numbers), limits=(_PATIENCE,), stop=False, trace=True)


def _ended(session: Session, job: Job) -> Ended:
    """Give a job and wait for its end."""
    number = session.submit(job)
    while True:
        for ended in session.wait():
            if ended.job == number:
                return ended


def _single(ended: Ended) -> Said:
    """Return what became of the one item of a job; nothing, if its process did not come so far."""
    return ended.items[0] if ended.items else Said()


def _item(name: str, together: Said, alone: Said) -> Item:
    own: dict[str, int] = {}
    for path, line in (*together.functions, *alone.functions):
        own[path] = own.get(path, 0) | 1 << line
    return Item(
        name=name,
        outcome=together.outcome,
        alone=alone.outcome,
        seconds=alone.seconds or together.seconds,
        lines=united(masks(together.lines), masks(alone.lines), own),
        read=tuple(sorted({*together.read, *alone.read})),
        written=tuple(sorted({*together.written, *alone.written})),
        beyond=together.beyond or alone.beyond,
        exchanges=alone.exchanges,
    )
