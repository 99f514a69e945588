"""The plan for intraday bars: sessions wanted less sessions known, cut to what providers still reach."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars import new_york
from abri_pipeline.calendars.sessions import closed_sessions, is_session, opens_at
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.intraday import FETCHED, RESAMPLED
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.providers.registry import Registry
from abri_pipeline.quality.gaps import Why
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.reads import frame, records

ASSET_CLASS = "equity"
BASE = "1h"  # what is fetched for an instrument that keeps 4h and nothing shorter


@dataclass(frozen=True, slots=True)
class Need:
    """What one instrument still lacks of one timeframe in a window.

    `wanted` are the closed sessions of the window in which it was listed; `sessions` those to ask for now; `live` the
    session that is running, where it is asked for too; `have` every session known to be stored; `waiting` those not
    to be asked again yet; `beyond` those that no provider reaches any more, and `why` says so. `resampled` are the
    timeframes that are put together from this one.
    """

    listed: Listed
    timeframe: str
    wanted: tuple[date, ...]
    sessions: tuple[date, ...]
    live: date | None
    have: frozenset[date]
    waiting: Mapping[date, datetime]
    beyond: tuple[date, ...]
    why: Why
    resampled: tuple[str, ...]

    @property
    def name(self) -> str:
        """The unit as it is told: symbol and timeframe."""
        return f"{self.listed.symbol} {self.timeframe}"

    @property
    def request(self) -> Window | None:
        """One window over all that is asked; None where nothing is."""
        asked = [*self.sessions, *([self.live] if self.live else [])]
        return Window(min(asked), max(asked)) if asked else None


def kept(listed: Listed, timeframes: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """The timeframes to fetch for an instrument, each with those put together from it.

    Those of the watchlist, or `timeframes` where any are named. Four hours are put together from the longest
    timeframe that is fetched: it reaches back furthest.
    """
    wanted = set(timeframes or listed.timeframes)
    fetched = [t for t in FETCHED if t in wanted]
    longer = tuple(t for t in RESAMPLED if t in wanted)
    if longer and not fetched:
        fetched = [BASE]
    return {t: longer if t == fetched[-1] else () for t in fetched}


def plan(
    connection: Connection,
    registry: Registry,
    listed: Listed,
    timeframes: Mapping[str, tuple[str, ...]],
    window: Window,
    now: datetime,
    full_refresh: bool = False,
    reread: int = 0,
) -> list[Need]:
    """What an instrument lacks of each timeframe; none where it was not listed in the window.

    The newest `reread` sessions are asked for again whatever is stored, and with them the one that is running.
    """
    days = closed_sessions(now)
    clipped = listed.clip(window)
    wanted = tuple(days_in([(clipped.start, clipped.end)], days)) if clipped else ()
    live = _running(now, clipped) if reread and clipped else None
    if not wanted and live is None:
        return []
    again = frozenset(days[-reread:]) if reread else frozenset()
    needs = []
    for timeframe, resampled in timeframes.items():
        have, waiting = known(connection, listed.symbol, timeframe, days, now)
        first, why = reach(registry, timeframe, now.date())
        reachable = [d for d in wanted if first is not None and d >= first]
        skip = frozenset() if full_refresh else (have | waiting.keys()) - again
        beyond = tuple(d for d in wanted if d not in have and (first is None or d < first))
        asked = tuple(d for d in reachable if d not in skip)
        running = live if first is not None else None
        needs.append(Need(listed, timeframe, wanted, asked, running, have, waiting, beyond, why, resampled))
    return needs


def known(
    connection: Connection, symbol: str, timeframe: str, days: Sequence[date], now: datetime
) -> tuple[frozenset[date], dict[date, datetime]]:
    """The sessions stored, and those not to be asked again yet with the instant from which they may be."""
    where = [("symbol", "=", symbol), ("timeframe", "=", timeframe)]
    have: set[date] = set()
    waiting: dict[date, datetime] = {}
    for row in records(frame(connection, operations.COVERAGE, where=where)):
        span = days_in([(row.range_start.date(), row.range_end.date())], days)
        if row.state == "have":
            have.update(span)
        elif not pd.isna(row.next_attempt_at) and row.next_attempt_at > pd.Timestamp(now):
            waiting.update(dict.fromkeys(span, row.next_attempt_at.to_pydatetime()))
    return frozenset(have), waiting


def reach(registry: Registry, timeframe: str, today: date) -> tuple[date | None, Why]:
    """The oldest day on which any provider that may be asked still gives a timeframe, and why none before it."""
    offers = [(p.name, p.offer(ASSET_CLASS, timeframe)) for p in registry.for_bars(ASSET_CLASS, timeframe)]
    days = {name: offer.reach for name, offer in offers if offer is not None}
    if not days:
        return None, Why("absent", f"no provider that can be asked gives {timeframe} bars")
    if any(length is None for length in days.values()):
        return date.min, Why("absent", "")
    name, length = max(((n, int(d or 0)) for n, d in days.items()), key=lambda pair: pair[1])
    return today - timedelta(days=length - 1), Why(
        "absent", f"{name} gives {timeframe} bars for the last {length} days only"
    )


def _running(now: datetime, window: Window) -> date | None:
    """The session that has opened and not closed, where the window holds it."""
    day = new_york.day_of(now)
    if not window.start <= day <= window.end or not is_session(day):
        return None
    return day if opens_at(day) < now and closed_sessions(now)[-1] < day else None
