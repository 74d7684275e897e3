"""Both documents, and which of their schemas say the same."""

from __future__ import annotations

import datetime
import json
from collections import deque
from collections.abc import Iterable
from typing import Final

from orchestrator.contracts.evolution.documents import Document, references
from orchestrator.contracts.evolution.schemas import Parts, Schemas
from orchestrator.references import Pointer

_MOST_PAIRS: Final = 20_000  # that are looked at to tell whether two are alike

Key = tuple[tuple[Pointer, ...], tuple[Pointer, ...]]


class Comparison:
    """Knows both documents.

    Args:
        older: The older document.
        newer: The newer document.
        today: The day on which it is asked whether a sunset date has passed.

    Attributes:
        before: The older document's schemas.
        after: The newer document's schemas.
    """

    def __init__(self, older: Document, newer: Document, today: datetime.date) -> None:
        self.older = older
        self.newer = newer
        self.today = today
        self.before = Schemas(older)
        self.after = Schemas(newer)
        self._alike: dict[Key, bool] = {}

    def alike(self, before: Parts, after: Parts) -> bool:
        """Whether two schemas say the same, with all that is in them.

        They do if no two that belong together differ, of all that can be reached from them: so circles do no harm.
        """
        start = key(before, after)
        reached: set[Key] = set()
        waiting = deque([(before, after)])
        while waiting:
            pair = waiting.popleft()
            current = key(*pair)
            known = self._alike.get(current)
            if known or current in reached:
                continue
            if len(reached) > _MOST_PAIRS:
                return False
            reached.add(current)
            inner = None if known is False else self._belonging_together(*pair)
            if inner is None:
                self._alike[current] = self._alike[start] = False
                return False
            waiting.extend(inner)
        self._alike.update(dict.fromkeys(reached, True))
        return True

    def _belonging_together(self, before: Parts, after: Parts) -> list[tuple[Parts, Parts]] | None:
        """Return the schemas in two schemas that belong together; None: the two differ themselves."""
        if _written(before) == _written(after):
            return self._referred(before)
        old, new = self.before.schema(before), self.after.schema(after)
        if not old.known or not new.known:
            return []
        counts = [{word: len(choices) for word, choices in schema.choices.items()} for schema in (old, new)]
        if old.says != new.says or counts[0] != counts[1]:
            return None
        pairs = [(parts, new.inner[word][name]) for word, named in old.inner.items() for name, parts in named.items()]
        for word in old.choices:
            pairs += zip(
                sorted(old.choices[word], key=self.before.sketch),
                sorted(new.choices[word], key=self.after.sketch),
                strict=True,
            )
        return pairs

    def _referred(self, parts: Parts) -> list[tuple[Parts, Parts]]:
        """Return what the references in two schemas that are written alike lead to: only that may differ."""
        pairs: list[tuple[Parts, Parts]] = []
        for reference in sorted(references(part.value for part in parts)):
            old, new = self.older.target(reference), self.newer.target(reference)
            if old is not None and new is not None:
                pairs.append(((old,), (new,)))
        return pairs

    def unlike(self, before: Iterable[Parts], after: Iterable[Parts]) -> tuple[list[Parts], list[Parts]]:
        """Return the alternatives of either side that the other side has not."""
        old, new = [], list(after)
        for was in before:
            now = next((now for now in new if self.alike(was, now)), None)
            if now is None:
                old.append(was)
            else:
                new.remove(now)
        return old, new


def _written(parts: Parts) -> list[str]:
    return [json.dumps(part.value, default=str) for part in parts]


def key(before: Parts, after: Parts) -> Key:
    """Return what tells a pair of schemas from others."""
    return tuple(part.at for part in before), tuple(part.at for part in after)
