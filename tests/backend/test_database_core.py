from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.app.database_core import Database
from backend.app.models import Event, Namespace
from backend.app.settings import SettingsError
from tests.backend.support import NOON


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database in a file is."""
    return tmp_path / "service.sqlite3"


@pytest.fixture
def file_database(file: Path) -> Iterator[Database]:
    """An empty database in a file."""
    database = Database(f"sqlite:///{file}")
    database.create_tables()
    yield database
    database.dispose()


def namespace(name: str) -> Namespace:
    return Namespace(name=name, description=None, quota=1, created_at=NOON)


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Namespace.name).order_by(Namespace.id)))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Namespace)) or 0


def test_a_writer_commits_at_the_end(database: Database) -> None:
    with database.writing() as session:
        session.add(namespace("payments"))

    assert names(database) == ["payments"]


def test_a_writer_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as session:
            session.add(namespace("payments"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert names(database) == []


def test_what_a_reader_changes_is_thrown_away(database: Database) -> None:
    with database.reading() as session:
        session.add(namespace("payments"))
        session.flush()

    assert names(database) == []


def test_what_was_read_can_be_used_after_the_session(database: Database) -> None:
    with database.writing() as session:
        made = namespace("payments")
        session.add(made)

    assert made.name == "payments"


def test_tables_are_created_once(database: Database) -> None:
    with database.writing() as session:
        session.add(namespace("payments"))
    database.create_tables()

    assert names(database) == ["payments"]


def test_threads_share_a_database_in_memory(database: Database) -> None:
    def write(number: int) -> None:
        with database.writing() as session:
            session.add(namespace(f"namespace-{number}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(20)))

    assert len(names(database)) == 20


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite://"])
def test_two_databases_in_memory_share_nothing(url: str) -> None:
    first, second = Database(url), Database(url)
    first.create_tables()
    second.create_tables()
    with first.writing() as session:
        session.add(namespace("payments"))

    assert names(second) == []
    first.dispose()
    second.dispose()


def test_a_file_keeps_its_data(file: Path, file_database: Database) -> None:
    with file_database.writing() as session:
        session.add(namespace("payments"))
    file_database.dispose()

    again = Database(f"sqlite:///{file}")
    assert names(again) == ["payments"]
    again.dispose()


def test_a_writer_has_the_lock_before_it_writes(file: Path, file_database: Database) -> None:
    other = sqlite3.connect(file, timeout=0, isolation_level=None)

    with file_database.writing() as session:
        count(session)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_reader_leaves_the_lock_to_writers(file: Path, file_database: Database) -> None:
    other = sqlite3.connect(file, timeout=0, isolation_level=None)

    with file_database.reading() as session:
        count(session)
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_reader_sees_one_state_while_others_write(file_database: Database) -> None:
    with file_database.reading() as session:
        before = count(session)
        with file_database.writing() as another:
            another.add(namespace("payments"))

        assert count(session) == before == 0
    assert names(file_database) == ["payments"]


def test_writers_that_check_first_wait_for_each_other(file_database: Database) -> None:
    def write_when_empty(number: int) -> None:
        with file_database.writing() as session:
            if count(session) == 0:
                session.add(namespace(f"namespace-{number}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_when_empty, range(8)))

    assert len(names(file_database)) == 1


def test_foreign_keys_are_kept(database: Database) -> None:
    with database.writing() as session:
        session.add(Event(record_id=4711, sequence=1, type="registered", at=NOON, actor="tester", reason=None))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def test_a_database_that_is_there_answers(database: Database) -> None:
    database.ping()


def test_a_file_is_written_ahead(file_database: Database) -> None:
    with file_database.reading() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:hush@host/uuids", "sqlite+aiosqlite://", "sqlite://host/file", "sqlite://host:x/", "file", ""],
)
def test_any_other_database_is_refused_without_a_word_of_its_url(url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Database(url)

    assert str(refusal.value) == "UUID_SERVICE_DATABASE_URL: must be an SQLAlchemy URL of SQLite"
