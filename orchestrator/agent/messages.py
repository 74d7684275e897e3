"""Asynchronous messages, made by the user's callables, as the Pact core asks for them over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from .loading import LoadError, call_hook, resolve

_PAIR = 2  # contents and metadata


class Message:
    """What the Pact core is answered: the contents, their type, and the metadata as JSON."""

    def __init__(self, contents: bytes, content_type: str, metadata: dict[str, Any]) -> None:
        self.contents = contents
        self.headers = {"Content-Type": content_type}
        if metadata:
            self.headers["Pact-Message-Metadata"] = base64.b64encode(json.dumps(metadata).encode()).decode()


def made(target: str, name: str, app: Any, run: Callable[[Any], Any]) -> Message:
    """Return the message of a name.

    Args:
        target: `contracts.messages`: a mapping from a message's name to a callable or to what it would return, or one
            callable that is given `name`. Each returns the contents (text, bytes, or what JSON can hold), or a pair of
            these and the metadata.
        name: The message's description in the pact.
        app: The user's app, for callables with a parameter of that name.
        run: How to await what a callable returns.

    Raises:
        LoadError: nothing makes it.
        Exception: the user's.
    """
    if not target:
        raise LoadError("QO503", f"unknown message {name!r}: `contracts.messages` is not set")
    known = resolve(target, "contracts.messages")
    if hasattr(known, "keys"):
        if name not in known:
            listed = ", ".join(repr(n) for n in sorted(map(str, known.keys())))
            raise LoadError("QO503", f"unknown message {name!r}; {target} has {listed}")
        maker = known[name]
        told = call_hook(maker, app, run) if callable(maker) else maker
    else:
        told = call_hook(known, app, run, name=name)
    contents, metadata = told if isinstance(told, tuple) and len(told) == _PAIR else (told, {})
    if isinstance(contents, bytes):
        return Message(contents, str(metadata.get("contentType", "application/octet-stream")), metadata)
    if isinstance(contents, str):
        return Message(contents.encode(), str(metadata.get("contentType", "text/plain; charset=utf-8")), metadata)
    return Message(json.dumps(contents).encode(), "application/json", {"contentType": "application/json", **metadata})
