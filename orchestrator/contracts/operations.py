"""The operations of an OpenAPI document, and which of them a request is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from orchestrator.adapters.openapi import METHODS, server_path
from orchestrator.contracts.description import Description, mapping
from orchestrator.references import Pointer, told_by

_Segments = tuple[str, ...]  # parts of a path

_NOWHERE: Final = ("",)  # where a document has nothing: any value fits what is said there
_SLASH: Final = "\0"  # stands for an encoded one, which separates nothing
_VARIABLE: Final = re.compile(r"\{([^}]*)\}")
_SETTING: Final = "x-opc-config-"  # settings of the reference, in the document's `info`


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a parameter or a header that is a whole document of some media type.

    Attributes:
        media: The media type.
        schema: Where the schema is; empty: there is none.
    """

    media: str
    schema: Pointer


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of an operation.

    Attributes:
        name: Its name.
        place: `path`, `query`, `header`, `cookie`, `body`, `formData`.
        at: Where it is in the document.
        schema: Where its schema is; in Swagger 2 that is the parameter itself.
        required: Whether it must be there.
        style: How arrays and objects are written; in Swagger 2 the `collectionFormat`.
        explode: Whether each item has a name of its own.
        kind: The type that its schema says, if it says one.
        content: What it holds, where `content` says that.
    """

    name: str
    place: str
    at: Pointer
    schema: Pointer
    required: bool
    style: str
    explode: bool
    kind: str
    content: Content | None = None


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The body that an operation takes.

    Attributes:
        at: Where it is described.
        required: Whether there must be one.
        schemas: Where schemas are, by media type.
        schema: Where the one is that holds for all media types, in Swagger 2.
    """

    at: Pointer
    required: bool
    schemas: dict[str, Pointer]
    schema: Pointer | None = None


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the document that is not known, for it refers to what can't be read.

    Attributes:
        what: The part, for a person.
        at: Where the reference is.
        told: What it names.
    """

    what: str
    at: Pointer
    told: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response that an operation may give.

    Attributes:
        at: Where it is described, references followed.
        key: What covers the status: `200`, `2XX`, `default`.
        produces: Media types.
        schemas: Where schemas are, by media type.
        schema: Where the one is that holds for all media types, in Swagger 2.
        headers: Where the headers' schemas are, by name.
        contents: What headers hold, where `content` says that, by name.
        unread: Parts of it that are not known.
    """

    at: Pointer
    key: str
    produces: tuple[str, ...]
    schemas: dict[str, Pointer]
    schema: Pointer | None
    headers: dict[str, Pointer]
    contents: dict[str, Content]
    unread: tuple[Unread, ...] = ()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, as far as requests and responses are held against it.

    Attributes:
        method: In upper case.
        path: The template.
        at: Where it is in the document.
        parameters: Its own and those of its path.
        consumes: Media types that it takes.
        produces: Media types of all its responses together.
        body: The body that it takes; None: none is described.
        security: The alternatives, each with the names of the schemes that are needed together.
        unread: Parts of its requests that are not known.
    """

    method: str
    path: str
    at: Pointer
    parameters: tuple[Parameter, ...]
    consumes: tuple[str, ...]
    produces: tuple[str, ...]
    body: Body | None
    security: tuple[tuple[str, ...], ...]
    unread: tuple[Unread, ...] = ()

    @property
    def label(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def parameters_in(self, place: str) -> Iterator[Parameter]:
        """Yield the parameters in a place: `query`."""
        return (p for p in self.parameters if p.place == place)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, and what a path has where its template has variables."""

    operation: Operation
    variables: dict[str, str]


class _Template(msgspec.Struct, frozen=True, kw_only=True):
    """A path and a method of the document.

    Attributes:
        method: In upper case; empty: what the path has is not known.
        at: Where it is in the document.
        names: Of its variables.
        pattern: What paths look like that are meant.
        rank: What templates are ordered by.
        bases: What may come before such a path.
    """

    method: str
    at: Pointer
    names: tuple[str, ...]
    pattern: re.Pattern[str]
    rank: tuple[int, ...]
    bases: frozenset[_Segments]


class Operations:
    """Finds operations of a document.

    Args:
        description: The document.
        base_path: What comes before every path beside what the document says.
    """

    def __init__(self, description: Description, base_path: str = "") -> None:
        self._description = description
        self._settings = description.mapping(("info",))
        self._base_path = base_path
        self._fixed = self._fixed_base()
        self._bases: dict[_Segments, None] = {}  # of all templates, in the order in which they are tried
        self._templates: dict[str, list[_Template]] = {}
        for template in sorted(self._read_templates(), key=lambda t: t.rank):
            self._templates.setdefault(template.method, []).append(template)
        self._known: dict[Pointer, Operation] = {}
        self._answers: dict[tuple[Pointer, int], Answer | None] = {}

    def find(self, method: str, path: str) -> Route | None:
        """Return the operation for a request; None: the document has none.

        Templates that spell a part of the path out win over those with a variable there.
        """
        found = self._match(method, path)
        if found is None:
            return None
        template, values = found
        return Route(
            operation=self._operation(template),
            variables=dict(zip(template.names, (v.replace(_SLASH, "/") for v in values), strict=True)),
        )

    def unread(self, path: str) -> str:
        """Return what a path of the document refers to that can't be read; empty: it is not that."""
        found = self._match("", path)
        return told_by(self._description.at(found[0].at)) or "" if found else ""

    def _match(self, method: str, path: str) -> tuple[_Template, tuple[str, ...]] | None:
        segments = self._segments(path)
        if segments is None or method not in self._templates:
            return None
        for base in self._bases:
            if segments[: len(base)] != base:
                continue
            rest = "/" + "/".join(segments[len(base) :])
            for template in self._templates[method]:
                found = template.pattern.fullmatch(rest) if base in template.bases else None
                if found:
                    return template, found.groups()
        return None

    def answer(self, operation: Operation, status: int) -> Answer | None:
        """Return what the document says of a status; None: nothing."""
        key = (operation.at, status)
        if key not in self._answers:
            self._answers[key] = self._read_answer(operation, status)
        return self._answers[key]

    def scheme(self, name: str) -> Mapping[str, Any]:
        """Return a security scheme; empty: there is none of that name."""
        where = ("securityDefinitions",) if self._description.is_swagger else ("components", "securitySchemes")
        return self._description.mapping((*where, name))

    def _fixed_base(self) -> _Segments | None:
        """Return what comes before every path, whatever servers say; None: servers say it."""
        raw = self._description.raw
        own = self._settings.get(_SETTING + "base-path") or (raw.get("basePath") if "swagger" in raw else None)
        return self._segments(own.rstrip("/")) or () if isinstance(own, str) and own.strip("/") else None

    def _bases_of(self, item: Pointer, method: str) -> Iterator[_Segments]:
        """Yield what may come before a path: in OpenAPI 3 pacts are written with and without it.

        An operation's own servers take the place of its path's, and those that of the document's.
        """
        if self._fixed is not None:
            yield self._fixed
            return
        everywhere = self._server_paths(())
        own = self._server_paths((*item, method)) or self._server_paths(item)
        # What comes before paths may have been taken from the document's servers.
        base_path = [] if own and self._base_path in everywhere else [self._base_path]
        paths = [*base_path, *(own or everywhere)]
        yield from (segments for path in paths if path and (segments := self._segments(path)))
        yield ("",)

    def _server_paths(self, at: Pointer) -> list[str]:
        return [server_path(server).rstrip("/") for server in self._description.listed((*at, "servers"))]

    def _segments(self, path: str) -> _Segments | None:
        """Return the parts of a path, decoded; None: it has something that is no part of a path."""
        if "?" in path:
            return None
        path = path if path.startswith("/") else f"/{path}"
        if self._settings.get(_SETTING + "ignore-duplicate-slashes"):
            path = re.sub("/+", "/", path)
        if self._settings.get(_SETTING + "ignore-trailing-slash"):
            path = path.rstrip("/") or "/"
        if self._settings.get(_SETTING + "no-percent-encoding"):
            path = path.replace("%", "%25")
        return _decoded(path)

    def _read_templates(self) -> Iterator[_Template]:
        flags = re.DOTALL | (re.IGNORECASE if self._settings.get(_SETTING + "case-insensitive") else 0)
        for path, item in mapping(self._description.raw.get("paths")).items():
            if not isinstance(path, str) or not path.startswith("/") or not isinstance(item, dict):
                continue
            at, node = self._description.resolved(("paths", path))
            pattern, names = _pattern(path, flags)
            methods = [m for m in METHODS if isinstance(mapping(node).get(m), dict)]
            for method in methods if told_by(node) is None and node is not None else [*methods, ""]:
                bases = dict.fromkeys(self._bases_of(at, method))
                self._bases |= bases
                yield _Template(
                    method=method.upper(),
                    at=("paths", path, method) if method else ("paths", path),
                    names=names,
                    pattern=pattern,
                    rank=_rank(path),
                    bases=frozenset(bases),
                )
        self._bases.pop(("",), None)  # what comes before a path is tried first
        self._bases[("",)] = None

    def _operation(self, template: _Template) -> Operation:
        if template.at not in self._known:
            self._known[template.at] = self._read_operation(template)
        return self._known[template.at]

    def _read_operation(self, template: _Template) -> Operation:
        _, path, method = template.at
        item = self._description.place(("paths", path))
        at = (*item, method)
        raw = self._description.mapping(at)
        parameters = self._parameters((*at, "parameters"), (*item, "parameters"))
        body = self._body(at, parameters)
        security = raw.get("security", self._description.raw.get("security"))
        return Operation(
            method=method.upper(),
            path=path,
            at=at,
            parameters=parameters,
            consumes=self._media(raw, "consumes") or tuple(body.schemas if body else ()),
            produces=self._media(raw, "produces") or self._produced((*at, "responses")),
            body=body,
            security=tuple(
                tuple(str(name) for name in alternative)
                for alternative in (security if isinstance(security, list) else ())
                if isinstance(alternative, dict)
            ),
            unread=tuple(self._unread(self._requested(item, at))),
        )

    def _requested(self, item: Pointer, at: Pointer) -> Iterator[tuple[str, Pointer]]:
        """Yield where the parts of an operation's requests are, and what they are called."""
        for where in ((*at, "parameters"), (*item, "parameters")):
            for number in range(len(self._description.listed(where))):
                yield "a parameter", (*where, str(number))
        yield "the request body", (*at, "requestBody")

    def _unread(self, parts: Iterable[tuple[str, Pointer]]) -> Iterator[Unread]:
        for what, at in parts:
            node = self._description.resolved(at)[1]
            told = told_by(node) or (told_by(self._description.at(at)) if node is None else None)
            if told is not None:
                yield Unread(what=what, at=at, told=told)

    def _media(self, raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """Return the media types that Swagger 2 lists for an operation or for all."""
        if not self._description.is_swagger:
            return ()
        listed = raw.get(name, self._description.raw.get(name))
        return tuple(str(one) for one in listed) if isinstance(listed, list) else ()

    def _produced(self, responses: Pointer) -> tuple[str, ...]:
        found = [
            str(media)
            for status in self._description.mapping(responses)
            for media in mapping(self._description.mapping((*responses, str(status))).get("content"))
        ]
        return tuple(found)

    def _parameters(self, *lists: Pointer) -> tuple[Parameter, ...]:
        """Return the parameters of an operation and its path; the operation's win."""
        found: dict[tuple[str, str], Parameter] = {}
        for where in lists:
            for number in range(len(self._description.listed(where))):
                parameter = self._parameter((*where, str(number)))
                found.setdefault((parameter.place, parameter.name), parameter)
        return tuple(p for p in found.values() if p.name)

    def _parameter(self, at: Pointer) -> Parameter:
        at = self._description.place(at)
        raw = self._description.mapping(at)
        schema = (*at, "schema") if isinstance(raw.get("schema"), dict | bool) else at
        place = str(raw.get("in", ""))
        style = str(
            raw.get("style") or raw.get("collectionFormat") or ("form" if place in ("query", "cookie") else "simple")
        )
        return Parameter(
            name=str(raw.get("name", "")),
            place=place,
            at=at,
            schema=schema,
            required=raw.get("required") is True,
            style=style,
            explode=bool(raw.get("explode", style in ("form", "deepObject"))),
            kind=_kind(self._description.mapping(schema)),
            content=self._content(at),
        )

    def _content(self, at: Pointer) -> Content | None:
        found = self._schemas((*at, "content"))
        return next((Content(media=media, schema=schema) for media, schema in found.items()), None)

    def _body(self, at: Pointer, parameters: Sequence[Parameter]) -> Body | None:
        described = self._description.place((*at, "requestBody"))
        raw = self._description.mapping(described)
        if raw:
            return Body(
                at=described, required=raw.get("required") is True, schemas=self._schemas((*described, "content"))
            )
        for one in parameters:
            if one.place == "body":
                schema = one.schema if one.schema != one.at else None
                return Body(at=one.at, required=one.required, schemas={}, schema=schema)
        return None

    def _schemas(self, content: Pointer) -> dict[str, Pointer]:
        """Return where the schema of each media type is; where one has none, the place is empty."""
        found: dict[str, Pointer] = {}
        for media in self._description.mapping(content):
            at = (*self._description.place((*content, str(media))), "schema")
            found[str(media)] = at if isinstance(self._description.at(at), dict | bool) else ()
        return found

    def _read_answer(self, operation: Operation, status: int) -> Answer | None:
        responses = (*operation.at, "responses")
        wild = f"{status // 100}XX"
        for key in (str(status), wild, wild.lower(), "default"):
            if isinstance(self._description.at((*responses, key)), dict):
                return self._answer((*responses, key), operation, key)
        return None

    def _answer(self, at: Pointer, operation: Operation, key: str) -> Answer:
        described = self._description.place(at)
        raw = self._description.mapping(described)
        schemas = self._schemas((*described, "content"))
        schema = (*described, "schema") if isinstance(raw.get("schema"), dict | bool) else None
        headers = {str(name): (*described, "headers", str(name)) for name in mapping(raw.get("headers"))}
        parts = [("the response", at), *((f"the header {name}", where) for name, where in headers.items())]
        return Answer(
            at=described,
            key=key,
            produces=operation.produces if self._description.is_swagger else tuple(schemas),
            schemas=schemas,
            schema=schema,
            headers={name: self._header(where) for name, where in headers.items()},
            contents={
                name: content
                for name, where in headers.items()
                if (content := self._content(self._description.place(where)))
            },
            unread=tuple(self._unread(parts)),
        )

    def _header(self, at: Pointer) -> Pointer:
        at, node = self._description.resolved(at)
        if told_by(node) is not None:
            return _NOWHERE
        return (*at, "schema") if isinstance(mapping(node).get("schema"), dict | bool) else at


def _decoded(path: str) -> _Segments | None:
    """Return the parts of a path without percent-encoding; None: it is encoded wrongly."""
    if re.search("%(?![0-9A-Fa-f]{2})", path):
        return None
    try:
        return tuple(unquote(part, errors="strict").replace("/", _SLASH) for part in path.split("/"))
    except UnicodeDecodeError:
        return None


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the one type beside null that a schema says; empty: it says none, or several."""
    said = schema.get("type")
    kinds = [kind for kind in (said if isinstance(said, list) else [said]) if kind != "null"]
    return kinds[0] if len(kinds) == 1 and isinstance(kinds[0], str) else ""


def _pattern(template: str, flags: int) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return the expression that a path's template stands for, and the names of its variables.

    The styles `label` and `matrix` write a character in front, `explode` a star behind the name. A star that is no
    part of a name stands for anything; no specification says so, but documents have it.
    """
    parts = _VARIABLE.split(template)
    expression = "".join(
        _variable(part) if number % 2 else re.escape(unquote(part)).replace(r"\*", ".*")
        for number, part in enumerate(parts)
    )
    return re.compile(expression, flags), tuple(name.lstrip(".;").rstrip("*") for name in parts[1::2])


def _variable(name: str) -> str:
    return (re.escape(name[0]) if name[:1] in (".", ";") else "") + "([^/]+)"


def _rank(template: str) -> tuple[int, ...]:
    """Return what templates are ordered by: in each part, what is spelled out comes first."""
    return tuple(0 if "{" not in part else 10_000 - len(_VARIABLE.sub("", part)) for part in template.split("/"))
