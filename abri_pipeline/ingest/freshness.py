"""Whether a source that comes whole can hold anything new since it was last read."""

from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.ingest import books
from abri_pipeline.warehouse.reads import frame

# Sources that come whole publish once a day; a read counts as fresh until this long after it.
KEEPS = timedelta(hours=6)
ABSENT_FOR = timedelta(hours=24)


def fresh(engine: Engine, unit: str, dataset: str) -> bool:
    """Whether the unit was read whole a short while ago, at the clock's pace."""
    with engine.connect() as connection:
        where = [("symbol", "=", unit), ("timeframe", "=", dataset), ("state", "=", "have")]
        rows = frame(connection, operations.COVERAGE, columns=["updated_at"], where=where)
    if rows.empty:
        return False
    read_at = rows["updated_at"].max()
    return bool(pd.Timestamp(clock.now()) - read_at < KEEPS and read_at <= pd.Timestamp(clock.now()))


def asked_again(engine: Engine, unit: str, dataset: str) -> datetime | None:
    """From when a unit that its source did not know may be asked for again; None where it may be now."""
    now = clock.now()
    with engine.connect() as connection:
        where = [("symbol", "=", unit), ("timeframe", "=", dataset), ("next_attempt_at", ">", now)]
        rows = frame(connection, operations.COVERAGE, columns=["next_attempt_at"], where=where)
    return None if rows.empty else rows["next_attempt_at"].max().to_pydatetime()


def wait(connection: Connection, unit: str, dataset: str, first: date, last: date) -> None:
    """Write down that the unit's source does not know it, and is not asked for it again for a day."""
    books.coverage(connection, unit, dataset, [], {clock.now() + ABSENT_FOR: [(first, last)]})


def mark(connection: Connection, unit: str, dataset: str, first: date, last: date) -> None:
    """Write down that the unit was read whole just now."""
    books.coverage(connection, unit, dataset, [(first, last)])
