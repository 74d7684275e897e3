"""What the kiosk in the reading room does with the library's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests


class RefusedError(Exception):
    """The library does not lend the book."""


@dataclass(frozen=True)
class Receipt:
    """What the kiosk prints when a book goes out."""

    loan: int
    due: str


class LibraryClient:
    """The library's API, as far as the kiosk needs it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def search(self, words: str) -> list[tuple[int, str, bool]]:
        """The number and title of the books with these words, and whether they are there."""
        page = self._ask("GET", "/books", params={"search": words, "limit": "10"})
        return [(book["id"], book["title"], book["available"]) for book in page["items"]]

    def title(self, book_id: int) -> str | None:
        """The title of a book; None if the library does not have it."""
        response = self._session.get(f"{self._url}/books/{book_id}", timeout=10)
        if response.status_code == requests.codes.not_found:
            return None
        response.raise_for_status()
        return str(response.json()["title"])

    def borrow(self, book_id: int, member: str) -> Receipt:
        """Take a book out.

        Raises:
            RefusedError: If the library says no; the reason is for the reader.
        """
        loan = self._ask("POST", "/loans", json={"book_id": book_id, "member": member})
        return Receipt(loan["id"], loan["due"])

    def bring_back(self, loan_id: int) -> int:
        """Bring a book back, and learn what it costs in cents."""
        return int(self._ask("POST", f"/loans/{loan_id}/return")["fine_cents"])

    def _ask(self, method: str, path: str, **kwargs: Any) -> Any:
        response = self._session.request(method, f"{self._url}{path}", timeout=10, **kwargs)
        if response.status_code == requests.codes.conflict:
            raise RefusedError(response.json()["detail"])
        response.raise_for_status()
        return response.json()
