"""A small HTTP/1.1 server on a loopback port that the system gives: the front of both gateways."""

from __future__ import annotations

import socket
import sys
import threading
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ContextManager

from .gateways import Answer, Gateway, Request

_NO_BODY = (204, 304)
_PLAIN_ERROR = b"Internal Server Error"


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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong in a connection, but for a client that left."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    server: AppServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method is the app's to judge
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the driver keeps its own record."""

    def _respond(self) -> None:
        body = self._read_body()
        if body is None:
            return
        host, port = self.server.server_address[:2]
        request = Request(
            self.command,
            self.path,
            list(self.headers.items()),
            body,
            (str(host), int(port)),
            self.client_address,
        )
        with self.server.around(request):
            try:
                answer = self.server.gateway.answer(request)
            except Exception:  # noqa: BLE001 - an exception of the app's is a 500, as in any server
                traceback.print_exc()
                headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_PLAIN_ERROR)))]
                answer = Answer(500, headers, iter((_PLAIN_ERROR,)))
            self._send(answer)

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0").strip()
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, "bad Content-Length")
            return None
        return self.rfile.read(int(length))

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return body

    def _send(self, answer: Answer) -> None:
        names = {name.lower() for name, _ in answer.headers}
        bodiless = self.command == "HEAD" or answer.status in _NO_BODY or answer.status < 200
        chunked = not bodiless and not names & {"content-length", "transfer-encoding"}
        self.send_response_only(answer.status)
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        if chunked or ("transfer-encoding" in names and not bodiless):
            chunked = True
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in answer.body:
                if bodiless or not piece:
                    continue
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                if chunked:
                    self.wfile.flush()
        except Exception:  # noqa: BLE001 - the head is gone already: all that is left is to break off
            traceback.print_exc()
            self.close_connection = True
            return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
