"""The plan: sessions wanted less sessions known, as one request a symbol."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars.sessions import closed_sessions, final_at
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.reads import Condition, frame, records

TIMEFRAME = "1d"
# Stored neighbours are asked again with every request: they show a new dividend or split at no extra call.
OVERLAP = 5


@dataclass(frozen=True, slots=True)
class Need:
    """What one instrument still lacks in a window.

    `wanted` is the window clipped to its listing and to closed sessions; `sessions` are those to ask for;
    `have` are all sessions known to be stored; `waiting` those not to be asked again yet, each with the instant
    from which it may be.
    """

    listed: Listed
    wanted: Window
    sessions: tuple[date, ...]
    have: frozenset[date]
    waiting: Mapping[date, datetime]
    stored: Window | None
    request: Window


def plan(
    connection: Connection,
    instruments: Sequence[Listed],
    window: Window,
    now: datetime,
    full_refresh: bool = False,
    reread: int = 0,
    insist: Collection[date] | None = None,
) -> list[Need]:
    """What each instrument lacks: one need an instrument that was listed in the window.

    A stored bar that was provisional is wanted again from the moment it can be final, and so are the newest
    `reread` sessions, whatever is stored. Where `insist` names sessions, exactly these are asked for, whatever is
    known of them: what a repair does.
    """
    days = closed_sessions(now)
    again = frozenset(days[-reread:]) if reread else frozenset()
    one = [("symbol", "=", instruments[0].symbol)] if len(instruments) == 1 else []
    coverage = frame(connection, operations.COVERAGE, where=[("timeframe", "=", TIMEFRAME), *one])
    known = {str(symbol): rows for symbol, rows in coverage.groupby("symbol")}
    early = _provisional(connection, now, one)
    reach = frame(connection, operations.PROGRESS, where=[("timeframe", "=", TIMEFRAME), *one]).set_index("symbol")
    needs = []
    for listed in instruments:
        clipped = listed.clip(window)
        expected = tuple(days_in([(clipped.start, clipped.end)], days)) if clipped else ()
        if not expected:
            continue
        rows = known.get(listed.symbol, coverage.iloc[:0])
        have = frozenset(_days(rows[rows["state"] == "have"], days))
        asleep = rows[(rows["state"] != "have") & (rows["next_attempt_at"] > pd.Timestamp(now))]
        waiting = _until(asleep, days)
        skip = frozenset() if full_refresh else (have | waiting.keys()) - early.get(listed.symbol, frozenset()) - again
        asked = tuple(d for d in expected if (d not in skip if insist is None else d in insist))
        stored = _span(reach, listed.symbol)
        wanted = Window(expected[0], expected[-1])
        request = _widened(asked, days, stored) if asked else wanted
        needs.append(Need(listed, wanted, asked, have, waiting, stored, request))
    return needs


def reaching_back(window: Window, reread: int, now: datetime) -> Window:
    """The window, begun early enough to hold the newest `reread` sessions: a week holds five at most."""
    if not reread:
        return window
    first = closed_sessions(now)[-reread:][0]
    return Window(min(window.start, first), window.end)


def _days(rows: pd.DataFrame, days: Sequence[date]) -> set[date]:
    spans = zip(rows["range_start"].dt.date, rows["range_end"].dt.date, strict=True)
    return set(days_in(spans, days))


def _until(rows: pd.DataFrame, days: Sequence[date]) -> dict[date, datetime]:
    """Each session of the ranges, with the instant from which it may be asked for again."""
    return {
        day: row.next_attempt_at.to_pydatetime()
        for row in records(rows)
        for day in days_in([(row.range_start.date(), row.range_end.date())], days)
    }


def _provisional(connection: Connection, now: datetime, one: Sequence[Condition]) -> dict[str, frozenset[date]]:
    """Stored bars that are still provisional although they can be final by now."""
    rows = frame(connection, BARS, columns=["symbol", "date"], where=[("bar_status", "=", "provisional"), *one])
    due = rows[np.array([final_at(d) <= now for d in rows["date"].dt.date], dtype=bool)]
    return {str(s): frozenset(g["date"].dt.date) for s, g in due.groupby("symbol")}


def _span(reach: pd.DataFrame, symbol: str) -> Window | None:
    if symbol not in reach.index:
        return None
    row = reach.loc[symbol]
    return Window(row["oldest_bar"].date(), row["newest_bar"].date())


def _widened(asked: Sequence[date], days: Sequence[date], stored: Window | None) -> Window:
    """One request over all that is asked, reaching a few sessions into what is stored on either side."""
    start, end = asked[0], asked[-1]
    if stored is None:
        return Window(start, end)
    before = [d for d in days if d < start and stored.start <= d <= stored.end][-OVERLAP:]
    after = [d for d in days if d > end and stored.start <= d <= stored.end][:OVERLAP]
    return Window(before[0] if before else start, after[-1] if after else end)
