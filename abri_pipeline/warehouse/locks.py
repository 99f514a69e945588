"""One writer at a time for one unit of work, such as a symbol and its timeframe."""

import hashlib

from sqlalchemy import Connection


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
