"""Coverage, gaps and progress of intraday timeframes, session by session, in the books that daily bars use."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.ingest import books
from abri_pipeline.ingest.intraday_plan import Need, known
from abri_pipeline.quality.gaps import Why, merge
from abri_pipeline.quality.intraday import enough, expected_bars
from abri_pipeline.quality.ranges import days_in, ranges
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import upsert

RETRY_AFTER = timedelta(hours=24)
Reasons = Callable[[date], Why]


def on_the_books(connection: Connection, need: Need) -> bool:
    """Whether every session out of reach is booked already."""
    days = closed_sessions(clock.now())
    booked = [(gap.start, gap.end) for gap in books.open_gaps(connection, need.listed.symbol, need.timeframe)]
    return set(need.beyond) <= set(days_in(booked, days))


def unmade(connection: Connection, need: Need) -> dict[str, list[date]]:
    """Of each longer timeframe the sessions that could be put together from what is stored, and never were."""
    days, symbol = closed_sessions(clock.now()), need.listed.symbol
    found = {}
    for name in need.resampled:
        have, _ = known(connection, symbol, name, days, clock.now())
        ruled = [(g.start, g.end) for g in books.open_gaps(connection, symbol, name) if g.why.cause == "skipped"]
        done = have | set(days_in(ruled, days))
        if lacking := [day for day in need.wanted if day in need.have and day not in done]:
            found[name] = lacking
    return found


def book(connection: Connection, need: Need, why: Reasons) -> None:
    """What is stored of a symbol's timeframe now, and of those put together from it; `why` explains what is not."""
    beyond = frozenset(need.beyond)

    def reason(day: date) -> Why:
        return need.why if day in beyond else why(day)

    base = _book(connection, need, need.timeframe, (need.have, need.waiting), reason)

    def longer(day: date) -> Why:
        if day in base:  # as whole as its feed gives it, and yet too little for the longer bar
            return Why("skipped", f"too few of its {need.timeframe} bars are there to put one together")
        told = reason(day)
        return Why(told.cause, f"from {need.timeframe} bars: {told.reason}")

    days = closed_sessions(clock.now())
    for name in need.resampled:
        _book(connection, need, name, known(connection, need.listed.symbol, name, days, clock.now()), longer)


def _book(
    connection: Connection,
    need: Need,
    timeframe: str,
    before: tuple[frozenset[date], Mapping[date, datetime]],
    why: Reasons,
) -> set[date]:
    """Write one timeframe down; returns the wanted sessions that count as stored."""
    symbol, days, (have, waiting) = need.listed.symbol, closed_sessions(clock.now()), before
    _progress(connection, symbol, timeframe)
    if not need.wanted:
        return set()
    span = (need.wanted[0], need.wanted[-1])
    stored = _stored(connection, symbol, timeframe, *span)
    whole = {day for day in need.wanted if enough(timeframe, day, stored.get(day, 0))}
    open_ = books.open_gaps(connection, symbol, timeframe)
    # A session that was not asked for this time keeps the reason it had, and its own waiting time.
    ruled = {*need.sessions, *need.beyond, *(need.have if timeframe in need.resampled else ())}
    kept = {d: gap.why for gap in open_ for d in days_in([(gap.start, gap.end)], days) if d not in ruled}
    missing = {
        day: kept.get(day) or _short(why(day), stored.get(day, 0), timeframe, day)
        for day in need.wanted
        if day not in whole
    }
    books.gaps(connection, symbol, timeframe, merge(open_, span, missing, days), need.sessions)
    covered = (have - set(missing)) | whole
    again_at, asked = clock.now() + RETRY_AFTER, set(need.sessions)
    tried = {d: again_at for d, w in missing.items() if w.cause not in ("failed", "skipped") and d in asked}
    waits = {**waiting, **tried}
    by_instant = {
        at: ranges((d for d, until in waits.items() if until == at and d not in covered), days)
        for at in set(waits.values())
    }
    books.coverage(connection, symbol, timeframe, ranges(covered, days), by_instant)
    return whole


def _short(why: Why, stored: int, timeframe: str, day: date) -> Why:
    """Where a part of a session is there, the reason says how much."""
    return Why(why.cause, f"{why.reason} ({stored} of {expected_bars(timeframe, day)} bars)") if stored else why


def _stored(connection: Connection, symbol: str, timeframe: str, first: date, last: date) -> dict[date, int]:
    """Bars of each session."""
    table = sql_table(BARS)
    query = (
        sa.select(table.c.date, sa.func.count())
        .where(table.c.symbol == symbol, table.c.timeframe == timeframe, table.c.date.between(first, last))
        .group_by(table.c.date)
    )
    return dict(iter(connection.execute(query)))


def _progress(connection: Connection, symbol: str, timeframe: str) -> None:
    table = sql_table(BARS)
    span = sa.select(sa.func.min(table.c.date), sa.func.max(table.c.date))
    oldest, newest = connection.execute(span.where(table.c.symbol == symbol, table.c.timeframe == timeframe)).one()
    if oldest is None:
        return
    row = {"symbol": symbol, "timeframe": timeframe, "oldest_bar": oldest, "newest_bar": newest}
    upsert(connection, operations.PROGRESS, pd.DataFrame([row | {"last_updated": clock.now()}]))
