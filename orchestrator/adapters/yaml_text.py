"""YAML as OpenAPI means it. Apart from `openapi.py`, because many runs read none and PyYAML takes a while to import."""

from __future__ import annotations

from typing import Any

import yaml


class NotYAMLError(ValueError):
    """The text is not YAML; the message says what is wrong and where."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the C loader is optional
    """Safe YAML whose timestamps stay text, as JSON Schema knows no other."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load(content: str) -> Any:
    """Return what a YAML text means.

    Raises:
        NotYAMLError: it is none.
        ValueError: it has a number that is none, as `0x_`.
    """
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        raise NotYAMLError(_problem(error, content)) from error


def _problem(error: yaml.YAMLError, content: str) -> str:
    """Return what is wrong and where."""
    if isinstance(error, yaml.reader.ReaderError):  # it counts bytes or characters, as the loader does
        before = content.partition(chr(error.character))[0]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return f"a control character at line {line + 1}, column {column + 1}"
    mark = getattr(error, "problem_mark", None)
    where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    what = getattr(error, "problem", None) or "it can't be parsed"
    return f"{what}{where}"
