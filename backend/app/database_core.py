"""The database: one engine an application, and sessions that either read or write."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.app.models import Base
from backend.app.settings import PREFIX, SettingsError

_MEMORY = frozenset({None, "", ":memory:"})
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite"})


class Database:
    """Opens sessions on an SQLite database.

    A database in memory is one connection that all threads share (another connection would see another, empty
    database), so its sessions take turns. A file has a connection for each session; writers wait for each other.

    Attributes:
        engine: The SQLAlchemy engine.
    """

    def __init__(self, url: str) -> None:
        in_memory = _sqlite_url(url).database in _MEMORY
        self._turn: AbstractContextManager[Any] = threading.RLock() if in_memory else nullcontext()
        self.engine = _memory_engine(url) if in_memory else _file_engine(url)
        event.listen(self.engine, "connect", _configure_connection)
        event.listen(self.engine, "begin", _begin_transaction)
        # A writer takes SQLite's lock before it reads: what it read stays true until it commits.
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    def create_tables(self) -> None:
        """Creates the tables that don't exist yet, all or none."""
        with self._turn, self._writer.begin() as connection:
            for statement in _schema():
                connection.exec_driver_sql(statement)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Opens a session whose changes are thrown away."""
        with self._turn, Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Opens a session that commits at the end, or rolls back when the block raises."""
        with self._turn, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def ping(self) -> None:
        """Asks the database for a sign of life.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: It gives none.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


@functools.cache
def _schema() -> tuple[str, ...]:
    """Returns the statements that create the tables, compiled once: `create_all` would ask for each table each time."""
    tables = Base.metadata.sorted_tables
    made: list[CreateTable | CreateIndex] = [CreateTable(table, if_not_exists=True) for table in tables]
    made += [CreateIndex(index, if_not_exists=True) for table in tables for index in table.indexes]
    return tuple(str(statement.compile(dialect=sqlite.dialect())) for statement in made)


def _sqlite_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter when its port is no number
        parsed = None
    # With a host it would be no path of SQLite's.
    if parsed is None or parsed.drivername not in _DRIVERS or parsed.host:
        # A URL may hold a password: the message doesn't repeat it.
        raise SettingsError(f"{PREFIX}DATABASE_URL: must be an SQLAlchemy URL of SQLite")
    return parsed


def _memory_engine(url: str) -> Engine:
    return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})


def _file_engine(url: str) -> Engine:
    return create_engine(url, connect_args={"timeout": 10})


def _configure_connection(connection: Any, _record: object) -> None:
    # The driver would start transactions late and only for changes; SQLAlchemy's "begin" does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_transaction(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
