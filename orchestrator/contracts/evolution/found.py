"""What the comparison found, and how it is told."""

from __future__ import annotations

from typing import Final

import msgspec

from orchestrator import text
from orchestrator.contracts.evolution.rules import RULES
from orchestrator.contracts.findings import written
from orchestrator.model.contracts import DocumentChange
from orchestrator.model.fingerprint import fingerprint
from orchestrator.references import Pointer

_SHOWN: Final = 120  # characters of what was said and of what is said now


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is, by names: the same wherever in the document it is written.

    Attributes:
        what: For a person: `the request body`.
        names: For fingerprints.
        inner: The names of the property in it, and what is on the way to that.
    """

    what: str
    names: tuple[str, ...]
    inner: tuple[str, ...] = ()

    def inside(self, *names: str) -> Place:
        """Return the place of something in what is here."""
        return msgspec.structs.replace(self, inner=(*self.inner, *names))

    @property
    def shown(self) -> str:
        """The place, for a person."""
        return f"`{'/'.join(self.inner)}` in {self.what}" if self.inner else self.what


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A change.

    Attributes:
        rule: Its rule's name.
        place: Where it is, by names.
        at: Where it is in the document.
        before: What was said there.
        after: What is said there now.
        key: Which of several changes of one rule in one place.
    """

    rule: str
    place: Place
    at: Pointer
    before: str = ""
    after: str = ""
    key: str = ""


def told(found: Found, operation: str) -> DocumentChange:
    """Return a change as the report has it.

    Args:
        found: What was found.
        operation: The label of the operation; empty: it is about the whole API.
    """
    rule = RULES[found.rule]
    return DocumentChange(
        fingerprint=fingerprint(found.rule, operation, *found.place.names, *found.place.inner, found.key),
        rule=found.rule,
        level=rule.level,
        operation=operation,
        message=text.one_line(f"{_capital(found.place.shown)} {rule.says}{_values(found)}."),
        at=written(found.at),
        before=_cut(found.before),
        after=_cut(found.after),
    )


def _values(found: Found) -> str:
    if found.before and found.after:
        return f": {_cut(found.after)}, it was {_cut(found.before)}"
    return f": {_cut(found.before or found.after)}" if found.before or found.after else ""


def _cut(value: str) -> str:
    return text.one_line(value, limit=_SHOWN)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
