import pytest
from fastapi.testclient import TestClient
from loans.app import create_app

from tests.conftest import TOKEN
from tests.quality_hooks import SAMPLE_BOOKS, prepare, provider_states, reset

WRITES = [
    ("POST", "/books"),
    ("DELETE", "/books/1"),
    ("POST", "/loans"),
    ("POST", "/loans/1/renewals"),
    ("POST", "/loans/1/return"),
]
BODIES = {
    "/books": {"isbn": "9780141439587", "title": "Emma", "author": "Jane Austen"},
    "/loans": {"book_id": 1, "member": "M00001"},
}


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {TOKEN}s"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer tökén".encode("latin-1")},
    ],
)
def test_writing_takes_the_token(reader, desk, method, path, headers):
    desk.lend(desk.add_book()["id"])
    before = reader.get("/books").json(), reader.get("/loans/1").json()
    response = reader.request(method, path, headers=headers, json=BODIES.get(path))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json() == {"detail": "a valid token is needed"}
    assert (reader.get("/books").json(), reader.get("/loans/1").json()) == before


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/books", "GET, POST"), ("/books/1", "DELETE, GET"), ("/loans", "POST"), ("/loans/1/return", "POST")],
)
def test_other_methods_are_told_which_there_are(reader, path, allowed):
    response = reader.patch(path)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed
    assert response.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["/", "/books/", "/loans/1/extend"])
def test_other_paths_are_not_there(reader, path):
    response = reader.get(path)
    assert response.status_code == 404
    assert response.json() == {"detail": "Not Found"}


def test_the_document_names_every_status(reader):
    document = reader.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    statuses = {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert statuses == {
        "GET /books": {"200", "422"},
        "POST /books": {"201", "400", "401", "409", "422"},
        "GET /books/{book_id}": {"200", "404", "422"},
        "DELETE /books/{book_id}": {"204", "401", "404", "409", "422"},
        "POST /loans": {"201", "400", "401", "404", "409", "422"},
        "GET /loans/{loan_id}": {"200", "404", "422"},
        "POST /loans/{loan_id}/renewals": {"200", "401", "404", "409", "422"},
        "POST /loans/{loan_id}/return": {"200", "401", "404", "409", "422"},
    }


@pytest.mark.parametrize("token", [None, ""])
def test_there_is_no_application_without_a_token(monkeypatch, token):
    monkeypatch.delenv("LOANS_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("LOANS_TOKEN", token)
    with pytest.raises(RuntimeError, match=r"^LOANS_TOKEN is not set$"):
        create_app()


def test_records_outlive_the_application_in_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("LOANS_TOKEN", TOKEN)
    monkeypatch.setenv("LOANS_DATABASE", str(tmp_path / "loans.sqlite3"))
    with TestClient(create_app(), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        book = client.post("/books", json=BODIES["/books"]).json()
    with TestClient(create_app()) as client:
        assert client.get("/books").json()["items"] == [book]


def test_the_store_is_open_while_the_application_runs(app):
    assert app.state.store is None
    with TestClient(app):
        assert app.state.store is not None
    assert app.state.store is None


def test_the_hooks_seed_the_store_and_go_back_to_it(app):
    prepare(app)
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        seeded = client.get("/books").json()
        assert seeded["total"] == len(SAMPLE_BOOKS)
        assert [book["available"] for book in seeded["items"]] == [False, True, True, True, True]
        client.post("/books", json=BODIES["/books"])
        client.delete("/books/3")
        reset(app)
        assert client.get("/books").json() == seeded
        assert client.post("/books", json=BODIES["/books"]).json()["id"] == len(SAMPLE_BOOKS) + 1
        prepare(app)
        assert client.get("/books").json() == seeded


def test_the_states_of_the_pacts(app):
    with TestClient(app) as client:
        provider_states["a book is available"](app=app, book_id=4, title="Emma", kind="short")
        book = client.get("/books/4").json()
        assert (book["title"], book["kind"], book["available"]) == ("Emma", "short", True)
        provider_states["a book is out"](app=app, book_id=2, member="M00007")
        assert client.get("/books").json()["total"] == 1
        assert client.get("/loans/1").json()["due"] == "2025-03-24"
        provider_states["a book went out some days ago"](app=app, book_id=2, member="M00007", days_ago=24)
        assert client.get("/loans/1").json()["fine_cents"] == 75
        provider_states["the catalogue is empty"](app=app)
        assert client.get("/books").json()["total"] == 0
