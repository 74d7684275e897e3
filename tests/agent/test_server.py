from __future__ import annotations

import contextlib
import hashlib
import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestrator.agent.gateways import Request, WsgiGateway
from orchestrator.agent.server import AppServer
from tests.agent.served import WAIT, Server, ask, everything, wsgi

Start = Callable[..., Callable[[bytes], None]]
Environ = dict[str, Any]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def echo(environ: Environ, start_response: Start) -> list[bytes]:
    """Answer with what was asked."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Method", environ["REQUEST_METHOD"])])
    return [body]


def reflect(environ: Environ, start_response: Start) -> list[bytes]:
    """Answer with the target, as the app sees it."""
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode("latin-1"), b"?", environ["QUERY_STRING"].encode("latin-1")]


def answering(status: str, headers: list[Any], *body: bytes) -> Callable[[Environ, Start], list[bytes]]:
    """Return an app that always answers the same."""

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        start_response(status, headers)
        return list(body)

    return app


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that echoes."""
    with wsgi(echo) as server:
        yield server


def assert_alive(server: Server) -> None:
    assert server.ask("POST", body=b"still there").body == b"still there"


# Connections


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    with server.connected() as connection:
        assert ask(connection, "POST", body=b"one").body == b"one"
        used = connection.sock
        assert ask(connection, "POST", body=b"two").body == b"two"
        assert connection.sock is used


def test_requests_that_come_together_are_answered_in_order(server: Server) -> None:
    one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
    two = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
    received = server.raw(one + two)
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b"one") < received.index(b"two")


def test_a_connection_is_closed_when_the_client_says_so(server: Server) -> None:
    with server.socket() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = everything(connection)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close\r\n" in received


def test_a_client_of_http_1_0_gets_a_body_that_ends_with_the_connection() -> None:
    with wsgi(answering("200 OK", [], b"a", b"b")) as server, server.socket() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == b"ab"


def test_requests_run_at_the_same_time() -> None:
    together = threading.Barrier(8, timeout=WAIT)

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        together.wait()
        return echo(environ, start_response)

    with wsgi(app) as server, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: server.ask("POST", body=b"%d" % n).body, range(8)))
    assert answers == [b"%d" % n for n in range(8)]


def test_a_client_that_leaves_stops_nobody(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    for sent in (b"", b"GET", b"GET / HTTP/1.1\r\nHost", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort"):
        with server.socket() as connection:
            connection.sendall(sent)
    assert_alive(server)
    assert "Traceback" not in capfd.readouterr().err


# Methods and targets


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW", "get"]
)
def test_every_method_is_the_apps_to_judge(server: Server, method: str) -> None:
    response = server.ask(method)
    assert response.status == 200
    assert response.header("X-Method") == [method]


def test_a_head_request_has_no_body() -> None:
    with wsgi(answering("200 OK", [("Content-Length", "4")], b"body")) as server, server.connected() as connection:
        response = ask(connection, "HEAD")
        assert (response.status, response.body, response.header("Content-Length")) == (200, b"", ["4"])
        assert ask(connection, "GET").body == b"body"


def test_the_app_comes_to_its_end_on_a_head_request() -> None:
    steps = []

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        steps.append("after the first")
        yield b"second"
        steps.append("at the end")

    with wsgi(app) as server, server.connected() as connection:
        assert ask(connection, "HEAD").body == b""
        assert ask(connection, "GET").body == b"firstsecond"
    assert steps == ["after the first", "at the end"] * 2


def test_a_head_request_is_answered_before_the_body_ends() -> None:
    answered = threading.Event()

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        assert answered.wait(WAIT)
        yield b"second"

    with wsgi(app) as server, server.connected() as connection:
        connection.request("HEAD", "/")
        assert connection.getresponse().status == 200
        answered.set()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_status_without_a_body_has_none(status: str) -> None:
    with wsgi(answering(status, [], b"not to be sent")) as server, server.connected() as connection:
        for _ in range(2):
            response = ask(connection, "GET")
            assert f"{response.status} " in status
            assert response.body == b""
            assert not response.header("Transfer-Encoding")


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (b"/", b"/?"),
        (b"/a%20b?c=%20", b"/a b?c=%20"),
        (b"/caf%C3%A9", b"/caf\xc3\xa9?"),
        (b"/%FF%00", b"/\xff\x00?"),
        (b"/caf\xc3\xa9?\xc3\xa9", b"/caf\xc3\xa9?%C3%A9"),
        (b"/\xc3\xa0/\xc2\x85", b"/\xc3\xa0/\xc2\x85?"),  # bytes that latin-1 takes for spaces
        (b"/\xff", b"/\xff?"),
        (b"//a//b", b"//a//b?"),
        (b"/a/../b", b"/a/../b?"),
        (b"/?x=http://other/", b"/?x=http://other/"),
        (b"http://other:80/a?b", b"/a?b"),
        (b"http://other", b"/?"),
        (b"*", b"*?"),
    ],
    ids=str,
)
def test_a_target_reaches_the_app_as_it_was_sent(target: bytes, seen: bytes) -> None:
    with wsgi(reflect) as server:
        received = server.raw(b"GET " + target + b" HTTP/1.0\r\n\r\n")
    assert received.partition(b"\r\n\r\n")[2] == seen


def test_a_target_that_is_too_long_is_refused(server: Server) -> None:
    assert server.raw(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 414")
    assert_alive(server)


# Headers


def test_headers_of_the_app_are_all_sent() -> None:
    headers = [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-Empty", ""),
        ("X-Latin", "caf\xe9"),
        ("Date", "a date of its own"),
        ("Server", "shop"),
    ]
    with wsgi(answering("200 OK", headers, b"")) as server:
        response = server.ask("GET")
    assert [h for h in response.headers if h in headers] == headers
    assert response.header("Date") == ["a date of its own"]


def test_headers_of_the_connection_are_the_servers_own() -> None:
    headers = [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Content-Length", "4")]
    with wsgi(answering("200 OK", headers, b"body")) as server, server.connected() as connection:
        for _ in range(2):
            response = ask(connection, "GET")
            assert response.body == b"body"
            assert not response.header("Connection")
            assert not response.header("Transfer-Encoding")


@pytest.mark.parametrize(
    "header",
    [
        ("X-Split", "a\r\nSet-Cookie: b=1"),
        ("X-Zero", "a\0b"),
        ("X Space", "a"),
        ("", "a"),
        ("X-Wide", "…"),
        ("X-Number", 5),
    ],
    ids=repr,
)
def test_a_header_that_would_break_the_answer_is_a_500(header: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with wsgi(answering("200 OK", [header], b"body")) as server, server.connected() as connection:
        for _ in range(2):
            response = ask(connection, "GET")
            assert (response.status, response.body) == (500, b"Internal Server Error")
    assert "Traceback" in capfd.readouterr().err


def test_the_apps_headers_are_folded_into_one_line_each() -> None:
    def app(environ: Environ, start_response: Start) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        return [environ["HTTP_X_FOLDED"].encode()]

    with wsgi(app) as server:
        received = server.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n  b\r\n\r\n")
    assert received.endswith(b"a b")


@pytest.mark.parametrize(
    "line", [b"no colon", b"Name : value", b": no name", b"caf\xe9: value", b" starts with a space: a"], ids=str
)
def test_a_line_that_is_no_header_is_refused(server: Server, line: bytes) -> None:
    received = server.raw(b"POST / HTTP/1.1\r\n" + line + b"\r\nContent-Length: 2\r\n\r\nhi")
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1") == 1
    assert_alive(server)


def test_headers_of_a_multipart_body_are_not_mistaken(server: Server) -> None:
    for content_type in ("multipart/form-data; boundary=x", "multipart/mixed", "message/rfc822"):
        assert server.ask("POST", body=b"--x--", headers={"Content-Type": content_type}).body == b"--x--"


def test_too_many_headers_are_refused(server: Server) -> None:
    many = b"".join(b"X-%d: a\r\n" % n for n in range(200))
    assert server.raw(b"GET / HTTP/1.1\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 431")
    assert_alive(server)


@pytest.mark.parametrize("line", [b"GET", b"GET / HTTP/2.0", b"GET / HTTP/x", b"GET / x y", b"\x16\x03\x01"], ids=str)
def test_a_line_that_is_no_request_is_refused(server: Server, line: bytes) -> None:
    received = server.raw(line + b"\r\nHost: a\r\n\r\n")
    assert b" 400 " in received.partition(b"\r\n")[0] or b" 505 " in received or b"Error code: 400" in received
    assert_alive(server)


# Bodies that are sent


def test_a_big_body_arrives_whole(server: Server) -> None:
    body = bytes(range(256)) * 20_000  # 5 MB
    assert server.ask("PUT", body=body).body == body


def test_a_chunked_body_arrives_whole(server: Server) -> None:
    with server.connected() as connection:
        for _ in range(2):
            response = ask(connection, "POST", body=iter([b"one ", b"two ", b"x" * 100_000]))
            assert response.body == b"one two " + b"x" * 100_000


def test_chunks_may_have_extensions_and_trailers(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    received = server.raw(head + b"3;a=b\r\none\r\n00A \r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n" + GET)
    assert b"one0123456789" in received
    assert received.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b"1_0\r\n",
        b"\r\n",
        b"ffffffffffffffffffff\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nab",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"",
        b"7" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_bad_chunk_is_refused(server: Server, body: bytes) -> None:
    received = server.raw(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1") == 1
    assert_alive(server)


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked, chunked", b"xchunked", b""], ids=str)
def test_an_unknown_coding_is_refused(server: Server, coding: bytes) -> None:
    received = server.raw(b"POST / HTTP/1.1\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")
    assert received.startswith((b"HTTP/1.1 501", b"HTTP/1.1 400"))
    assert_alive(server)


@pytest.mark.parametrize(
    "length",
    ["abc", "-1", "+2", "1.5", "0x2", "", "2, 2", "²", "9" * 30, "9" * 5000, "2\r\nContent-Length: 3"],
    ids=str,
)
def test_a_bad_content_length_is_refused(server: Server, length: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhi"
    received = server.raw(head.encode("latin-1"))
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1") == 1
    assert_alive(server)


def test_a_content_length_said_twice_alike_is_one(server: Server) -> None:
    received = server.raw(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi")
    assert received.endswith(b"hi")


@pytest.mark.parametrize("length", [b"10", b"999999999999999"])
def test_a_body_that_ends_early_never_reaches_the_app(server: Server, length: bytes) -> None:
    received = server.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + b"\r\n\r\nshort")
    assert received.startswith(b"HTTP/1.1 400")
    assert_alive(server)


def test_a_client_that_waits_for_leave_to_send_gets_it_at_once(server: Server) -> None:
    with server.socket() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        received = everything(connection)
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"hi")


# Bodies that come back


def test_a_body_of_unknown_length_comes_in_chunks() -> None:
    with wsgi(answering("200 OK", [], b"one", b"", b"two")) as server, server.connected() as connection:
        for _ in range(2):
            response = ask(connection, "GET")
            assert response.header("Transfer-Encoding") == ["chunked"]
            assert response.body == b"onetwo"


def test_a_big_body_comes_back_whole() -> None:
    pieces = [bytes([n]) * 100_000 for n in range(50)]
    with wsgi(answering("200 OK", [], *pieces)) as server:
        body = server.ask("GET").body
    assert hashlib.sha256(body).digest() == hashlib.sha256(b"".join(pieces)).digest()


def test_a_stream_comes_as_it_is_made_and_is_closed() -> None:
    go_on, closed = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield b"first"
            assert go_on.wait(WAIT)
            yield b"second"
        finally:
            closed.set()

    with wsgi(app) as server, server.connected() as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(5) == b"first"
        assert not closed.is_set()
        go_on.set()
        assert response.read() == b"second"
        assert closed.wait(WAIT)


def test_a_stream_is_closed_when_its_client_leaves() -> None:
    closed = threading.Event()

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.set()

    with wsgi(app) as server:
        with server.socket() as connection:
            connection.sendall(GET)
            connection.recv(100)
        assert closed.wait(WAIT)
        assert server.ask("HEAD").status == 200


def test_an_app_that_raises_is_a_500_and_the_next_request_is_fine(capfd: pytest.CaptureFixture[str]) -> None:
    def app(environ: Environ, start_response: Start) -> list[bytes]:
        kind = environ["PATH_INFO"]
        if kind == "/exit":
            raise SystemExit("the app wants to end")
        if kind == "/late":
            start_response("200 OK", [])
        if kind != "/":
            raise ValueError("broken")
        return echo(environ, start_response)

    with wsgi(app) as server, server.connected() as connection:
        for path in ("/broken", "/late", "/exit"):
            response = ask(connection, "GET", path)
            assert (response.status, response.body) == (500, b"Internal Server Error")
            assert ask(connection, "GET").status == 200
    told = capfd.readouterr().err
    assert "ValueError: broken" in told
    assert "the app wants to end" in told


def test_an_app_that_raises_in_the_middle_breaks_off(capfd: pytest.CaptureFixture[str]) -> None:
    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a part"
        raise ValueError("in the middle")

    with wsgi(app) as server, server.connected() as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead):
            response.read()
    assert "in the middle" in capfd.readouterr().err


@pytest.mark.parametrize(("length", "body"), [("10", b"short"), ("2", b"too long")])
def test_a_body_that_is_not_as_long_as_it_says_ends_the_connection(
    length: str, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with wsgi(answering("200 OK", [("Content-Length", length)], body)) as server:
        received = server.raw(GET + GET)
    assert received.count(b"HTTP/1.1 200") == 1
    assert "Content-Length" in capfd.readouterr().err


def test_an_unknown_status_is_passed_on() -> None:
    with wsgi(answering("299 Whatever", [], b"body")) as server:
        assert server.ask("GET").status == 299


@pytest.mark.parametrize("status", ["99 Low", "1000 High", "0 Zero"])
def test_a_number_that_is_no_status_is_a_500(status: str, capfd: pytest.CaptureFixture[str]) -> None:
    with wsgi(answering(status, [], b"body")) as server:
        assert server.ask("GET").status == 500
    assert "is no status" in capfd.readouterr().err


def test_each_request_is_surrounded() -> None:
    told: list[object] = []

    @contextlib.contextmanager
    def around(request: Request) -> Iterator[None]:
        told.append(("before", request.method, request.path, request.query))
        yield
        told.append(("after", request.method, request.path, request.query))

    def app(environ: Environ, start_response: Start) -> list[bytes]:
        told.append("app")
        return echo(environ, start_response)

    server = AppServer(WsgiGateway(app), around)
    server.start()
    Server(server).ask("GET", "/a%20b?c")
    server.shutdown()
    server.server_close()
    assert told == [("before", "GET", "/a%20b", "c"), "app", ("after", "GET", "/a%20b", "c")]


def test_a_body_without_an_end_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("orchestrator.agent.server._LONGEST", 100_000)

    def app(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        while True:
            yield b"x" * 10_000

    with wsgi(app) as server, server.connected() as connection, pytest.raises(http.client.IncompleteRead):
        ask(connection, "GET")
    assert "longer than" in capsys.readouterr().err
