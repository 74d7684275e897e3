"""Watch the HTTP requests that a test makes through the usual clients.

Each client's one method that sends is wrapped when its module is (or has been) imported; nothing is imported
for it. Requests are counted once: only the outermost client of a call is heard.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

Exchange = dict[str, Any]


class Listener(Protocol):
    """Who is told of each exchange."""

    def begun(self) -> None:
        """A request is about to be sent."""

    def ended(self, exchange: Exchange) -> None:
        """It was answered; what is added to the exchange stays with it."""


_current: list[Exchange] = []
_listeners: list[Listener] = []  # one, or none: then responses are not kept
_depth: ContextVar[int] = ContextVar("depth", default=0)  # of threads as well as of tasks
_MARK = "_orchestrator_hears"


def begin() -> None:
    """Forget what was heard."""
    _current.clear()


def heard() -> list[Exchange]:
    """Return the exchanges since `begin`, each distinct one once."""
    seen = {(e["method"], e["path"], e["status"]): e for e in _current}
    return list(seen.values())


def keep_whole(listener: Listener) -> None:
    """Keep headers and bodies too from now on, and tell somebody of each exchange."""
    _listeners[:] = [listener]


def whole() -> list[Exchange]:
    """Return the exchanges since `begin`, each as often as it occurred.

    Beside what `heard` tells they have `client` (its module), `url` (path and query), `headers` and `body`: bytes, or
    None: it was not read, for it streams.
    """
    return list(_current)


def watch_imports() -> None:
    """Wrap every known client, those that are imported by now and those that will be."""
    for name in {client.module for client in _CLIENTS}:
        _watch(name)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Leaves finding to the others; has a look at a known client's module when it was run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what another finder finds."""
        if not any(name == client.module for client in _CLIENTS):
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
    for client in _CLIENTS:
        owner = vars(sys.modules[name]).get(client.name) if client.module == name and name in sys.modules else None
        original = vars(owner).get(client.method) if isinstance(owner, type) else None
        if original is None or hasattr(original, _MARK):
            continue
        wrap = _wrapped_async if client.name.startswith("Async") else _wrapped_sync
        wrapped = functools.wraps(original)(wrap(original, functools.partial(_note, client)))
        setattr(wrapped, _MARK, True)
        setattr(owner, client.method, wrapped)


def _note(client: _Client, response: Any, args: Any, kwargs: Any) -> None:
    try:
        for seen in (*getattr(response, "history", ()), response):  # redirects that the client followed come first
            _hear(client, *client.request(seen, args, kwargs), seen)
    except Exception:  # noqa: BLE001, S110 - a client of another version: the test must not notice that we look
        pass


def _hear(client: _Client, method: str, url: str, response: Any) -> None:
    parts = urlsplit(url)
    path = _encodable(parts.path or "/")
    exchange: Exchange = {"method": method.upper(), "path": path, "status": int(response.status_code)}
    if _listeners:
        exchange["client"] = client.module
        exchange["url"] = f"{path}?{_encodable(parts.query)}" if parts.query else path
        exchange["headers"] = [(str(k), _encodable(str(v))) for k, v in _headers(response)]
        exchange["body"] = client.body(response)
        _listeners[0].ended(exchange)
    _current.append(exchange)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()  # pytest-xdist sends no surrogates


def _headers(response: Any) -> list[tuple[str, str]]:
    headers = response.headers
    found = list(getattr(headers, "multi_items", headers.items)())  # httpx joins those of one name
    cookies: Any = getattr(response, "cookies", None)
    if hasattr(cookies, "output"):  # Django keeps them apart
        found += [("Set-Cookie", morsel.OutputString()) for morsel in cookies.values()]
    return found


@contextmanager
def _sending() -> Iterator[None]:
    """Count the clients that are in each other."""
    token = _depth.set(_depth.get() + 1)
    if _listeners and _depth.get() == 1:
        _listeners[0].begun()
    try:
        yield
    finally:
        _depth.reset(token)


def _wrapped_sync(original: Callable[..., Any], note: Callable[[Any, Any, Any], None]) -> Callable[..., Any]:
    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _sending():
            response = original(self, *args, **kwargs)
        if _depth.get() == 0:
            note(response, args, kwargs)
        return response

    return send


def _wrapped_async(original: Callable[..., Any], note: Callable[[Any, Any, Any], None]) -> Callable[..., Any]:
    async def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _sending():
            response = await original(self, *args, **kwargs)
        if _depth.get() == 0:
            note(response, args, kwargs)
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
    return str(response.request.method), str(response.request.full_path)


def _from_django(response: Any, args: Any, kwargs: Any) -> tuple[str, str]:
    request = response.request
    query = request.get("QUERY_STRING", "")
    return str(request["REQUEST_METHOD"]), f"{request['PATH_INFO']}?{query}" if query else str(request["PATH_INFO"])


def _body_that_was_read(response: Any) -> bytes | None:
    content = vars(response).get("_content")  # of httpx and of requests; asking for it otherwise would read it
    return content if isinstance(content, bytes) else None


def _body_of_werkzeug(response: Any) -> bytes | None:
    if not response.is_sequence and "Content-Length" not in response.headers:
        return None  # it may stream without an end
    chunks: list[bytes] = []
    if not response.is_sequence and hasattr(response.response, "close"):
        response.call_on_close(response.response.close)  # for it is replaced
    try:
        for chunk in response.iter_encoded():
            chunks.append(bytes(chunk))  # noqa: PERF401 - what came before an error has to be there
    except BaseException as error:  # noqa: BLE001 - whoever reads it meets the error
        response.response = _until(chunks, error)
        return None
    response.response = chunks
    return b"".join(chunks)


def _until(chunks: Sequence[bytes], error: BaseException) -> Iterator[bytes]:
    """Yield what was read before it failed, and fail again."""
    yield from chunks
    raise error


def _body_of_django(response: Any) -> bytes | None:
    return None if getattr(response, "streaming", False) else bytes(response.content)


class _Client(NamedTuple):
    """A class of clients.

    Attributes:
        module: Where it is.
        name: What it is called.
        method: Through which every request of it goes.
        request: Returns method and URL of a request, by its response and the method's arguments.
        body: Returns the body of a response; None: it streams.
    """

    module: str
    name: str
    method: str
    request: Callable[..., tuple[str, str]]
    body: Callable[[Any], bytes | None]


_CLIENTS = (
    _Client("werkzeug.test", "Client", "open", _from_werkzeug, _body_of_werkzeug),
    _Client("httpx", "Client", "send", _from_httpx, _body_that_was_read),
    _Client("httpx", "AsyncClient", "send", _from_httpx, _body_that_was_read),
    _Client("httpx2", "Client", "send", _from_httpx, _body_that_was_read),
    _Client("httpx2", "AsyncClient", "send", _from_httpx, _body_that_was_read),
    _Client("requests", "Session", "send", _from_request, _body_that_was_read),
    _Client("django.test.client", "Client", "request", _from_django, _body_of_django),
)
