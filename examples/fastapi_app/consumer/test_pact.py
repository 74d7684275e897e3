"""What the kiosk expects of the library: running these tests writes `../pacts/`."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from client import LibraryClient, RefusedError
from pact import Pact, match

PACTS = Path(__file__).parent.parent / "pacts"
AUTHORIZATION = match.regex("Bearer desk-token-of-the-example", regex=r"^Bearer .+$")
TODAY, DUE = "2025-03-03", "2025-03-24"
CONFLICT, NOT_FOUND = 409, 404


@pytest.fixture(scope="session", autouse=True)
def _start_anew() -> None:
    """Write whole pacts: what an earlier run expected is not merged into them."""
    for path in PACTS.glob("*.json"):
        path.unlink()


@pytest.fixture
def pact() -> Iterator[Pact]:
    """The agreement, to which each test adds one interaction."""
    pact = Pact("reading-room-kiosk", "library-loans").with_specification("V4")
    yield pact
    PACTS.mkdir(exist_ok=True)
    pact.write_file(PACTS)


@contextmanager
def kiosk(pact: Pact) -> Iterator[LibraryClient]:
    """The kiosk, talking to what stands in for the library."""
    with pact.serve() as server:
        client = LibraryClient(str(server.url), "desk-token-of-the-example")
        yield client
        client.close()


def test_searching_the_catalogue(pact: Pact) -> None:
    """The kiosk lists what it finds."""
    (
        pact.upon_receiving("a search for a title")
        .given("a book is available", book_id=1, title="Persuasion")
        .with_request("GET", "/books")
        .with_query_parameters({"search": "persuasion", "limit": "10"})
        .will_respond_with(200)
        .with_body(
            {
                "items": [{"id": match.int(1), "title": match.str("Persuasion"), "available": match.bool(True)}],
                "total": match.int(1),
            }
        )
    )
    with kiosk(pact) as client:
        assert client.search("persuasion") == [(1, "Persuasion", True)]


def test_a_book_the_library_does_not_have(pact: Pact) -> None:
    """The kiosk tells readers that there is no such book."""
    (
        pact.upon_receiving("a question about a book that is not there")
        .given("the catalogue is empty")
        .with_request("GET", "/books/12")
        .will_respond_with(NOT_FOUND)
        .with_body({"detail": match.str("no book 12")})
    )
    with kiosk(pact) as client:
        assert client.title(12) is None


def test_borrowing_a_book(pact: Pact) -> None:
    """The kiosk prints when the book is due."""
    (
        pact.upon_receiving("a reader who takes a book that is there")
        .given("a book is available", book_id=3)
        .with_request("POST", "/loans")
        .with_header("Authorization", AUTHORIZATION)
        .with_body({"book_id": 3, "member": match.regex("M00042", regex=r"^M\d{5}$")})
        .will_respond_with(201)
        .with_header("Location", match.regex("/loans/1", regex=r"^/loans/\d+$"))
        .with_body(
            {
                "id": match.int(1),
                "book_id": 3,
                "due": match.date(DUE),
                "returned": None,
                "fine_cents": 0,
            }
        )
    )
    with kiosk(pact) as client:
        receipt = client.borrow(3, "M00042")
    assert (receipt.loan, receipt.due) == (1, DUE)


def test_borrowing_a_book_that_is_out(pact: Pact) -> None:
    """The kiosk shows the library's reason."""
    (
        pact.upon_receiving("a reader who takes a book that somebody has")
        .given("a book is out", book_id=3, member="M00007")
        .with_request("POST", "/loans")
        .with_header("Authorization", AUTHORIZATION)
        .with_body({"book_id": 3, "member": match.regex("M00042", regex=r"^M\d{5}$")})
        .will_respond_with(CONFLICT)
        .with_header("Content-Type", "application/json")
        .with_body({"detail": match.str("the book is out")})
    )
    with kiosk(pact) as client, pytest.raises(RefusedError, match="the book is out"):
        client.borrow(3, "M00042")


def test_bringing_a_late_book_back(pact: Pact) -> None:
    """The kiosk asks for exactly what the library says: 25 cents for each of nine days."""
    (
        pact.upon_receiving("a reader who brings a late book back")
        .given("a book went out some days ago", book_id=3, member="M00042", days_ago=30)
        .with_request("POST", "/loans/1/return")
        .with_header("Authorization", AUTHORIZATION)
        .will_respond_with(200)
        .with_body({"id": 1, "book_id": 3, "returned": match.date(TODAY), "fine_cents": 225})
    )
    with kiosk(pact) as client:
        assert client.bring_back(1) == 225
