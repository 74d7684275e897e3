"""Who may call: security requirements of the API and its operations, and the schemes that these name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.contracts.evolution.comparison import Comparison
from orchestrator.contracts.evolution.documents import Operation, Part, by_name, texts
from orchestrator.contracts.evolution.found import Found, Place

# The schemes that are needed together → the scopes of each.
Requirements = dict[tuple[str, ...], dict[str, tuple[str, ...]]]


def of_operations(comparison: Comparison, before: Operation, after: Operation) -> Iterator[Found]:
    """Yield what has changed in what an operation asks of its callers.

    An operation without requirements of its own has those of the API. If both sides have none of their own, the change
    is that of the API.
    """
    older, newer = comparison.older, comparison.newer
    old, new = older.security(before), newer.security(after)
    if old is None and new is None:
        return
    was = old if old is not None else older.root.inside("security")
    now = new if new is not None else newer.root.inside("security")
    place = Place(what="the operation", names=("security",))
    yield from _requirements("api-security", was, now, place, new.at if new is not None else after.part.at)


def of_api(comparison: Comparison) -> Iterator[Found]:
    """Yield what has changed in what the API asks of its callers, and in its security schemes."""
    was, now = comparison.older.root.inside("security"), comparison.newer.root.inside("security")
    yield from _requirements("api-global-security", was, now, Place(what="the API", names=("security",)), now.at)
    yield from _schemes(comparison.older.security_schemes(), comparison.newer.security_schemes())


def _requirements(rules: str, was: Part, now: Part, place: Place, at: tuple[str, ...]) -> Iterator[Found]:
    old, new = _read(was.value), _read(now.value)
    for names in sorted(old.keys() - new.keys()):
        shown = " and ".join(names)
        yield Found(rule=f"{rules}-removed", place=place, at=at, before=shown, key=shown)
    for names in sorted(new.keys() - old.keys()):
        shown = " and ".join(names)
        yield Found(rule=f"{rules}-added", place=place, at=at, after=shown, key=shown)
    for names in sorted(old.keys() & new.keys()):
        for name in names:
            scopes = set(old[names][name]), set(new[names][name])
            for scope in sorted(scopes[0] - scopes[1]):
                yield Found(rule=f"{rules}-scope-removed", place=place, at=at, before=scope, key=f"{name} {scope}")
            for scope in sorted(scopes[1] - scopes[0]):
                yield Found(rule=f"{rules}-scope-added", place=place, at=at, after=scope, key=f"{name} {scope}")


def _read(value: object) -> Requirements:
    found: Requirements = {}
    for requirement in value if isinstance(value, list) else []:
        schemes = {name: texts(scopes) for name, scopes in by_name(requirement).items()}
        if schemes:  # an empty one asks nothing
            found[tuple(sorted(schemes))] = schemes
    return found


def _schemes(old: dict[str, Part], new: dict[str, Part]) -> Iterator[Found]:
    for name in sorted(old.keys() - new.keys()):
        yield Found(rule="api-security-component-removed", place=_scheme(name), at=old[name].at)
    for name in sorted(new.keys() - old.keys()):
        yield Found(rule="api-security-component-added", place=_scheme(name), at=new[name].at)
    for name in sorted(old.keys() & new.keys()):
        yield from _scheme_changes(old[name], new[name], _scheme(name))


def _scheme(name: str) -> Place:
    return Place(what=f"the security scheme `{name}`", names=("securitySchemes", name))


def _scheme_changes(old: Part, new: Part, place: Place) -> Iterator[Found]:
    was, now = _text(old.words, "type"), _text(new.words, "type")
    if was != now:
        yield Found(rule="api-security-component-type-changed", place=place, at=new.at, before=was, after=now)
        return
    flows, newer = _flows(old), _flows(new)
    for flow in sorted(flows.keys() & newer.keys()):
        yield from _flow_changes(flows[flow], newer[flow], place, flow)


def _flows(scheme: Part) -> dict[str, Part]:
    """Return the OAuth flows; Swagger 2.0 has one, and it is the scheme itself."""
    return scheme.named("flows") or {"": scheme}


def _flow_changes(old: Part, new: Part, place: Place, flow: str) -> Iterator[Found]:
    for word, name in (("authorizationUrl", "oauth-url"), ("tokenUrl", "oauth-token-url")):
        was, now = _text(old.words, word), _text(new.words, word)
        if was != now:
            rule = f"api-security-component-{name}-changed"
            yield Found(rule=rule, place=place, at=new.at, before=was, after=now, key=flow)
    scopes, newer = by_name(old.words.get("scopes")), by_name(new.words.get("scopes"))
    for scope in sorted(scopes.keys() | newer.keys()):
        key = f"{flow} {scope}"
        if scope not in newer:
            rule = "api-security-component-oauth-scope-removed"
            yield Found(rule=rule, place=place, at=old.at, before=scope, key=key)
        elif scope not in scopes:
            rule = "api-security-component-oauth-scope-added"
            yield Found(rule=rule, place=place, at=new.at, after=scope, key=key)
        elif _text(scopes, scope) != _text(newer, scope):
            rule = "api-security-component-oauth-scope-changed"
            yield Found(rule=rule, place=place, at=new.at, before=scope, after=scope, key=key)


def _text(words: Mapping[str, object], name: str) -> str:
    value = words.get(name)
    return value if isinstance(value, str) else ""
