from datetime import date

import pytest
from loans.models import MAX_ID


def test_a_book_goes_out(desk, librarian, reader):
    book = desk.add_book()
    response = librarian.post("/loans", json={"book_id": book["id"], "member": "M00001"})
    assert response.status_code == 201
    assert response.headers["Location"] == "/loans/1"
    assert response.json() == {
        "id": 1,
        "book_id": book["id"],
        "member": "M00001",
        "borrowed": "2025-03-03",
        "due": "2025-03-24",
        "renewals": 0,
        "returned": None,
        "fine_cents": 0,
    }
    assert reader.get("/loans/1").json() == response.json()
    assert reader.get(f"/books/{book['id']}").json()["available"] is False


def test_a_whole_number_may_be_written_as_a_float(desk, librarian):
    desk.add_book()
    body = '{"book_id": 1.0, "member": "M00001"}'
    response = librarian.post("/loans", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 201
    assert response.json()["book_id"] == 1


def test_a_book_is_out_once(desk, librarian):
    book = desk.add_book()
    desk.lend(book["id"])
    response = librarian.post("/loans", json={"book_id": book["id"], "member": "M00002"})
    assert response.status_code == 409
    assert response.json() == {"detail": "the book is out"}


def test_a_book_comes_back_and_goes_out_again(desk, librarian, reader, calendar):
    book = desk.add_book()
    loan = desk.lend(book["id"])
    calendar.forward(5)
    response = librarian.post(f"/loans/{loan['id']}/return")
    assert response.status_code == 200
    assert response.json() == {**loan, "returned": "2025-03-08"}
    assert reader.get(f"/books/{book['id']}").json()["available"] is True
    assert desk.lend(book["id"], "M00002")["id"] == 2


def test_a_book_comes_back_once(desk, librarian):
    loan = desk.lend(desk.add_book()["id"])
    librarian.post(f"/loans/{loan['id']}/return")
    for action in ("return", "renewals"):
        response = librarian.post(f"/loans/{loan['id']}/{action}")
        assert response.status_code == 409
        assert response.json() == {"detail": "the book is back already"}


def test_the_fine_stops_when_the_book_is_back(desk, librarian, reader, calendar):
    loan = desk.lend(desk.add_book(kind="short")["id"])
    calendar.forward(7 + 3)
    assert reader.get(f"/loans/{loan['id']}").json()["fine_cents"] == 75
    calendar.forward(1)
    assert librarian.post(f"/loans/{loan['id']}/return").json()["fine_cents"] == 100
    calendar.forward(1)
    assert reader.get(f"/loans/{loan['id']}").json()["fine_cents"] == 100


def test_loans_are_renewed_twice(desk, librarian, reader):
    loan = desk.lend(desk.add_book()["id"])
    for renewals, due in [(1, date(2025, 4, 14)), (2, date(2025, 5, 5))]:
        response = librarian.post(f"/loans/{loan['id']}/renewals")
        assert response.status_code == 200
        assert response.json() == {**loan, "renewals": renewals, "due": due.isoformat()}
    assert librarian.post(f"/loans/{loan['id']}/renewals").status_code == 409
    assert reader.get(f"/loans/{loan['id']}").json()["renewals"] == 2


def test_late_loans_are_not_renewed(desk, librarian, calendar):
    loan = desk.lend(desk.add_book()["id"])
    calendar.forward(22)
    response = librarian.post(f"/loans/{loan['id']}/renewals")
    assert response.status_code == 409
    assert response.json() == {"detail": "a late loan cannot be renewed"}


def test_each_member_has_three_books_at_most(desk, librarian):
    books = [desk.add_book()["id"] for _ in range(5)]
    for book in books[:3]:
        desk.lend(book, "M00001")
    assert librarian.post("/loans", json={"book_id": books[3], "member": "M00001"}).status_code == 409
    desk.lend(books[3], "M00002")
    librarian.post("/loans/1/return")
    desk.lend(books[4], "M00001")


def test_a_late_book_comes_back_before_another_goes_out(desk, librarian, calendar):
    first, second = desk.add_book(), desk.add_book()
    desk.lend(first["id"])
    calendar.forward(22)
    response = librarian.post("/loans", json={"book_id": second["id"], "member": "M00001"})
    assert response.status_code == 409
    assert response.json() == {"detail": "a late book has to come back first"}


def test_reference_books_are_read_here(desk, librarian, reader):
    book = desk.add_book(kind="reference")
    response = librarian.post("/loans", json={"book_id": book["id"], "member": "M00001"})
    assert response.status_code == 409
    assert response.json() == {"detail": "reference books do not leave the library"}
    assert reader.get(f"/books/{book['id']}").json()["available"] is True


def test_nothing_can_be_done_with_a_book_or_loan_that_is_not_there(librarian, reader):
    lent = librarian.post("/loans", json={"book_id": 7, "member": "M00001"})
    assert (lent.status_code, lent.json()) == (404, {"detail": "no book 7"})
    for response in (
        reader.get("/loans/7"),
        librarian.post("/loans/7/renewals"),
        librarian.post("/loans/7/return"),
    ):
        assert (response.status_code, response.json()) == (404, {"detail": "no loan 7"})


@pytest.mark.parametrize(
    "change",
    [
        {"book_id": "1"},
        {"book_id": True},
        {"book_id": 1.5},
        {"book_id": 0},
        {"book_id": MAX_ID + 1},
        {"book_id": 10**400},
        {"member": "M0001"},
        {"member": "M00001\n"},
        {"member": 1},
        {"due": "2030-01-01"},
    ],
)
def test_a_loan_that_is_not_one(desk, librarian, change):
    desk.add_book()
    response = librarian.post("/loans", json={"book_id": 1, "member": "M00001", **change})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", *change]
