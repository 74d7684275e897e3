"""Orders, kept in memory."""

from __future__ import annotations

from shop import prices


class Orders:
    """The orders of the shop."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every order."""
        self._orders: list[dict[str, object]] = []

    def add(self, item: str, count: int) -> dict[str, object]:
        """Take an order."""
        cents = prices.total(250, count)
        order: dict[str, object] = {
            "id": len(self._orders) + 1,
            "item": item,
            "count": count,
            "total": cents,
            "shown": prices.shown(cents),
        }
        self._orders.append(order)
        return order

    def get(self, number: int) -> dict[str, object] | None:
        """Return an order; None: there is no such order."""
        if 1 <= number <= len(self._orders):
            return self._orders[number - 1]
        return None
