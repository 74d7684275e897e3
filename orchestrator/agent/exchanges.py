"""Watch the HTTP requests that a test makes through the usual clients.

Each client's one method that sends is wrapped when its module is (or has been) imported; nothing is imported
for it. Requests are counted once: only the outermost client of a call is heard.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Exchange = dict[str, Any]

_current: list[Exchange] = []
_depth = threading.local()
_wrapped: set[str] = set()


def begin() -> None:
    """Forget what was heard."""
    _current.clear()


def heard() -> list[Exchange]:
    """Return the exchanges since `begin`, each distinct one once."""
    seen = {(e["method"], e["path"], e["status"]): e for e in _current}
    return list(seen.values())


def watch() -> None:
    """Wrap every known client that is imported by now. Call it again later for those imported meanwhile."""
    for module_name, class_name, method, read in _CLIENTS:
        key = f"{module_name}.{class_name}.{method}"
        module = sys.modules.get(module_name)
        owner = getattr(module, class_name, None)
        if key in _wrapped or owner is None or method not in vars(owner):
            continue
        _wrapped.add(key)
        wrap = _wrapped_async if class_name.startswith("Async") else _wrapped_sync
        setattr(owner, method, wrap(getattr(owner, method), read))


def _note(read: Callable[..., tuple[str, str]], response: Any, args: Any, kwargs: Any) -> None:
    try:
        method, url = read(response, args, kwargs)
        _current.append({"method": method.upper(), "path": urlsplit(url).path or "/", "status": response.status_code})
    except Exception:  # noqa: BLE001, S110 - a client of another version: the test must not notice that we look
        pass


def _wrapped_sync(original: Callable[..., Any], read: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        _depth.value = getattr(_depth, "value", 0) + 1
        try:
            response = original(self, *args, **kwargs)
        finally:
            _depth.value -= 1
        if _depth.value == 0:
            _note(read, response, args, kwargs)
        return response

    return send


def _wrapped_async(original: Callable[..., Any], read: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
    async def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        response = await original(self, *args, **kwargs)
        _note(read, response, args, kwargs)
        return response

    return send


def _from_request(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    return str(response.request.method), str(response.request.url)


def _from_argument(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    request = args[0] if args else kwargs["request"]
    return str(request.method), str(request.url)


def _from_werkzeug(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    return str(response.request.method), str(response.request.path)


def _from_django(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    request = response.request
    return str(request["REQUEST_METHOD"]), str(request["PATH_INFO"])


# Module, class, the method through which every request of it goes, how to read the request.
_CLIENTS: tuple[tuple[str, str, str, Callable[..., tuple[str, str]]], ...] = (
    ("werkzeug.test", "Client", "open", _from_werkzeug),
    ("httpx", "Client", "send", _from_argument),
    ("httpx", "AsyncClient", "send", _from_argument),
    ("httpx2", "Client", "send", _from_argument),
    ("httpx2", "AsyncClient", "send", _from_argument),
    ("requests", "Session", "send", _from_request),
    ("django.test.client", "Client", "request", _from_django),
)
