"""Gap detection over 250 symbols and five years, reads included, above the bare count of the same rows."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.quality.gap_scan import market_wide, scan
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.bench.bars_upsert import bars, server, warehouse
from abri_pipeline_tests.bench.figure import Figure, Floor

SYMBOLS, SESSIONS, MOST_SECONDS = 250, 1256, 0.3
HOLES = 400


def measure(runs: int) -> Figure:
    """On PostgreSQL, in a server of its own; SQLite's median goes into a note."""
    with tempfile.TemporaryDirectory(prefix="abri-bench-gaps-") as folder:
        lite = measure_at(f"sqlite:///{Path(folder) / 'abri.db'}", runs)
    with server() as url:
        figure = measure_at(url, runs)
    spent, bare = np.median(lite.samples), np.median(lite.floors[0].samples)
    return replace(figure, notes=[*figure.notes, f"on SQLite {spent:.2f} s, its floor {bare:.2f} s"])


def measure_at(url: str, runs: int, symbols: int = SYMBOLS, sessions: int = SESSIONS) -> Figure:
    """Store bars with planted holes once, then find them `runs` times.

    Raises:
        RuntimeError: what was found is not what was planted.
    """
    frame = bars(symbols, sessions)
    holes = np.random.default_rng(5).choice(len(frame), min(HOLES, len(frame) // 10), replace=False)
    planted = set(frame.loc[holes, ["symbol", "date"]].itertuples(index=False, name=None))
    days = [day.date() for day in sorted(frame["date"].unique())]
    samples, bare = [], []
    with warehouse(url) as engine:
        _store(engine, frame.drop(index=holes))
        for _ in range(runs):
            bare.append(_seconds_of_count(engine))
            began = time.perf_counter()
            with engine.connect() as connection:
                found = scan(connection, days)
                wide = market_wide(found)
            row, column = np.nonzero(found.unexplained)
            samples.append(time.perf_counter() - began)
            cells = zip(row.tolist(), column.tolist(), strict=True)
            if wide or {(found.symbols[r], pd.Timestamp(days[c])) for r, c in cells} != planted:
                raise RuntimeError("the gaps found are not the ones planted")
    return Figure(
        name="gap-detection",
        what=f"gaps of {symbols} symbols x {sessions:,} sessions, reads included, on PostgreSQL",
        unit="s",
        samples=samples,
        target=MOST_SECONDS,
        floors=[Floor("one count of the stored bars by symbol", bare)],
        notes=[f"{len(planted)} planted holes found, none beside them"],
    )


def _store(engine: Engine, frame: pd.DataFrame) -> None:
    listed = pd.DataFrame({"symbol": frame["symbol"].unique()})
    listed["instrument_id"] = "XNYS:" + listed["symbol"]
    given = {"asset_class": "equity", "exchange_calendar": "XNYS", "active": True, "timeframes": "1d", "groups": ""}
    with begin(engine) as connection:
        upsert(connection, operations.INSTRUMENTS, listed.assign(name=listed["symbol"], **given))
        upsert(connection, BARS, frame)


def _seconds_of_count(engine: Engine) -> float:
    table = sql_table(BARS)
    began = time.perf_counter()
    with engine.connect() as connection:
        connection.execute(sa.select(table.c.symbol, sa.func.count()).group_by(table.c.symbol)).all()
    return time.perf_counter() - began
