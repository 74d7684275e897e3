"""What a test sees of the API: its exchanges, and which of them are not as they are without a mutant."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any

from .. import exchanges
from .lines import Masks, StatementRecorder

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
        self._lines: list[Masks] = []  # of each exchange
        self._before: Masks = {}  # outside of them
        self._code: CodeType | None = None  # of the test's function
        self._at = 0  # the line of it that sends a request
        self._ats: list[int] = []  # of each exchange
        exchanges.keep_whole(self._begun, self._ended)

    def know(self, digests: Mapping[str, Sequence[str]]) -> None:
        """Learn what the exchanges of tests are without a mutant, by the tests' names: those need not be told."""
        self._known = dict(digests)

    def begin(self, test: object = None) -> None:
        """Begin with a test.

        Args:
            test: Its function, if it has one.
        """
        exchanges.begin()
        self._lines, self._before, self._ats = [], {}, []
        self._code = _code_of(test)

    def lines(self) -> Masks:
        """Return the statements executed since `begin` that were taken for exchanges."""
        found = dict(self._before)
        for masks in self._lines:
            _unite(found, masks)
        return found

    def take(self, name: str) -> dict[str, Any]:
        """Return how many exchanges a test had, and those that are not known."""
        heard = exchanges.whole()[:_MOST]
        known = self._known.get(name, ())
        told = []
        for number, exchange in enumerate(heard):
            digest = _digest(exchange)
            if number < len(known) and known[number] == digest:
                continue
            lines = self._lines[number] if number < len(self._lines) else {}
            at = self._ats[number] if number < len(self._ats) else 0
            told.append({"number": number, "digest": digest, "at": at, "lines": _hex(lines), **_told(exchange)})
        return {"seen": len(heard), "exchanges": told} if heard or known else {}

    def _begun(self) -> None:
        self._at = _line_in(self._code)
        if self._recorder:
            _unite(self._before, self._recorder.take())

    def _ended(self) -> None:
        self._ats.append(self._at)
        if self._recorder:
            self._lines.append(self._recorder.take())


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


def _unite(found: Masks, more: Masks) -> None:
    for path, mask in more.items():
        found[path] = found.get(path, 0) | mask


def _hex(masks: Masks) -> dict[str, str]:
    return {path: hex(mask) for path, mask in masks.items()}


def _digest(exchange: exchanges.Exchange) -> str:
    headers = sorted((k.lower(), v) for k, v in exchange["headers"] if k.lower() != "date")
    told = repr((exchange["method"], exchange["url"], exchange["status"], headers, exchange["body"]))
    return hashlib.blake2b(told.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _told(exchange: exchanges.Exchange) -> dict[str, Any]:
    """Return an exchange as it can be written down; of a long body, how long it is and its digest."""
    told = {key: exchange[key] for key in ("client", "method", "status", "headers")}
    told["path"] = exchange["url"]
    body = exchange["body"]
    if body is None:
        return told
    if len(body) > _BODY:
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        return {**told, "body": f"{len(body)} bytes, digest {digest}", "is_text": False}
    try:
        return {**told, "body": body.decode()}
    except UnicodeDecodeError:
        return {**told, "body": base64.b64encode(body).decode(), "is_text": False}
