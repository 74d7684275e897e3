"""The library's records, in a SQLite database."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from loans.rules import Kind

SCHEMA = """
CREATE TABLE IF NOT EXISTS book (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    isbn TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS loan (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    book_id INTEGER NOT NULL REFERENCES book,
    member TEXT NOT NULL,
    borrowed TEXT NOT NULL,
    due TEXT NOT NULL,
    renewals INTEGER NOT NULL DEFAULT 0,
    returned TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS one_open_loan_per_book ON loan (book_id) WHERE returned IS NULL;
"""

BOOKS = """
SELECT book.*, loan.id IS NULL AS available
FROM book LEFT JOIN loan ON loan.book_id = book.id AND loan.returned IS NULL
"""


@dataclass(frozen=True)
class BookRecord:
    """A row of the catalogue."""

    id: int
    isbn: str
    title: str
    author: str
    kind: Kind
    available: bool


@dataclass(frozen=True)
class LoanRecord:
    """A row of the loans, open or closed."""

    id: int
    book_id: int
    member: str
    borrowed: date
    due: date
    renewals: int
    returned: date | None


class Store:
    """One connection, shared by the server's threads: whoever uses it holds its lock."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Give the database back."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep other threads out, and keep what was written only if nothing was raised."""
        with self._lock, self._connection:
            yield

    def clear(self) -> None:
        """Forget everything, and count from one again."""
        with self.transaction():
            for table in ("loan", "book", "sqlite_sequence"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def add_book(self, *, isbn: str, title: str, author: str, kind: Kind) -> int | None:
        """Add a book and return its number; None if the catalogue has one with this ISBN."""
        with self.transaction():
            cursor = self._connection.execute(
                "INSERT INTO book (isbn, title, author, kind) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (isbn, title, author, kind),
            )
            return cursor.lastrowid if cursor.rowcount else None

    def book(self, book_id: int) -> BookRecord | None:
        """The book with this number."""
        with self._lock:
            row = self._connection.execute(f"{BOOKS} WHERE book.id = ?", (book_id,)).fetchone()
        return _book(row) if row else None

    def books(
        self, *, search: str = "", kind: Kind | None = None, limit: int, offset: int = 0
    ) -> tuple[list[BookRecord], int]:
        """The page of the books that have `search` in their title or author, and how many there are."""
        condition = """
            WHERE (instr(lower(title), lower(:search)) OR instr(lower(author), lower(:search)))
            AND (:kind IS NULL OR kind = :kind)
        """
        values = {"search": search, "kind": kind, "limit": limit, "offset": offset}
        page = f"{BOOKS} {condition} ORDER BY book.id LIMIT :limit OFFSET :offset"
        with self._lock:
            rows = self._connection.execute(page, values).fetchall()
            count = self._connection.execute(f"SELECT count(*) FROM book {condition}", values)  # noqa: S608
            (total,) = count.fetchone()
        return [_book(row) for row in rows], total

    def remove_book(self, book_id: int) -> None:
        """Take a book out of the catalogue."""
        with self.transaction():
            self._connection.execute("DELETE FROM book WHERE id = ?", (book_id,))

    def add_loan(self, *, book_id: int, member: str, borrowed: date, due: date) -> int:
        """Record that a member takes a book, and return the loan's number."""
        with self.transaction():
            cursor = self._connection.execute(
                "INSERT INTO loan (book_id, member, borrowed, due) VALUES (?, ?, ?, ?) RETURNING id",
                (book_id, member, borrowed.isoformat(), due.isoformat()),
            )
            (loan_id,) = cursor.fetchone()
            return int(loan_id)

    def loan(self, loan_id: int) -> LoanRecord | None:
        """The loan with this number."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM loan WHERE id = ?", (loan_id,)).fetchone()
        return _loan(row) if row else None

    def was_lent(self, book_id: int) -> bool:
        """Whether the book was ever handed out."""
        with self._lock:
            query = "SELECT EXISTS (SELECT 1 FROM loan WHERE book_id = ?)"
            (found,) = self._connection.execute(query, (book_id,)).fetchone()
        return bool(found)

    def due_dates(self, member: str) -> list[date]:
        """When the books a member has are due."""
        with self._lock:
            query = "SELECT due FROM loan WHERE member = ? AND returned IS NULL ORDER BY due"
            rows = self._connection.execute(query, (member,)).fetchall()
        return [date.fromisoformat(row["due"]) for row in rows]

    def renew(self, loan_id: int, due: date) -> None:
        """Move a loan's due date, and count that it was moved."""
        with self.transaction():
            self._connection.execute(
                "UPDATE loan SET due = ?, renewals = renewals + 1 WHERE id = ?", (due.isoformat(), loan_id)
            )

    def close_loan(self, loan_id: int, returned: date) -> None:
        """Record that a book came back."""
        with self.transaction():
            self._connection.execute("UPDATE loan SET returned = ? WHERE id = ?", (returned.isoformat(), loan_id))


def _book(row: sqlite3.Row) -> BookRecord:
    return BookRecord(
        id=row["id"],
        isbn=row["isbn"],
        title=row["title"],
        author=row["author"],
        kind=row["kind"],
        available=bool(row["available"]),
    )


def _loan(row: sqlite3.Row) -> LoanRecord:
    returned = row["returned"]
    return LoanRecord(
        id=row["id"],
        book_id=row["book_id"],
        member=row["member"],
        borrowed=date.fromisoformat(row["borrowed"]),
        due=date.fromisoformat(row["due"]),
        renewals=row["renewals"],
        returned=date.fromisoformat(returned) if returned else None,
    )
