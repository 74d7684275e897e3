"""The bodies and parameters of the API, as pydantic models and annotated types.

What they accept is what the OpenAPI document says they accept: numbers are not read out of strings, unknown
properties are refused, and text has neither control characters nor a leading space.
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints

from loans.rules import Kind

MAX_ID = 2**53 - 1
"""The largest integer that every JSON implementation reads exactly; SQLite's go further."""

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
PRINTABLE_NOT_BLANK = r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"


def whole_number(value: object) -> object:
    """Read 2.0 as 2: to JSON Schema both are integers, and JSON itself has only numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[StrictInt, Field(ge=1, le=MAX_ID), BeforeValidator(whole_number)]
Text = Annotated[str, StringConstraints(max_length=120, pattern=PRINTABLE_NOT_BLANK)]
Isbn = Annotated[str, StringConstraints(pattern=r"^97[89][0-9]{10}$")]
Member = Annotated[str, StringConstraints(pattern=r"^M[0-9]{5}$")]


class NewBook(BaseModel):
    """A book to add to the catalogue."""

    model_config = ConfigDict(extra="forbid")

    isbn: Isbn
    title: Text
    author: Text
    kind: Kind = "standard"


class Book(NewBook):
    """A book of the catalogue."""

    id: Id
    available: bool


class Books(BaseModel):
    """One page of the catalogue, and how many books there are on all of its pages."""

    items: list[Book]
    total: int = Field(ge=0)


class NewLoan(BaseModel):
    """A book to hand out, and who takes it."""

    model_config = ConfigDict(extra="forbid")

    book_id: Id
    member: Member


class Loan(BaseModel):
    """A book somebody has, or had: `fine_cents` is what is owed for it so far."""

    id: Id
    book_id: Id
    member: Member
    borrowed: date
    due: date
    renewals: int = Field(ge=0)
    returned: date | None
    fine_cents: int = Field(ge=0)


class Problem(BaseModel):
    """Why a request was not carried out."""

    detail: str


class InvalidValue(BaseModel):
    """One value of a request that is not what it has to be."""

    loc: list[str | int]
    msg: str
    type: str


class Invalid(BaseModel):
    """Everything that is wrong with a request."""

    detail: list[InvalidValue] = Field(min_length=1)
