"""Reading UUIDs: what their bits mean (RFC 9562)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from backend.app.services.minting import GREGORIAN_EPOCH, UNIX_EPOCH

Variant = Literal["ncs", "rfc9562", "microsoft", "future"]

_VARIANTS: dict[str, Variant] = {
    uuid.RESERVED_NCS: "ncs",
    uuid.RFC_4122: "rfc9562",
    uuid.RESERVED_MICROSOFT: "microsoft",
    uuid.RESERVED_FUTURE: "future",
}


@dataclass(frozen=True)
class Inspection:
    """What a UUID says about itself; version and time are None where it has none."""

    uuid: UUID
    variant: Variant
    version: int | None
    timestamp: datetime | None


def inspect(value: UUID) -> Inspection:
    """Explains a UUID."""
    # UUID.version would say None for versions that its Python does not know.
    version = (value.int >> 76) & 0xF if value.variant == uuid.RFC_4122 else None
    return Inspection(
        uuid=value,
        variant=_VARIANTS[value.variant],
        version=version,
        timestamp=_timestamp(value, version),
    )


def _timestamp(value: UUID, version: int | None) -> datetime | None:
    try:
        if version == 1:
            return GREGORIAN_EPOCH + timedelta(microseconds=value.time // 10)
        if version == 6:
            return GREGORIAN_EPOCH + timedelta(microseconds=_version_6_ticks(value) // 10)
        if version == 7:
            return UNIX_EPOCH + timedelta(milliseconds=value.int >> 80)
    except OverflowError:
        # The 48 bits of version 7 reach beyond the year 9999, where Python's calendar ends.
        return None
    return None


def _version_6_ticks(value: UUID) -> int:
    """Reads the time of version 6: that of version 1 with its most significant bits first."""
    return (value.int >> 80) << 12 | (value.int >> 64) & 0xFFF
