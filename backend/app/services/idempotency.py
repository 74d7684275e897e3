"""Answering a repeated request as the first time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.app.clock import Clock
from backend.app.models import StoredAnswer
from backend.app.services.commands import MintCommand
from backend.app.services.errors import IdempotencyConflictError

Answer = dict[str, Any]


@dataclass(frozen=True)
class IdempotencyKey:
    """A caller's name for a request; two callers may use the same one."""

    actor: str
    key: str
    lifetime: timedelta


def answer_once(
    session: Session, clock: Clock, name: IdempotencyKey, command: MintCommand, answer: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """Answers a request, or repeats what its first occurrence was answered.

    Args:
        session: A session that writes.
        clock: Says which answers are too old to be repeated.
        name: The name that the caller gave to the request.
        command: What is asked for; another command under the same name is a conflict.
        answer: Makes the answer of a first occurrence.

    Returns:
        The answer, and whether it is a repeated one.

    Raises:
        IdempotencyConflictError: The name was given to another command.
    """
    now = clock()
    session.execute(delete(StoredAnswer).where(StoredAnswer.created_at <= now - name.lifetime))
    fingerprint = _fingerprint(command)
    stored = session.scalar(select(StoredAnswer).where(StoredAnswer.actor == name.actor, StoredAnswer.key == name.key))
    if stored is None:
        first = answer()
        session.add(StoredAnswer(actor=name.actor, key=name.key, fingerprint=fingerprint, answer=first, created_at=now))
        return first, False
    if stored.fingerprint != fingerprint:
        raise IdempotencyConflictError("This Idempotency-Key was used with another body.")
    return stored.answer, True


def _fingerprint(command: MintCommand) -> str:
    content = json.dumps([type(command).__name__, asdict(command)], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
