"""What each test reaches while the code is as it is, and which tests may kill.

Every item is run twice where the source is instrumented: in pytest's order with all others, and alone in a child of its
own. A fixture of the session, a global that is filled once, a cache: they run in whichever item comes first, and only
the second way shows that they belong to every item that uses them. The reaches are united. An item that does not end
the same both ways depends on others, or on chance: it may not kill.

Frameworks do much when they are used first (routes, mappers, templates), and a forked child always uses them first. So
some items, the *primers*, are run in the parent of the children. What they execute the first time and not again, when
they are run once more, may have left something behind, so no child can tell who else needs it: mutants of those
statements are judged without the primers, by every item. What they execute each time, each item does for itself.
What some items import of other packages while they run is imported there before.
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
_SEEN: Final = 3  # items that are run of each: the first two of a file, and the first one again
_CHANCE: Final = 0.016  # CPU seconds that an item may be quicker after any other: the child's memory is its own by then
_WORTH_PRIMING: Final = 1.0  # CPU seconds that it saves in all


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
        primers: The items that are run before others, by name.
        once: The statements that these execute the first time and not again.
        modules: What tests import while they run, with its files: that of others is imported before them.
    """

    items: dict[str, Item]
    primers: tuple[str, ...] = ()
    once: Mapping[str, int] = {}
    modules: tuple[tuple[str, str], ...] = ()


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
        known: What is known of an earlier run; nothing is, where its primers leave something else behind by now.
        watch: Told how many items are done, of how many.
        mutants: How many there may be to judge afterwards: primers are of use for each.
        mutated: Gives the statements that mutants change.
    """
    names = session.ready.ready
    items = {name: known.items[name] for name in names if name in known.items}
    primers, once, modules = known.primers, known.once, known.modules
    if items and not items.keys() >= {*primers}:
        again = _once(session, [names.index(name) for name in primers]) if {*names} >= {*primers} else None
        if again is None or again[0] != once:
            items = {}
    missing = [k for k, name in enumerate(names) if name not in items]
    if items:
        session.preload(modules)
    else:
        sample = _sample(names, missing)
        looked = _looked_at(session, sample)
        modules = _modules(looked)
        session.preload(modules)
        primers, once = _primers(session, looked, len(missing) + mutants, mutated)
    if not missing:
        return Reach(items=items, primers=primers, once=once, modules=modules)
    if primers:
        session.prime([names.index(name) for name in primers], trace=True)
    everything = [k for k, name in enumerate(names) if name not in items]
    serial = session.submit(_job(everything))
    jobs = {session.submit(_job([number])): number for number in missing}
    alone: dict[str, Said] = {}
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
    return Reach(items=items, primers=primers, once=once, modules=modules)


def _sample(names: Sequence[str], numbers: Sequence[int]) -> list[list[int]]:
    """Return the first two items of some files, or the only one."""
    by_file: dict[str, list[int]] = {}
    for number in numbers:
        by_file.setdefault(names[number].partition("::")[0], []).append(number)
    groups = [group[:2] for group in by_file.values()]
    return groups[:: max(1, len(groups) // _SAMPLES)][:_SAMPLES]


def _looked_at(session: Session, sample: Iterable[Sequence[int]]) -> list[Ended]:
    """Run the groups of a sample, each in a child of its own, and of two items the first one again."""
    jobs = {session.submit(_job([*group, *group[:1]] if len(group) > 1 else group)) for group in sample}
    found: list[Ended] = []
    while len(found) < len(jobs):
        found += session.wait()
    return sorted(found, key=lambda ended: ended.job)


def _modules(looked: Iterable[Ended]) -> tuple[tuple[str, str], ...]:
    """Return what items import while they run; nothing of those that leave threads behind."""
    items = [said for ended in looked for said in ended.items if not said.threads]
    return tuple(dict.fromkeys(module for said in items for module in said.modules))


def _primers(
    session: Session, looked: Iterable[Ended], runs: int, mutated: Callable[[], Mapping[str, int]]
) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """Return the items after which others are quicker, and what they execute once; none: it makes no difference.

    They are the first ones of some files, but none that executes mutated code once. What they take less when they are
    run once more is about what the others save. That has to pay for as many runs as are expected.
    """
    groups = [ended.items for ended in looked if len(ended.items) == _SEEN and _are_green(ended.items)]
    changed = mutated()
    chosen = [
        first
        for first, _, again in groups
        if not (first.threads or first.beyond or first.written) and not _hits(_only_first(first, again), changed)
    ]
    if len(chosen) < 2:  # pytest does not end an item when the next one is the same
        return (), {}
    number = session.ready.ready.index
    found = _once(session, [number(said.item) for said in chosen], [number(other.item) for _, other, _ in groups])
    if found is None or _hits(found[0], changed):
        return (), {}
    once, seconds = found
    gain = (sum(said.cpu for said in chosen) - seconds) / len(chosen)
    if gain < _CHANCE or gain * runs < _WORTH_PRIMING:
        return (), {}
    return tuple(said.item for said in chosen), once


def _once(session: Session, numbers: Sequence[int], others: Sequence[int] = ()) -> tuple[dict[str, int], float] | None:
    """Run items twice in one child; return what each executes only the first time, and the second time's CPU seconds.

    None: they don't all pass both times, or others do not pass after them.
    """
    wanted = [*numbers, *numbers, *others]
    items = _ended(session, _job(wanted)).items
    if len(items) < len(wanted) or not _are_green(items):
        return None
    firsts, seconds = items[: len(numbers)], items[len(numbers) : 2 * len(numbers)]
    once = united(*(_only_first(first, again) for first, again in zip(firsts, seconds, strict=True)))
    return once, sum(said.cpu for said in seconds)


def _only_first(first: Said, again: Said) -> dict[str, int]:
    """Return the statements that an item executes the first time, and not again."""
    later = masks(again.lines)
    left = {path: mask & ~later.get(path, 0) for path, mask in masks(first.lines).items()}
    return {path: mask for path, mask in left.items() if mask}


def _hits(lines: Mapping[str, int], others: Mapping[str, int]) -> bool:
    return any(mask & others.get(path, 0) for path, mask in lines.items())


def _are_green(items: Iterable[Said]) -> bool:
    return all(said.outcome in GREEN for said in items)


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
