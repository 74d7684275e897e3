from __future__ import annotations

from datetime import timedelta
from uuid import NAMESPACE_DNS, NAMESPACE_URL

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.app.models import StoredAnswer
from backend.app.services.commands import MintByCount, MintByName, MintCommand
from backend.app.services.errors import IdempotencyConflictError
from backend.app.services.idempotency import Answer, IdempotencyKey, answer_once
from tests.backend.support import FakeClock

DAY = timedelta(days=1)
COMMAND = MintByCount(4, 2)


class Counter:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Answer:
        self.asked += 1
        return {"answer": self.asked}


@pytest.fixture
def answer() -> Counter:
    """What makes the answers."""
    return Counter()


def ask(
    session: Session,
    clock: FakeClock,
    answer: Counter,
    command: MintCommand = COMMAND,
    *,
    actor: str = "tester",
    key: str = "key-0001",
) -> tuple[Answer, bool]:
    return answer_once(session, clock, IdempotencyKey(actor, key, DAY), command, answer)


def test_a_repeated_request_gets_the_first_answer(session: Session, clock: FakeClock, answer: Counter) -> None:
    assert ask(session, clock, answer) == ({"answer": 1}, False)
    assert ask(session, clock, answer) == ({"answer": 1}, True)
    assert answer.asked == 1


@pytest.mark.parametrize(
    "another",
    [MintByCount(4, 3), MintByCount(7, 2), MintByName(NAMESPACE_DNS, "example")],
)
def test_another_command_under_the_same_key_is_a_conflict(
    session: Session, clock: FakeClock, answer: Counter, another: MintCommand
) -> None:
    ask(session, clock, answer)

    with pytest.raises(IdempotencyConflictError):
        ask(session, clock, answer, another)

    assert ask(session, clock, answer) == ({"answer": 1}, True)


@pytest.mark.parametrize("another", [MintByName(NAMESPACE_URL, "example"), MintByName(NAMESPACE_DNS, "example2")])
def test_names_are_told_apart(session: Session, clock: FakeClock, answer: Counter, another: MintByName) -> None:
    ask(session, clock, answer, MintByName(NAMESPACE_DNS, "example"))

    with pytest.raises(IdempotencyConflictError):
        ask(session, clock, answer, another)


def test_two_callers_may_use_the_same_key(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer, actor="tester")

    assert ask(session, clock, answer, MintByCount(7), actor="another") == ({"answer": 2}, False)


def test_two_keys_are_two_requests(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer, key="key-0001")

    assert ask(session, clock, answer, key="key-0002") == ({"answer": 2}, False)


@pytest.mark.parametrize(("age", "replayed"), [(DAY - timedelta(microseconds=1), True), (DAY, False)])
def test_an_answer_is_remembered_for_its_lifetime(
    session: Session, clock: FakeClock, answer: Counter, age: timedelta, *, replayed: bool
) -> None:
    ask(session, clock, answer)
    clock.now += age

    assert ask(session, clock, answer)[1] is replayed


def test_a_forgotten_key_can_be_used_for_another_command(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer)
    clock.now += DAY

    assert ask(session, clock, answer, MintByCount(7)) == ({"answer": 2}, False)


def test_old_answers_are_swept_with_any_request(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer, key="key-0001")
    clock.now += DAY
    ask(session, clock, answer, key="key-0002")

    assert session.scalar(select(func.count()).select_from(StoredAnswer)) == 1


def test_a_repeated_answer_is_not_remembered_any_longer(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer)
    clock.now += DAY / 2
    assert ask(session, clock, answer)[1] is True
    clock.now += DAY / 2

    assert ask(session, clock, answer) == ({"answer": 2}, False)


def test_an_answer_is_repeated_when_the_clock_was_set_back(session: Session, clock: FakeClock, answer: Counter) -> None:
    ask(session, clock, answer)
    clock.now -= DAY

    assert ask(session, clock, answer) == ({"answer": 1}, True)


def test_an_answer_that_failed_is_not_remembered(session: Session, clock: FakeClock, answer: Counter) -> None:
    def fail() -> Answer:
        raise RuntimeError("nothing to answer")

    with pytest.raises(RuntimeError):
        answer_once(session, clock, IdempotencyKey("tester", "key-0001", DAY), COMMAND, fail)

    assert ask(session, clock, answer) == ({"answer": 1}, False)
