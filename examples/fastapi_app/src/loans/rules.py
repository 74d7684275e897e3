"""What the library allows: for how long a book goes out, and what bringing it back late costs.

Plain functions of plain values: nothing here knows about HTTP or about the database.
"""

from datetime import date, timedelta
from typing import Literal

Kind = Literal["standard", "short", "reference"]

LOAN_DAYS = {"standard": 21, "short": 7}
MAX_LOANS = 3
MAX_RENEWALS = 2
GRACE_DAYS = 2
CENTS_PER_DAY = 25
MAX_FINE_CENTS = 1_000


class RefusedError(Exception):
    """The request is understood, and the library's rules do not allow it."""


def due_date(kind: Kind, start: date) -> date:
    """The day a book of this kind has to be back when it goes out on `start`.

    Raises:
        RefusedError: If books of this kind do not leave the library.
    """
    if kind == "reference":
        raise RefusedError("reference books do not leave the library")
    return start + timedelta(days=LOAN_DAYS[kind])


def days_late(due: date, day: date) -> int:
    """How many days after `due` it is on `day`; zero up to and including the due date."""
    return max(0, (day - due).days)


def fine_cents(due: date, day: date) -> int:
    """The fine for a book that is back on `day`.

    The first days cost nothing; once they are over they count too, up to a maximum.
    """
    late = days_late(due, day)
    if late <= GRACE_DAYS:
        return 0
    return min(late * CENTS_PER_DAY, MAX_FINE_CENTS)


def check_member_may_borrow(due_dates: list[date], today: date) -> None:
    """Check that somebody whose books are due on `due_dates` may take another one.

    Raises:
        RefusedError: If they have too many books already, or one that is late.
    """
    if len(due_dates) >= MAX_LOANS:
        raise RefusedError(f"a member may have {MAX_LOANS} books at most")
    if any(days_late(due, today) > 0 for due in due_dates):
        raise RefusedError("a late book has to come back first")


def renewed_due_date(kind: Kind, due: date, renewals: int, today: date) -> date:
    """The new due date of a loan renewed today, counted from the old one.

    Raises:
        RefusedError: If the loan was renewed too often, or is late.
    """
    if renewals >= MAX_RENEWALS:
        raise RefusedError(f"a loan may be renewed {MAX_RENEWALS} times at most")
    if days_late(due, today) > 0:
        raise RefusedError("a late loan cannot be renewed")
    return due_date(kind, due)
