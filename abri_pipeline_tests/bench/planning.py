"""Planning 250 symbols over five years, with calls, quotas and time, above the bare reads it rests on."""

import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.forecast import forecast
from abri_pipeline.providers.registry import Registry
from abri_pipeline.quality.ranges import ranges
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.bench.bars_upsert import bars, server, warehouse
from abri_pipeline_tests.bench.figure import Figure, Floor

SYMBOLS, SESSIONS, MOST_SECONDS = 250, 1256, 0.5
HOLES = 8  # of each symbol


def measure(runs: int) -> Figure:
    """On PostgreSQL, in a server of its own; SQLite's median goes into a note."""
    with tempfile.TemporaryDirectory(prefix="abri-bench-plan-") as folder:
        lite = measure_at(f"sqlite:///{Path(folder) / 'abri.db'}", runs)
    with server() as url:
        figure = measure_at(url, runs)
    return replace(figure, notes=[*figure.notes, f"on SQLite {np.median(lite.samples):.2f} s"])


def measure_at(url: str, runs: int, symbols: int = SYMBOLS, sessions: int = SESSIONS) -> Figure:
    """Store bars with planted holes and their coverage once, then plan what is missing `runs` times.

    Raises:
        RuntimeError: the plan asks for other sessions than those planted.
    """
    rows = bars(symbols, sessions)
    days = [day.date() for day in sorted(rows["date"].unique())]
    holes = _holes(sorted(rows["symbol"].unique()), days)
    registry = Registry.load(Settings({}, {}))
    samples, bare = [], []
    with warehouse(url) as engine:
        _store(engine, rows, holes, days)
        for _ in range(runs):
            bare.append(_seconds_of_reads(engine))
            began = time.perf_counter()
            found = forecast(engine, registry, Window(days[0], days[-1]))
            samples.append(time.perf_counter() - began)
            if {one.symbol: one.asked for one in found.symbols} != {name: len(own) for name, own in holes.items()}:
                raise RuntimeError("the plan is not what was planted")
    return Figure(
        name="planning",
        what=f"plan of {symbols} symbols x {sessions:,} sessions with calls, quotas and time, on PostgreSQL",
        unit="s",
        samples=samples,
        target=MOST_SECONDS,
        floors=[Floor("reading coverage and progress", bare)],
        notes=[f"{found.sessions:,} planted sessions planned in {found.providers[0].requests} requests"],
    )


def _holes(symbols: list[str], days: list[date]) -> dict[str, set[date]]:
    rng = np.random.default_rng(7)
    count = min(HOLES, len(days) // 4)
    return {name: {days[at] for at in rng.choice(np.arange(1, len(days) - 1), count, False)} for name in symbols}


def _store(engine: Engine, rows: pd.DataFrame, holes: dict[str, set[date]], days: list[date]) -> None:
    listed = pd.DataFrame({"symbol": sorted(holes)})
    listed["instrument_id"] = "XNYS:" + listed["symbol"]
    given = {"asset_class": "equity", "exchange_calendar": "XNYS", "active": True, "timeframes": "1d", "groups": ""}
    planted = pd.MultiIndex.from_tuples((name, pd.Timestamp(day)) for name, own in holes.items() for day in own)
    covered = [
        {"symbol": name, "timeframe": "1d", "range_start": start, "range_end": end, "state": "have"}
        for name, own in holes.items()
        for start, end in ranges((day for day in days if day not in own), days)
    ]
    reach = {
        "timeframe": "1d",
        "oldest_bar": days[0],
        "newest_bar": days[-1],
        "last_updated": rows["pulled_at"].iloc[0],
    }
    with begin(engine) as connection:
        upsert(connection, operations.INSTRUMENTS, listed.assign(name=listed["symbol"], **given))
        upsert(connection, BARS, rows[~pd.MultiIndex.from_frame(rows[["symbol", "date"]]).isin(planted)])
        upsert(connection, operations.COVERAGE, pd.DataFrame(covered).assign(updated_at=rows["pulled_at"].iloc[0]))
        upsert(connection, operations.PROGRESS, listed[["symbol"]].assign(**reach))


def _seconds_of_reads(engine: Engine) -> float:
    began = time.perf_counter()
    with engine.connect() as connection:
        for table in (operations.COVERAGE, operations.PROGRESS):
            frame(connection, table)
    return time.perf_counter() - began
