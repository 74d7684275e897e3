"""What happens at the desk: each function is one thing a reader or a librarian asks for."""

from datetime import date

from loans.rules import (
    RefusedError,
    check_member_may_borrow,
    due_date,
    fine_cents,
    renewed_due_date,
)
from loans.store import BookRecord, LoanRecord, Store


class NotFoundError(Exception):
    """There is no such book, or no such loan."""


def find_book(store: Store, book_id: int) -> BookRecord:
    """Look a book up.

    Raises:
        NotFoundError: If the catalogue does not have it.
    """
    book = store.book(book_id)
    if book is None:
        raise NotFoundError(f"no book {book_id}")
    return book


def find_loan(store: Store, loan_id: int) -> LoanRecord:
    """Look a loan up.

    Raises:
        NotFoundError: If there never was one with this number.
    """
    loan = store.loan(loan_id)
    if loan is None:
        raise NotFoundError(f"no loan {loan_id}")
    return loan


def withdraw(store: Store, book_id: int) -> None:
    """Take a book out of the catalogue.

    Raises:
        RefusedError: If it was ever lent: the records of its loans refer to it.
    """
    with store.transaction():
        find_book(store, book_id)
        if store.was_lent(book_id):
            raise RefusedError("a book with loans on record cannot be withdrawn")
        store.remove_book(book_id)


def lend(store: Store, book_id: int, member: str, today: date) -> LoanRecord:
    """Hand a book out.

    Raises:
        RefusedError: If the book is out, or the rules do not let this member take it.
    """
    with store.transaction():
        book = find_book(store, book_id)
        if not book.available:
            raise RefusedError("the book is out")
        check_member_may_borrow(store.due_dates(member), today)
        due = due_date(book.kind, today)
        return find_loan(store, store.add_loan(book_id=book_id, member=member, borrowed=today, due=due))


def renew(store: Store, loan_id: int, today: date) -> LoanRecord:
    """Let a member keep a book for longer.

    Raises:
        RefusedError: If the book is back, or the rules do not allow it.
    """
    with store.transaction():
        loan = _open_loan(store, loan_id)
        book = find_book(store, loan.book_id)
        store.renew(loan_id, renewed_due_date(book.kind, loan.due, loan.renewals, today))
        return find_loan(store, loan_id)


def take_back(store: Store, loan_id: int, today: date) -> LoanRecord:
    """Take a book back.

    Raises:
        RefusedError: If it is back already.
    """
    with store.transaction():
        _open_loan(store, loan_id)
        store.close_loan(loan_id, today)
        return find_loan(store, loan_id)


def fine_so_far(loan: LoanRecord, today: date) -> int:
    """What a loan cost when the book came back, or would cost if it came back today."""
    return fine_cents(loan.due, loan.returned or today)


def _open_loan(store: Store, loan_id: int) -> LoanRecord:
    loan = find_loan(store, loan_id)
    if loan.returned is not None:
        raise RefusedError("the book is back already")
    return loan
