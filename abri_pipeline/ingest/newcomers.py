"""Newcomers: followed instruments whose history nobody has asked for yet.

Belongs here: telling them from instruments that are merely behind, and from which day to which theirs is wanted.
Does not belong here: launching runs (defs), repairing gaps of a history that was asked for.
"""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import weeks
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.universe import WINDOW_START
from abri_pipeline.ingest import watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.reads import frame, records

TIMEFRAME = "1d"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An instrument and the days of its history that are wanted.

    `added` tells one addition from another: what was removed and is added again later is a newcomer anew.
    """

    instrument_id: str
    symbol: str
    wanted: Window
    added: str


def newcomers(engine: Engine, now: datetime) -> list[Newcomer]:
    """Instruments of the exchange's calendar whose history was never looked at, in the order of their tickers.

    One that somebody put on the watchlist is new as long as any session of its history, from the default window's
    start or its listing to the last closed week, is in no range of `coverage`: a daily run that has come upon it
    first does not hide its past. One of the default list is new only while no load has ever touched it.
    """
    with engine.connect() as connection:
        listed = watchlist.followed(connection)
        columns = ["instrument_id", "added_at"]
        added = frame(connection, operations.INSTRUMENTS, columns=columns).set_index("instrument_id")["added_at"]
        covered = frame(connection, operations.COVERAGE, where=[("timeframe", "=", TIMEFRAME)])
        touched = set(frame(connection, operations.PROGRESS, columns=["symbol"])["symbol"]) | set(covered["symbol"])
    ranges: dict[str, list[tuple[date, date]]] = {}
    for row in records(covered):
        ranges.setdefault(row.symbol, []).append((row.range_start.date(), row.range_end.date()))
    found = []
    for one in listed:
        wanted = _history(one, now)
        by_hand = added[one.instrument_id]
        if wanted is None or (pd.isna(by_hand) and one.symbol in touched):
            continue
        days = sessions(wanted.start, wanted.end)
        if set(days) - set(days_in(ranges.get(one.symbol, ()), days)):
            when = "by default" if pd.isna(by_hand) else by_hand.isoformat()
            found.append(Newcomer(one.instrument_id, one.symbol, wanted, when))
    return found


def _history(listed: Listed, now: datetime) -> Window | None:
    """The days of its history that are wanted, up to the last closed week; None where there are none yet."""
    last = weeks.week_span(weeks.last_closed(now))[1]
    return listed.clip(Window(WINDOW_START, last)) if last >= WINDOW_START else None
