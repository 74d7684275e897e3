"""The HTTP side: routes, authentication, and errors as JSON."""

import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic.json_schema import SkipJsonSchema
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match, Route

from loans import desk
from loans.models import (
    MAX_ID,
    PRINTABLE,
    Book,
    Books,
    Invalid,
    Loan,
    NewBook,
    NewLoan,
    Problem,
)
from loans.rules import Kind, RefusedError
from loans.store import LoanRecord, Store

bearer = HTTPBearer(auto_error=False, description="The token of the desk, `LOANS_TOKEN`.")


def authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    """Let the request pass if it carries the desk's token."""
    expected: str = request.app.state.token
    given = credentials.credentials if credentials else ""
    if not secrets.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(401, "a valid token is needed", headers={"WWW-Authenticate": "Bearer"})


def get_store(request: Request) -> Store:
    """The store that the application's lifespan opened."""
    store: Store = request.app.state.store
    return store


def get_today(request: Request) -> date:
    """Today, by the application's calendar."""
    today: Callable[[], date] = request.app.state.today
    return today()


Desk = Depends(authenticate)
OpenStore = Annotated[Store, Depends(get_store)]
Today = Annotated[date, Depends(get_today)]
PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
Search = Annotated[str, Query(max_length=120, pattern=PRINTABLE, description="Part of a title or author")]

Documented = dict[int | str, dict[str, Any]]
INVALID: Documented = {422: {"model": Invalid, "description": "Something about the request is not valid"}}
UNREADABLE: Documented = {400: {"model": Problem, "description": "The body is not JSON in UTF-8"}}
UNKNOWN: Documented = {404: {"model": Problem, "description": "There is no such thing"}}
REFUSED: Documented = {409: {"model": Problem, "description": "The rules of the library do not allow it"}}
UNAUTHENTICATED: Documented = {
    401: {
        "model": Problem,
        "description": "The token is missing or wrong",
        "headers": {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}},
    }
}
LOCATION: Documented = {
    201: {"headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri-reference"}}}}
}

router = APIRouter(responses=INVALID)


@router.get("/books", tags=["books"])
def list_books(
    store: OpenStore,
    search: Search = "",
    kind: Annotated[Kind | SkipJsonSchema[None], Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
) -> Books:
    """Search the catalogue."""
    records, total = store.books(search=search, kind=kind, limit=limit, offset=offset)
    return Books(items=[Book.model_validate(record, from_attributes=True) for record in records], total=total)


@router.post(
    "/books",
    tags=["books"],
    status_code=201,
    dependencies=[Desk],
    responses={**LOCATION, **UNREADABLE, **UNAUTHENTICATED, **REFUSED},
)
def add_book(store: OpenStore, new: NewBook, response: Response) -> Book:
    """Add a book to the catalogue."""
    book_id = store.add_book(isbn=new.isbn, title=new.title, author=new.author, kind=new.kind)
    if book_id is None:
        raise RefusedError(f"there is a book with ISBN {new.isbn} already")
    response.headers["Location"] = f"/books/{book_id}"
    return Book.model_validate(desk.find_book(store, book_id), from_attributes=True)


@router.get("/books/{book_id}", tags=["books"], responses=UNKNOWN)
def get_book(store: OpenStore, book_id: PathId) -> Book:
    """Look a book up."""
    return Book.model_validate(desk.find_book(store, book_id), from_attributes=True)


@router.delete(
    "/books/{book_id}",
    tags=["books"],
    status_code=204,
    dependencies=[Desk],
    responses={**UNAUTHENTICATED, **UNKNOWN, **REFUSED},
)
def withdraw_book(store: OpenStore, book_id: PathId) -> None:
    """Take a book that was never lent out of the catalogue."""
    desk.withdraw(store, book_id)


@router.post(
    "/loans",
    tags=["loans"],
    status_code=201,
    dependencies=[Desk],
    responses={**LOCATION, **UNREADABLE, **UNAUTHENTICATED, **UNKNOWN, **REFUSED},
)
def lend_book(store: OpenStore, today: Today, new: NewLoan, response: Response) -> Loan:
    """Hand a book out."""
    loan = desk.lend(store, new.book_id, new.member, today)
    response.headers["Location"] = f"/loans/{loan.id}"
    return _loan(loan, today)


@router.get("/loans/{loan_id}", tags=["loans"], responses=UNKNOWN)
def get_loan(store: OpenStore, today: Today, loan_id: PathId) -> Loan:
    """Look a loan up, with the fine owed for it so far."""
    return _loan(desk.find_loan(store, loan_id), today)


@router.post(
    "/loans/{loan_id}/renewals",
    tags=["loans"],
    dependencies=[Desk],
    responses={**UNAUTHENTICATED, **UNKNOWN, **REFUSED},
)
def renew_loan(store: OpenStore, today: Today, loan_id: PathId) -> Loan:
    """Let a member keep a book for longer."""
    return _loan(desk.renew(store, loan_id, today), today)


@router.post(
    "/loans/{loan_id}/return",
    tags=["loans"],
    dependencies=[Desk],
    responses={**UNAUTHENTICATED, **UNKNOWN, **REFUSED},
)
def return_book(store: OpenStore, today: Today, loan_id: PathId) -> Loan:
    """Take a book back."""
    return _loan(desk.take_back(store, loan_id, today), today)


def _loan(record: LoanRecord, today: date) -> Loan:
    return Loan(
        id=record.id,
        book_id=record.book_id,
        member=record.member,
        borrowed=record.borrowed,
        due=record.due,
        renewals=record.renewals,
        returned=record.returned,
        fine_cents=desk.fine_so_far(record, today),
    )


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=409)


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong without repeating the input, which may be text that UTF-8 cannot encode."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    detail = [
        {
            "loc": [_encodable(part) if isinstance(part, str) else part for part in problem["loc"]],
            "msg": _encodable(problem["msg"]),
            "type": problem["type"],
        }
        for problem in jsonable_encoder(error.errors(), exclude={"input", "ctx"})
    ]
    return JSONResponse({"detail": detail}, status_code=422)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer as FastAPI does, but let 405 name every method of the path and not just its first route's."""
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 - what it is registered for
    headers = dict(error.headers or {})
    if error.status_code == 405:
        routes = [route for route in router.routes if isinstance(route, Route)]
        matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        headers["Allow"] = ", ".join(sorted({method for route in matching for method in route.methods or ()}))
    return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=headers)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    store = Store(app.state.database)
    try:
        app.state.on_open(store)
        app.state.store = store
        yield
    finally:
        app.state.store = None
        store.close()


def create_app(*, today: Callable[[], date] = date.today) -> FastAPI:
    """Build the application; its settings come from the environment.

    `LOANS_TOKEN` is what the desk authenticates with, `LOANS_DATABASE` the file of the records; without one
    they are kept in memory. The store is open while the application's lifespan runs; `app.state.on_open` is
    called with it first.

    Raises:
        RuntimeError: If there is no token.
    """
    token = os.environ.get("LOANS_TOKEN")
    if not token:
        raise RuntimeError("LOANS_TOKEN is not set")
    app = FastAPI(
        title="Library loans",
        version="1.0.0",
        summary="The catalogue of a small library, and who has which book.",
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.token = token
    app.state.database = os.environ.get("LOANS_DATABASE", ":memory:")
    app.state.today = today
    app.state.on_open = lambda _store: None
    app.state.store = None
    app.include_router(router)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(desk.NotFoundError, _not_found)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    return app
