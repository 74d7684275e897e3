from datetime import date

import pytest
from loans.rules import (
    RefusedError,
    check_member_may_borrow,
    days_late,
    due_date,
    fine_cents,
    renewed_due_date,
)

DUE = date(2025, 3, 10)


@pytest.mark.parametrize(("kind", "due"), [("standard", date(2025, 3, 24)), ("short", date(2025, 3, 10))])
def test_books_go_out_for_as_long_as_their_kind_allows(kind, due):
    assert due_date(kind, date(2025, 3, 3)) == due


def test_reference_books_stay():
    with pytest.raises(RefusedError, match=r"^reference books do not leave the library$"):
        due_date("reference", DUE)


@pytest.mark.parametrize(
    ("day", "late"), [(date(2025, 3, 1), 0), (DUE, 0), (date(2025, 3, 11), 1), (date(2025, 4, 10), 31)]
)
def test_a_book_is_late_from_the_day_after_it_is_due(day, late):
    assert days_late(DUE, day) == late


@pytest.mark.parametrize(
    ("day", "fine"),
    [
        (DUE, 0),
        (date(2025, 3, 12), 0),
        (date(2025, 3, 13), 75),
        (date(2025, 4, 18), 975),
        (date(2025, 4, 19), 1_000),
        (date(2025, 4, 20), 1_000),
    ],
)
def test_fines_start_after_two_days_and_stop_at_ten(day, fine):
    assert fine_cents(DUE, day) == fine


def test_somebody_with_two_books_may_have_a_third():
    check_member_may_borrow([DUE, DUE], DUE)


def test_three_books_are_enough():
    with pytest.raises(RefusedError, match=r"^a member may have 3 books at most$"):
        check_member_may_borrow([DUE, DUE, DUE], DUE)


def test_one_late_book_is_too_many():
    with pytest.raises(RefusedError, match=r"^a late book has to come back first$"):
        check_member_may_borrow([date(2025, 3, 9), DUE], DUE)


@pytest.mark.parametrize("renewals", [0, 1])
def test_a_renewal_counts_from_the_old_due_date(renewals):
    assert renewed_due_date("short", DUE, renewals, date(2025, 3, 5)) == date(2025, 3, 17)


def test_a_loan_is_renewed_twice_at_most():
    with pytest.raises(RefusedError, match=r"^a loan may be renewed 2 times at most$"):
        renewed_due_date("standard", DUE, 2, DUE)


def test_it_is_too_late_to_renew_a_late_loan():
    assert renewed_due_date("standard", DUE, 0, DUE) == date(2025, 3, 31)
    with pytest.raises(RefusedError, match=r"^a late loan cannot be renewed$"):
        renewed_due_date("standard", DUE, 0, date(2025, 3, 11))
