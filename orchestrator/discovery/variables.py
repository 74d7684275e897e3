"""The environment variables that the app's code reads, and what they seem to be for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from orchestrator.discovery.code import Module

_GETTERS: Final = frozenset({"os.getenv", "os.environ.get"})
_LIBRARIES: Final = frozenset({"environ", "environs", "decouple", "starlette"})
_SETTINGS: Final = frozenset({"pydantic_settings.BaseSettings", "pydantic.BaseSettings"})
_CREDENTIAL: Final = re.compile(r"(TOKEN|KEY|CREDENTIAL|PASSWORD)S?$")
_OTHER_KEY: Final = re.compile(r"(SECRET|SIGNING|PRIVATE|PUBLIC|ENCRYPTION|CSRF)_(KEY|TOKEN)S?$")
_DATABASE: Final = re.compile(r"(DATABASE|SQLALCHEMY|SQLITE|(^|_)DB(_|$)|(^|_)DSN$)")
_FILE: Final = re.compile(r"\.(db|sqlite3?)\b|sqlite", re.IGNORECASE)
_SQLITE_URL: Final = re.compile(r"sqlite(\+\w+)?:///")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable that the app reads.

    Attributes:
        name: Its name.
        where: File and line of the first place that reads it.
        default: What the code takes instead, as it is written; None: nothing, or None.
        required: The app fails without it.
    """

    name: str
    where: str
    default: str | None = None
    required: bool = False

    @property
    def is_credential(self) -> bool:
        """Whether its name is that of something with which a caller proves who they are."""
        return bool(_CREDENTIAL.search(self.name)) and not _OTHER_KEY.search(self.name) and not self.is_database

    @property
    def is_database(self) -> bool:
        """Whether its name is that of where the data is."""
        return bool(_DATABASE.search(self.name))

    @property
    def is_signing_key(self) -> bool:
        """Whether it only has to hold something: the app signs with it what it later reads itself."""
        return self.name.endswith(("SECRET", "SECRET_KEY"))

    @property
    def own_file(self) -> str:
        """A file of the run's own in place of the default's; empty: the default is no file."""
        written = self.default or ""
        if not _FILE.search(written) or ":memory:" in written or written.strip("'\"").endswith(":///"):
            return ""
        url = _SQLITE_URL.search(written)
        if url is None and "//" in written:
            return ""  # `sqlite://`, in memory
        return f"{url[0] if url else ''}{{state}}/quality.sqlite3"

    @property
    def names_a_server(self) -> bool:
        """Whether the default is the URL of something that runs elsewhere."""
        return "://" in (self.default or "") and not _FILE.search(self.default or "")


def read_by(modules: Iterable[Module]) -> tuple[Variable, ...]:
    """Return the variables that modules read, each once: required if any place requires it."""
    found: dict[str, Variable] = {}
    for module in modules:
        for variable in (*_plain(module), *_libraries(module), *_pydantic(module)):
            known = found.get(variable.name)
            if known is None or (variable.required and not known.required):
                found[variable.name] = variable
    return tuple(found.values())


def _plain(module: Module) -> Iterator[Variable]:
    """Yield `os.environ["X"]`, `os.environ.get("X", …)` and `os.getenv("X", …)`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            name = _text(node.slice) if module.full_name(node.value) == "os.environ" else ""
            required, default = True, None
        elif isinstance(node, ast.Call) and module.full_name(node.func) in _GETTERS:
            name = _text(next(iter(node.args), None))
            required, default = False, _default(node)
        else:
            continue
        if name:
            yield Variable(name=name, where=module.at(node), default=default, required=required)


def _libraries(module: Module) -> Iterator[Variable]:
    """Yield what django-environ, environs, decouple and Starlette's `config` read: `env("X", default=…)`."""
    if not _LIBRARIES & module.imported:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reader = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        name = _text(node.args[0])
        if isinstance(reader, ast.Name) and reader.id in ("env", "config") and name.isupper():
            default = _default(node)
            has_default = len(node.args) > 1 or any(k.arg == "default" for k in node.keywords)
            yield Variable(name=name, where=module.at(node), default=default, required=not has_default)


def _pydantic(module: Module) -> Iterator[Variable]:
    """Yield the fields of settings classes of pydantic."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef) or not any(module.full_name(b) in _SETTINGS for b in node.bases):
            continue
        prefix = next(
            (_text(k.value) for k in ast.walk(node) if isinstance(k, ast.keyword) and k.arg == "env_prefix"), ""
        )
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and field.target.id.islower():
                default = field.value
                yield Variable(
                    name=f"{prefix}{field.target.id}".upper(),
                    where=module.at(field),
                    default=None if default is None else _written(default),
                    required=default is None,
                )


def _default(call: ast.Call) -> str | None:
    given = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "default")]
    return _written(given[0]) if given else None


def _written(value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant):
        return None if value.value is None else str(value.value)
    return ast.unparse(value)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
