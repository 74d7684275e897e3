"""In which direction a schema travels, and how the rules about it are called."""

from __future__ import annotations

from typing import Final

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a schema is the schema of.

    Attributes:
        whole: How the names of rules about all of it begin.
        within: How the names of rules about its properties begin.
        hidden: … about those of its properties that do not travel in this direction; empty: there are none.
        hides: The keyword that says that a property does not travel in this direction.
        text_after: Whether it does no harm that any type becomes text: it is sent as text anyway.
        text_before: Whether it does no harm that text becomes any type.
        irregular: Names of rules that do not begin like the others.
    """

    whole: str
    within: tuple[str, ...] = ()
    hidden: str = ""
    hides: str = ""
    text_after: bool = False
    text_before: bool = False
    irregular: dict[str, str] = {}

    def rules(self, aspect: str, *, within: bool, hidden: bool) -> tuple[str, ...]:
        """Return how rules about an aspect of the whole, or of a property within, would be called."""
        prefixes: tuple[str, ...] = (self.whole,)
        if within:
            prefixes = (self.hidden,) if hidden else self.within
        names = (f"{prefix}-{aspect}" for prefix in prefixes)
        return tuple(self.irregular.get(name, name) for name in names)


REQUEST: Final = Scope(
    whole="request-body", within=("request-property",), hidden="request-read-only-property", hides="readOnly"
)
RESPONSE: Final = Scope(
    whole="response-body",
    within=("response-property",),
    hidden="response-write-only-property",
    hides="writeOnly",
    irregular={"response-body-enum-value-removed": "response-mediatype-enum-value-removed"},
)
PARAMETER: Final = Scope(
    whole="request-parameter",
    within=("request-parameter-property",),
    hides="readOnly",
    text_after=True,
    # An object in a parameter may be JSON or not: only where both break is it sure that something breaks.
    irregular={
        "request-parameter-property-type-compatible": "request-parameter-property-type-changed",
        "request-parameter-property-type-changed": "request-parameter-property-type-specialized",
    },
)
HEADER_PARAMETER: Final = msgspec.structs.replace(
    PARAMETER, within=("request-header-property", "request-parameter-property")
)
HEADER: Final = Scope(whole="response-header", hides="writeOnly", text_before=True)


def as_text(scope: Scope) -> Scope:
    """Return the scope of a body in whose media type numbers and texts look the same."""
    return msgspec.structs.replace(scope, text_after=scope is REQUEST, text_before=scope is RESPONSE)
