"""What both FRED wires share: the observations of a series that were published by an instant."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
from starlette.requests import Request

from abri_pipeline.calendars import publication
from abri_pipeline.sandbox.market import Market

CENTRAL = ZoneInfo("America/Chicago")
"""FRED dates its vintages by the wall clock of St. Louis."""
FIRST, LAST = date(1600, 1, 1), date(9999, 12, 31)
ICE_SERIES_PREFIX = "BAML"
SHRINK = "fred_window_years"
"""Request state set by the fault `shrink`: years of ICE history left, as FRED serves them since 2026-04."""


class Observation(NamedTuple):
    """One value: its date, its text (`.` is missing) and the day FRED first showed it."""

    observed_on: date
    value: str
    published_on: date


@dataclass(frozen=True, slots=True)
class Window:
    """Observation dates asked for, both ends included."""

    start: date
    end: date

    @classmethod
    def of(cls, start: str | None, end: str | None) -> "Window":
        """A window from query text; absent ends are open.

        Raises:
            ValueError: an end is no ISO date.
        """
        return cls(
            date.fromisoformat(start) if start else FIRST,
            date.fromisoformat(end) if end else LAST,
        )

    def cut(self, rows: list[Observation]) -> list[Observation]:
        """The rows inside the window."""
        return [row for row in rows if self.start <= row.observed_on <= self.end]


def published(market: Market, series_id: str, now: datetime, known_at: datetime) -> list[Observation] | None:
    """A series as FRED knew it at `known_at`, never later than `now`; None for an unknown series.

    A series without a publication rule is unknown too: to date it by a guess could show the future.
    """
    frame = market.fred(series_id)
    if frame is None:
        return None
    days = [stamp.date() for stamp in pd.to_datetime(frame["observed_on"])]
    try:
        instants = publication.fred_published_instants(series_id, days)
    except publication.UnknownSeries:
        return None
    limit = min(now, known_at)
    return [
        Observation(day, str(value), instant.astimezone(CENTRAL).date())
        for day, value, instant in zip(days, frame["value"], instants, strict=True)
        if instant <= limit
    ]


def shrunk(rows: list[Observation], series_id: str, request: Request, now: datetime) -> list[Observation]:
    """The rows left where the fault `shrink` is on: ICE series lose all but the last years."""
    years: float | None = getattr(request.state, SHRINK, None)
    if years is None or not series_id.startswith(ICE_SERIES_PREFIX):
        return rows
    first = (pd.Timestamp(now) - pd.DateOffset(days=round(years * 365.25))).date()
    return [row for row in rows if row.observed_on >= first]
