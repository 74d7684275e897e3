"""OpenAPI documents (3.0, 3.1) and Swagger 2: read one, list its operations, match a path to one.

Sources of the format: OpenAPI Specification 3.1.1 (https://spec.openapis.org/oas/v3.1.1.html) and Swagger 2.0.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from orchestrator import text
from orchestrator.adapters import bundle
from orchestrator.config import Exclusion
from orchestrator.errors import Code, OrchestratorError
from orchestrator.model.operations import Operation
from orchestrator.references import Tree

# Returns what is in a file, named relative to the document; None: it can't be read.
Beside = Callable[[str], bytes | None]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document, read.

    Attributes:
        source: Where it comes from, as the settings say it.
        raw: The document.
        whole: The document with all that it refers to in files beside it.
        specification: `OpenAPI 3.1`, `OpenAPI 3.0` or `Swagger 2.0`.
        title: The API's title.
        version: The API's version.
        base_path: What comes before every path, without a final slash; may be empty.
        operations: In the document's order.
    """

    source: str
    raw: dict[str, Any]
    whole: dict[str, Any]
    specification: str
    title: str
    version: str
    base_path: str
    operations: tuple[Operation, ...]

    @property
    def tested(self) -> tuple[Operation, ...]:
        """The operations that no setting excludes."""
        return tuple(o for o in self.operations if not o.excluded)

    def match(self, method: str, path: str) -> Operation | None:
        """Return the operation that a request's method and path belong to; None: the document has none.

        Templates without variables win over templates with, as the specification asks.
        """
        method, path, base = method.upper(), _decoded(path), _decoded(self.base_path)
        if base:
            if path != base and not path.startswith(base + "/"):
                return None
            path = path[len(base) :] or "/"
        candidates = [o for o in self.operations if o.method == method and _pattern(o.path).fullmatch(path)]
        return min(candidates, key=lambda o: o.path.count("{"), default=None)


_patterns: dict[str, re.Pattern[str]] = {}


def _pattern(template: str) -> re.Pattern[str]:
    if template not in _patterns:
        parts = re.split(r"(\{[^}]*\})", template)
        _patterns[template] = re.compile(
            "".join("[^/]+" if p.startswith("{") else re.escape(_decoded(p)) for p in parts), re.DOTALL
        )
    return _patterns[template]


def _decoded(path: str) -> str:
    """Return a path without percent-encoding, but for the slash: an encoded one separates nothing."""
    return unquote(re.sub("%2f", "%252F", path, flags=re.IGNORECASE))


def read_file(path: Path, source: str) -> bytes:
    """Return the document's bytes.

    Raises:
        OrchestratorError: the file is not there.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise OrchestratorError(
            Code.DOCUMENT_MISSING,
            f"`openapi.path` = {source!r}: {error.strerror or error}",
            hint="Name the OpenAPI document's file, or a path of the app that serves it (`/openapi.json`).",
        ) from error


def beside(path: Path, root: Path) -> Beside:
    """Return what reads the files beside a document: those of the project, and no others.

    Args:
        path: The document's file.
        root: The project's folder.
    """
    folder, root = path.resolve().parent, root.resolve()

    def read(name: str) -> bytes | None:
        file = (folder / name).resolve()
        with contextlib.suppress(OSError, ValueError):
            return file.read_bytes() if file.is_relative_to(root) else None
        return None

    return read


def fetch(url: str, source: str) -> bytes:
    """Return the document that the running app serves.

    Raises:
        OrchestratorError: the app answers with an error.
        OrchestratorError: the app does not answer.
    """
    try:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - the user's own API
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        error.close()
        raise OrchestratorError(
            Code.DOCUMENT_MISSING,
            f"`openapi.path` = {source!r}: the app answers {error.code}",
            hint="Ask the app which path serves its document, or name a file instead.",
        ) from error
    except OSError as error:
        raise OrchestratorError(
            Code.APP_UNREACHABLE, f"{url} does not answer: {error}", hint="Start the API, or check `app.url`."
        ) from error


def parse(
    data: bytes,
    source: str,
    *,
    base_path: str | None = None,
    exclude: Sequence[Exclusion] = (),
    beside: Beside | None = None,
) -> Document:
    """Return the document that `data` holds.

    Args:
        data: YAML or JSON.
        source: Where it comes from, for errors.
        base_path: What the settings say; None: take the document's.
        exclude: Operations that are not tested.
        beside: Reads the files that it refers to; None: there are none, so such references lead nowhere.

    Raises:
        OrchestratorError: it is no YAML or JSON, or no OpenAPI document, or has no operation.
    """
    raw = _decode(data, source)
    specification = _specification(raw, source)
    info = raw.get("info") if isinstance(raw.get("info"), dict) else {}
    paths = raw.get("paths", {})
    if not isinstance(paths, dict):
        raise _invalid(source, "`paths` is not a mapping")
    whole = raw
    if beside is not None and bundle.is_needed(raw):
        whole = _decode(data, source)
        name = PurePosixPath(source.rpartition(":")[2]).name
        bundle.bundle(whole, name, functools.partial(_content, beside))
    operations = tuple(_operations(Tree(whole), exclude, source))
    if not operations:
        raise OrchestratorError(
            Code.NO_OPERATIONS, f"{source}: `paths` has no operation", hint="Check that this is the right document."
        )
    for exclusion in exclude:
        if not any(fnmatch.fnmatchcase(o.label, exclusion.operation) for o in operations):
            raise OrchestratorError(
                Code.UNKNOWN_OPERATION,
                f"`openapi.exclude`: {exclusion.operation!r} matches no operation of {source}",
                hint=f"It has, among others, {operations[0].label!r}.",
            )
    found = _base_path(raw) if base_path is None else base_path
    return Document(
        source=source,
        raw=raw,
        whole=whole,
        specification=specification,
        title=text.one_line(str((info or {}).get("title") or "")) or source,
        version=text.one_line(str((info or {}).get("version") or "")),
        base_path=f"/{found.strip('/')}".rstrip("/"),
        operations=operations,
    )


def _decode(data: bytes, source: str) -> dict[str, Any]:
    try:
        content = data.decode("utf-8-sig")
        raw = json.loads(content) if content.lstrip().startswith("{") else _from_yaml(content, source)
    except UnicodeDecodeError as error:
        raise OrchestratorError(
            Code.DOCUMENT_UNREADABLE, f"{source} is not UTF-8: {error}", hint="Save it as UTF-8."
        ) from error
    except RecursionError as error:
        raise OrchestratorError(
            Code.DOCUMENT_UNREADABLE, f"{source} is nested too deeply", hint="Check that this is the right document."
        ) from error
    except json.JSONDecodeError as error:
        raise OrchestratorError(
            Code.DOCUMENT_UNREADABLE,
            f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="Mend the document there.",
        ) from error
    if not isinstance(raw, dict):
        raise _invalid(source, "it is not a mapping")
    return raw


def _content(beside: Beside, name: str) -> dict[str, Any] | None:
    """Return what a file beside the document holds; None: it can't be read, or is no mapping."""
    data = beside(name)
    with contextlib.suppress(OrchestratorError):
        return None if data is None else _decode(data, name)
    return None


def _from_yaml(content: str, source: str) -> Any:
    from orchestrator.adapters import yaml_text  # noqa: PLC0415 - slow to import, and often not needed

    try:
        return yaml_text.load(content)
    except yaml_text.NotYAMLError as error:
        raise OrchestratorError(
            Code.DOCUMENT_UNREADABLE, f"{source} is not YAML: {error}", hint="Mend the document there."
        ) from error
    except ValueError as error:  # a number that is none: `0x_`
        raise OrchestratorError(
            Code.DOCUMENT_UNREADABLE, f"{source} is not YAML: {error}", hint="Put that value in quotes."
        ) from error


def _invalid(source: str, why: str) -> OrchestratorError:
    return OrchestratorError(
        Code.DOCUMENT_INVALID,
        f"{source} is not an OpenAPI document: {why}",
        hint="It needs `openapi: 3.x` (or `swagger: '2.0'`), `info` and `paths`.",
    )


def _specification(raw: Mapping[str, Any], source: str) -> str:
    version = str(raw.get("openapi", ""))
    for known in ("3.0", "3.1"):
        if version == known or version.startswith(f"{known}."):
            return f"OpenAPI {known}"
    if str(raw.get("swagger", "")) == "2.0":
        return "Swagger 2.0"
    if version:
        raise _invalid(source, f"version {version} is not supported (3.0, 3.1 and Swagger 2.0 are)")
    raise _invalid(source, "it has neither `openapi` nor `swagger`")


def _base_path(raw: Mapping[str, Any]) -> str:
    if "swagger" in raw:
        return str(raw.get("basePath") or "")
    servers = raw.get("servers")
    return server_path(servers[0]) if isinstance(servers, list) and servers else ""


def server_path(server: Any) -> str:
    """Return the path of a server's URL, its variables as they are by default; empty: it has none."""
    if not isinstance(server, dict):
        return ""
    url, variables = str(server.get("url") or ""), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace("{" + str(name) + "}", str(variable.get("default", "")))
    url = re.sub(r"^\{[^}]*\}", "", url)  # a host that is not told
    with contextlib.suppress(ValueError):  # no URL at all
        return urlsplit(urljoin("http://server/", url)).path
    return ""


def _operations(tree: Tree, exclude: Sequence[Exclusion], source: str) -> list[Operation]:
    operations = []
    for path in tree.at(("paths",)) or ():
        if not str(path).startswith("/"):
            continue  # an extension: x-…
        place, item = tree.resolved(("paths", str(path)))
        if item is None and place[:1] != ("paths",):
            continue  # what it refers to is not there
        if not isinstance(item, dict):
            raise _invalid(source, f"`paths.{path}` is not a mapping")
        for method in METHODS:
            definition = item.get(method)
            if definition is None:
                continue
            if not isinstance(definition, dict):
                raise _invalid(source, f"`paths.{path}.{method}` is not a mapping")
            shown = text.unbroken(str(path))  # requests are matched with it, and `/password:rotate` is no password
            label = f"{method.upper()} {shown}"
            tags = definition.get("tags") or [""]
            operations.append(
                Operation(
                    method=method.upper(),
                    path=shown,
                    operation_id=text.one_line(str(definition.get("operationId") or "")),
                    tag=text.one_line(str(tags[0])) if isinstance(tags, list) else "",
                    summary=text.one_line(str(definition.get("summary") or "")),
                    excluded=next((e.reason for e in exclude if fnmatch.fnmatchcase(label, e.operation)), ""),
                )
            )
    return operations
