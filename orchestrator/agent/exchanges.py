"""Watch the HTTP requests that a test makes through the usual clients.

Each client's one method that sends is wrapped when its module is (or has been) imported; nothing is imported
for it. Requests are counted once: only the outermost client of a call is heard.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

Exchange = dict[str, Any]

_current: list[Exchange] = []
_depth: ContextVar[int] = ContextVar("depth", default=0)  # of threads as well as of tasks
_MARK = "_orchestrator_hears"


def begin() -> None:
    """Forget what was heard."""
    _current.clear()


def heard() -> list[Exchange]:
    """Return the exchanges since `begin`, each distinct one once."""
    seen = {(e["method"], e["path"], e["status"]): e for e in _current}
    return list(seen.values())


def watch_imports() -> None:
    """Wrap every known client, those that are imported by now and those that will be."""
    for name in {client[0] for client in _CLIENTS}:
        _watch(name)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Leaves finding to the others; has a look at a known client's module when it was run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what another finder finds."""
        if not any(name == client[0] for client in _CLIENTS):
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    _look_after(spec.loader, name)
                return spec
        return None


def _look_after(loader: Any, name: str) -> None:
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        _watch(name)

    loader.exec_module = exec_module


def _watch(name: str) -> None:
    for module_name, class_name, method, read in _CLIENTS:
        owner = vars(sys.modules[name]).get(class_name) if module_name == name and name in sys.modules else None
        original = vars(owner).get(method) if isinstance(owner, type) else None
        if original is None or hasattr(original, _MARK):
            continue
        wrap = _wrapped_async if class_name.startswith("Async") else _wrapped_sync
        wrapped = functools.wraps(original)(wrap(original, read))
        setattr(wrapped, _MARK, True)
        setattr(owner, method, wrapped)


def _note(read: Callable[..., tuple[str, str]], response: Any, args: Any, kwargs: Any) -> None:
    try:
        for earlier in getattr(response, "history", ()):  # redirects that the client followed
            _hear(*read(earlier, args, kwargs), earlier.status_code)
        _hear(*read(response, args, kwargs), response.status_code)
    except Exception:  # noqa: BLE001, S110 - a client of another version: the test must not notice that we look
        pass


def _hear(method: str, url: str, status: int) -> None:
    path = (urlsplit(url).path or "/").encode("utf-8", "backslashreplace").decode()  # pytest-xdist sends no surrogates
    _current.append({"method": method.upper(), "path": path, "status": int(status)})


def _wrapped_sync(original: Callable[..., Any], read: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _depth.set(_depth.get() + 1)
        try:
            response = original(self, *args, **kwargs)
        finally:
            _depth.reset(token)
        if _depth.get() == 0:
            _note(read, response, args, kwargs)
        return response

    return send


def _wrapped_async(original: Callable[..., Any], read: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
    async def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _depth.set(_depth.get() + 1)
        try:
            response = await original(self, *args, **kwargs)
        finally:
            _depth.reset(token)
        if _depth.get() == 0:
            _note(read, response, args, kwargs)
        return response

    return send


def _from_request(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    return str(response.request.method), str(response.request.url)


def _from_httpx(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    try:
        request = response.request  # the last one, where redirects were followed
    except (AttributeError, RuntimeError):  # a stand-in need not have one
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
    ("httpx", "Client", "send", _from_httpx),
    ("httpx", "AsyncClient", "send", _from_httpx),
    ("httpx2", "Client", "send", _from_httpx),
    ("httpx2", "AsyncClient", "send", _from_httpx),
    ("requests", "Session", "send", _from_request),
    ("django.test.client", "Client", "request", _from_django),
)
