"""Pages of lists, and the cursors between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list, and where the next ones start (None: there are none)."""

    items: Sequence[Item]
    next_cursor: str | None


def write_cursor(position: int) -> str:
    """Writes a position as a cursor: 16 hexadecimal digits."""
    return f"{position:016x}"


def read_cursor(cursor: str) -> int:
    """Reads the position that a cursor stands for."""
    return int(cursor, 16)


def cut_page(found: Sequence[Item], limit: int, position: Callable[[Item], int]) -> Page[Item]:
    """Makes a page of what was found.

    Args:
        found: Up to `limit + 1` items; the one too many only says that there is another page.
        limit: How many items the page has at most.
        position: Says where in the whole list an item is.
    """
    items = found[:limit]
    more = len(found) > limit
    return Page(items=items, next_cursor=write_cursor(position(items[-1])) if more else None)
