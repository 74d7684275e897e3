"""Share the mutants out among machines, and put what these found together again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from orchestrator import text
from orchestrator.errors import Code, UsageError
from orchestrator.model.mutation import Mutant, MutantStatus, Mutation, SelfCheck
from orchestrator.mutation.candidates import Candidate
from orchestrator.mutation.choice import is_wanted, marked

_FORM: Final = re.compile(r"([1-9]\d*)/([1-9]\d*)")


class Shard(msgspec.Struct, frozen=True):
    """One part of several: its number, from 1, and how many there are."""

    number: int
    count: int

    @classmethod
    def read(cls, told: str) -> Shard:
        """Return it from `K/N`.

        Raises:
            UsageError: it is nothing of the kind.
        """
        found = _FORM.fullmatch(told)
        shard = cls(int(found[1]), int(found[2])) if found else None
        if shard is None or shard.number > shard.count:
            raise UsageError(
                Code.SHARD_UNKNOWN,
                f"{told!r} is no shard",
                hint="Say which one of how many: `2/4` is the second of four.",
            )
        return shard


def part(candidates: Sequence[Candidate], shard: Shard) -> list[Candidate]:
    """Return the candidates of a shard, in their order.

    Every machine must come to the same shares, so they are dealt out in the order of their fingerprints, which says
    nothing about how long they take.
    """
    order = sorted(candidates, key=lambda c: (c.mutant.fingerprint, c.mutant.id))
    ours = {candidate.mutant.id for candidate in order[shard.number - 1 :: shard.count]}
    return [candidate for candidate in candidates if candidate.mutant.id in ours]


def chosen(candidates: Sequence[Candidate], shard: Shard) -> list[Candidate]:
    """Mark the candidates of other shards as not run."""
    ours = {candidate.mutant.id for candidate in part(candidates, shard)}
    reason = f"not in shard {shard.number}/{shard.count}"
    return [
        marked(c, MutantStatus.NOT_RUN, reason) if is_wanted(c) and c.mutant.id not in ours else c for c in candidates
    ]


def joined(parts: Sequence[Mutation]) -> Mutation:
    """Return one result from those of all shards.

    Raises:
        UsageError: they are not the shards of one run, or not all of them.
    """
    first = parts[0]
    shards = [Shard.read(part.shard) for part in parts if part.shard]
    counts = {shard.count for shard in shards}
    if len(shards) != len(parts) or len(counts) != 1:
        raise UsageError(
            Code.SHARDS_UNLIKE,
            "these are not the shards of one run",
            hint="Give the run.json of each `orchestrator run --shard K/N`, all with the same N.",
        )
    (count,) = counts
    if missing := sorted(set(range(1, count + 1)) - {shard.number for shard in shards}):
        raise UsageError(
            Code.SHARDS_UNLIKE,
            f"{text.plural(len(missing), 'shard')} missing: {', '.join(map(str, missing))} of {count}",
            hint="Give the run.json of each of them.",
        )
    names = [m.fingerprint for m in first.mutants]
    if any([m.fingerprint for m in part.mutants] != names or part.critical != first.critical for part in parts):
        raise UsageError(
            Code.SHARDS_UNLIKE,
            "the shards have different mutants",
            hint="Run all of them on the same commit, with the same settings and the same versions of the tools.",
        )
    return msgspec.structs.replace(
        first,
        mutants=tuple(_known(versions) for versions in zip(*(part.mutants for part in parts), strict=True)),
        shard="",
        reused=sum(part.reused for part in parts),
        seconds=longest(part.seconds for part in parts),
        self_check=checked([part.self_check for part in parts if part.self_check]),
    )


def _known(versions: Sequence[Mutant]) -> Mutant:
    """Return what the shard says that a mutant belongs to: the others left it."""
    return next((m for m in versions if m.status is not MutantStatus.NOT_RUN), None) or next(
        (m for m in versions if not m.reason), versions[0]
    )


def longest(told: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return how long each part of the work took: shards run side by side."""
    found: dict[str, float] = {}
    for seconds in told:
        for name, value in seconds.items():
            found[name] = max(value, found.get(name, 0.0))
    return found


def checked(checks: Sequence[SelfCheck]) -> SelfCheck | None:
    """Return one self-check of those of all shards; None: there was none."""
    if not checks:
        return None
    return SelfCheck(
        checked=sum(check.checked for check in checks),
        seconds=max(check.seconds for check in checks),
        disagreements=tuple(found for check in checks for found in check.disagreements),
        reason=next((check.reason for check in checks if check.reason), ""),
    )
