"""Formats of JSON Schema, where the reference takes them more lightly than the standards that define them do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import jsonschema_rs

_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\n?")
_STRICT: Final = {
    name: jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)
    for name in ("date-time", "hostname", "uuid")
}


def _is_moment(value: str) -> bool:
    """Whether a text is a date and a time; a blank may stand between them, and the offset may be `+0200` or `+02`."""
    value = re.sub(r"\s", "T", value, count=1)
    value = re.sub(r"([+-]\d\d)(\d\d)?$", lambda found: f"{found[1]}:{found[2] or '00'}", value)
    return _STRICT["date-time"].is_valid(value)


def _is_host(value: str) -> bool:
    return _STRICT["hostname"].is_valid(value.removesuffix("."))


def _is_uuid(value: str) -> bool:
    return _STRICT["uuid"].is_valid(value.removeprefix("urn:uuid:"))


def _is_base64(value: str) -> bool:
    return _BASE64.fullmatch(value) is not None


def _is_anything(value: str) -> bool:
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "byte": _is_base64,
    "date-time": _is_moment,
    "hostname": _is_host,
    "uuid": _is_uuid,
    **dict.fromkeys(("idn-email", "idn-hostname", "iri", "iri-reference"), _is_anything),
}
