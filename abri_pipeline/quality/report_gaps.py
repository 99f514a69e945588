"""The open gaps as a list: each missing stretch once, with its cause, attempts and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.quality.gap_scan import DAILY, UNBOOKED, MarketWide, Scan, market_wide, runs, scan
from abri_pipeline.warehouse.reads import Condition, frame, records
from abri_pipeline.warehouse.tables import sql_table

COLUMNS = ("symbol", "timeframe", "start", "end", "sessions", "state", "cause", "explained", "attempts", "reason")
# A bar that is neither stored nor in the books: no load has ever been asked for it.
NEVER_ASKED = ("missing", "hole", False, 0, "never asked for")
Row = tuple[str, str, date, date, int, str, str, bool, int, str]


@dataclass(frozen=True)
class OpenGaps:
    """Open gaps: `rows` has `COLUMNS`, the unexplained first; sessions of `wide` are told there, not in `rows`."""

    rows: pd.DataFrame
    wide: list[MarketWide]

    def by_cause(self) -> pd.DataFrame:
        """cause, explained, gaps, symbols, sessions; market-wide misses are not among them."""
        grouped = self.rows.groupby(["cause", "explained"], as_index=False)
        return grouped.agg(gaps=("symbol", "size"), symbols=("symbol", "nunique"), sessions=("sessions", "sum"))


def open_gaps(connection: Connection, days: Sequence[date], symbols: Sequence[str] = ()) -> OpenGaps:
    """Every open gap that touches `days` (sessions, oldest first), for all that is followed or for `symbols`.

    Daily bars are counted anew against the calendar: a hole that nobody booked is listed too, and a booked gap is
    cut to the sessions that are missing still. Gaps of every other dataset and timeframe are listed as booked.
    """
    found = scan(connection, days, symbols)
    rows = [*_daily(found), *(_booked(connection, days[0], days[-1], symbols) if days else ())]
    listed = pd.DataFrame(rows, columns=list(COLUMNS))
    listed = listed.sort_values(["explained", "symbol", "timeframe", "start"], kind="stable", ignore_index=True)
    return OpenGaps(listed, market_wide(found))


def known_span(engine: Engine) -> tuple[date, date] | None:
    """From the oldest to the newest day of any daily bar or open gap of one; None where there is neither."""
    bars, gaps = sql_table(BARS), sql_table(operations.GAPS)
    with engine.connect() as connection:
        sides = [
            *connection.execute(sa.select(sa.func.min(bars.c.date), sa.func.max(bars.c.date))).all(),
            *connection.execute(
                sa.select(sa.func.min(gaps.c.gap_start), sa.func.max(gaps.c.gap_end)).where(
                    gaps.c.timeframe == DAILY, gaps.c.state != "filled"
                )
            ).all(),
        ]
    known = [(first, last) for first, last in sides if first is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None


def _daily(found: Scan) -> list[Row]:
    """Missing stretches of daily bars, one a symbol and booked gap, without what the whole market misses."""
    own = found.explained | (found.unexplained & ~found.wide)
    labels = np.where(own, found.owner - UNBOOKED + 1, 0)
    book = list(records(found.book))
    rows: list[Row] = []
    for row, first, last, label in runs(labels):
        owner = label - 1 + UNBOOKED
        told = NEVER_ASKED if owner == UNBOOKED else _told(book[owner])
        rows.append((found.symbols[row], DAILY, found.days[first], found.days[last], last - first + 1, *told))
    return rows


def _booked(connection: Connection, start: date, end: date, symbols: Sequence[str]) -> list[Row]:
    """Gaps of everything but daily bars, which only the books know."""
    where: list[Condition] = [
        ("timeframe", "!=", DAILY),
        ("state", "!=", "filled"),
        ("gap_start", "<=", end),
        ("gap_end", ">=", start),
    ]
    if symbols:
        where.append(("symbol", "in", symbols))
    gaps = frame(connection, operations.GAPS, where=where)
    return [
        (g.symbol, g.timeframe, g.gap_start.date(), g.gap_end.date(), int(g.sessions), *_told(g)) for g in records(gaps)
    ]


def _told(gap: Any) -> tuple[str, str, bool, int, str]:
    return gap.state, gap.cause, gap.cause in EXPLAINED, int(gap.attempts), gap.reason
