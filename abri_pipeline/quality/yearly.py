"""Completeness of daily bars by instrument and year: expected by the calendar, stored, explained, missing."""

from datetime import date

import pandas as pd
from sqlalchemy import Engine, func, select

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata

TIMEFRAME = "1d"


def stored_span(engine: Engine) -> tuple[date, date] | None:
    """The oldest and newest session any instrument has a bar of; None where there is no bar."""
    day = metadata.tables[BARS.name].c["date"]
    with engine.connect() as connection:
        oldest, newest = connection.execute(select(func.min(day), func.max(day))).one()
    return None if oldest is None else (oldest, newest)


def yearly_coverage(engine: Engine, start: date, end: date) -> pd.DataFrame:
    """Sessions of each active instrument in each year of a window, clipped to its listing and to closed sessions.

    Returns:
        symbol, year, expected, stored, explained, missing (counts of sessions); expected is the sum of the others.
    """
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    span = [("date", ">=", start), ("date", "<=", end)]
    with engine.connect() as connection:
        listed = frame(connection, operations.INSTRUMENTS, where=[("active", "=", True)]).sort_values("symbol")
        bars = frame(connection, BARS, columns=["symbol", "date"], where=span, order=False)
        gaps = frame(
            connection, operations.GAPS, where=[("timeframe", "=", TIMEFRAME), ("cause", "in", EXPLAINED),
                                                ("state", "!=", "filled")],
        )  # fmt: skip
    stored = {str(symbol): set(rows["date"].dt.date) for symbol, rows in bars.groupby("symbol")}
    told: dict[str, set[date]] = {}
    for gap in records(gaps):
        told.setdefault(gap.symbol, set()).update(d for d in days if gap.gap_start.date() <= d <= gap.gap_end.date())
    rows = []
    for one in records(listed):
        wanted = [d for d in days if _listed(one.listed_on, one.delisted_on, d)]
        rows += _years(one.symbol, wanted, stored.get(one.symbol, set()), told.get(one.symbol, set()))
    return pd.DataFrame(rows, columns=["symbol", "year", "expected", "stored", "explained", "missing"])


def _listed(first: pd.Timestamp, last: pd.Timestamp, day: date) -> bool:
    return bool((pd.isna(first) or first.date() <= day) and (pd.isna(last) or day <= last.date()))


def _years(
    symbol: str, wanted: list[date], stored: set[date], told: set[date]
) -> list[tuple[str, int, int, int, int, int]]:
    found = []
    for year in sorted({day.year for day in wanted}):
        own = {day for day in wanted if day.year == year}
        have, explained = len(own & stored), len((own - stored) & told)
        found.append((symbol, year, len(own), have, explained, len(own) - have - explained))
    return found
