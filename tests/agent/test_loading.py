from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from orchestrator.agent.loading import LoadError, call_hook, interface_of, load_app, resolve

MODULE = "an_app_of_a_user"


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    return [b""]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


class WsgiHandler:
    """Called as Django's WSGIHandler is."""

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return [b""]


class AsgiHandler:
    """Called as FastAPI's and Django's ASGIHandler are."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer nothing."""


class Inside:
    """Not an app, but has one."""

    def __init__(self, app: Any = wsgi_app, **rest: Any) -> None:
        self.app = app
        self.rest = rest


class Middleware:
    """Hides what it wraps."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.app(*args, **kwargs)


class AsyncMiddleware(Middleware):
    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self.app(*args, **kwargs)


class ResponseClass:
    """PEP 3333's example of a class that is the app."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        start_response("200 OK", [])

    def __iter__(self) -> Iterator[bytes]:
        yield b""


def passed_on(app: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(app)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return app(*args, **kwargs)

    return wrapper


class Bound:
    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        return [b""]

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer nothing."""


def three_and_more(config: Any, environ: Any, start_response: Any) -> list[bytes]:
    return [b""]


@pytest.mark.parametrize(
    ("candidate", "interface"),
    [
        pytest.param(Flask("shop"), "wsgi", id="a Flask app"),
        pytest.param(wsgi_app, "wsgi", id="a WSGI function"),
        pytest.param(asgi_app, "asgi", id="an ASGI function"),
        pytest.param(WsgiHandler(), "wsgi", id="a WSGI handler"),
        pytest.param(AsgiHandler(), "asgi", id="an ASGI handler"),
        pytest.param(Bound().wsgi, "wsgi", id="a WSGI method"),
        pytest.param(Bound().asgi, "asgi", id="an ASGI method"),
        pytest.param(passed_on(wsgi_app), "wsgi", id="a wrapped WSGI function"),
        pytest.param(passed_on(asgi_app), "asgi", id="a wrapped ASGI function"),
        pytest.param(passed_on(WsgiHandler()), "wsgi", id="a wrapped WSGI handler"),
        pytest.param(Middleware(wsgi_app), "wsgi", id="a WSGI middleware without parameters"),
        pytest.param(AsyncMiddleware(asgi_app), "asgi", id="an ASGI middleware without parameters"),
        pytest.param(functools.partial(three_and_more, {}), "wsgi", id="a partial WSGI function"),
        pytest.param(functools.partial(asgi_app), "asgi", id="a partial ASGI function"),
        pytest.param(ResponseClass, "wsgi", id="a class whose instances are responses"),
        pytest.param(WsgiHandler, None, id="a handler class"),
        pytest.param(Inside, None, id="any class"),
        pytest.param(Inside(), None, id="an object that can't be called"),
        pytest.param(lambda: wsgi_app, None, id="a factory"),
        pytest.param(lambda *args, **kwargs: (args, kwargs), None, id="a factory that takes anything"),
        pytest.param(lambda config=None, debug=False: Inside(config, debug=debug), None, id="a factory with defaults"),
        pytest.param(None, None, id="nothing"),
        pytest.param("wsgi", None, id="text"),
        pytest.param(dict, None, id="a builtin type"),
    ],
)
def test_an_app_is_told_by_how_it_is_called(candidate: Any, interface: str | None) -> None:
    assert interface_of(candidate) == interface


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """A module of the user's."""
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    yield module
    del sys.modules[MODULE]


def settings(target: str = "app", **others: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"factory": None, "arguments": {}, "attribute": "", "interface": "auto"}
    return {"target": f"{MODULE}:{target}"} | defaults | others


def load(module: types.ModuleType, target: Any, **others: Any) -> tuple[Any, str]:
    module.app = target  # type: ignore[attr-defined]
    return load_app(settings(**others))


def test_an_app_is_taken_as_it_is(module: types.ModuleType) -> None:
    assert load(module, wsgi_app) == (wsgi_app, "wsgi")
    assert load(module, asgi_app) == (asgi_app, "asgi")


def test_what_is_no_app_is_called_to_make_one(module: types.ModuleType) -> None:
    assert load(module, lambda: asgi_app) == (asgi_app, "asgi")


def test_a_handler_class_is_called_to_make_one(module: types.ModuleType) -> None:
    app, interface = load(module, WsgiHandler)
    assert isinstance(app, WsgiHandler)
    assert interface == "wsgi"


def test_a_factory_is_given_its_arguments(module: types.ModuleType) -> None:
    app, interface = load(module, Inside, arguments={"app": asgi_app, "debug": True}, attribute="app")
    assert (app, interface) == (asgi_app, "asgi")


def test_arguments_make_a_factory_of_what_looks_like_an_app(module: types.ModuleType) -> None:
    app, _ = load(module, lambda config, debug: (wsgi_app, config, debug)[0], arguments={"config": "x", "debug": 1})
    assert app is wsgi_app


def test_an_app_inside_another_object_is_found_by_its_attribute(module: types.ModuleType) -> None:
    assert load(module, Inside(Inside(asgi_app)), attribute="app.app") == (asgi_app, "asgi")


def test_a_factory_that_looks_like_an_app_is_called_when_the_settings_say_so(module: types.ModuleType) -> None:
    made = types.SimpleNamespace(called=False)

    def create(environ: str = "test", start: bool = True) -> Any:
        made.called = True
        return wsgi_app

    assert load(module, create, factory=True) == (wsgi_app, "wsgi")
    assert made.called


def test_what_is_no_app_is_not_called_when_the_settings_say_so(module: types.ModuleType) -> None:
    with pytest.raises(LoadError, match="neither a WSGI nor an ASGI app") as raised:
        load(module, lambda: wsgi_app, factory=False)
    assert raised.value.code == "QO203"


def test_the_settings_may_say_how_an_app_is_called(module: types.ModuleType) -> None:
    def undeclared(*args: Any) -> Any:
        return [b""]

    assert load(module, undeclared, factory=False, interface="wsgi") == (undeclared, "wsgi")


@pytest.mark.parametrize("interface", ["auto", "wsgi", "asgi"])
def test_what_can_not_be_called_is_no_app(module: types.ModuleType, interface: str) -> None:
    with pytest.raises(LoadError, match="gives dict, which is neither") as raised:
        load(module, {"a": "dictionary"}, interface=interface)
    assert raised.value.code == "QO203"
    assert "app.attribute" in raised.value.hint


def test_a_factory_that_makes_no_app_is_told(module: types.ModuleType) -> None:
    with pytest.raises(LoadError, match="gives NoneType") as raised:
        load(module, lambda: None)
    assert raised.value.code == "QO203"


def test_an_attribute_that_is_not_there_is_told(module: types.ModuleType) -> None:
    with pytest.raises(LoadError, match=r"`app\.attribute` = 'asgi': Inside has no such attribute") as raised:
        load(module, Inside, attribute="asgi")
    assert raised.value.code == "QO203"


def failing() -> Any:
    raise ValueError("no database")


def exiting() -> Any:
    raise SystemExit("settings are missing")


@pytest.mark.parametrize(
    ("factory", "told"),
    [(failing, "ValueError: no database"), (exiting, "SystemExit: settings are missing")],
)
def test_a_factory_that_fails_is_told_with_the_users_traceback(
    module: types.ModuleType, factory: Any, told: str
) -> None:
    with pytest.raises(LoadError, match=f"making the app failed: {told}") as raised:
        load(module, factory)
    assert raised.value.code == "QO202"
    assert factory.__name__ in raised.value.detail
    assert "orchestrator/agent" not in raised.value.detail


def test_arguments_that_a_factory_does_not_take_are_told(module: types.ModuleType) -> None:
    with pytest.raises(LoadError, match="unexpected keyword argument 'colour'") as raised:
        load(module, lambda: wsgi_app, arguments={"colour": "red"})
    assert raised.value.code == "QO202"


def test_a_missing_module_is_told() -> None:
    with pytest.raises(LoadError, match=r"`app\.target` = 'no_such_module:app': importing no_such") as raised:
        resolve("no_such_module:app", "app.target")
    assert raised.value.code == "QO202"
    assert "import-paths" in raised.value.hint


@pytest.mark.parametrize("attribute", ["missing", "app.missing", ""])
def test_a_missing_attribute_is_told(module: types.ModuleType, attribute: str) -> None:
    module.app = wsgi_app  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match="has no attribute") as raised:
        resolve(f"{MODULE}:{attribute}", "app.target")
    assert raised.value.code == "QO202"


def test_an_attribute_that_can_not_be_computed_is_told(module: types.ModuleType) -> None:
    def compute(name: str) -> Any:
        raise ImportError(f"{name} needs a driver")

    module.__getattr__ = compute  # type: ignore[method-assign]
    with pytest.raises(LoadError, match="looking 'app' up failed: ImportError: app needs a driver") as raised:
        resolve(f"{MODULE}:app", "app.target")
    assert raised.value.code == "QO202"


def test_a_hook_is_given_the_app_if_it_asks_for_it() -> None:
    assert call_hook(lambda app: app, "the app") == "the app"
    assert call_hook(lambda: "nothing", "the app") == "nothing"
    assert call_hook(lambda count, app: (count, app), "the app", count=2) == (2, "the app")


def test_a_hook_may_be_async() -> None:
    async def hook(app: str) -> str:
        return f"awaited with {app}"

    assert call_hook(hook, "the app") == "awaited with the app"
    assert call_hook(hook, "the app", lambda awaitable: awaitable.close()) is None


def test_a_hooks_arguments_may_have_any_name() -> None:
    given = {"function": 1, "run": 2, "arguments": 3, "key": 4}
    assert call_hook(lambda **names: names, None, None, **given) == given
