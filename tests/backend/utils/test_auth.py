from __future__ import annotations

import pytest

from backend.app.utils.auth import KeyRing, authorize
from backend.app.utils.error_handling import Problem
from tests.backend.support import EDITOR, READER, WRITER


def test_a_key_ring_finds_keys_by_their_secrets() -> None:
    ring = KeyRing([READER, WRITER])

    assert ring.find("reader-secret") == READER
    assert ring.find("writer-secret") == WRITER
    assert ring.find("editor-secret") is None


def test_a_key_ring_takes_secrets_that_are_no_valid_text() -> None:
    assert KeyRing([READER]).find("\udcff") is None


def test_a_key_with_both_scopes_is_authorized_for_each() -> None:
    assert authorize(EDITOR, "read") is EDITOR
    assert authorize(EDITOR, "write") is EDITOR


def test_no_key_is_a_401_with_a_challenge() -> None:
    with pytest.raises(Problem, match="X-API-Key") as refusal:
        authorize(None, "read")

    assert (refusal.value.status, refusal.value.code) == (401, "unauthorized")
    assert refusal.value.headers == {"WWW-Authenticate": 'ApiKey realm="uuid-service"'}


def test_one_scope_does_not_imply_the_other() -> None:
    with pytest.raises(Problem, match="'read'") as refusal:
        authorize(WRITER, "read")

    assert (refusal.value.status, refusal.value.code) == (403, "scope-missing")
