"""Tell the person who waits what goes on: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Console
from rich.markup import escape

from orchestrator import text
from orchestrator.model.stage import StageResult, StageStatus

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SIGNS: Final = {
    StageStatus.COMPLETED: ("✓", "green"),
    StageStatus.SKIPPED: ("–", "dim"),
    StageStatus.TIMED_OUT: ("⏱", "red"),
    StageStatus.ERROR: ("✗", "red"),
    StageStatus.INTERRUPTED: ("■", "yellow"),
}
_EVERY: Final = 15.0  # seconds between two plain lines of one stage


class Teller(Protocol):
    """Something that is told how a stage goes on."""

    def started(self, stage: str, title: str) -> None:
        """A stage begins."""

    def advanced(self, done: int, total: int | None, what: str) -> None:
        """The stage that runs has done `done` of `total` things (None: not known)."""

    def finished(self, result: StageResult) -> None:
        """The stage has ended."""


class PlainTeller:
    """A line when a stage begins or ends, and now and then in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = 0.0

    def started(self, stage: str, title: str) -> None:
        """Say that a stage begins."""
        self._told = time.monotonic()
        self._console.print(f"{stage}: {title}", markup=False, highlight=False)

    def advanced(self, done: int, total: int | None, what: str) -> None:
        """Say how far it is, if nothing was said for a while."""
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._console.print(f"  {done:,}{f' of {total:,}' if total else ''} {what}", markup=False, highlight=False)

    def finished(self, result: StageResult) -> None:
        """Say how it ended."""
        for line in lines_of(result):
            self._console.print(line, highlight=False, soft_wrap=True)


class LiveTeller:
    """A moving bar for the stage that runs, a line for each that ended."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None

    def started(self, stage: str, title: str) -> None:
        """Show a bar."""
        self._task = self._progress.add_task(f"{stage}", total=None, what=title)

    def advanced(self, done: int, total: int | None, what: str) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total, what=f"{done:,} {what}")

    def finished(self, result: StageResult) -> None:
        """Replace the bar by a line."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        for line in lines_of(result):
            self._console.print(line, highlight=False, soft_wrap=True)


def lines_of(result: StageResult) -> list[str]:
    """Return what is said of a stage that ended, in rich's markup."""
    sign, style = _SIGNS[result.status]
    said = result.summary or result.reason or str(result.status)
    if result.error:
        said = f"{result.error.code} {result.error.message}"
    lines = [f"[{style}]{sign}[/] {result.name:<11} {escape(said)} [dim]({text.seconds(result.seconds)})[/]"]
    if result.error and result.error.hint:
        lines.append(f"              [dim]→ {escape(result.error.hint)}[/]")
    lines += [f"              [yellow]{n.code}[/] {escape(n.message)}" for n in result.notices]
    return lines


@contextmanager
def teller(console: Console) -> Iterator[Teller]:
    """Give the right teller for where the output goes."""
    if not console.is_terminal:
        yield PlainTeller(console)
        return
    # Slow to import, and only people at a terminal need it.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<11}"),
        TextColumn("{task.fields[what]}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield LiveTeller(console, progress)
