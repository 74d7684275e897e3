"""JSON and TOML to our model and back, and files that are replaced whole or not at all."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from orchestrator.errors import Code, OrchestratorError, UsageError

T = TypeVar("T")


def to_json(value: object) -> bytes:
    """Return `value` as indented JSON with a final newline; the same value gives the same bytes.

    Lone surrogates, which JSON in UTF-8 can't hold, are written as an escape that is shown: `\\ud800`.
    """
    try:
        encoded = msgspec.json.encode(value, order="deterministic")
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_encodable(msgspec.to_builtins(value)), order="deterministic")
    return msgspec.json.format(encoded, indent=1) + b"\n"


def _encodable(value: Any) -> Any:
    """Return plain data without lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    return [_encodable(inner) for inner in value] if isinstance(value, list | tuple) else value


def from_json(data: bytes, kind: type[T]) -> T:
    """Return the `kind` that `data` encodes.

    Raises:
        msgspec.ValidationError: the data is JSON but not of this kind.
        msgspec.DecodeError: the data is not JSON.
    """
    return msgspec.json.decode(data, type=kind)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        UsageError: it can't be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(Code.SETTINGS_INVALID, f"{path} can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            Code.SETTINGS_INVALID,
            f"{path} is not TOML: {error}",
            hint="Mend the file at the line named above.",
        ) from error


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `data`; a reader sees the old file or the new one, never a part.

    Raises:
        OrchestratorError: the file can't be written (no room, no permission); an earlier file is left as it was.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise OrchestratorError(
            Code.NOT_WRITABLE,
            f"{path} can't be written: {error.strerror or error}",
            hint="Free some room or change the permissions; the file of an earlier run, if any, is untouched.",
        ) from error
