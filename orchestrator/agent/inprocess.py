"""Call an app in this process and this thread, without a server: a request is a function call.

A process that is forked afterwards goes on with the same app: nothing here needs a thread.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from .gateways import Answer, Headers, Request, WsgiGateway, asgi_scope
from .loading import LoadError
from .server import BODILESS, checked_head, plain_error

_MOST_BYTES = 1 << 20  # of a body …
_MOST_PIECES = 10_000  # … and pieces: what is longer streams without an end, for all that is known
_WIND_UP = 1.0  # seconds that a call has to end when nobody listens any more


class Response(NamedTuple):
    """A whole response. `body` is None where it does not end."""

    status: int
    headers: Headers
    body: bytes | None


class Callee(Protocol):
    """An app that can be called."""

    def call(self, request: Request) -> Response:
        """Return the response; what the app raises is a 500, as in any server."""

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable of the app's."""

    def after_fork(self) -> None:
        """Take from a forked process what it must not share with its parent."""


class WsgiCallee:
    """Calls a WSGI app."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._gateway = WsgiGateway(app)

    def call(self, request: Request) -> Response:
        """Return the response."""
        try:
            answer = self._gateway.answer(request)
        except BaseException:  # noqa: BLE001 - the app's
            answer = plain_error()
        try:
            return _whole(request, answer)
        except BaseException:  # noqa: BLE001 - a body that fails in the middle breaks the connection off
            return Response(answer.status, answer.headers, None)
        finally:
            answer.close()

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable in an event loop of its own."""
        return self._gateway.run(awaitable)

    def after_fork(self) -> None:
        """Nothing is shared."""


def _whole(request: Request, answer: Answer) -> Response:
    """Return a response with all of its body.

    Raises:
        BaseException: the app's, while it makes the body.
    """
    try:
        head = checked_head(answer)
    except Exception:  # noqa: BLE001 - headers that can't be sent are the app's fault too
        answer = plain_error()
        head = checked_head(answer)
    if request.method == "HEAD" or answer.status in BODILESS:
        return Response(answer.status, head, b"")
    body = bytearray()
    for piece in itertools.islice(answer.body, _MOST_PIECES):
        body += piece
        if len(body) > _MOST_BYTES:
            return Response(answer.status, head, None)
    return Response(answer.status, head, None if next(answer.body, b"") else bytes(body))


class AsgiCallee:
    """Calls an ASGI 3 app in an event loop that runs only while it is called.

    Raises:
        LoadError: the app's start-up failed.
    """

    def __init__(self, app: Callable[..., Any], start_timeout: float) -> None:
        self._app = app
        # `poll` is nothing that the system keeps: a forked process has its own, unlike with `epoll`.
        self._loop: Any = asyncio.SelectorEventLoop(selectors.PollSelector())
        asyncio.set_event_loop(self._loop)
        self._state: dict[str, Any] = {}
        self._lifespan: Any = None
        try:
            self._start(start_timeout)
        except BaseException:
            self.close()
            raise

    def _start(self, timeout: float) -> None:
        started: Any = self._loop.create_future()

        async def receive() -> dict[str, Any]:
            if not started.done() and not asked:
                asked.append(True)
                return {"type": "lifespan.startup"}
            await self._loop.create_future()  # it never shuts down: its process is ended
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            if not started.done():
                started.set_result(message)

        async def lifespan() -> None:
            scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
            try:
                await self._app(scope, receive, send)
            except Exception:  # noqa: BLE001 - an app without lifespan may refuse the scope with any exception
                print("the app does not support the lifespan protocol:", traceback.format_exc(), file=sys.stderr)
            if not started.done():
                started.set_result({"type": "unsupported"})

        asked: list[bool] = []
        self._lifespan = self._loop.create_task(lifespan())
        try:
            answer = self._loop.run_until_complete(asyncio.wait_for(started, timeout))
        except asyncio.TimeoutError as error:
            raise LoadError("QO202", f"the app's lifespan start-up took longer than {timeout:g} s") from error
        if answer["type"] == "lifespan.startup.failed":
            raise LoadError("QO202", f"the app's lifespan start-up failed: {answer.get('message', '')}")

    def call(self, request: Request) -> Response:
        """Return the response."""
        try:
            return self._loop.run_until_complete(self._called(request))  # type: ignore[no-any-return]
        except BaseException:  # noqa: BLE001 - the app's
            return _whole(request, plain_error())

    async def _called(self, request: Request) -> Response:
        head: list[tuple[int, Headers]] = []
        pieces: list[bytes] = []
        size = 0
        left = asyncio.Event()
        complete = asyncio.Event()
        pending = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if pending:
                return pending.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal size
            if message["type"] == "http.response.start":
                headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", [])]
                head.append((int(message["status"]), headers))
            elif message["type"] == "http.response.body" and not left.is_set():
                pieces.append(bytes(message.get("body", b"")))
                size += len(pieces[-1])
                if not message.get("more_body", False):
                    complete.set()
                    left.set()
                elif size > _MOST_BYTES or len(pieces) > _MOST_PIECES:
                    left.set()  # as a client that goes away

        task = asyncio.ensure_future(self._app(asgi_scope(request, dict(self._state)), receive, send))
        leaving = asyncio.ensure_future(left.wait())
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if complete.is_set():
            await asyncio.wait({task})  # what it does in the background belongs to the request
        elif not task.done():
            await asyncio.wait({task}, timeout=_WIND_UP)
            task.cancel()
        error = task.exception() if task.done() and not task.cancelled() else None
        if not head or (error and not pieces):
            raise error or RuntimeError("the ASGI app returned without sending a response")
        status, headers = head[0]
        whole = b"".join(pieces)
        response = _whole(request, Answer(status, headers, iter((whole,))))
        return response if complete.is_set() else response._replace(body=None)

    def run(self, awaitable: Any) -> Any:
        """Wait for an awaitable in the app's event loop."""

        async def wait() -> Any:
            return await awaitable

        return self._loop.run_until_complete(wait())

    def close(self) -> None:
        """Let nothing of the app go on."""
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=_WIND_UP))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        self._loop.close()

    def after_fork(self) -> None:
        """Take another pipe to wake the loop with: its parent and its siblings have this one."""
        self._loop._close_self_pipe()
        self._loop._make_self_pipe()
