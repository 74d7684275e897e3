"""Let random numbers repeat: a test draws the same ones each time it runs, whatever ran before it.

Else every identifier that the app makes would be another one under a mutant. What C libraries draw by themselves
(OpenSSL, NumPy) is not settled.
"""

from __future__ import annotations

import os
import random

_stream = random.Random()  # noqa: S311 - that it can be foretold is its purpose


def install() -> None:
    """Take the place of the system's random numbers, in `os`, `secrets`, `uuid` and `random`."""
    os.urandom = _urandom
    random._urandom = _urandom  # type: ignore[attr-defined]
    settle("")


def settle(name: str, number: int = 0) -> None:
    """Begin with the random numbers of a test; another number gives others."""
    random.seed(f"{number} {name}")
    _stream.seed(f"{number} {name}")


def _urandom(size: int, /) -> bytes:
    return _stream.getrandbits(8 * size).to_bytes(size, "big") if size else b""
