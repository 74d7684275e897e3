"""Calling WSGI and ASGI apps without a server: the response is the one that a server would send."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from orchestrator.agent.gateways import Request
from orchestrator.agent.inprocess import AsgiCallee, Response, WsgiCallee
from orchestrator.agent.loading import LoadError

callees: list[AsgiCallee] = []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    while callees:
        callees.pop().close()


def request(method: str = "GET", target: str = "/", body: bytes = b"", **headers: str) -> Request:
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(method, target, told, body, ("127.0.0.1", 80), ("127.0.0.1", 5000))


def wsgi(answer: Callable[[dict[str, Any]], tuple[str, list[tuple[str, str]], Iterable[bytes]]]) -> WsgiCallee:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, headers, body = answer(environ)
        start_response(status, headers)
        return body

    return WsgiCallee(app)


def asgi(answer: Callable[..., Any], lifespan: Callable[..., Any] | None = None, timeout: float = 5.0) -> AsgiCallee:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            if lifespan is None:
                raise NotImplementedError
            await lifespan(scope, receive, send)
            return
        await answer(scope, receive, send)

    callees.append(AsgiCallee(app, timeout))
    return callees[-1]


async def say(send: Any, *pieces: bytes, status: int = 200, more: bool = False) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-a", b"1")]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if not more:
        await send({"type": "http.response.body", "body": b""})


def test_a_wsgi_app_gets_the_whole_request_and_its_response_is_whole() -> None:
    def echo(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], Iterable[bytes]]:
        told = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['QUERY_STRING']} {environ['HTTP_COOKIE']} "
        return (
            "201 Created",
            [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
            [told.encode(), environ["wsgi.input"].read()],
        )

    response = wsgi(echo).call(
        request("POST", "/a%20b?c=d", b"\x00\xff", Cookie="s=1", Content_Type="multipart/form-data")
    )
    assert response == Response(201, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], b"POST /a b c=d s=1 \x00\xff")


def test_an_app_that_raises_answers_500_as_from_a_server() -> None:
    def fail(environ: dict[str, Any]) -> Any:
        raise KeyError("x")

    async def fail_too(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("x")

    for callee in (wsgi(fail), asgi(fail_too)):
        response = callee.call(request())
        assert (response.status, response.body) == (500, b"Internal Server Error")


def test_headers_that_no_server_would_send_are_500() -> None:
    response = wsgi(lambda _: ("200 OK", [("X", "a\r\nb")], [b"x"])).call(request())
    assert response.status == 500


def test_a_body_that_fails_in_the_middle_is_told_as_not_read() -> None:
    def broken() -> Iterable[bytes]:
        yield b"a"
        raise KeyError

    assert wsgi(lambda _: ("200 OK", [], broken())).call(request()) == Response(200, [], None)


def test_a_stream_without_an_end_is_left() -> None:
    async def forever(scope: Any, receive: Any, send: Any) -> None:
        await say(send, more=True)
        while True:
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"x" * 4096, "more_body": True})

    assert wsgi(lambda _: ("200 OK", [], itertools.repeat(b"x" * 4096))).call(request()).body is None
    assert asgi(forever).call(request()) == Response(200, [("x-a", "1")], None)


def test_head_has_no_body() -> None:
    assert wsgi(lambda _: ("200 OK", [], [b"x"])).call(request("HEAD")).body == b""


def test_an_asgi_app_finds_what_its_start_up_has_left_and_its_background_work_is_done() -> None:
    done: list[str] = []

    async def start(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["name"] = b"from the start"
        await send({"type": "lifespan.startup.complete"})
        await receive()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await say(send, scope["state"]["name"], b" ", message["body"])
        assert (await receive())["type"] == "http.disconnect"
        await asyncio.sleep(0.01)
        done.append("background")

    callee = asgi(answer, start)
    assert callee.call(request(body=b"hello")).body == b"from the start hello"
    assert done == ["background"]


def test_a_start_up_that_fails_or_takes_too_long_is_told() -> None:
    async def fail(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    with pytest.raises(LoadError, match="no database"):
        asgi(say, fail)
    with pytest.raises(LoadError, match="longer than"):
        asgi(say, hang, timeout=0.05)


def test_an_asgi_app_goes_on_in_a_forked_process_with_threads_of_its_own() -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        name = await asyncio.get_running_loop().run_in_executor(None, lambda: threading.current_thread().name)
        await say(send, name.encode())

    callee = asgi(answer)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            callee.after_fork()
            os.write(writing, callee.call(request()).body or b"nothing")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100).startswith(b"asyncio_0")
    os.close(reading)
    os.close(writing)
