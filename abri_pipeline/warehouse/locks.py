"""One writer at a time for one unit of work, such as a symbol and its timeframe."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError


def unit_lock(connection: Connection, name: str) -> None:
    """Wait until nobody else holds the name, then hold it to the end of the transaction.

    PostgreSQL: an advisory lock, gone with the transaction even when the process is killed. SQLite: nothing to
    do, because `engine.begin` already holds the database's one write lock.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (lock_number(name),))


def lock_number(name: str) -> int:
    """A signed 64-bit number for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def unit_lease(engine: Engine, name: str) -> Iterator[None]:
    """Hold a name across transactions, for as long as a unit is fetched and stored; others wait their turn.

    It is gone with the process that held it: an advisory lock of a session on PostgreSQL, a lock on a file beside
    the database on SQLite.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (_lease_number(name),))
            connection.commit()
            try:
                yield
            finally:
                # Where the server was restarted meanwhile, the lease went with its session.
                with suppress(OperationalError):
                    connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (_lease_number(name),))
                    connection.commit()
        return
    file = _lease_file(engine, name)
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as held_open:
        fcntl.flock(held_open, fcntl.LOCK_EX)
        yield


def held(engine: Engine, name: str) -> bool:
    """Whether somebody holds the lease of that name now; asking takes nothing away from anybody."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            tried = "SELECT pg_try_advisory_xact_lock_shared(%s)"
            return not connection.exec_driver_sql(tried, (_lease_number(name),)).scalar_one()
    try:
        with _lease_file(engine, name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def discard(engine: Engine, name: str) -> None:
    """Remove what a lease leaves behind; only for a name that nobody will ever wait for again, such as a run's."""
    if engine.dialect.name != "postgresql":
        _lease_file(engine, name).unlink(missing_ok=True)


def _lease_number(name: str) -> int:
    return lock_number(f"lease:{name}")


def _lease_file(engine: Engine, name: str) -> Path:
    return Path(f"{engine.url.database}.locks") / f"{lock_number(name) & 0xFFFF_FFFF_FFFF_FFFF:016x}"
