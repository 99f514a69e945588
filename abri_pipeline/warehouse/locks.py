"""One writer at a time for one unit of work, such as a symbol and its timeframe."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine


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
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (lock_number(f"lease:{name}"),))
            connection.commit()
            try:
                yield
            finally:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (lock_number(f"lease:{name}"),))
                connection.commit()
        return
    folder = Path(f"{engine.url.database}.locks")
    folder.mkdir(exist_ok=True)
    with (folder / f"{lock_number(name) & 0xFFFF_FFFF_FFFF_FFFF:016x}").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
