"""Serve an app as the agent does, and talk to it over a socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.agent.gateways import AsgiGateway, Gateway, WsgiGateway
from orchestrator.agent.server import AppServer

WAIT = 5.0  # seconds after which a test takes the server for hung


class Server:
    """A served app."""

    def __init__(self, server: AppServer) -> None:
        self.server = server
        self.host, self.port = "127.0.0.1", server.server_port

    @contextlib.contextmanager
    def connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=WAIT)
        try:
            yield connection
        finally:
            connection.close()

    def ask(
        self, method: str, target: str = "/", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        """Send one request over a connection of its own."""
        with self.connected() as connection:
            return ask(connection, method, target, body, headers)

    @contextlib.contextmanager
    def socket(self) -> Iterator[socket.socket]:
        with socket.create_connection((self.host, self.port), timeout=WAIT) as connection:
            yield connection

    def raw(self, sent: bytes) -> bytes:
        """Send bytes, then nothing more, and return all that comes until the server closes."""
        with self.socket() as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return everything(connection)


class Response:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.getheaders()
        self.body = response.read()

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    target: str = "/",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Send one request over a connection that may be used again."""
    connection.request(method, target, body, headers or {})
    return Response(connection.getresponse())


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


@contextlib.contextmanager
def served(gateway: Gateway) -> Iterator[Server]:
    server = AppServer(gateway, contextlib.nullcontext)  # type: ignore[arg-type]  # the request is its value
    server.start()
    try:
        yield Server(server)
    finally:
        server.shutdown()
        server.server_close()
        gateway.close()


def wsgi(app: Callable[..., Any]) -> contextlib.AbstractContextManager[Server]:
    """Serve a WSGI app."""
    return served(WsgiGateway(app))


def asgi(app: Callable[..., Any], start_timeout: float = WAIT) -> contextlib.AbstractContextManager[Server]:
    """Serve an ASGI app."""
    return served(AsgiGateway(app, start_timeout))


class Asked:
    """What a URL answered."""

    def __init__(self, url: str, body: bytes, method: str = "POST", headers: dict[str, str] | None = None) -> None:
        request = urllib.request.Request(url, data=body, method=method, headers=headers or {})  # noqa: S310 - ours
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=WAIT) as response:
                self.status, self.body = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                self.status, self.body = error.code, error.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)
