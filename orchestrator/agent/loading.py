"""Import the user's app the way the settings say, and call the user's hooks."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import traceback
from collections.abc import Callable
from typing import Any

_WSGI_PARAMETERS = 2  # environ, start_response
_ASGI_PARAMETERS = 3  # scope, receive, send


class LoadError(Exception):
    """The user's code can't be used.

    Attributes:
        code: One of the driver's error codes.
        hint: The way out.
        detail: The user's traceback; may be empty.
    """

    def __init__(self, code: str, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.detail = detail


def resolve(target: str, key: str) -> Any:
    """Return the object that `module:attribute` names.

    Args:
        target: What to import.
        key: The setting it comes from, for the error.

    Raises:
        LoadError: the module fails to import, or has no such attribute.
    """
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise LoadError(
            "QO202",
            f"`{key}` = {target!r}: importing {module_name} failed: {type(error).__name__}: {error}",
            "Import it by hand with the same interpreter; check `directory`, `import-paths`, `python` and "
            "`app.environment`.",
            _own_traceback(error),
        ) from error
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise LoadError(
                "QO202",
                f"`{key}` = {target!r}: {module_name} has no attribute {attribute!r}",
                "Check the name after the colon.",
            ) from error
        except Exception as error:  # a module may compute its attributes
            raise LoadError(
                "QO202",
                f"`{key}` = {target!r}: looking {attribute!r} up failed: {type(error).__name__}: {error}",
                "Look it up by hand with the same interpreter.",
                _own_traceback(error),
            ) from error
    return found


def _own_traceback(error: BaseException) -> str:
    """Return the traceback from where the user's code begins."""
    frames = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(f for f in frames if "importlib" not in f.partition("\n")[0] and __file__ not in f)


def load_app(settings: dict[str, Any]) -> tuple[Any, str]:
    """Return the app and how it is called: `wsgi` or `asgi`.

    Args:
        settings: The `app` table of the settings, keys as the driver sends them.

    Raises:
        LoadError: it can't be imported or made, or it is no app.
    """
    target = settings["target"]
    found = resolve(target, "app.target")
    factory = settings["factory"]
    if factory is None:
        factory = callable(found) and (bool(settings["arguments"]) or interface_of(found) is None)
    if factory:
        try:
            found = found(**settings["arguments"])
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise LoadError(
                "QO202",
                f"`app.target` = {target!r}: making the app failed: {type(error).__name__}: {error}",
                "Call the factory by hand; check `app.arguments` and `app.environment`.",
                _own_traceback(error),
            ) from error
    for part in filter(None, settings["attribute"].split(".")):
        if not hasattr(found, part):
            raise LoadError(
                "QO203",
                f"`app.attribute` = {settings['attribute']!r}: {type(found).__name__} has no such attribute",
                "Check the name.",
            )
        found = getattr(found, part)
    interface = settings["interface"]
    if interface == "auto":
        interface = interface_of(found)
    if interface is None or not callable(found):
        raise LoadError(
            "QO203",
            f"`app.target` = {target!r} gives {type(found).__name__}, which is neither a WSGI nor an ASGI app",
            "Name the app itself, or its factory; set `app.attribute` when the app is inside, or `app.interface`.",
        )
    return found, interface


def interface_of(candidate: Any) -> str | None:
    """Return `wsgi` or `asgi` when `candidate` is called like one; None when it is called like neither."""
    if not callable(candidate) or (inspect.isclass(candidate) and not hasattr(candidate, "__iter__")):
        return None
    try:
        parameters = list(inspect.signature(candidate).parameters.values())
    except (TypeError, ValueError):
        return None
    is_async = inspect.iscoroutinefunction(candidate) or inspect.iscoroutinefunction(type(candidate).__call__)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    if inspect.isclass(candidate):  # one whose instances are the responses (PEP 3333)
        return "wsgi" if len(required) == _WSGI_PARAMETERS else None
    hides = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters) and not required
    is_wrapper = hides and not inspect.isroutine(candidate)  # an object that passes everything on to an app
    if len(required) == _ASGI_PARAMETERS or (is_wrapper and is_async):
        return "asgi"
    return "wsgi" if (len(required) == _WSGI_PARAMETERS or is_wrapper) and not is_async else None


def call_hook(
    function: Callable[..., Any],
    app: Any,
    run: Callable[[Any], Any] | None = None,
    /,
    **arguments: Any,
) -> Any:
    """Call a hook of the user's with `arguments`, and with `app` if it has a parameter of that name.

    Args:
        function: The hook; it may be `async`.
        app: The user's app.
        run: How to await a result; None: in an event loop of its own.
        arguments: What else it is given; its names may be any, also those of the parameters here.
    """
    try:
        takes_app = "app" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        takes_app = False
    if takes_app:
        arguments["app"] = app
    result = function(**arguments)
    if inspect.isawaitable(result):
        return run(result) if run else asyncio.run(_awaited(result))
    return result


async def _awaited(result: Any) -> Any:
    return await result
