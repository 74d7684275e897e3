"""Which changes of the OpenAPI document break which consumers.

An interaction breaks when it agrees with the document before and not with the one after: the changed document itself is
held against the pact. Which change does it is found by taking changes back, one at a time: where the interaction agrees
again, that was it.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator import references, text
from orchestrator.adapters import bundle
from orchestrator.adapters.openapi import Document
from orchestrator.adapters.pact import Pact
from orchestrator.contracts import breaking, interactions
from orchestrator.contracts.comparator import Comparator
from orchestrator.contracts.findings import Finding
from orchestrator.model.contracts import Broken, DocumentChange, Level
from orchestrator.model.fingerprint import fingerprint
from orchestrator.references import Pointer, inside

_MOST_TRIED: Final = 2_000  # changes taken back, in all
_MISSING: Final = object()


class _Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction that breaks.

    Attributes:
        raw: As the pact has it.
        version: Of the Pact specification.
        told: What the report says of it.
        operations: Labels of the operations that it belongs to, before and after.
        known: What did not fit before either.
    """

    raw: Mapping[str, Any]
    version: int
    told: Broken
    operations: frozenset[str]
    known: frozenset[tuple[str, Pointer]]


def changes(before: Document, after: Document, pacts: Sequence[Pact]) -> tuple[DocumentChange, ...]:
    """Return what has changed, each change with the interactions that it breaks.

    Args:
        before: The document of the last release.
        after: The document now.
        pacts: Of known consumers; without any it is not computed whom a change breaks.
    """
    found = breaking.changes(before.whole, after.whole)
    if not pacts:
        return tuple(map(_shown, found))
    caused: dict[str, list[Broken]] = defaultdict(list)
    unexplained: list[_Interaction] = []
    back = _Back(before, after)
    for one in _broken(before, after, pacts):
        causes = back.causes(one, [c for c in found if c.operation in one.operations or not c.operation])
        for cause in causes:
            caused[cause.fingerprint].append(one.told)
        if not causes:
            unexplained.append(one)
    told = tuple(msgspec.structs.replace(c, broken=tuple(caused[c.fingerprint])) for c in found)
    return (*map(_shown, told), *map(_unexplained, unexplained))


def _shown(change: DocumentChange) -> DocumentChange:
    """Return a change whose place is named for a person: behind the file's name, where it is beside the document."""
    return msgspec.structs.replace(change, at=bundle.shown(references.read(change.at)))


def _unexplained(one: _Interaction) -> DocumentChange:
    """Return a change that no rule knows: all that is known of it is that it breaks an interaction."""
    operation = min(one.operations, default="")
    return DocumentChange(
        fingerprint=fingerprint("interaction-broken", one.told.consumer, one.told.description),
        rule="interaction-broken",
        level=Level.ERROR,
        operation=operation,
        message=text.one_line(f"“{one.told.description}” does not agree with the document any more."),
        at="",
        broken=(one.told,),
    )


def _broken(before: Document, after: Document, pacts: Sequence[Pact]) -> Iterator[_Interaction]:
    """Yield the interactions with an error after that they had not before."""
    old, new = (Comparator(d.whole, base_path=d.base_path) for d in (before, after))
    for pact in pacts:
        raw = json.loads(pact.file.read_bytes())
        version = interactions.version_of(raw)
        for interaction in raw.get("interactions") or ():  # a pact of messages alone has none
            then = old.interaction(interaction, version)
            known = frozenset(map(_name, then))
            now = [f for f in new.interaction(interaction, version) if _is_new(f, known)]
            if not now:
                continue
            yield _Interaction(
                raw=interaction,
                version=version,
                known=known,
                operations=_labels(interaction, before, after),
                told=Broken(
                    consumer=pact.consumer,
                    description=text.one_line(str(interaction.get("description", ""))),
                    pact=pact.file.name,
                    why=text.one_line("; ".join(dict.fromkeys(f.message for f in now))),
                ),
            )


def _name(found: Finding) -> tuple[str, Pointer]:
    return found.code, found.at_pact


def _is_new(found: Finding, known: frozenset[tuple[str, Pointer]]) -> bool:
    return found.level is Level.ERROR and _name(found) not in known


def _labels(interaction: Mapping[str, Any], *documents: Document) -> frozenset[str]:
    request = interaction.get("request") or {}
    matched = (d.match(str(request.get("method", "")), str(request.get("path", ""))) for d in documents)
    return frozenset(operation.label for operation in matched if operation)


class _Back:
    """Takes changes back.

    Args:
        before: The document of the last release.
        after: The document now.
    """

    def __init__(self, before: Document, after: Document) -> None:
        self._before, self._after = before, after
        self._made: dict[Pointer, Comparator | None] = {}
        self._left = _MOST_TRIED

    def causes(self, one: _Interaction, candidates: Sequence[DocumentChange]) -> list[DocumentChange]:
        """Return the changes without which an interaction would hold.

        Taking back what is at a change's own place says most; what lies around it (a list of required properties, the
        whole schema) is taken back where that alone does not help. Of all changes those count that need the least.
        """
        found: list[tuple[int, DocumentChange]] = []
        for change in candidates:
            if change.level is Level.INFO:
                continue
            place = references.read(change.at)
            for length in range(len(place), 0, -1):
                if self._holds(one, place[:length]):
                    found.append((len(place) - length, change))
                    break
        nearest = min((steps for steps, _ in found), default=0)
        return [change for steps, change in found if steps == nearest]

    def _holds(self, one: _Interaction, place: Pointer) -> bool:
        comparator = self._without(place)
        if comparator is None:
            return False
        return not any(_is_new(found, one.known) for found in comparator.interaction(one.raw, one.version))

    def _without(self, place: Pointer) -> Comparator | None:
        """Return what compares with the newer document in which a place is as it was; None: it was no other."""
        if place not in self._made:
            if self._left <= 0:
                return None
            self._left -= 1
            raw = _with(self._after.whole, place, _at(self._before.whole, place))
            self._made[place] = None if raw is None else Comparator(raw, base_path=self._after.base_path)
        return self._made[place]


def _at(raw: Any, place: Pointer) -> Any:
    node = raw
    for part in place:
        node = inside(node, part)
        if node is None:
            return _MISSING
    return node


def _with(raw: Mapping[str, Any], place: Pointer, value: Any) -> dict[str, Any] | None:
    """Return a document with another value at a place, or without one; None: that is no other document, or no place.

    Places within lists are left to the list: their numbers mean something else in another document.
    """
    made = dict(copy.deepcopy(raw))
    owner: Any = made
    for part in place[:-1]:
        owner = inside(owner, part)
    name = place[-1]
    if not isinstance(owner, dict) or inside(owner, name) == value:
        return None
    key = next((k for k in owner if str(k) == name), name)
    if value is _MISSING:
        owner.pop(key, None)
    else:
        owner[key] = copy.deepcopy(value)
    return made
