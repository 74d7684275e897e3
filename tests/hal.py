"""A double of the Pact broker: it speaks HAL as the real one does, on a loopback port, and fails when it is told to.

Written after the real broker's resources and approved answers; `tests/adapters/test_official_client.py` has the Pact
core and the official command line work against it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import msgspec

Json = dict[str, Any]
ENVIRONMENTS = {"test": "16926ef3-590f-4e3f-838e-719717aa88c9", "production": "c540ce64-5493-48c5-ab7c-28dae27b166b"}
PENDING = {"text": "This pact is in pending state for this version", "when": "before_verification"}


class Asked(msgspec.Struct, frozen=True):
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Published(msgspec.Struct):
    """A version of a consumer's pact."""

    consumer: str
    provider: str
    version: str
    content: Json
    branch: str = ""
    tags: tuple[str, ...] = ()

    @property
    def sha(self) -> str:
        return hashlib.sha1(json.dumps(self.content, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


class RefusedError(Exception):
    """What the broker answers when it says no."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Broker:
    """What the double knows, and what it was asked.

    Attributes:
        fault: What to do instead of answering: a status, or the name of a method of `_Handler`; by the beginning of
            the path, or of method and path.
        authorization: The only value of the header that is let in; empty: everybody is.
        host: The name that links have instead of the true one, as behind a proxy; empty: the true one.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pacts: list[Published] = []
        self.results: list[tuple[str, str, Json]] = []  # sha, provider, what was sent
        self.branches: dict[tuple[str, str], str] = {}
        self.deployed: dict[tuple[str, str], str] = {}
        self.wip: set[str] = set()
        self.fault: dict[str, int | str] = {}
        self.authorization = ""
        self.host = ""
        self.prefix = ""
        self.released = threading.Event()
        self.url = ""

    def of(self, method: str, path: str) -> list[Asked]:
        """The requests of a method whose path ends so."""
        return [a for a in self.asked if a.method == method and a.path.partition("?")[0].endswith(path)]

    def publish(self, content: Json, version: str = "1", branch: str = "main", *tags: str) -> Published:
        """Have a pact, as if a consumer had published it."""
        one = Published(content["consumer"]["name"], content["provider"]["name"], version, content, branch, tags)
        self.pacts.append(one)
        return one

    # What each resource says

    def answer(self, method: str, path: str, body: Any) -> Json:
        parts = urllib.parse.urlsplit(path)
        segments = [urllib.parse.unquote(s) for s in (parts.path.removeprefix(self.prefix) or "/").split("/")[1:]]
        query = urllib.parse.parse_qs(parts.query)
        for pattern, (wanted, resource) in self._resources().items():
            names = pattern.split("/")
            if method in wanted and len(names) == len(segments):
                values = [s for n, s in zip(names, segments, strict=True) if n == "*"]
                if all(n in ("*", s) for n, s in zip(names, segments, strict=True)):
                    return resource(
                        *values, *([body] if method in ("POST", "PUT") else []), *([query] * ("?" in wanted))
                    )
        raise RefusedError(404, {"error": {"message": "The requested document was not found on this server."}})

    def _resources(self) -> dict[str, tuple[str, Callable[..., Json]]]:
        version = "pacts/provider/*/consumer/*/pact-version/*/metadata/*"
        return {
            "": ("GET", self._index),
            "contracts/publish": ("POST", self._publish),
            "pacts/provider/*/for-verification": ("GET POST", self._for_verification),
            "pacts/provider/*/consumer/*/version/*": ("GET", self._by_version),
            version: ("GET", self._by_content),
            f"{version}/verification-results": ("POST", self._result),
            "pacticipants/*": ("GET", self._pacticipant),
            "pacticipants/*/versions/*": ("GET", self._version),
            "pacticipants/*/branches/*/versions/*": ("PUT", self._put_branch),
            "pacticipants/*/versions/*/deployed-versions/environment/*": ("POST", self._deploy),
            "environments": ("GET", self._environments),
            "matrix": ("GET ?", self._matrix),
        }

    def _href(self, *segments: str) -> str:
        base = (self.host or self.url.removesuffix(self.prefix)) + self.prefix
        return "/".join([base, *(urllib.parse.quote(s, safe="{}") for s in segments)])

    def _index(self) -> Json:
        templates = {
            "self": (),
            "pb:publish-contracts": ("contracts", "publish"),
            "pb:pacticipant": ("pacticipants", "{pacticipant}"),
            "pb:pacticipant-version": ("pacticipants", "{pacticipant}", "versions", "{version}"),
            "pb:provider-pacts-for-verification": ("pacts", "provider", "{provider}", "for-verification"),
            "pb:environments": ("environments",),
        }
        return {"_links": {k: {"href": self._href(*v), "templated": "{" in "".join(v)} for k, v in templates.items()}}

    def _publish(self, body: Json) -> Json:
        number, name = body["pacticipantVersionNumber"], body["pacticipantName"]
        for contract in body["contracts"]:
            content = json.loads(base64.b64decode(contract["content"]))
            for old in self.pacts:
                same = (old.consumer, old.provider, old.version) == (name, contract["providerName"], number)
                if same and old.content != content:
                    said = f"Cannot change the content of the pact for {name} version {number}"
                    raise RefusedError(
                        409, {"notices": [{"type": "error", "text": said}], "errors": {"content": [said]}}
                    )
            self.publish(content, number, body.get("branch", ""), *body.get("tags", ()))
        pacticipant, version = self._href("pacticipants", name), self._href("pacticipants", name, "versions", number)
        return {
            "logs": [],
            "notices": [{"type": "success", "text": f"Pact successfully published for {name} version {number}."}],
            "_embedded": {
                "pacticipant": {"name": name, "_links": {"self": {"href": pacticipant}}},
                "version": {
                    "number": number,
                    "_links": {"self": {"title": "Version", "name": number, "href": version}},
                },
            },
            "_links": {
                "pb:pacticipant": {"title": "Pacticipant", "name": name, "href": pacticipant},
                "pb:pacticipant-version": {"title": "Pacticipant version", "name": number, "href": version},
                "pb:pacticipant-version-tags": [],
                "pb:contracts": [],
            },
        }

    def _for_verification(self, provider: str, body: Json | None = None) -> Json:
        known = [p for p in self.pacts if p.provider == provider]
        if not known:
            raise RefusedError(404, {"error": {"message": f"No pacticipant with name '{provider}' found"}})
        here = {"self": {"href": self._href("pacts", "provider", provider, "for-verification"), "title": "Pacts"}}
        if body is None:
            return {"_links": here}
        chosen = {p.sha: p for selector in body["consumerVersionSelectors"] for p in self._chosen(known, selector)}
        entries = [self._entry(p, body) for p in chosen.values()]
        if body.get("includeWipPactsSince"):
            entries += [self._entry(p, body, wip=True) for p in known if p.sha in self.wip and p.sha not in chosen]
        return {"_embedded": {"pacts": entries}, "_links": here}

    def _chosen(self, known: list[Published], selector: Json) -> Iterator[Published]:
        keys = {"branch", "mainBranch", "matchingBranch", "deployedOrReleased", "environment", "tag", "latest"}
        if not keys & set(selector):
            raise RefusedError(400, {"errors": {"consumerVersionSelectors": ["must specify a value for a key"]}})
        for consumer in dict.fromkeys(p.consumer for p in known):
            if selector.get("consumer", consumer) != consumer:
                continue
            own = [p for p in known if p.consumer == consumer]
            if "environment" in selector or "deployedOrReleased" in selector:
                there = {
                    v
                    for (name, e), v in self.deployed.items()
                    if name == consumer and selector.get("environment", e) == e
                }
                yield from (p for p in own if p.version in there)
            elif "tag" in selector:
                tagged = [p for p in own if selector["tag"] in p.tags]
                yield from tagged[-1:] if selector.get("latest") else tagged
            elif "branch" in selector or "mainBranch" in selector:
                yield from [p for p in own if p.branch == selector.get("branch", "main")][-1:]
            elif selector.get("latest"):
                yield own[-1]

    def _entry(self, pact: Published, body: Json, *, wip: bool = False) -> Json:
        about: Json = {"notices": [{"when": "before_verification", "text": f"version {pact.version}"}]}
        if body.get("includePendingStatus"):
            about["pending"] = wip or not self._fulfilled(pact)
            if about["pending"]:
                about["notices"].append(PENDING)
        if wip:
            about["wip"] = True
        name = f"Pact between {pact.consumer} ({pact.version}) and {pact.provider}"
        href = self._href(*self._place(pact))
        return {
            "shortDescription": "latest from main",
            "verificationProperties": about,
            "_links": {"self": {"href": href, "name": name}},
        }

    def _fulfilled(self, pact: Published) -> bool:
        return any(sha == pact.sha and sent["success"] for sha, _, sent in self.results)

    @staticmethod
    def _place(pact: Published) -> tuple[str, ...]:
        who = ("pacts", "provider", pact.provider, "consumer", pact.consumer)
        return (*who, "pact-version", pact.sha, "metadata", "Y3ZuPTE")

    def _by_version(self, provider: str, consumer: str, version: str) -> Json:
        return self._document(lambda p: (p.provider, p.consumer, p.version) == (provider, consumer, version))

    def _by_content(self, provider: str, consumer: str, sha: str, metadata: str) -> Json:
        return self._document(lambda p: (p.provider, p.consumer, p.sha) == (provider, consumer, sha))

    def _document(self, wanted: Callable[[Published], bool]) -> Json:
        pact = next((p for p in self.pacts if wanted(p)), None)
        if pact is None:
            raise RefusedError(404, {"error": {"message": "The requested document was not found on this server."}})
        interactions = [{"_id": f"id-{n}", **i} for n, i in enumerate(pact.content["interactions"])]
        links = {
            "self": {"href": self._href(*self._place(pact)), "name": "Pact"},
            "pb:provider": {"href": self._href("pacticipants", pact.provider), "name": pact.provider},
            "pb:publish-verification-results": {"href": self._href(*self._place(pact), "verification-results")},
        }
        return {**pact.content, "interactions": interactions, "createdAt": "2026-01-02T03:04:05+00:00", "_links": links}

    def _result(self, provider: str, consumer: str, sha: str, metadata: str, body: Json) -> Json:
        if not isinstance(body.get("success"), bool) or not body.get("providerApplicationVersion"):
            raise RefusedError(400, {"errors": {"success": ["can't be blank"]}})
        self.results.append((sha, provider, body))
        return {"success": body["success"], "_links": {}}

    def _pacticipant(self, name: str) -> Json:
        branch = self._href("pacticipants", name, "branches", "{branch}", "versions", "{version}")
        return {"name": name, "_links": {"pb:branch-version": {"href": branch, "templated": True}}}

    def _version(self, name: str, number: str) -> Json:
        there = self._href("pacticipants", name, "versions", number, "deployed-versions", "environment")
        record = [{"name": e, "title": e, "href": f"{there}/{uuid}"} for e, uuid in ENVIRONMENTS.items()]
        return {"number": number, "_links": {"pb:record-deployment": record}}

    def _put_branch(self, name: str, branch: str, number: str, body: Json) -> Json:
        self.branches[name, number] = branch
        return {"_links": {}}

    def _deploy(self, name: str, number: str, uuid: str, body: Json) -> Json:
        environment = next(e for e, u in ENVIRONMENTS.items() if u == uuid)
        self.deployed[name, environment] = number
        return {"uuid": "1", "currentlyDeployed": True, "_embedded": {"environment": {"name": environment}}}

    def _environments(self) -> Json:
        return {"_embedded": {"environments": [{"name": e, "uuid": u} for e, u in ENVIRONMENTS.items()]}, "_links": {}}

    def _matrix(self, query: dict[str, list[str]]) -> Json:
        name, number, environment = (query[k][0] for k in ("q[][pacticipant]", "q[][version]", "environment"))
        rows, reasons = [], []
        for pact in self.pacts:
            consumer = number if pact.consumer == name else self.deployed.get((pact.consumer, environment), "")
            provider = number if pact.provider == name else self.deployed.get((pact.provider, environment), "")
            if name not in (pact.consumer, pact.provider) or pact.version != consumer:
                continue
            success = next(
                (s["success"] for h, _, s in reversed(self.results) if h == pact.sha and _version(s) == provider), None
            )
            rows.append(_row(pact, provider, success=success))
            if success is None:
                reasons.append(f"There is no verified pact between {pact.consumer} and {pact.provider}")
        successes = [row["verificationResult"] and row["verificationResult"]["success"] for row in rows]
        deployable = False if False in successes else None if None in successes else True
        counts = {"success": successes.count(True), "failed": successes.count(False), "unknown": successes.count(None)}
        reason = "\n".join(reasons) or "All required verification results are published and successful"
        return {
            "summary": {"deployable": deployable, "reason": reason, **counts},
            "notices": [{"type": "info", "text": reason}],
            "matrix": rows,
        }


def _version(sent: Json) -> str:
    return str(sent["providerApplicationVersion"])


def _row(pact: Published, provider: str, *, success: bool | None) -> Json:
    return {
        "consumer": {"name": pact.consumer, "version": {"number": pact.version}},
        "provider": {"name": pact.provider, "version": {"number": provider} if provider else None},
        "verificationResult": None if success is None else {"success": success, "_links": {}},
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        broker = cast("_Server", self.server).broker
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        broker.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
        told = (self.path, f"{self.command} {self.path}")
        fault = next((f for start, f in broker.fault.items() if any(t.startswith(start) for t in told)), None)
        if isinstance(fault, str):
            getattr(self, fault)(broker)
        elif fault is not None:
            self._say(fault, {"error": {"message": f"no: {self.headers.get('Authorization')}"}})
        elif broker.authorization and self.headers.get("Authorization") != broker.authorization:
            self._say(401, {"error": {"message": "Authentication failed"}})
        else:
            try:
                self._say(200, broker.answer(self.command, self.path, body))
            except RefusedError as refused:
                self._say(refused.status, refused.body)

    do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the names that the server looks for

    def _say(self, status: int, body: object, kind: str = "application/hal+json;charset=utf-8") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # Faults

    def slow(self, broker: Broker) -> None:
        broker.released.wait(20)
        self.close_connection = True

    def drips(self, broker: Broker) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            for number in itertools.count():
                if broker.released.wait(0.05):
                    break
                self.wfile.write(f"X-{number}: 1\r\n".encode()[:60])
                if number == 60:
                    time.sleep(1)
        self.close_connection = True

    def drips_body(self, broker: Broker) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not broker.released.wait(0.1):
                self.wfile.write(b" ")
        self.close_connection = True

    def breaks_off(self, broker: Broker) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"_links": {')
        self.close_connection = True

    def hangs_up(self, broker: Broker) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def broken(self, broker: Broker) -> None:
        self._say(200, b'{"_links": {')

    def page(self, broker: Broker) -> None:
        self._say(200, b"<html>Please log in</html>", "text/html")

    def array(self, broker: Broker) -> None:
        self._say(200, [1, 2])

    def empty(self, broker: Broker) -> None:
        self._say(200, {})

    def nothing(self, broker: Broker) -> None:
        self._say(200, {"_embedded": {"pacts": []}, "_links": {}})

    def elsewhere(self, broker: Broker) -> None:
        self.send_response(302)
        self.send_header("Location", f"{broker.host}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *about: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    broker: Broker

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # whoever asked has left


@contextlib.contextmanager
def running(prefix: str = "") -> Iterator[Broker]:
    """A broker on a loopback port, for as long as the block runs."""
    broker = Broker()
    broker.prefix = prefix
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.broker = broker
        broker.url = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield broker
        finally:
            broker.released.set()
            server.shutdown()
            thread.join()
