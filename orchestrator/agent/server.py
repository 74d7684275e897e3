"""A small HTTP/1.1 server on a loopback port that the system gives: the front of both gateways."""

from __future__ import annotations

import collections
import contextlib
import email.errors
import itertools
import re
import select
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ContextManager

from .gateways import Answer, ClientLeftError, Gateway, Headers, Request

MARK = "orchestrator-mark"  # the header by which the driver tells requests apart that it sends at the same time
BODILESS = (*range(100, 200), 204, 304)  # statuses
_PLAIN_ERROR = b"Internal Server Error"
_BAD_HEADER = (  # other defects are about the body of a mail
    email.errors.FirstHeaderLineIsContinuationDefect,
    email.errors.InvalidHeaderDefect,
    email.errors.MissingHeaderBodySeparatorDefect,
)
_PIECE = 65_536
_LINGER = 0.2
_DRAINED = 10_000  # pieces of a body that nobody asked for
_LONGEST = 256 << 20  # bytes of a response's body: clients hold it in memory, and one without an end would fill it


class AppServer(ThreadingHTTPServer):
    """Serves an app; a thread a connection.

    Args:
        gateway: What answers.
        around: Entered around each request, for example to record what it reaches.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, gateway: Gateway, around: Callable[[Request], ContextManager[None]]) -> None:
        self.gateway = gateway
        self.around = around
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens, without a final slash."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="server", daemon=True).start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection so that the client can still read the answer to what it is still sending."""
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER)
            for _ in range(_DRAINED):
                if not request.recv(_PIECE):
                    break
        except OSError:
            """It left, or has nothing more to say."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong in a connection, but for a client that left."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    raw_requestline: bytes
    server: AppServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        """Close both streams, also where the client left with an answer on its way."""
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method is the app's to judge
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the driver keeps its own record."""

    def parse_request(self) -> bool:
        """Read the head; a request whose head can't be trusted is answered here."""
        # The base class would split the line at what latin-1 takes for a space: `à` in UTF-8 has such a byte.
        self.raw_requestline = re.sub(rb"[\x80-\xff]", lambda m: b"%%%02X" % ord(m[0]), self.raw_requestline)
        if not super().parse_request():
            return False
        if any(isinstance(defect, _BAD_HEADER) for defect in self.headers.defects):
            self._refuse(HTTPStatus.BAD_REQUEST, "bad header")
            return False
        return True

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _respond(self) -> None:
        body = self._read_body()
        if body is None:
            return
        host, port = self.server.server_address[:2]
        headers = [(name, re.sub(r"\r?\n[ \t]+", " ", value)) for name, value in self.headers.items()]
        request = Request(
            self.command,
            self._target(),
            [(name, value) for name, value in headers if name.lower() != MARK],
            body,
            (str(host), int(port)),
            self.client_address,
            self._is_gone,
            next((value for name, value in headers if name.lower() == MARK), ""),
        )
        with contextlib.ExitStack() as recording:
            recording.enter_context(self.server.around(request))
            try:
                answer = self.server.gateway.answer(request)
            except ClientLeftError:
                self.close_connection = True
                return
            except BaseException:  # noqa: BLE001 - whatever the app raises is a 500, as in any server
                traceback.print_exc()
                answer = plain_error()
            try:
                self._send(answer, recording.close)
            finally:
                answer.close()

    def _target(self) -> str:
        target = self.requestline.split()[1]  # `path` has lost a second slash
        if target.startswith("/") or "://" not in target:
            return target
        path = target.partition("://")[2].partition("/")[2]  # as a proxy is asked
        return f"/{path}"

    def _is_gone(self) -> bool:
        try:
            ready, _, _ = select.select([self.connection], [], [], 0)
            return bool(ready) and not self.connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self.send_error(status, why)

    def _read_body(self) -> bytes | None:
        """Return the whole body; None: there is none that can be trusted, which was answered."""
        try:
            codings = self.headers.get_all("Transfer-Encoding")
            if codings:
                if [c.strip().lower() for c in ",".join(codings).split(",")] != ["chunked"]:
                    self._refuse(HTTPStatus.NOT_IMPLEMENTED, "unknown Transfer-Encoding")
                    return None
                return self._read_chunks()
            return self._read(self._length())
        except _BadBodyError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        return None

    def _length(self) -> int:
        told = {length.strip() for length in self.headers.get_all("Content-Length", ["0"])}
        length = told.pop()
        if told or not re.fullmatch(r"[0-9]{1,18}", length):
            raise _BadBodyError("bad Content-Length")
        return int(length)

    def _read(self, size: int) -> bytes:
        body = bytearray()
        while len(body) < size:  # in pieces: the size is only what the client says
            piece = self.rfile.read(min(size - len(body), _PIECE))
            if not piece:
                raise _BadBodyError("the body ends early")
            body += piece
        return bytes(body)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._read_line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise _BadBodyError("bad chunk size")
            if not int(size, 16):
                break
            body += self._read(int(size, 16))
            if self._read_line():
                raise _BadBodyError("bad chunk")
        while self._read_line():
            """Trailers are read over."""
        return bytes(body)

    def _read_line(self) -> bytes:
        line = self.rfile.readline(_PIECE)
        if not line.endswith(b"\n"):
            raise _BadBodyError("the body ends early")
        return line.rstrip(b"\r\n")

    def _send(self, answer: Answer, ended: Callable[[], None]) -> None:
        """Send the response; `ended` is called before its last bytes leave, for then the next request may come."""
        try:
            head = checked_head(answer)
        except Exception:  # noqa: BLE001 - headers that can't be sent are the app's fault too
            traceback.print_exc()
            answer = plain_error()
            head = checked_head(answer)
        bodiless = self.command == "HEAD" or answer.status in BODILESS
        length = next((int(v) for n, v in head if n.lower() == "content-length" and re.fullmatch(r"[0-9]+", v)), None)
        chunked = not bodiless and length is None and self.request_version >= "HTTP/1.1"
        if not bodiless and length is None and not chunked:
            self.close_connection = True  # its end is the body's
        self.send_response_only(answer.status)
        if not any(name.lower() == "date" for name, _ in head):
            self.send_header("Date", self.date_time_string())
        for name, value in head:
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            if bodiless:
                ended()
                self.wfile.flush()
                collections.deque(itertools.islice(answer.body, _DRAINED), maxlen=0)  # the app comes to its end
            else:
                self._send_body(answer.body, length, ended, chunked=chunked)
        except BaseException as error:  # noqa: BLE001 - the head is gone already: all that is left is to break off
            if not isinstance(error, ConnectionError | ClientLeftError):
                traceback.print_exc()
            self.close_connection = True

    def _send_body(
        self, body: Iterator[bytes], length: int | None, ended: Callable[[], None], *, chunked: bool
    ) -> None:
        sent = 0
        held = b""
        for piece in body:
            if not piece:
                continue
            if length is not None and sent + len(piece) > length:
                raise ValueError(f"the app's body is longer than its Content-Length, {length}")
            sent += len(piece)
            if sent > _LONGEST:
                raise ValueError(f"the app's body is longer than {_LONGEST >> 20} MiB: broken off")
            if chunked:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            else:
                self.wfile.write(held)
                held = piece
        if length is not None and sent < length:
            raise ValueError(f"the app's body has {sent} bytes, its Content-Length says {length}")
        ended()
        self.wfile.write(b"0\r\n\r\n" if chunked else held)
        self.wfile.flush()


class _BadBodyError(Exception):
    """A request body that is not what its head says."""


def plain_error() -> Answer:
    """Return what a server answers for an app that raises."""
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_PLAIN_ERROR)))]
    return Answer(500, headers, iter((_PLAIN_ERROR,)))


def checked_head(answer: Answer) -> Headers:
    """Return the headers that are sent for an app's; those of the connection are the server's own.

    Raises:
        ValueError: one of them would break the response.
    """
    if not 100 <= answer.status <= 999:
        raise ValueError(f"{answer.status} is no status")
    headers = [(n, v) for n, v in answer.headers if n.lower() not in ("transfer-encoding", "connection")]
    for name, value in headers:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\r\n\0]", value):
            raise ValueError(f"{name!r}: {value!r} is no header")
        value.encode("latin-1")
    return headers
