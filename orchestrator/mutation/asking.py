"""Tests that send other requests at their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from orchestrator.adapters.session import Change
from orchestrator.agent.mutation.lines import first_line
from orchestrator.mutation import proposals
from orchestrator.mutation.proposals import Subject

_QUIETLY: Final = '__import__("contextlib").suppress(Exception)'


class Asking(msgspec.Struct, frozen=True):
    """A test with other requests, whatever comes of them.

    Attributes:
        change: What makes it one.
        calls: They, by the lines from the function's first one.
        count: How many they are.
    """

    change: Change
    calls: dict[int, str]
    count: int


class Named(msgspec.Struct, frozen=True):
    """A test with one request more, whose response it gives a name.

    Attributes:
        change: What makes it one.
        subject: It.
    """

    change: Change
    subject: Subject


class Asker:
    """Adds requests to a test.

    Args:
        test: It.

    Raises:
        SyntaxError: its file is no Python.
        ValueError: it has no function of its own.
    """

    def __init__(self, test: Subject) -> None:
        node = proposals.function_of(test)
        if node is None or node.end_lineno is None:
            raise ValueError(f"{test.name} has no function of its own")
        self.test = test
        self._lines = test.source.split("\n")
        self._first, self._last = first_line(node), node.end_lineno
        self._indent = " " * node.body[0].col_offset
        self._name = proposals.free_name(node)

    def asking(self, calls: Sequence[str]) -> Asking:
        """Return the test with calls."""
        lines: list[str] = []
        at: dict[int, str] = {}
        for call in calls:
            block = f"{self._indent}with {_QUIETLY}: {call}".split("\n")
            begins = self._last + 1 + len(lines) - self._first
            at |= dict.fromkeys(range(begins, begins + len(block)), call)
            lines += block
        return Asking(self._with(lines), at, len(calls))

    def named(self, call: str) -> Named | None:
        """Return the test with one call; None: it uses all names that there are for its response."""
        if not self._name:
            return None
        lines = f"{self._indent}{self._name} = {call}".split("\n")
        source = "\n".join([*self._lines[: self._last], *lines, *self._lines[self._last :]])
        return Named(self._with(lines), Subject(self.test.name, self.test.path, source))

    def _with(self, lines: Sequence[str]) -> Change:
        """Return the change that adds lines to the end of the test's function."""
        own = self._lines[self._first - 1 : self._last]
        return Change(path=self.test.path, first=self._first, last=self._last, lines=(*own, *lines), function=True)
