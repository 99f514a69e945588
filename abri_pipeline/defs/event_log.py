"""Dagster's event log on SQLite, with its databases kept open.

Dagster opens each database anew for every event, twice an event, compiles its statements anew and writes a whole
checkpoint when it closes: 18 ms an event, and five years of weeks are 7,000 events. The same tables, files and
statements with the connection kept cost a fifth of it; `docs/performance.md` has the figures.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import Connection, Engine

KEPT_OPEN = 8  # databases: the index and the runs last looked at; a UI that runs for months must not gather handles


class EventLog(SqliteEventLogStorage):
    """Dagster's own event log; only how a database is opened is ours."""

    def __init__(self, base_dir: str) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._forget(shard)  # its file may be another one than before
                self._initdb(self._engine(shard))
                self._initialized_dbs.add(shard)
            with self._engine(shard).begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        """The engine of one database; the least recently used one is closed where there are many."""
        if shard not in self._engines:
            while len(self._engines) >= KEPT_OPEN:
                self._forget(next(iter(self._engines)))
            self._engines[shard] = _opened(self.conn_string_for_shard(shard))
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def _forget(self, shard: str) -> None:
        if engine := self._engines.pop(shard, None):
            engine.dispose()

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and let those who watch the run's file know: the bytes are in the log beside it."""
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def wipe(self) -> None:
        """Delete every event."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the databases."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for shard in list(self._engines):
                self._forget(shard)


class SqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with this event log."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)
        self._event_log_storage = EventLog(str(Path(base_dir) / "history" / "runs"))


def _opened(url: str) -> Engine:
    """An engine that keeps one connection, which any thread may use in turn: the event log lets in one at a time.

    Making the tables takes a second one for a moment.
    """
    waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, poolclass=sa.pool.QueuePool, pool_size=1, max_overflow=1, connect_args=waits)

    @sa.event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: object) -> None:
        # In WAL mode this loses at most the last moments of a log when the machine loses power, never the file.
        raw.execute("PRAGMA synchronous=NORMAL")

    return engine
