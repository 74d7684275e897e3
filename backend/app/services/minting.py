"""Making UUIDs (RFC 9562)."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from backend.app.clock import UTC, Clock
from backend.app.services.commands import CountedVersion, MintByCount, MintByName, MintCommand

WELL_KNOWN_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}

GREGORIAN_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_COUNTER_VALUES = 1 << 12


def mint(command: MintCommand, clock: Clock) -> list[UUID]:
    """Makes the UUIDs that a command asks for."""
    if isinstance(command, MintByName):
        return [uuid.uuid5(command.namespace, command.name)]
    return _MAKERS[command.version](command.count, clock())


def version_of(command: MintCommand) -> int:
    """Returns the version of the UUIDs that a command asks for."""
    return command.version if isinstance(command, MintByCount) else 5


def _gregorian(count: int, now: datetime) -> list[UUID]:
    """Makes version 1: a tick of 100 ns for each UUID, and a random node instead of this machine's address."""
    ticks = (now - GREGORIAN_EPOCH) // timedelta(microseconds=1) * 10
    node = secrets.randbits(48) | (1 << 40)  # the multicast bit: no network card has this address
    sequence = secrets.randbits(14)
    return [_version_1(ticks + place, sequence, node) for place in range(count)]


def _version_1(ticks: int, sequence: int, node: int) -> UUID:
    return UUID(
        fields=(
            ticks & 0xFFFFFFFF,
            (ticks >> 32) & 0xFFFF,
            (ticks >> 48) & 0x0FFF,
            sequence >> 8,
            sequence & 0xFF,
            node,
        ),
        version=1,
    )


def _random(count: int, _now: datetime) -> list[UUID]:
    return [uuid.uuid4() for _ in range(count)]


def _unix(count: int, now: datetime) -> list[UUID]:
    """Makes version 7: the milliseconds, a counter that keeps the order within them, then random bits."""
    milliseconds = (now - UNIX_EPOCH) // timedelta(milliseconds=1)
    first = secrets.randbelow(_COUNTER_VALUES - count + 1)
    return [_version_7(milliseconds, first + place) for place in range(count)]


def _version_7(milliseconds: int, counter: int) -> UUID:
    # Not UUID(version=7): before Python 3.14 it knows the versions 1 to 5 only.
    return UUID(int=milliseconds << 80 | 7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62))


_MAKERS: dict[CountedVersion, Callable[[int, datetime], list[UUID]]] = {1: _gregorian, 4: _random, 7: _unix}
