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
from abri_pipeline.quality.ranges import Range, days_in
from abri_pipeline.warehouse.reads import Condition, frame

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
    known = _known(connection, now, one)
    early = _provisional(connection, now, one)
    reach = _reach(connection, one)
    needs = []
    for listed in instruments:
        clipped = listed.clip(window)
        expected = tuple(days_in([(clipped.start, clipped.end)], days)) if clipped else ()
        if not expected:
            continue
        spans, asleep = known.get(listed.symbol, ((), ()))
        have = frozenset(days_in(spans, days))
        waiting = {day: until for span, until in asleep for day in days_in([span], days)}
        skip = frozenset() if full_refresh else (have | waiting.keys()) - early.get(listed.symbol, frozenset()) - again
        asked = tuple(d for d in expected if (d not in skip if insist is None else d in insist))
        stored = reach.get(listed.symbol)
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


_Known = tuple[list[Range], list[tuple[Range, datetime]]]


def _known(connection: Connection, now: datetime, one: Sequence[Condition]) -> dict[str, _Known]:
    """By symbol: the ranges stored, and those not to be asked for yet with the instant from which they may be.

    Read column by column, for row by row as frames the ranges of 250 symbols took half a second.
    """
    where = [("timeframe", "=", TIMEFRAME), *one]
    columns = ["symbol", "range_start", "range_end", "state", "next_attempt_at"]
    rows = frame(connection, operations.COVERAGE, columns=columns, where=where)
    starts, ends = (rows[side].dt.date.tolist() for side in ("range_start", "range_end"))
    asleep = (rows["next_attempt_at"] > pd.Timestamp(now)).tolist()
    until = rows["next_attempt_at"].dt.to_pydatetime().tolist()
    found: dict[str, _Known] = {}
    for at, (symbol, state) in enumerate(zip(rows["symbol"], rows["state"], strict=True)):
        have, waiting = found.setdefault(symbol, ([], []))
        if state == "have":
            have.append((starts[at], ends[at]))
        elif asleep[at]:
            waiting.append(((starts[at], ends[at]), until[at]))
    return found


def _reach(connection: Connection, one: Sequence[Condition]) -> dict[str, Window]:
    """How far the stored history of each symbol reaches."""
    rows = frame(connection, operations.PROGRESS, where=[("timeframe", "=", TIMEFRAME), *one])
    days = zip(rows["oldest_bar"].dt.date, rows["newest_bar"].dt.date, strict=True)
    return {symbol: Window(*span) for symbol, span in zip(rows["symbol"], days, strict=True)}


def _provisional(connection: Connection, now: datetime, one: Sequence[Condition]) -> dict[str, frozenset[date]]:
    """Stored bars that are still provisional although they can be final by now."""
    rows = frame(connection, BARS, columns=["symbol", "date"], where=[("bar_status", "=", "provisional"), *one])
    due = rows[np.array([final_at(d) <= now for d in rows["date"].dt.date], dtype=bool)]
    return {str(s): frozenset(g["date"].dt.date) for s, g in due.groupby("symbol")}


def _widened(asked: Sequence[date], days: Sequence[date], stored: Window | None) -> Window:
    """One request over all that is asked, reaching a few sessions into what is stored on either side."""
    start, end = asked[0], asked[-1]
    if stored is None:
        return Window(start, end)
    before = [d for d in days if d < start and stored.start <= d <= stored.end][-OVERLAP:]
    after = [d for d in days if d > end and stored.start <= d <= stored.end][:OVERLAP]
    return Window(before[0] if before else start, after[-1] if after else end)
