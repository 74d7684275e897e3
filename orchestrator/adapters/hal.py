"""Ask a server that speaks HAL: JSON with links (https://datatracker.ietf.org/doc/html/draft-kelly-json-hal).

Whatever the server does, each question ends in time, with an answer or a coded error. The credential goes to the one
address that the settings name and to no other: links are followed on that server, as the Pact core does, and a
redirect to another one is refused.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import queue
import re
import string
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from orchestrator import text
from orchestrator.errors import Code, OrchestratorError

T = TypeVar("T")

_LIMIT: Final = 64 << 20  # bytes of one answer


class NotFoundError(OrchestratorError):
    """The server answered that there is no such thing."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a token, or a user's name and password; neither: nobody in particular."""

    token: str = ""
    username: str = ""
    password: str = ""

    @property
    def header(self) -> str:
        """The value of `Authorization`; empty: none is sent."""
        if self.token:
            return f"Bearer {self.token}"
        if self.username:
            return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read in a message."""
        return tuple(filter(None, (self.token, self.password, self.header.partition(" ")[2])))


class Answer(msgspec.Struct, frozen=True):
    """What the server said, a JSON object."""

    content: dict[str, Any]

    def link(self, *names: str) -> str:
        """Return where the first of these links leads; empty: there is none of them."""
        return next(filter(None, (link_in(self.content, name) for name in names)), "")


class Server:
    """A server that speaks HAL."""

    def __init__(self, url: str, credential: Credential, *, timeout: float) -> None:
        self.url = url.rstrip("/")
        self._credential = credential
        self._timeout = timeout
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if _is_loopback(urllib.parse.urlsplit(url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read in a message."""
        return self._credential.secrets

    def ask(self, link: str = "", content: object = None, *, method: str = "", **values: str) -> Answer:
        """Follow a link.

        Args:
            link: Where to, as the server wrote it; empty: its index.
            content: What is sent, as JSON; None: nothing.
            method: Not given: GET, or POST if something is sent.
            values: What stands for the names in the link's braces.

        Raises:
            NotFoundError: there is nothing.
            OrchestratorError: no answer in time, none that can be understood, or a refusal.
        """
        try:
            url = resolved(self.url, filled(link, **values))
        except ValueError as error:
            raise self.unclear(self.url, f"has a link that leads nowhere: {self._line(str(error))}") from error
        body = None if content is None else json.dumps(content).encode()
        headers = {"Accept": "application/hal+json, application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, body, headers, method=method or None)  # noqa: S310 - http(s), as configured
        self._sign(request)
        data, kind = self._within_time(lambda: self._read(request), url)
        return Answer(self._object(data, kind, url))

    def _sign(self, request: urllib.request.Request) -> None:
        header = self._credential.header
        if not (header.isascii() and (not header or header.isprintable())):
            # What the client would say of it would show the credential.
            raise OrchestratorError(
                Code.BROKER_REFUSED,
                "the broker's token holds characters that can't be sent",
                hint="Set the variable that `contracts.broker.token` names again: to the token and nothing else.",
            )
        if header:
            request.add_header("Authorization", header)

    def _read(self, request: urllib.request.Request) -> tuple[bytes, str]:
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                data = response.read(_LIMIT + 1)
                kind = str(response.headers.get_content_type())
                missing = int(response.length or 0)
        except urllib.error.HTTPError as error:
            with error:
                to = str(error.headers.get("Location", "")) if 300 <= error.code < 400 else ""
                raise self._refusal(request.full_url, error.code, _start(error), to) from None
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise self._unreachable(request.full_url, f"{type(reason).__name__}: {reason}") from error
        if len(data) > _LIMIT:
            raise self.unclear(request.full_url, f"answers with more than {_LIMIT >> 20} MiB")
        if missing:
            raise self._unreachable(request.full_url, f"the answer broke off, {missing} bytes before its end")
        return data, kind

    def _within_time(self, call: Callable[[], T], url: str) -> T:
        """Call in a thread of its own: a server that sends a byte now and then outlasts the time-out of a socket."""
        ended: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                ended.put((call(), None))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                ended.put((None, error))

        threading.Thread(target=run, name="hal", daemon=True).start()
        try:
            value, failure = ended.get(timeout=self._timeout)
        except queue.Empty:
            raise self._unreachable(url, f"no whole answer within {self._timeout:g} s") from None
        if failure is not None:
            raise failure
        return value  # type: ignore[return-value] # None only if the call returns it

    def _object(self, data: bytes, kind: str, url: str) -> dict[str, Any]:
        if not data.strip():
            return {}  # how some say that they did it
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            raise self.unclear(url, f"answers with {kind} that is not JSON") from None
        if not isinstance(content, dict):
            raise self.unclear(url, "answers with JSON that is no object")
        return content

    def _refusal(self, url: str, status: int, said: str, to: str) -> OrchestratorError:
        if to:
            return OrchestratorError(
                Code.BROKER_REFUSED,
                f"{self._line(url)} sends us elsewhere, to {self._line(to)}: not followed",
                hint="If that is the broker, name its address in `contracts.broker.url`.",
            )
        why = f"answers {status}{f': {self._line(said)}' if said else ''}"
        if status in (401, 403, 407):
            return OrchestratorError(
                Code.BROKER_REFUSED,
                f"{self._line(url)} {why}",
                hint="It was sent a credential: see whether it is the right one, and may do this."
                if self._credential.header
                else "It was sent no credential: set the variables that `contracts.broker.token`, or `username` and "
                "`password`, name.",
            )
        if status == 404:
            return NotFoundError(
                Code.BROKER_UNCLEAR, f"{self._line(url)} {why}", hint="Check `contracts.broker.url` and the names."
            )
        return self.unclear(url, why)

    def _unreachable(self, url: str, why: str) -> OrchestratorError:
        return OrchestratorError(
            Code.BROKER_UNREACHABLE,
            f"{self._line(url)} can't be reached: {self._line(why)}",
            hint="See whether the broker runs, and check `contracts.broker.url` and `timeout`.",
        )

    def unclear(self, url: str, why: str) -> OrchestratorError:
        """Return the error for an answer that is of no use."""
        return OrchestratorError(
            Code.BROKER_UNCLEAR,
            f"{self._line(url)} {why}",
            hint="See whether `contracts.broker.url` is the address of a Pact broker, and what its log says.",
        )

    def _line(self, said: str) -> str:
        return text.one_line(said, secrets=self.secrets)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the credential with it, and a broker sends none."""

    def redirect_request(self, *about: object, **more: object) -> None:
        """Have the redirect told as an error."""


def link_in(content: Mapping[str, Any], name: str) -> str:
    """Return where a link of a resource leads; empty: there is none of that name."""
    links = content.get("_links")
    found = links.get(name) if isinstance(links, dict) else None
    href = found.get("href") if isinstance(found, dict) else None
    return href if isinstance(href, str) else ""


def filled(link: str, **values: str) -> str:
    """Return a link with its names in braces replaced; a value is never more than one segment of the path."""
    return re.sub(r"\{(\w+)\}", lambda found: quoted(values[found[1]]) if found[1] in values else found[0], link)


def quoted(value: str) -> str:
    """Return a value as one segment of a path, also one that consists of dots."""
    segment = urllib.parse.quote(value, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment


def resolved(server: str, link: str) -> str:
    """Return where a link leads: its path, on the server that was asked.

    A broker behind a proxy may know itself by another name, so the link's own host says nothing; and the credential
    is for the server that the settings name.
    """
    base = urllib.parse.urlsplit(server)
    target = urllib.parse.urlsplit(link)
    folder = base.path.rstrip("/")
    path = target.path if target.path.startswith("/") or not target.path else f"{folder}/{target.path}"
    if folder and path != folder and not path.startswith(f"{folder}/"):
        path = folder + path
    # What a URL can't hold is escaped; what is escaped already stays.
    path, query = (urllib.parse.quote(part, safe=string.punctuation) for part in (path or "/", target.query))
    return urllib.parse.urlunsplit((base.scheme, base.netloc, path, query, ""))


def _start(error: urllib.error.HTTPError) -> str:
    """Return what an error's body says: a broker's own words, or its beginning."""
    try:
        body = error.read(10_000)
        said = json.loads(body)
        return json.dumps(said.get("errors") or said.get("error") or said)
    except (OSError, http.client.HTTPException, ValueError, AttributeError, RecursionError):
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
