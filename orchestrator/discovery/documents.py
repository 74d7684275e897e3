"""The files that say what the API promises: its OpenAPI document, and its consumers' pacts."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec
import yaml

from orchestrator.adapters import pact
from orchestrator.discovery.code import TESTS, Module, Survey

_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
_HEAD: Final = 4096  # bytes of a file that are looked at
_OPENS: Final = re.compile(rb"""(^|[{,]\s*)["']?(openapi|swagger)["']?\s*:\s*["']?[23]""", re.MULTILINE)
_OLD: Final = re.compile(r"released|previous|deprecated|baseline|old|example|generated")
# What lies here describes somebody else's API, or this one for a test.
_ASIDE: Final = TESTS | {"reports", "example", "examples", "samples", "consumer", "consumers"}  # but not `docs`


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller proves who they are.

    Attributes:
        name: The document's name for it, or the class's.
        header: The request header.
        format: The header's value.
        kind: What its variable is likely called: `TOKEN`, `KEY` or `PASSWORD`.
    """

    name: str
    header: str
    format: str
    kind: str


def openapi(survey: Survey) -> list[str]:
    """Return the OpenAPI documents among the project's files, the likeliest first."""
    return [str(path) for path in sorted((f for f in survey.files if _is_openapi(survey.root, f)), key=_rank)]


def _is_openapi(root: Path, path: PurePosixPath) -> bool:
    if path.suffix not in _ENDINGS or _ASIDE & set(path.parts):
        return False
    try:
        with (root / path).open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    match = _OPENS.search(head)
    # In YAML the key stands at the start of a line; in JSON it belongs to the outermost braces.
    return match is not None and (path.suffix != ".json" or head[: match.start() + 1].count(b"{") == 1)


def _rank(path: PurePosixPath) -> tuple[object, ...]:
    return (
        bool(_OLD.search(path.as_posix().lower())),
        not path.name.lower().startswith(("openapi", "swagger")) and path.parent.name not in ("openapi", "swagger"),
        len(path.parts),
        str(path),
    )


def read(file: Path) -> dict[str, Any]:
    """Return a document's content; empty: it can't be read, which the run will tell."""
    try:
        content = file.read_text("utf-8-sig")
        raw = json.loads(content) if file.suffix == ".json" else yaml.safe_load(content)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return raw if isinstance(raw, dict) else {}


def schemes(document: Mapping[str, Any]) -> list[Scheme]:
    """Return the security schemes that a header can carry, those that the whole API requires first."""
    components = document.get("components")
    declared = components.get("securitySchemes") if isinstance(components, Mapping) else None
    declared = declared or document.get("securityDefinitions") or {}
    required = {name for entry in document.get("security") or () if isinstance(entry, Mapping) for name in entry}
    found = [_scheme(str(n), s) for n, s in declared.items() if isinstance(s, Mapping)] if declared else []
    return sorted((s for s in found if s is not None), key=lambda s: s.name not in required)


def _scheme(name: str, raw: Mapping[str, Any]) -> Scheme | None:
    kind, where = str(raw.get("type", "")), raw.get("in")
    basic = kind == "basic" or (kind == "http" and str(raw.get("scheme", "")).lower() == "basic")
    if basic:
        return Scheme(name=name, header="Authorization", format="Basic {value}", kind="PASSWORD")
    if kind in ("http", "oauth2", "openIdConnect"):
        return Scheme(name=name, header="Authorization", format="Bearer {value}", kind="TOKEN")
    if kind == "apiKey" and where == "header":
        return Scheme(name=name, header=str(raw.get("name")), format="{value}", kind="KEY")
    if kind == "apiKey" and where == "cookie":
        return Scheme(name=name, header="Cookie", format=f"{raw.get('name')}={{value}}", kind="TOKEN")
    return None  # in the query: no header carries it


_FASTAPI: Final = {
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
    "HTTPBasic": {"type": "http", "scheme": "basic"},
    "OAuth2PasswordBearer": {"type": "oauth2"},
    "OAuth2AuthorizationCodeBearer": {"type": "oauth2"},
    "OpenIdConnect": {"type": "openIdConnect"},
    "APIKeyHeader": {"type": "apiKey", "in": "header"},
    "APIKeyCookie": {"type": "apiKey", "in": "cookie"},
}


def schemes_in_code(modules: Iterable[Module]) -> list[Scheme]:
    """Return the security schemes that FastAPI will describe: the classes of `fastapi.security` that are made."""
    found = []
    for module in modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            owner, _, name = module.full_name(node.func).rpartition(".")
            if owner.startswith("fastapi.security") and name in _FASTAPI:
                header = next((_text(k.value) for k in node.keywords if k.arg == "name"), "")
                scheme = _scheme(name, {**_FASTAPI[name], "name": header})
                found += [scheme] if scheme else []
    return found


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def pacts(root: Path) -> tuple[list[str], set[str]]:
    """Return the globs that match pacts, and the providers that the pacts are about."""
    globs, providers = [], set()
    for pattern in pact.DEFAULT_PACTS:
        named = {_provider(file) for file in root.glob(pattern)} - {""}
        if named:
            globs.append(pattern)
            providers |= named
    return globs, providers


def sent_in_pacts(root: Path, globs: Iterable[str], scheme: Scheme) -> str:
    """Return the credential that consumers send in their pacts; empty: none does."""
    before, _, after = scheme.format.partition("{value}")
    for file in sorted(f for pattern in globs for f in root.glob(pattern)):
        for interaction in read(file).get("interactions", ()):
            headers = (interaction.get("request") or {}).get("headers") or {}
            for name, value in headers.items():
                first = str(value[0] if isinstance(value, list) and value else value)
                if name.lower() == scheme.header.lower() and first.startswith(before) and first.endswith(after):
                    return first.removeprefix(before).removesuffix(after)
    return ""


def _provider(file: Path) -> str:
    raw = read(file)
    provider = raw.get("provider")
    is_pact = "consumer" in raw and isinstance(provider, Mapping) and ("interactions" in raw or "messages" in raw)
    return str(provider.get("name", "")) if is_pact and isinstance(provider, Mapping) else ""
