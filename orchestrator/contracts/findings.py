"""What can be wrong between a pact and an OpenAPI document: each kind's code, and how much it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from orchestrator import references, text
from orchestrator.model.contracts import Level
from orchestrator.references import Pointer

# The codes of `@pactflow/openapi-pact-comparator`, with the level that it gives them.
_THEIRS: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.ERROR: (
        "request.accept.incompatible",
        "request.authorization.missing",
        "request.body.incompatible",
        "request.content-type.incompatible",
        "request.header.incompatible",
        "request.path-or-method.unknown",
        "request.query.incompatible",
        "response.body.incompatible",
        "response.body.unknown",
        "response.content-type.incompatible",
        "response.header.incompatible",
        "response.header.unknown",
        "response.status.unknown",
    ),
    Level.WARNING: (
        "request.accept.unknown",
        "request.body.unknown",
        "request.body.unvalidatable",
        "request.content-type.missing",
        "request.content-type.unknown",
        "request.header.unknown",
        "request.query.unknown",
        "response.body.unvalidatable",
        "response.content-type.unknown",
        "response.header.undefined",
        "response.status.default",
    ),
}
# What only we say. The reference refuses a pact as a whole of which an interaction is unreadable.
_OURS: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.ERROR: ("interaction.unreadable",),
    Level.WARNING: (
        "document.reference.unresolved",
        "document.schema.unreadable",
        "parameter.content.incompatible",
        "request.body.read-only",
        "request.cookie.incompatible",
        "request.credentials.missing",
        "request.form.incompatible",
        "request.matcher.wider",
        "response.body.undescribed",
        "response.body.write-only",
        "response.matcher.narrower",
    ),
}
OURS: Final = frozenset(code for codes in _OURS.values() for code in codes)
LEVELS: Final[Mapping[str, Level]] = {
    code: level for group in (_THEIRS, _OURS) for level, codes in group.items() for code in codes
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where an interaction and the document say different things.

    Attributes:
        code: What kind of thing.
        message: What does not fit, for a person; on one line, safe to show.
        at_pact: Where in the interaction. It may name what is missing there.
        at_document: Where in the document; empty: nowhere.
        operation: The operation's label; empty: there is none for the request.
        index: The interaction's number, from 0.
    """

    code: str
    message: str
    at_pact: Pointer
    at_document: Pointer = ()
    operation: str = ""
    index: int = 0

    @property
    def level(self) -> Level:
        """Whether it is an error or a warning."""
        return LEVELS[self.code]


def finding(code: str, message: str, at_pact: Pointer, at_document: Pointer = ()) -> Finding:
    """Return a finding whose message may hold foreign text."""
    return Finding(code=code, message=text.one_line(message), at_pact=at_pact, at_document=at_document)


def written(pointer: Pointer) -> str:
    """Return a place as a JSON Pointer (RFC 6901) that can be shown."""
    return text.unbroken(references.written(pointer))


def existing(node: Any, pointer: Pointer) -> Pointer:
    """Return a place, or the innermost that is there of those that it is in."""
    for length, part in enumerate(pointer):
        node = references.inside(node, part)
        if node is None:
            return pointer[:length]
    return pointer
