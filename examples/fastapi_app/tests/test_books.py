import json

import pytest
from loans.models import MAX_ID

BOOK = {"isbn": "9780141439587", "title": "Emma", "author": "Jane Austen"}


def test_a_new_book_can_be_looked_up(librarian, reader):
    added = librarian.post("/books", json=BOOK)
    assert added.status_code == 201
    assert added.headers["Location"] == "/books/1"
    assert added.json() == {**BOOK, "id": 1, "kind": "standard", "available": True}
    found = reader.get("/books/1")
    assert found.status_code == 200
    assert found.json() == added.json()


def test_an_isbn_is_there_once(librarian, reader):
    librarian.post("/books", json=BOOK)
    again = librarian.post("/books", json={**BOOK, "title": "Another"})
    assert again.status_code == 409
    assert again.json() == {"detail": "there is a book with ISBN 9780141439587 already"}
    assert reader.get("/books").json()["total"] == 1


@pytest.mark.parametrize("path", ["/books/1", f"/books/{MAX_ID}"])
def test_there_is_no_book_in_an_empty_catalogue(reader, path):
    response = reader.get(path)
    assert response.status_code == 404
    assert response.json() == {"detail": f"no book {path.removeprefix('/books/')}"}


@pytest.mark.parametrize("number", ["0", "-1", str(MAX_ID + 1), "1" * 5000, "one", "%00", "1.5"])
def test_what_is_not_a_number_of_a_book(reader, number):
    response = reader.get(f"/books/{number}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["path", "book_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"isbn": "978014143958"},
        {"isbn": "9770141439587"},
        {"isbn": 9780141439587},
        {"title": ""},
        {"title": " Emma"},
        {"title": "Em\x00ma"},
        {"title": "Em\nma"},
        {"title": "E" * 121},
        {"author": None},
        {"author": "\ud800"},
        {"kind": "digital"},
        {"shelf": "A1"},
        {"\udfff": 1},
    ],
)
def test_a_book_that_is_not_one(librarian, reader, change):
    # By hand, because the client would not encode half of a surrogate pair, which JSON can escape.
    content = json.dumps({**BOOK, **change})
    response = librarian.post("/books", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert [set(problem) for problem in response.json()["detail"]] == [{"loc", "msg", "type"}]
    assert reader.get("/books").json() == {"items": [], "total": 0}


def test_the_longest_title(librarian):
    assert librarian.post("/books", json={**BOOK, "title": "É" * 120}).status_code == 201


@pytest.mark.parametrize(("content", "status"), [(b"{", 422), (b"\xff", 400), (b'{"isbn": ' + b"1" * 5000, 400)])
def test_a_body_that_is_not_json(librarian, content, status):
    response = librarian.post("/books", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Emma", "Jane Eyre", "Dictionary"]),
        ("search=jane", ["Emma", "Jane Eyre"]),
        ("search=EYRE", ["Jane Eyre"]),
        ("search=e+e", ["Jane Eyre"]),
        ("search=%25", []),
        ("kind=reference", ["Dictionary"]),
        ("kind=short", []),
        ("search=jane&kind=reference", []),
    ],
)
def test_searching_the_catalogue(desk, reader, query, titles):
    desk.add_book(title="Emma", author="Jane Austen")
    desk.add_book(title="Jane Eyre", author="Charlotte Brontë")
    desk.add_book(title="Dictionary", author="Oxford", kind="reference")
    page = reader.get(f"/books?{query}").json()
    assert [book["title"] for book in page["items"]] == titles
    assert page["total"] == len(titles)


def test_a_page_of_the_catalogue(desk, reader):
    for title in ("One", "Two", "Three", "Four"):
        desk.add_book(title=title)
    page = reader.get("/books?limit=2&offset=1").json()
    assert [book["title"] for book in page["items"]] == ["Two", "Three"]
    assert page["total"] == 4
    assert reader.get(f"/books?offset={MAX_ID}").json() == {"items": [], "total": 4}


def test_a_page_has_twenty_books_unless_told(desk, reader):
    for _ in range(21):
        desk.add_book()
    assert len(reader.get("/books").json()["items"]) == 20
    assert len(reader.get("/books?limit=100").json()["items"]) == 21


@pytest.mark.parametrize(
    "query", ["search=%00", "search=" + "a" * 121, "kind=digital", "limit=0", "limit=101", "offset=-1"]
)
def test_a_search_that_is_not_one(reader, query):
    response = reader.get(f"/books?{query}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["query", query.partition("=")[0]]


def test_a_withdrawn_book_is_gone_and_so_is_its_number(desk, librarian, reader):
    book = desk.add_book()
    response = librarian.delete(f"/books/{book['id']}")
    assert response.status_code == 204
    assert response.content == b""
    assert reader.get(f"/books/{book['id']}").status_code == 404
    assert librarian.delete(f"/books/{book['id']}").status_code == 404
    assert desk.add_book()["id"] == book["id"] + 1


def test_a_book_that_was_lent_stays(desk, librarian, reader):
    book = desk.add_book()
    loan = desk.lend(book["id"])
    librarian.post(f"/loans/{loan['id']}/return")
    response = librarian.delete(f"/books/{book['id']}")
    assert response.status_code == 409
    assert response.json() == {"detail": "a book with loans on record cannot be withdrawn"}
    assert reader.get(f"/books/{book['id']}").status_code == 200
