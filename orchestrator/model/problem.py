"""Something that went wrong, or that the reader ought to know, as data."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One coded line for a person, with the way out.

    Attributes:
        code: A code of `orchestrator.errors.Code`; `docs/errors.md` explains each.
        message: One line that names the file, the key or the test.
        hint: What to do about it.
        detail: Longer text (a traceback of the user's code, the end of a log); may be empty.
    """

    code: str
    message: str
    hint: str = ""
    detail: str = ""
