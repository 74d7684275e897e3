"""Call a WSGI or an ASGI app with one request: the shape of both is the same to the server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from .loading import LoadError

# status, headers as (name, value) in latin-1, body chunks
Headers = list[tuple[str, str]]


class Request(NamedTuple):
    """One request as it came over the wire. `target` is the raw request target: `/a%20b?c=d`."""

    method: str
    target: str
    headers: Headers
    body: bytes
    server: tuple[str, int]
    client: tuple[str, int]

    @property
    def path(self) -> str:
        """The raw path."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query."""
        return self.target.partition("?")[2]


class Answer(NamedTuple):
    """The head of a response, and its body as it comes."""

    status: int
    headers: Headers
    body: Iterator[bytes]


class Gateway(Protocol):
    """Something that answers requests."""

    def answer(self, request: Request) -> Answer:
        """Return the app's answer; any exception of the app's is raised."""

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable of the app's."""

    def close(self) -> None:
        """Let the app shut down."""


class WsgiGateway:
    """Calls a WSGI app (PEP 3333)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def answer(self, request: Request) -> Answer:
        """Return the app's answer."""
        head: list[Any] = []
        written: list[bytes] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
            head[:] = [int(status.split(" ", 1)[0]), list(headers)]
            return written.append

        result = self._app(self._environ(request), start_response)
        chunks = iter(result)
        first = next(chunks, b"") if not head else b""  # an app may call start_response when it is iterated
        if not head:
            raise RuntimeError("the WSGI app returned without calling start_response")
        return Answer(head[0], head[1], self._body(result, [*written, first], chunks))

    @staticmethod
    def _body(result: Iterable[bytes], first: list[bytes], chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from first
            yield from chunks
        finally:
            close = getattr(result, "close", None)
            if close:
                close()

    @staticmethod
    def _environ(request: Request) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "QUERY_STRING": request.query,
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "SERVER_NAME": request.server[0],
            "SERVER_PORT": str(request.server[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": request.client[0],
            "REMOTE_PORT": str(request.client[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ["CONTENT_LENGTH"] = str(len(request.body)) if request.body or "CONTENT_LENGTH" in environ else ""
        return environ

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable in an event loop of its own."""

        async def wait() -> Any:
            return await awaitable

        return asyncio.run(wait())

    def close(self) -> None:
        """Nothing: WSGI has no shutdown."""


class AsgiGateway:
    """Calls an ASGI 3 app in an event loop of its own thread, with the lifespan protocol.

    Raises:
        LoadError: the app's start-up failed.
    """

    def __init__(self, app: Callable[..., Any], start_timeout: float) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._state: dict[str, Any] = {}
        self._to_lifespan: asyncio.Queue[dict[str, Any]] | None = None
        self._lifespan: concurrent.futures.Future[None] | None = None
        threading.Thread(target=self._loop.run_forever, name="asgi", daemon=True).start()
        self._start(start_timeout)

    def _start(self, timeout: float) -> None:
        answers: queue.Queue[dict[str, Any]] = queue.Queue()

        async def lifespan() -> None:
            self._to_lifespan = asyncio.Queue()
            await self._to_lifespan.put({"type": "lifespan.startup"})

            async def send(message: dict[str, Any]) -> None:
                answers.put(message)

            scope = {
                "type": "lifespan",
                "asgi": {"version": "3.0", "spec_version": "2.0"},
                "state": self._state,
            }
            try:
                await self._app(scope, self._to_lifespan.get, send)
            except Exception:  # noqa: BLE001 - an app without lifespan may refuse the scope with any exception
                answers.put({"type": "unsupported", "message": traceback.format_exc()})
            else:
                answers.put({"type": "unsupported", "message": ""})

        self._lifespan = asyncio.run_coroutine_threadsafe(lifespan(), self._loop)
        try:
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            raise LoadError(
                "QO202",
                f"the app's lifespan start-up took longer than {timeout:g} s",
                "Raise `app.start-timeout`, or see what the start-up waits for.",
            ) from None
        if answer["type"] == "lifespan.startup.failed":
            raise LoadError(
                "QO202",
                f"the app's lifespan start-up failed: {answer.get('message', '').strip().splitlines()[-1:] or ''}",
                "Start the app by hand; check `app.environment`.",
                answer.get("message", ""),
            )
        if answer["type"] == "unsupported":
            self._lifespan = None  # as the specification asks: go on without it
            if answer["message"]:
                print("the app does not support the lifespan protocol:", answer["message"], file=sys.stderr)

    def answer(self, request: Request) -> Answer:
        """Return the app's answer; body chunks come as the app sends them."""
        messages: queue.Queue[dict[str, Any] | BaseException] = queue.Queue()
        finished = asyncio.Event()
        call = asyncio.run_coroutine_threadsafe(self._call(request, messages, finished), self._loop)
        try:
            head = self._next(messages)
            while head is not None and head["type"] != "http.response.start":
                head = self._next(messages)
        except BaseException:
            call.cancel()
            raise
        if head is None:
            raise RuntimeError("the ASGI app returned without sending a response")
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in head.get("headers", [])]
        return Answer(head["status"], headers, self._body(messages, finished))

    def _body(self, messages: queue.Queue[Any], finished: asyncio.Event) -> Iterator[bytes]:
        try:
            while True:
                message = self._next(messages)
                if message is None:
                    return
                if message["type"] == "http.response.body":
                    yield message.get("body", b"")
                    if not message.get("more_body", False):
                        return
        finally:
            self._loop.call_soon_threadsafe(finished.set)

    @staticmethod
    def _next(messages: queue.Queue[Any]) -> dict[str, Any] | None:
        message = messages.get()
        if isinstance(message, BaseException):
            raise message
        found: dict[str, Any] = message
        return found or None

    async def _call(self, request: Request, messages: queue.Queue[Any], finished: asyncio.Event) -> None:
        body_sent = False

        async def receive() -> dict[str, Any]:
            nonlocal body_sent
            if body_sent:
                await finished.wait()
                return {"type": "http.disconnect"}
            body_sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            messages.put(message)

        raw_path = request.path.encode("latin-1")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote_to_bytes(raw_path).decode("utf-8", errors="replace"),
            "raw_path": raw_path,
            "query_string": request.query.encode("latin-1"),
            "root_path": "",
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers],
            "client": list(request.client),
            "server": list(request.server),
            "state": dict(self._state),
            "extensions": {},
        }
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - it is the app's; the waiting thread raises it
            messages.put(error)
        else:
            messages.put({})

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable in the app's event loop."""

        async def wait() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()

    def close(self) -> None:
        """Tell the app to shut down and wait a moment for it."""
        if self._lifespan is not None and self._to_lifespan is not None:
            self._loop.call_soon_threadsafe(self._to_lifespan.put_nowait, {"type": "lifespan.shutdown"})
            try:
                self._lifespan.result(timeout=5)
            except Exception:  # noqa: BLE001 - the run is over; a failing shutdown is only logged
                traceback.print_exc()
        self._loop.call_soon_threadsafe(self._loop.stop)
