"""What a test sees of the API: its exchanges, and which of them are not as they are without a mutant."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any

from .. import exchanges
from . import nearness
from .lines import Masks, StatementRecorder, as_hex, united

_BODY = 1 << 14  # bytes of a body that are told
_MOST = 200  # exchanges of one test


class Seen:
    """Listens to the test clients of this process.

    Args:
        recorder: Asked what each exchange executes, where statements are recorded.
    """

    def __init__(self, recorder: StatementRecorder | None = None) -> None:
        self._recorder = recorder
        self._known: dict[str, Sequence[str]] = {}
        self._before: Masks = {}  # executed before exchanges
        self._code: CodeType | None = None  # of the test's function
        self._at = 0  # the line of it that sends a request
        exchanges.keep_whole(self)
        nearness.install()

    def know(self, digests: Mapping[str, Sequence[str]]) -> None:
        """Learn what the exchanges of tests are without a mutant, by the tests' names: those need not be told."""
        self._known = dict(digests)

    def begin(self, test: object = None) -> None:
        """Begin with a test.

        Args:
            test: Its function, if it has one.
        """
        exchanges.begin()
        self._before = {}
        self._code = _code_of(test)

    def lines(self) -> Masks:
        """Return the statements executed since `begin` that were taken for exchanges."""
        return united(self._before, *(exchange["lines"] for exchange in exchanges.whole()))

    def take(self, name: str) -> dict[str, Any]:
        """Return how many exchanges a test had, and those that are not known."""
        heard = exchanges.whole()[:_MOST]
        known = self._known.get(name, ())
        told = []
        for number, exchange in enumerate(heard):
            digest = digest_of(exchange)
            if number < len(known) and known[number] == digest:
                continue
            told.append({"number": number, "digest": digest, **as_told(exchange)})
        return {"seen": len(heard), "exchanges": told} if heard or known else {}

    def begun(self) -> None:
        """Look who sends a request."""
        self._at = _line_in(self._code)
        nearness.take()
        if self._recorder:
            self._before = united(self._before, self._recorder.take())

    def ended(self, exchange: exchanges.Exchange) -> None:
        """Note what belongs to an exchange."""
        exchange["at"] = self._at
        exchange["near"] = nearness.take()
        exchange["lines"] = self._recorder.take() if self._recorder else {}


def _code_of(test: object) -> CodeType | None:
    """Return the code of a test's function, inside of what is wrapped around it."""
    for _ in range(20):  # it may wrap itself
        test = getattr(test, "__func__", test)
        inside = getattr(test, "__wrapped__", None)
        if inside is None:
            break
        test = inside
    return getattr(test, "__code__", None)


def _line_in(code: CodeType | None) -> int:
    """Return the line that runs of a function, from its own first one; 0: it does not run, or in another task."""
    frame = sys._getframe(1) if code else None
    while frame is not None:
        if frame.f_code is code:
            return frame.f_lineno - code.co_firstlineno
        frame = frame.f_back
    return 0


def digest_of(exchange: exchanges.Exchange) -> str:
    """Return what two exchanges have in common that are the same to whoever looks at them."""
    headers = sorted((k.lower(), v) for k, v in exchange["headers"] if k.lower() != "date")
    told = repr((exchange["method"], exchange["url"], exchange["status"], headers, exchange["body"]))
    return hashlib.blake2b(told.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def as_told(exchange: exchanges.Exchange, longest: int = _BODY) -> dict[str, Any]:
    """Return an exchange as it can be written down; of a body longer than `longest`, how long it is and its digest."""
    told = {key: exchange[key] for key in ("client", "method", "status", "headers", "at")}
    told |= {"path": exchange["url"], "lines": as_hex(exchange["lines"])}
    if exchange.get("near"):  # what a replay sends has none
        told["near"] = exchange["near"]
    body = exchange["body"]
    if body is None:
        return told
    if len(body) > longest:
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        return {**told, "body": f"{len(body)} bytes, digest {digest}", "is_text": False}
    try:
        return {**told, "body": body.decode()}
    except UnicodeDecodeError:
        return {**told, "body": base64.b64encode(body).decode(), "is_text": False}
