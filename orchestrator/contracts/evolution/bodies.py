"""Bodies by media type, and responses by status with their headers."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.contracts.evolution.comparison import Comparison
from orchestrator.contracts.evolution.documents import Body, Operation, Part, is_json
from orchestrator.contracts.evolution.found import Found, Place
from orchestrator.contracts.evolution.scopes import HEADER, REQUEST, RESPONSE, Scope, as_text
from orchestrator.contracts.evolution.walk import Pair, Walk

Contents = dict[str, Part | None]


def of_requests(comparison: Comparison, before: Operation, after: Operation) -> Iterator[Found]:
    """Yield what has changed in the body of an operation's requests."""
    old, new = comparison.older.body(before), comparison.newer.body(after)
    place = Place(what="the request body", names=("requestBody",))
    if old is None or new is None:
        yield from _existing(old, new, place)
        return
    if old.required != new.required:
        rule = f"request-body-became-{'required' if new.required else 'optional'}"
        yield Found(rule=rule, place=place, at=new.part.at)
    for media in sorted(old.schemas.keys() - new.schemas.keys()):
        yield Found(rule="request-body-media-type-removed", place=place, at=old.part.at, before=media, key=media)
    for media in sorted(new.schemas.keys() - old.schemas.keys()):
        yield Found(rule="request-body-media-type-added", place=place, at=new.part.at, after=media, key=media)
    for media in sorted(old.schemas.keys() & new.schemas.keys()):
        schemas = old.schemas[media], new.schemas[media]
        yield from _schemas(comparison, schemas, _of_media(place, media, len(new.schemas)), _scope(REQUEST, media))


def _existing(old: Body | None, new: Body | None, place: Place) -> Iterator[Found]:
    if new is not None:
        rule = f"request-body-added-{'required' if new.required else 'optional'}"
        yield Found(rule=rule, place=place, at=new.part.at)
    elif old is not None:
        yield Found(rule="request-body-removed", place=place, at=old.part.at)


def _of_media(place: Place, media: str, count: int) -> Place:
    what = f"{place.what} ({media})" if count > 1 else place.what
    return Place(what=what, names=(*place.names, media))


def _schemas(
    comparison: Comparison, schemas: tuple[Part | None, Part | None], place: Place, scope: Scope
) -> Iterator[Found]:
    """Yield what has changed in the schema of a media type."""
    old, new = schemas
    if old is None or new is None:
        if old is not new:
            ending, part = ("removed", old) if new is None else ("added", new)
            at = part.at if part else ()
            yield Found(rule=f"{scope.whole}-media-type-schema-{ending}", place=place, at=at)
        return
    yield from Walk(comparison, scope).changes(Pair(before=(old,), after=(new,), place=place))


def _scope(scope: Scope, media: str) -> Scope:
    return scope if is_json(media) else as_text(scope)


def of_responses(comparison: Comparison, before: Operation, after: Operation) -> Iterator[Found]:
    """Yield what has changed in the responses of an operation."""
    old, new = comparison.older.responses(before), comparison.newer.responses(after)
    for status in sorted(old.keys() ^ new.keys()):
        ending, part = ("removed", old[status]) if status in old else ("added", new[status])
        if status != "default":
            kind = "success" if status.startswith("2") else "non-success"
            yield Found(rule=f"response-{kind}-status-{ending}", place=_response(status), at=part.at)
    for status in sorted(old.keys() & new.keys()):
        contents = comparison.older.schemas(old[status], before), comparison.newer.schemas(new[status], after)
        yield from _contents(comparison, contents, new[status], _response(status))
        yield from _headers(comparison, old[status], new[status], status)


def _response(status: str) -> Place:
    what = "the response by default" if status == "default" else f"the response {status}"
    return Place(what=what, names=("responses", status))


def _contents(
    comparison: Comparison, contents: tuple[Contents, Contents], response: Part, place: Place
) -> Iterator[Found]:
    old, new = contents
    matched = _matched(old, new)
    for media in sorted(old.keys() - matched.keys()):
        yield Found(rule="response-media-type-removed", place=place, at=response.at, before=media, key=media)
    for media in sorted(new.keys() - set(matched.values())):
        yield Found(rule="response-media-type-added", place=place, at=response.at, after=media, key=media)
    for was, now in sorted(matched.items()):
        if was != now:
            rule = f"response-media-type-name-{_renamed(was, now)}"
            yield Found(rule=rule, place=place, at=response.at, before=was, after=now, key=was)
        where = _of_media(place, now, len(new))
        yield from _schemas(comparison, (old[was], new[now]), where, _scope(RESPONSE, now))


def _matched(old: Contents, new: Contents) -> dict[str, str]:
    """Return which media type belongs to which: those of one name, then those of which one is a kind of the other."""
    matched = {media: media for media in old if media in new}
    for was in sorted(old.keys() - matched.keys()):
        for now in sorted(new.keys() - set(matched.values())):
            if _is_kind_of(was, now) or _is_kind_of(now, was):
                matched[was] = now
                break
    return matched


def _is_kind_of(special: str, general: str) -> bool:
    """Whether a media type is another with a suffix or other parameters: `application/problem+json` is JSON."""
    special, general = special.partition(";")[0], general.partition(";")[0]
    kind, _, subtype = special.partition("/")
    return special == general or general == f"{kind}/{subtype.rpartition('+')[2]}"


def _renamed(was: str, now: str) -> str:
    if was.partition(";")[0] == now.partition(";")[0]:
        return "changed"
    return "specialized" if _is_kind_of(now, was) else "generalized"


def _headers(comparison: Comparison, before: Part, after: Part, status: str) -> Iterator[Found]:
    old, new = comparison.older.headers(before), comparison.newer.headers(after)
    for name in sorted(old.keys() - new.keys()):
        kind = "required" if old[name].words.get("required") is True else "optional"
        yield Found(rule=f"{kind}-response-header-removed", place=_header(name, status), at=old[name].at)
    for name in sorted(new.keys() - old.keys()):
        yield Found(rule="response-header-added", place=_header(name, status), at=new[name].at)
    for name in sorted(old.keys() & new.keys()):
        if old[name].words.get("required") is True and new[name].words.get("required") is not True:
            yield Found(rule="response-header-became-optional", place=_header(name, status), at=new[name].at)
        was, now = comparison.older.schema_of(old[name]), comparison.newer.schema_of(new[name])
        if was is not None and now is not None:
            pair = Pair(before=(was,), after=(now,), place=_header(name, status))
            yield from Walk(comparison, HEADER).changes(pair)


def _header(name: str, status: str) -> Place:
    return Place(what=f"the header `{name}` of {_response(status).what}", names=("responses", status, "headers", name))
