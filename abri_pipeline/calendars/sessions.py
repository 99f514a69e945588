"""Sessions of the New York Stock Exchange: which days trade, from when until when.

Belongs here: the exchange's days, hours and closings. Does not belong here: weeks of the index
(`weeks`), and when an observation was published (`publication`).

Source: the XNYS calendar of `exchange_calendars`, which knows half days and single closures such as the
day of mourning on 2025-01-09. It is imported and built at first use (0.5 s, once a process).
"""

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from threading import Lock

from abri_pipeline.calendars import new_york

FIRST_YEAR = 1996  # the oldest series that a method reads, the ICE spreads, starts in it
LAST_YEAR = 2099
PLATFORM_START = date(2018, 1, 1)  # Monday of the first week that is kept
FINAL_FROM = time(6, 0)  # vendors settle a day's bar overnight
_BUILT_THROUGH = 2030  # built in one go; a later year asks for the decade that holds it

_building = Lock()


class CalendarError(ValueError):
    """The calendar cannot answer; the message names the day and the mend."""


class NotASession(CalendarError):
    """Opening or closing was asked of a day on which the exchange does not trade."""


@dataclass(frozen=True)
class _Table:
    """One row a session, oldest first."""

    days: tuple[date, ...]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    half: tuple[bool, ...]

    def row(self, day: date) -> int:
        at = bisect_left(self.days, day)
        if at == len(self.days) or self.days[at] != day:
            raise NotASession(f"{day.isoformat()} is no NYSE session; ask is_session first")
        return at


@cache
def _build(through: int) -> _Table:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 reads Series.values, which pandas 3.1 deprecates; the values are right.
        warnings.simplefilter("ignore")
        from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

        calendar = XNYSExchangeCalendar(start=f"{FIRST_YEAR}-01-01", end=f"{through}-12-31")
        early = set(calendar.early_closes.date)
    days = tuple(calendar.sessions.date)
    return _Table(
        days=days,
        opens=tuple(calendar.opens.dt.tz_convert(UTC).dt.to_pydatetime()),
        closes=tuple(calendar.closes.dt.tz_convert(UTC).dt.to_pydatetime()),
        half=tuple(day in early for day in days),
    )


def _table(day: date) -> _Table:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError(f"{day.isoformat()} is outside the calendar, {FIRST_YEAR} to {LAST_YEAR}")
    through = max(_BUILT_THROUGH, -(-day.year // 10) * 10)
    with _building:  # catch_warnings is not safe in threads, and two builds would be wasted work
        return _build(min(through, LAST_YEAR))


def sessions(start: date, end: date) -> tuple[date, ...]:
    """Every session from `start` to `end`, both included, oldest first; empty where `end` is earlier.

    Raises:
        CalendarError: a bound lies outside 1996 to 2099.
    """
    if end < start:
        return ()
    _table(start)
    days = _table(end).days
    return days[bisect_left(days, start) : bisect_right(days, end)]


def is_session(day: date) -> bool:
    """Whether the exchange trades on `day`."""
    days = _table(day).days
    at = bisect_left(days, day)
    return at < len(days) and days[at] == day


def is_half_day(session: date) -> bool:
    """Whether the session closes early, at 13:00 New York."""
    table = _table(session)
    return table.half[table.row(session)]


def opens_at(session: date) -> datetime:
    """The session's opening bell, UTC.

    Raises:
        NotASession: the exchange does not trade on that day.
    """
    table = _table(session)
    return table.opens[table.row(session)]


def closes_at(session: date) -> datetime:
    """The session's closing bell, UTC; 13:00 New York on half days.

    Raises:
        NotASession: the exchange does not trade on that day.
    """
    table = _table(session)
    return table.closes[table.row(session)]


def close_instants(days: Sequence[date]) -> list[datetime]:
    """`closes_at` for many sessions, in their order: 20,000 rows of bars in about 10 ms.

    Raises:
        NotASession: one of the days is no session; the first such day is named.
    """
    if not days:
        return []
    table = _table(max(days))
    _table(min(days))
    return [table.closes[table.row(day)] for day in days]


def final_at(session: date) -> datetime:
    """From when a session's bar is final: 06:00 New York on the next calendar day, UTC."""
    return new_york.instant(session + timedelta(days=1), FINAL_FROM)


def last_closed(now: datetime) -> date:
    """The newest session whose closing bell has rung by `now`, an instant with an offset."""
    table = _table(new_york.day_of(now))
    return table.days[bisect_right(table.closes, now) - 1]


def session_lag(newest: date, now: datetime) -> int:
    """How many sessions have closed after the day `newest` by `now`: 0 is up to date, never negative."""
    table = _table(new_york.day_of(now))
    return max(0, bisect_right(table.closes, now) - bisect_right(table.days, newest))


def closed_sessions(now: datetime) -> tuple[date, ...]:
    """Every session since the platform's first week whose closing bell has rung by `now`."""
    return sessions(PLATFORM_START, last_closed(now))
