from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator

import pytest

from orchestrator.agent.protocol import Channel


@contextlib.contextmanager
def pair() -> Iterator[tuple[Channel, Channel]]:
    """Return the two ends."""
    to_left, from_right = os.pipe()
    to_right, from_left = os.pipe()
    left, right = Channel(to_left, from_left), Channel(to_right, from_right)
    try:
        yield left, right
    finally:
        left.close()
        right.close()


def test_what_is_sent_arrives_whatever_it_holds() -> None:
    with pair() as (left, right):
        for text in ("", "a\nb", "é☃", "\udc80", "\x00", '"', "x" * 10_000):
            left.send({"text": text})
            assert right.receive() == {"text": text}
        right.send({"answer": [1, None, {"a": True}]})
        assert left.receive() == {"answer": [1, None, {"a": True}]}


def test_a_date_of_the_settings_goes_as_text() -> None:
    with pair() as (left, right):
        left.send({"since": datetime.date(2024, 2, 29), "at": datetime.time(12, 30)})
        assert right.receive() == {"since": "2024-02-29", "at": "12:30:00"}


def test_an_end_that_goes_away_is_told() -> None:
    with pair() as (left, right):
        left.close()
        assert right.receive() is None
        assert right.receive() is None
        with pytest.raises(BrokenPipeError):
            right.send({"ask": "anything"})


def test_a_message_that_is_cut_off_is_none() -> None:
    to_us, from_them = os.pipe()
    os.write(from_them, b'{"answer": "rea')
    os.close(from_them)
    channel = Channel(to_us, os.open(os.devnull, os.O_WRONLY))
    assert channel.receive() is None
    channel.close()
