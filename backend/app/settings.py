"""Settings of the service, read from the environment once, when the application is made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

PREFIX = "UUID_SERVICE_"

Scope = Literal["read", "write"]

_KEY_NAME = re.compile(r"[a-z][a-z0-9._-]{0,39}")
_SCOPES: frozenset[str] = frozenset({"read", "write"})
_LOG_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_BOOLEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class SettingsError(ValueError):
    """A setting has a value that the service can't use; the message names it, never a secret."""


@dataclass(frozen=True)
class ApiKey:
    """A caller of the service.

    Attributes:
        name: How the caller appears in logs and in the history of records.
        scopes: What the caller may do.
        secret: What the caller sends as `X-API-Key`.
    """

    name: str
    scopes: frozenset[Scope]
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that can be set; tests make one themselves.

    Attributes:
        database_url: An SQLAlchemy URL of SQLite; `sqlite://` is in memory and gone with the application.
        api_keys: Who may call; without any, every operation that needs a key answers 401.
        log_level: The least important level that is logged.
        max_body_bytes: The largest request body that is read.
        idempotency_seconds: How long an `Idempotency-Key` is remembered.
        demo_data: Whether an empty database is filled with the demo records at start-up.
    """

    database_url: str = "sqlite:///uuid-service.sqlite3"
    api_keys: tuple[ApiKey, ...] = ()
    log_level: str = "INFO"
    # Fifty records with the longest metadata, every character escaped, are about 2 MB.
    max_body_bytes: int = 4 * 1024 * 1024
    idempotency_seconds: int = 24 * 60 * 60
    demo_data: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads the settings; what is not set keeps its default.

        Args:
            environment: The variables, by default those of this process.

        Raises:
            SettingsError: A variable has a value that can't be used.
        """
        values = os.environ if environment is None else environment
        return cls(
            database_url=values.get(f"{PREFIX}DATABASE_URL", cls.database_url),
            api_keys=_api_keys(values.get(f"{PREFIX}API_KEYS", "")),
            log_level=_log_level(values.get(f"{PREFIX}LOG_LEVEL", cls.log_level)),
            max_body_bytes=_positive(values, "MAX_BODY_BYTES", cls.max_body_bytes),
            idempotency_seconds=_positive(values, "IDEMPOTENCY_SECONDS", cls.idempotency_seconds),
            demo_data=_boolean(values, "DEMO_DATA", default=cls.demo_data),
        )


def _api_keys(text: str) -> tuple[ApiKey, ...]:
    keys = tuple(
        _api_key(entry.strip(), place) for place, entry in enumerate(text.split(","), start=1) if entry.strip()
    )
    if len({key.name for key in keys}) < len(keys) or len({key.secret for key in keys}) < len(keys):
        raise SettingsError(f"{PREFIX}API_KEYS: names and secrets must differ")
    return keys


def _api_key(entry: str, place: int) -> ApiKey:
    name, _, rest = entry.partition(":")
    scopes, _, secret = rest.partition(":")
    given = set(scopes.split("+"))
    if not _KEY_NAME.fullmatch(name) or not given <= _SCOPES or not secret:
        raise SettingsError(f"{PREFIX}API_KEYS: entry {place} is not like name:read+write:secret")
    return ApiKey(name=name, scopes=frozenset(cast("set[Scope]", given)), secret=secret)


def _log_level(text: str) -> str:
    if text.upper() not in _LOG_LEVELS:
        raise SettingsError(f"{PREFIX}LOG_LEVEL: must be one of {', '.join(sorted(_LOG_LEVELS))}")
    return text.upper()


def _positive(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(f"{PREFIX}{name}")
    if text is None:
        return default
    # As seconds these are 31 years; many more would lead to a time before the first year of Python's calendar.
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise SettingsError(f"{PREFIX}{name}: must be an integer from 1 to 999999999")
    return int(text)


def _boolean(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = values.get(f"{PREFIX}{name}")
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise SettingsError(f"{PREFIX}{name}: must be one of {', '.join(_BOOLEANS)}")
    return _BOOLEANS[text.lower()]
