"""The coverage report: the completeness matrix, each year of it, and what the last load changed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.quality.gap_scan import market_wide, scan
from abri_pipeline.quality.matrix import completeness_matrix, tabulate, totals, worst
from abri_pipeline.quality.report_page import Page, Section
from abri_pipeline.quality.yearly import yearly_coverage
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import sql_table

SHARE = ("share",)


def coverage_page(
    engine: Engine, start: date, end: date, symbols: Sequence[str] = (), *, synthetic: bool = False
) -> Page:
    """Completeness of a window: all together, around the last load, market-wide, each symbol, each year."""
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    with engine.connect() as connection:
        matrix = completeness_matrix(connection, days, symbols)
        wide = market_wide(scan(connection, days, symbols))
        last = before_and_after(connection)
    years = yearly_coverage(engine, start, end).astype({"year": str})  # a name here, not a figure
    if symbols:
        years = years[years["symbol"].isin(symbols)].reset_index(drop=True)
    sections = [
        Section("totals", "All instruments", totals(matrix), percent=SHARE),
        *([Section("before_and_after", "Before and after the last load", last, percent=SHARES)] if len(last) else []),
        *([Section("market_wide", "Market-wide misses", lines=tuple(one.text for one in wide))] if wide else []),
        Section("matrix", "Completeness matrix, what lacks most first", worst(matrix, len(matrix)), percent=SHARE),
        Section("years", "By year", years, most=2_000),
    ]
    lines = (
        f"{start} to {end}: {len(days):,} closed sessions. Made at {clock.now():%Y-%m-%d %H:%M} UTC.",
        "Share is stored of expected sessions. Explained: the source does not know the symbol, or passes over the day.",
    )
    return Page("Coverage", lines, synthetic, tuple(sections))


SHARES = ("before", "now")


def before_and_after(connection: Connection) -> pd.DataFrame:
    """The last load of bars that has ended: share of its window stored when it began, and now.

    Returns:
        run, window_start, window_end, expected, before, now (shares of expected); no row where no load has ended or
        nothing was expected of it.
    """
    where = [("kind", "=", BARS.name), ("finished_at", "is not", None)]
    ended = frame(connection, operations.RUNS, where=where).sort_values(["started_at", "bars_inserted"], kind="stable")
    rows = [_compared(connection, run) for run in records(ended.tail(1))]
    columns = ["run", "window_start", "window_end", "expected", "before", "now"]
    return pd.DataFrame([row for row in rows if row], columns=columns)


def _compared(connection: Connection, run: Any) -> tuple[str, date, date, int, float, float] | None:
    start, end = run.window_start.date(), run.window_end.date()
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    matrix = tabulate(scan(connection, days, tuple(run.symbols.split(",")) if run.symbols else ()))
    expected, stored = int(matrix["expected"].sum()), int(matrix["stored"].sum())
    if not expected:
        return None
    bars = sql_table(BARS)
    pulled = sa.select(sa.func.count()).where(
        bars.c.date.between(start, end), bars.c.pulled_at >= run.started_at.to_pydatetime()
    )
    # The run counts corporate actions as new rows too; a bar that only changed was pulled again. Each bounds the other.
    new = min(int(run.bars_inserted), int(connection.execute(pulled).scalar_one()))
    job = str(run.run_id).partition(":")[0]
    return job, start, end, expected, max(0, stored - new) / expected, stored / expected
