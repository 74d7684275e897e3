"""Call a WSGI or an ASGI app with one request: the shape of both is the same to the server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import itertools
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from .loading import LoadError

_LOOK_FOR_CLIENT = 0.25  # seconds between two looks at whether a client still waits
_WIND_UP = 1.0  # seconds that tasks have to end once they are cancelled
_PIECES_AHEAD = 64  # how many pieces of a body an app may send before its client takes them

# (name, value) in latin-1
Headers = list[tuple[str, str]]


class ClientLeftError(Exception):
    """Nobody waits for the answer any more."""


class Request(NamedTuple):
    """One request as it came over the wire. `target` is the raw request target: `/a%20b?c=d`.

    `mark` is what the driver knows it by, where it sends several at a time; the app never sees it.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    server: tuple[str, int]
    client: tuple[str, int]
    is_gone: Callable[[], bool] = lambda: False  # whether the client left
    mark: str = ""

    @property
    def path(self) -> str:
        """The raw path."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query."""
        return self.target.partition("?")[2]


class Answer(NamedTuple):
    """The head of a response, and its body as it comes. `close` is called once, however the body ends."""

    status: int
    headers: Headers
    body: Iterator[bytes]
    close: Callable[[], None] = lambda: None


class Gateway(Protocol):
    """Something that answers requests."""

    def answer(self, request: Request) -> Answer:
        """Return the app's answer; any exception of the app's is raised."""

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable of the app's."""

    def close(self) -> None:
        """Let the app shut down."""


class _WsgiCall:
    """One call of a WSGI app: its head, which may change until it is sent, and its body."""

    def __init__(self) -> None:
        self._head: tuple[int, Headers] | None = None
        self._is_sent = False
        self._written: list[bytes] = []

    def start_response(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        """Take the head; a second one only with `exc_info`, and only as long as none is sent."""
        try:
            if exc_info and self._is_sent:
                raise exc_info[1].with_traceback(exc_info[2])
            if self._head is not None and not exc_info:
                raise AssertionError("the WSGI app called start_response again, without exc_info")
        finally:
            exc_info = None  # no circle of frames
        self._head = (int(status.split(" ", 1)[0]), list(headers))
        return self._written.append

    def sent_head(self) -> tuple[int, Headers]:
        """Return the head, which is settled from now on."""
        if self._head is None:
            raise RuntimeError("the WSGI app returned without calling start_response")
        self._is_sent = True
        return self._head

    def body(self, result: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what the app wrote and what it returned, in order, without what is empty."""
        for chunk in result:
            yield from self._take()
            if not isinstance(chunk, bytes):
                raise TypeError(f"the WSGI app's body has {type(chunk).__name__}, not bytes")
            if chunk:
                yield chunk
        yield from self._take()

    def _take(self) -> list[bytes]:
        taken, self._written[:] = [chunk for chunk in self._written if chunk], []
        return taken


class WsgiGateway:
    """Calls a WSGI app (PEP 3333)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def answer(self, request: Request) -> Answer:
        """Return the app's answer. The head is settled when the first bytes of the body are there, or its end."""
        call = _WsgiCall()
        result = self._app(self._environ(request), call.start_response)
        close = getattr(result, "close", lambda: None)
        body = call.body(result)
        try:
            first = next(body, b"")
            status, headers = call.sent_head()
        except BaseException:
            close()
            raise
        return Answer(status, headers, itertools.chain((first,), body), close)

    @staticmethod
    def _environ(request: Request) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path.encode("latin-1")).decode("latin-1"),
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
            separator = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
        if request.body or "CONTENT_LENGTH" in environ:
            environ["CONTENT_LENGTH"] = str(len(request.body))
        return environ

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable in an event loop of its own."""

        async def wait() -> Any:
            return await awaitable

        return asyncio.run(wait())

    def close(self) -> None:
        """Nothing: WSGI has no shutdown."""


def asgi_scope(request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of one request; `state` is what the lifespan left."""
    raw_path = request.path.encode("latin-1")
    return {
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
        "state": state,
        "extensions": {},
    }


class _AsgiCall:
    """One call of an ASGI app: it runs in the app's event loop, and the thread of the connection waits for it."""

    def __init__(
        self, app: Callable[..., Any], loop: asyncio.AbstractEventLoop, request: Request, state: dict[str, Any]
    ) -> None:
        self._app = app
        self._loop = loop
        self._request = request
        self._state = state
        self._messages: queue.Queue[dict[str, Any] | BaseException] = queue.Queue()
        self._left = asyncio.Event()  # the response is complete, or nobody waits for it any more
        self._is_complete = False
        asyncio.run_coroutine_threadsafe(self._run(), loop)

    def leave(self) -> None:
        """Tell the app that nobody waits any more."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app has gone before
            self._loop.call_soon_threadsafe(self._left.set)

    def next(self) -> dict[str, Any] | None:
        """Wait for the app's next message; None: the app returned.

        Raises:
            ClientLeftError: it did.
            BaseException: the app's.
        """
        while True:
            try:
                message = self._messages.get(timeout=_LOOK_FOR_CLIENT)
            except queue.Empty:
                if self._request.is_gone():
                    raise ClientLeftError from None
                continue
            if isinstance(message, BaseException):
                raise message
            return message or None

    def head(self) -> tuple[int, Headers]:
        """Wait for the head."""
        message = self.next()
        if message is None:
            raise RuntimeError("the ASGI app returned without sending a response")
        if message["type"] != "http.response.start":
            raise RuntimeError(f"the ASGI app sent {message['type']} before http.response.start")
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", [])]
        return int(message["status"]), headers

    def body(self) -> Iterator[bytes]:
        """Yield the pieces of the body as the app sends them."""
        while True:
            message = self.next()
            if message is None:
                raise RuntimeError("the ASGI app returned without completing its response")
            if message["type"] == "http.response.body":
                yield bytes(message.get("body", b""))
                if not message.get("more_body", False):
                    return

    async def _run(self) -> None:
        scope = asgi_scope(self._request, self._state)
        try:
            await self._app(scope, self._receiver(), self._send)
        except BaseException as error:  # noqa: BLE001 - it is the app's; the waiting thread raises it
            if self._is_complete:  # a background task: nobody waits
                traceback.print_exc()
            self._messages.put(error)
        else:
            self._messages.put({})

    def _receiver(self) -> Callable[[], Any]:
        pending = [{"type": "http.request", "body": self._request.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if pending:
                return pending.pop()
            await self._left.wait()
            return {"type": "http.disconnect"}

        return receive

    async def _send(self, message: dict[str, Any]) -> None:
        while self._messages.qsize() > _PIECES_AHEAD and not self._left.is_set():
            await asyncio.sleep(0.001)  # the client is slower than the app
        if self._left.is_set():
            await asyncio.sleep(0)  # as the specification asks: nothing; but let the others run
            return
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_complete = True
        self._messages.put(message)


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
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run_loop, name="asgi", daemon=True)
        self._thread.start()
        try:
            self._start(start_timeout)
        except BaseException:
            self._lifespan = None
            self.close()
            raise

    def _run_loop(self) -> None:
        while not self._ended.is_set():
            try:
                self._loop.run_forever()
            except BaseException:  # noqa: BLE001 - a task of the app's that exits must not end every other
                traceback.print_exc()
        self._loop.run_until_complete(self._wind_up())
        self._loop.close()

    async def _wind_up(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_WIND_UP)
        await self._loop.shutdown_asyncgens()

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
            except BaseException:  # noqa: BLE001 - an app without lifespan may refuse the scope with any exception
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
            told = str(answer.get("message", "")).strip()
            why = told.splitlines()[-1] if told else "it does not say why"
            raise LoadError(
                "QO202",
                f"the app's lifespan start-up failed: {why}",
                "Start the app by hand; check `app.environment`.",
                told,
            )
        if answer["type"] == "unsupported":
            self._lifespan = None  # as the specification asks: go on without it
            if answer["message"]:
                print("the app does not support the lifespan protocol:", answer["message"], file=sys.stderr)

    def answer(self, request: Request) -> Answer:
        """Return the app's answer; body chunks come as the app sends them."""
        call = _AsgiCall(self._app, self._loop, request, dict(self._state))
        try:
            status, headers = call.head()
        except BaseException:
            call.leave()
            raise
        return Answer(status, headers, call.body(), call.leave)

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
        self._ended.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2 * _WIND_UP)
