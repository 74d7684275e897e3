from __future__ import annotations

import asyncio
import contextvars
import io
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from orchestrator.agent.gateways import Answer, AsgiGateway, Request, WsgiGateway
from orchestrator.agent.loading import LoadError
from tests.agent.served import WAIT, asgi, ask, wsgi

Start = Callable[..., Callable[[bytes], None]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def request(
    method: str = "GET", target: str = "/", headers: list[tuple[str, str]] | None = None, body: bytes = b""
) -> Request:
    return Request(method, target, headers or [], body, ("127.0.0.1", 80), ("127.0.0.1", 4321))


def answered(app: Callable[..., Any], asked: Request | None = None) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return what a WSGI app answers."""
    answer = WsgiGateway(app).answer(asked or request())
    try:
        return answer.status, answer.headers, b"".join(answer.body)
    finally:
        answer.close()


class Body:
    """A WSGI app's body that counts how often it is closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed += 1


# WSGI


def test_a_wsgi_app_is_called_as_the_specification_asks() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    asked = request("POST", "/a/b?c=d", [("Content-Type", "text/plain"), ("Content-Length", "2")], b"hi")
    assert answered(validator(app), asked) == (200, [("Content-Type", "text/plain")], b"hi")


def test_a_wsgi_app_sees_the_request_as_it_was_sent() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    headers = [
        ("Host", "shop"),
        ("X-Tag", "a"),
        ("X-Tag", "b"),
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("X-Empty", ""),
        ("X-Name", "caf\xe9"),
    ]
    answered(app, request("PATCH", "/a%20b/%2F/caf%C3%A9/%FF?x=%20&y", headers))
    assert seen["REQUEST_METHOD"] == "PATCH"
    assert seen["PATH_INFO"].encode("latin-1") == b"/a b///caf\xc3\xa9/\xff"
    assert seen["QUERY_STRING"] == "x=%20&y"
    assert seen["RAW_URI"] == "/a%20b/%2F/caf%C3%A9/%FF?x=%20&y"
    assert seen["HTTP_X_TAG"] == "a,b"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"
    assert seen["HTTP_X_EMPTY"] == ""
    assert seen["HTTP_X_NAME"] == "caf\xe9"
    assert "CONTENT_LENGTH" not in seen


def test_a_raw_byte_of_a_path_stays_one_byte() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode("latin-1")]

    assert answered(app, request(target="/\xe9"))[2] == b"/\xe9"


def test_a_body_without_a_length_has_one_for_the_app() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["CONTENT_LENGTH"].encode()]

    assert answered(app, request("POST", body=b"chunked"))[2] == b"7"


def test_start_response_may_be_called_late() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        start_response("201 Created", [("X-Late", "yes")])
        yield b"made"

    assert answered(app) == (201, [("X-Late", "yes")], b"made")


def test_the_head_may_change_with_exc_info_until_the_first_bytes() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b""
        error = ValueError("too late for a 200")
        start_response("500 Internal Server Error", [("X-Why", "late")], (ValueError, error, None))
        yield b"sorry"

    assert answered(app) == (500, [("X-Why", "late")], b"sorry")


def test_exc_info_is_raised_when_bytes_were_sent() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a part"
        error = ValueError("in the middle")
        start_response("500 Internal Server Error", [], (ValueError, error, error.__traceback__))
        yield b"never"

    with pytest.raises(ValueError, match="in the middle"):
        answered(app)


def test_start_response_is_called_once_without_exc_info() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        start_response("200 OK", [])
        start_response("201 Created", [])
        return []

    with pytest.raises(AssertionError, match="start_response again"):
        answered(app)


def test_what_is_written_comes_before_what_is_returned() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        write = start_response("200 OK", [])
        write(b"1")

        def rest() -> Iterator[bytes]:
            write(b"2")
            yield b"3"
            write(b"4")

        return rest()

    assert answered(app)[2] == b"1234"


@pytest.mark.parametrize("body", [Body(), Body(b"bytes"), Body(b"", b"")], ids=["empty", "bytes", "empty bytes"])
def test_a_wsgi_app_that_never_calls_start_response_fails_and_is_closed(body: Body) -> None:
    with pytest.raises(RuntimeError, match="without calling start_response"):
        answered(lambda *_: body)
    assert body.closed == 1


@pytest.mark.parametrize(
    "body",
    [Body(b"a", b"b"), Body(), Body(ValueError("first")), Body(b"a", ValueError("second"))],
    ids=["whole", "empty", "fails at once", "fails later"],
)
def test_a_body_is_closed_once_however_it_ends(body: Body) -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Body:
        start_response("200 OK", [])
        return body

    if any(isinstance(piece, Exception) for piece in body.pieces):
        with pytest.raises(ValueError, match=r"first|second"):
            answered(app)
    else:
        answered(app)
    assert body.closed == 1


def test_a_body_of_text_is_refused() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> list[Any]:
        start_response("200 OK", [])
        return ["text"]

    with pytest.raises(TypeError, match="str, not bytes"):
        answered(app)


def test_a_wsgi_gateway_awaits_in_a_loop_of_its_own() -> None:
    async def hook() -> str:
        await asyncio.sleep(0)
        return "done"

    assert WsgiGateway(lambda *_: []).run(hook()) == "done"


# ASGI


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and end, as frameworks do."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def respond(send: Send, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def http_only(app: Callable[[dict[str, Any], Receive, Send], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Put the lifespan protocol in front of an app."""

    async def whole(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        else:
            await app(scope, receive, send)

    return whole


def test_an_asgi_app_sees_the_request_as_it_was_sent() -> None:
    seen: dict[str, Any] = {}

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        seen.update(scope, received=await receive())
        await respond(send)

    with asgi(app) as server:
        server.ask("PUT", "/a%20b/%2F/%C3%A9/%FF?x=%20", b"body", {"X-Name": "caf\xe9", "X-Empty": ""})
    assert seen["method"] == "PUT"
    assert seen["path"] == "/a b///é/�"
    assert seen["raw_path"] == b"/a%20b/%2F/%C3%A9/%FF"
    assert seen["query_string"] == b"x=%20"
    assert (b"x-name", b"caf\xe9") in seen["headers"]
    assert (b"x-empty", b"") in seen["headers"]
    assert seen["received"] == {"type": "http.request", "body": b"body", "more_body": False}
    assert seen["server"] == ["127.0.0.1", server.port]


def test_state_of_the_lifespan_is_shared_with_requests_as_a_copy() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["database"] = ["a connection"]
            await lifespan(receive, send)
            return
        database = scope["state"]["database"]
        scope["state"]["database"] = []
        await respond(send, database[0].encode())

    with asgi(app) as server:
        assert [server.ask("GET").body for _ in range(2)] == [b"a connection"] * 2


def test_an_asgi_app_is_told_to_shut_down() -> None:
    ended = threading.Event()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await lifespan(receive, send)
        ended.set()

    with asgi(app):
        assert not ended.is_set()
    assert ended.is_set()


@pytest.mark.parametrize("refusal", [AssertionError("http only"), SystemExit(3), asyncio.CancelledError()], ids=repr)
def test_an_asgi_app_may_do_without_lifespan(refusal: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise refusal
        await respond(send, b"served all the same")

    with asgi(app) as server:
        assert server.ask("GET").body == b"served all the same"
    assert "does not support the lifespan protocol" in capsys.readouterr().err


def test_an_asgi_app_may_return_from_lifespan_at_once() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await respond(send, b"served")

    with asgi(app) as server:
        assert server.ask("GET").body == b"served"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Traceback …\nConnectionError: no database", "ConnectionError: no database"),
        ("", "it does not say why"),
    ],
)
def test_a_start_up_that_fails_is_told(message: str, told: str) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": message})

    with pytest.raises(LoadError, match=f"lifespan start-up failed: {told}$") as raised:
        AsgiGateway(app, WAIT)
    assert raised.value.code == "QO202"
    assert raised.value.detail == message


def test_a_start_up_that_takes_too_long_is_told() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    with pytest.raises(LoadError, match=r"took longer than 0\.1 s") as raised:
        AsgiGateway(app, 0.1)
    assert raised.value.code == "QO202"


def test_an_asgi_body_comes_as_it_is_sent() -> None:
    go_on = threading.Event()

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(go_on.wait, WAIT)
        await send({"type": "http.response.body", "body": b"second", "more_body": True})
        await send({"type": "http.response.body"})

    with asgi(app) as server, server.connected() as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(5) == b"first"
        go_on.set()
        assert response.read() == b"second"


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1), asyncio.CancelledError()], ids=repr)
def test_an_asgi_app_that_raises_before_its_answer_is_a_500(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == "/broken":
            raise error
        await respond(send, b"fine")

    with asgi(app) as server, server.connected() as connection:
        assert ask(connection, "GET", "/broken").status == 500
        assert ask(connection, "GET", "/").body == b"fine"
    assert type(error).__name__ in capsys.readouterr().err


def test_a_task_of_an_asgi_app_that_exits_does_not_end_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    async def leave() -> None:
        raise SystemExit(7)

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        task = asyncio.ensure_future(leave())
        await asyncio.sleep(0.01)
        await respond(send, b"fine")
        assert task.done()
        assert isinstance(task.exception(), SystemExit)

    with asgi(app) as server:
        assert server.ask("GET").body == b"fine"
        assert server.ask("GET").body == b"fine"
    assert "SystemExit: 7" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["nothing", "body first"])
def test_an_asgi_app_without_a_head_is_a_500(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if kind == "body first":
            await send({"type": "http.response.body", "body": b"headless"})

    with asgi(app) as server:
        assert server.ask("GET").status == 500
    assert "the ASGI app" in capsys.readouterr().err


@pytest.mark.parametrize("raises", [True, False])
def test_an_asgi_answer_that_breaks_off_is_not_taken_for_whole(
    raises: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        if raises:
            raise ValueError("in the middle")

    with asgi(app) as server:
        received = server.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"0\r\n\r\n")
    assert ("in the middle" if raises else "without completing") in capsys.readouterr().err


def test_an_asgi_app_goes_on_after_its_answer() -> None:
    released, done = threading.Event(), threading.Event()

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await respond(send, b"accepted", 202)
        await asyncio.to_thread(released.wait, WAIT)
        done.set()

    with asgi(app) as server:
        assert server.ask("POST").status == 202
        assert not done.is_set()
        released.set()
        assert done.wait(WAIT)


def test_an_error_after_the_answer_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    raised = threading.Event()

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await respond(send, b"fine")
        raised.set()
        raise ValueError("in the background")

    with asgi(app) as server:
        assert server.ask("GET").body == b"fine"
        assert raised.wait(WAIT)
    assert "in the background" in capsys.readouterr().err


def test_an_asgi_app_hears_that_the_answer_is_complete() -> None:
    heard: list[dict[str, Any]] = []
    done = threading.Event()

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await respond(send)
        heard.append(await receive())
        done.set()

    with asgi(app) as server:
        server.ask("GET")
        assert done.wait(WAIT)
    assert heard == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("started", [True, False])
def test_an_asgi_app_hears_that_its_client_left(started: bool) -> None:
    waiting, left = threading.Event(), threading.Event()

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        waiting.set()
        assert await receive() == {"type": "http.disconnect"}
        left.set()

    with asgi(app) as server:
        with server.socket() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert waiting.wait(WAIT)
            assert not left.is_set()
        assert left.wait(WAIT)


def test_an_app_that_sends_for_ever_stops_nobody() -> None:
    sent = 0

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        nonlocal sent
        if scope["path"] == "/":
            await respond(send, b"fine")
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            sent += 1

    with asgi(app) as server:
        with server.socket() as slow:
            slow.sendall(b"GET /for-ever HTTP/1.1\r\nHost: a\r\n\r\n")
            slow.recv(10)
            assert server.ask("GET").body == b"fine"
            deadline, before = time.monotonic() + WAIT, -1
            while before != sent and time.monotonic() < deadline:  # it waits for its client now
                before = sent
                time.sleep(0.1)
            assert before == sent
            assert server.ask("GET").body == b"fine"
        assert server.ask("GET").body == b"fine"


def test_contextvars_of_one_request_are_not_seen_by_the_next() -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    @http_only
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        before = user.get()
        user.set(scope["path"])
        await asyncio.sleep(0)
        await respond(send, f"{before} {user.get()}".encode())

    with asgi(app) as server, server.connected() as connection:
        assert ask(connection, "GET", "/a").body == b"nobody /a"
        assert ask(connection, "GET", "/b").body == b"nobody /b"


def test_an_asgi_gateway_awaits_in_the_apps_own_loop() -> None:
    loops = []

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        loops.append(asyncio.get_running_loop())
        await lifespan(receive, send)

    async def hook() -> None:
        loops.append(asyncio.get_running_loop())

    gateway = AsgiGateway(app, WAIT)
    gateway.run(hook())
    gateway.close()
    assert len(set(loops)) == 1


def test_an_answer_may_have_nothing_to_close() -> None:
    Answer(200, [], iter(())).close()


def test_wsgi_input_can_be_read_past_its_end() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        start_response("200 OK", [])
        body: io.BytesIO = environ["wsgi.input"]
        return [body.read(), body.read(), body.readline()]

    with wsgi(app) as server:
        assert server.ask("POST", body=b"once").body == b"once"
