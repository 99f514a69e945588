"""Opening the warehouse: SQLite by default, PostgreSQL by `DATABASE_URL`.

Belongs here: connections, transactions, and one clear line when there is no database to be had.
Does not belong here: tables, SQL of any dataset.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError

from abri_pipeline.settings import Settings

BUSY_MS = 30_000  # how long a SQLite writer waits for the one before it
CONNECT_SECONDS = 5
_WRITE = "abri_write"


class DatabaseUnavailable(Exception):
    """The warehouse cannot be opened; the message is one line that names the cause and the mend."""


def open_engine(settings: Settings) -> Engine:
    """The warehouse's engine, tried once, so that whoever gets it can use it.

    Raises:
        DatabaseUnavailable: corrupt `DATABASE_URL`, unreachable server, missing or read-only folder,
            or a file that is no database. Its message never holds a password.
    """
    url = address(settings.database_url)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        with engine.connect() as connection:
            # Reading the schema is what shows that a file is no database.
            connection.exec_driver_sql("SELECT count(*) FROM " + _CATALOGUE[engine.dialect.name])
    except DBAPIError as error:
        engine.dispose()
        raise DatabaseUnavailable(_explain(url, error)) from None  # the chain would repeat connection details
    return engine


@contextmanager
def begin(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end of the block, rolled back when the block raises.

    On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`), so that two writers queue instead of failing.
    """
    with engine.connect() as connection, connection.execution_options(**{_WRITE: True}).begin():
        yield connection


_CATALOGUE = {"sqlite": "sqlite_master", "postgresql": "pg_catalog.pg_namespace"}


def address(text: str) -> URL:
    """The parsed address of a database that lasts; every spelling of PostgreSQL is led through psycopg 3.

    Raises:
        DatabaseUnavailable: it is none, or names another kind of database, or a SQLite database without a file.
    """
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseUnavailable(
            "DATABASE_URL is not a database address; write sqlite:////path/to/abri.db "
            "or postgresql://user:password@host:5432/name"
        ) from None  # the chain would quote the address, password included
    kind = url.drivername.partition("+")[0]
    if kind in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite":
        if url.database in (None, "", ":memory:"):  # each connection would get an empty database of its own
            raise DatabaseUnavailable("DATABASE_URL names no file; write sqlite:////path/to/abri.db")
        return url.set(drivername="sqlite+pysqlite")
    raise DatabaseUnavailable(
        f"DATABASE_URL names {kind!r}, which ABRI does not speak; use a sqlite:/// or postgresql:// address"
    )


def _sqlite(url: URL) -> Engine:
    """SQLite in WAL mode with its transactions in our hands."""
    _writable(Path(url.database or ""))
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _writable(path: Path) -> None:
    """Make the folder of the file and see that both can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"cannot make the folder {path.parent} ({error.strerror}); set ABRI_HOME to a folder you may write"
        ) from error
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise DatabaseUnavailable(f"{place} is read-only; set ABRI_HOME to a folder you may write")


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver's own transactions start too late; `_begin_sqlite` starts ours
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    _write_ahead(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Turn on the write-ahead log; SQLite's busy timeout does not cover the change, which the first two processes
    of a new database may want in the same moment.
    """
    ends = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > ends:
                raise
            Event().wait(0.01)


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql(url: URL) -> Engine:
    """PostgreSQL through psycopg 3; a connection that died while idle is replaced before it is used."""
    options = {"connect_timeout": CONNECT_SECONDS, "application_name": "abri"}
    return sa.create_engine(url, pool_pre_ping=True, connect_args=options)


def _explain(url: URL, error: DBAPIError) -> str:
    """One line: what was tried, what the database said, what to do."""
    said = next((line.strip() for line in str(error.orig).splitlines() if line.strip()), "no answer")
    if url.password:
        said = said.replace(str(url.password), "…")
    if url.get_backend_name() == "sqlite":
        mend = "move the file away or set DATABASE_URL or ABRI_HOME to another place"
        return f"{url.database} cannot be opened as a SQLite database ({said}); {mend}"
    place = f"{url.host or 'the local socket'}:{url.port or 5432}/{url.database or ''}"
    return f"PostgreSQL at {place} cannot be reached ({said}); start it or correct DATABASE_URL"
