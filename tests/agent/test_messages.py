from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from orchestrator.agent.loading import LoadError
from orchestrator.agent.messages import made

MODULE = "messages_of_a_test"


@pytest.fixture
def module() -> Iterator[Any]:
    found = ModuleType(MODULE)
    sys.modules[MODULE] = found
    yield found
    del sys.modules[MODULE]


def asked(name: str) -> Any:
    return made(f"{MODULE}:messages", name, "the app", lambda awaitable: awaitable)


@pytest.mark.parametrize(
    ("value", "contents", "kind"),
    [
        ({"id": 1}, b'{"id": 1}', "application/json"),
        ([1, None], b"[1, null]", "application/json"),
        ("text é", "text é".encode(), "text/plain; charset=utf-8"),
        (b"\x00\xff", b"\x00\xff", "application/octet-stream"),
    ],
)
def test_contents_have_their_type(module: Any, value: Any, contents: bytes, kind: str) -> None:
    module.messages = {"an event": lambda: value, "the same": value}
    for name in module.messages:
        message = asked(name)
        assert (message.contents, message.headers["Content-Type"]) == (contents, kind)


def test_metadata_are_beside_the_contents(module: Any) -> None:
    module.messages = {"an event": lambda: ({"id": 1}, {"topic": "orders", "contentType": "application/json"})}
    told = json.loads(base64.b64decode(asked("an event").headers["Pact-Message-Metadata"]))
    assert told == {"topic": "orders", "contentType": "application/json"}


def test_one_callable_makes_all_by_name_and_is_given_the_app(module: Any) -> None:
    module.messages = lambda name, app: f"{name} of {app}"
    assert asked("an event").contents == b"an event of the app"


def test_a_message_that_nothing_makes_is_told(module: Any) -> None:
    module.messages = {"an event": "x"}
    with pytest.raises(LoadError, match=r"unknown message 'another'; .* has 'an event'"):
        asked("another")
    with pytest.raises(LoadError, match=r"`contracts\.messages` is not set"):
        made("", "an event", None, lambda awaitable: awaitable)
