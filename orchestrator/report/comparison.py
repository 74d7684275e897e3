"""What has changed between two runs, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator import text
from orchestrator.model.run import Change, Comparison, Difference, Run
from orchestrator.report import markdown as md
from orchestrator.report import terminal

MOST: Final = 50  # of a kind that are listed
_PLURALS: Final = {
    "finding": "findings",
    "interaction": "interactions",
    "incompatibility": "incompatibilities",
    "survivor": "survivors",
    "test": "red tests",
}
_SLOWER: Final = 1.2  # times as long as before, and …
_AT_LEAST: Final = 1.0  # … seconds longer, is told


def say(run: Run, comparison: Comparison, *, markdown: bool) -> None:
    """Print what has changed."""
    if markdown:
        print(render(run, comparison))
        return
    console = terminal.console()
    console.print(
        f"since {terminal.escape(since(comparison))}: {headline(comparison)}", highlight=False, soft_wrap=True
    )
    for change, sign in ((Change.NEW, "[red]+[/]"), (Change.FIXED, "[green]-[/]")):
        for difference in comparison.of(change)[:MOST]:
            console.print(f"  {sign} {change} {terminal.escape(told(difference))}", highlight=False, soft_wrap=True)
        if more := len(comparison.of(change)) - MOST:
            console.print(f"    and {more:,} more {change}", highlight=False) if more > 0 else None
    for line in deltas(run, comparison):
        console.print(f"  {terminal.escape(line)}", highlight=False, soft_wrap=True)


def render(run: Run, comparison: Comparison, most: int = MOST) -> str:
    """Return what has changed as Markdown, at most so many things of a kind; its heading is of the third level."""
    lines = [f"### Since {md.escape(since(comparison))}: {headline(comparison)}", ""]
    lines += [f"- {md.escape(line)}" for line in deltas(run, comparison)]
    for change in (Change.NEW, Change.FIXED):
        if found := comparison.of(change):
            lines += ["", *md.folded(f"{len(found)} {change}", list(_items(found, most)))]
    return "\n".join(lines).rstrip()


def since(comparison: Comparison) -> str:
    """Return what a run is compared with, in words."""
    commit = f", {comparison.commit[:12]}" if comparison.commit else ""
    return f"the {comparison.label} of {comparison.started}{commit}" if comparison.started else comparison.label


def headline(comparison: Comparison) -> str:
    """Return how much is new and fixed."""
    return f"{len(comparison.of(Change.NEW))} new, {len(comparison.of(Change.FIXED))} fixed"


def told(difference: Difference) -> str:
    """Return what it is about, in a line."""
    return f"{difference.kind}: {difference.title}"


def deltas(run: Run, comparison: Comparison) -> Iterator[str]:
    """Yield what else is not as before: the score, how long stages took, what could not be compared."""
    before = comparison.measured.get("mutation-score")
    if before is not None and run.mutation and run.mutation.score is not None:
        yield f"mutation score {text.percent(before)} → {text.percent(run.mutation.score)}"
    for name, was, now in times(run, comparison.seconds):
        yield f"{name} took {text.seconds(was)} → {text.seconds(now)}"
    if comparison.not_compared:
        names = ", ".join(_PLURALS.get(kind, kind) for kind in comparison.not_compared)
        yield f"not compared, because one of the runs has no complete result: {names}"


def times(run: Run, before: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    """Yield the stages that take clearly more or less time than before: name, seconds then, seconds now."""
    for stage in run.stages:
        was = before.get(stage.name)
        if was is None or stage.error or abs(stage.seconds - was) < _AT_LEAST:
            continue
        if stage.seconds > was * _SLOWER or was > stage.seconds * _SLOWER:
            yield stage.name, was, stage.seconds


def _items(found: Sequence[Difference], most: int) -> Iterator[str]:
    for difference in found[:most]:
        yield f"- {md.escape(text.cut(told(difference), 500))}"
    if len(found) > most:
        yield f"- and {len(found) - most:,} more"
