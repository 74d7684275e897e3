"""What a tool that drives the application from outside needs: sample records, and the states of the pacts."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from fastapi import FastAPI
from loans.rules import LOAN_DAYS, Kind
from loans.store import Store

SAMPLE_BOOKS: list[tuple[str, str, str, Kind]] = [
    ("9780141439518", "Pride and Prejudice", "Jane Austen", "standard"),
    ("9780141441146", "Jane Eyre", "Charlotte Brontë", "standard"),
    ("9780140449136", "Crime and Punishment", "Fyodor Dostoevsky", "standard"),
    ("9780201896831", "The Art of Computer Programming", "Donald E. Knuth", "short"),
    ("9780198611868", "The Oxford English Dictionary", "Oxford University Press", "reference"),
]


def seed(store: Store) -> None:
    """Put the sample records, and nothing else, into the store: book 1 is out, book 2 was."""
    today = date.today()
    with store.transaction():
        store.clear()
        for isbn, title, author, kind in SAMPLE_BOOKS:
            store.add_book(isbn=isbn, title=title, author=author, kind=kind)
        store.add_loan(book_id=1, member="M00001", borrowed=today, due=today + timedelta(days=21))
        back = store.add_loan(book_id=2, member="M00002", borrowed=today, due=today + timedelta(days=21))
        store.close_loan(back, today)


def prepare(app: FastAPI) -> None:
    """Have the store seeded whenever the lifespan opens it, and now if it is open."""
    app.state.on_open = seed
    if app.state.store is not None:
        seed(app.state.store)


def reset(app: FastAPI) -> None:
    """Go back to the sample records."""
    seed(app.state.store)


def _only_book(store: Store, book_id: int, title: str, kind: Kind) -> None:
    """Leave one book in the catalogue, with the number that the state asks for."""
    store.clear()
    for number in range(1, book_id + 1):
        store.add_book(isbn=f"978{number:010}", title=title, author="Jane Austen", kind=kind)
    for number in range(1, book_id):
        store.remove_book(number)


def a_book(*, app: FastAPI, book_id: int, title: str = "Persuasion", kind: Kind = "standard") -> None:
    """The catalogue has this book, nobody has it, and nobody has any other."""
    _only_book(app.state.store, book_id, title, kind)


def a_book_that_is_out(*, app: FastAPI, book_id: int, member: str) -> None:
    """The only book of the catalogue went out today."""
    a_book_that_went_out(app=app, book_id=book_id, member=member, days_ago=0)


def a_book_that_went_out(*, app: FastAPI, book_id: int, member: str, days_ago: int) -> None:
    """The only book of the catalogue went out some days ago: that is loan number one."""
    _only_book(app.state.store, book_id, "Persuasion", "standard")
    borrowed = app.state.today() - timedelta(days=days_ago)
    due = borrowed + timedelta(days=LOAN_DAYS["standard"])
    app.state.store.add_loan(book_id=book_id, member=member, borrowed=borrowed, due=due)


def an_empty_catalogue(*, app: FastAPI) -> None:
    """The library has no books at all."""
    app.state.store.clear()


provider_states: dict[str, Callable[..., Any]] = {
    "a book is available": a_book,
    "a book is out": a_book_that_is_out,
    "a book went out some days ago": a_book_that_went_out,
    "the catalogue is empty": an_empty_catalogue,
}
