"""The protocol between driver and agent: one JSON object a line, over two pipes.

The driver's first line is the `hello` with everything the agent needs; the agent answers `ready` or `failed`.
After that the driver asks (`{"ask": "reach"}`) and the agent answers (`{"answer": "reach", …}`), one for one.
A driver that goes away closes the pipe, which ends the agent: no orphan is left.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

VERSION = 1


class Channel:
    """One end of the two pipes."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = os.fdopen(incoming, "r", encoding="utf-8")
        self._outgoing = os.fdopen(outgoing, "w", encoding="utf-8")

    def fileno(self) -> int:
        """Return what `select` waits for: each message is an answer, so none is ever waiting behind another."""
        return self._incoming.fileno()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. ASCII only, so that lone surrogates pass; a TOML date goes as text."""
        self._outgoing.write(json.dumps(message, default=str) + "\n")
        self._outgoing.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for one message; None: the other end is gone."""
        line = self._incoming.readline()
        if not line.endswith("\n"):  # also one that ended in the middle of a line
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Close both pipes."""
        for stream in (self._outgoing, self._incoming):
            with contextlib.suppress(OSError):  # the other end went first
                stream.close()
