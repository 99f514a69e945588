"""When the world could know: the publication instant of an observation, a filing, a deal.

Belongs here: the rules of the publishers. Does not belong here: when we fetched or stored a row.

A rule may be late, never early: where a publisher's hour or day moves about, the later one is taken, so no
score reads a value before the world could.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from abri_pipeline.calendars import new_york
from abri_pipeline.calendars.fred_releases import RELEASES, business_days

END_OF_DAY = time(23, 59, 59)
# EDGAR dates a filing accepted after 17:30 to the next business day, so the dated day ends then for filings.
# Source: EDGAR Filer Manual, volume II, and sec.gov/submit-filings/filer-support-resources (filing hours).
EDGAR_CUTOFF = time(17, 30)


class UnknownSeries(ValueError):
    """No publication rule is written for a FRED series; a guess could read the future."""


@lru_cache(maxsize=4096)
def next_business_day(day: date) -> date:
    """The first US federal business day after `day`; a weekend or a holiday counts from where it stands."""
    following = np.busday_offset(np.datetime64(day, "D"), 1, "backward", busdaycal=business_days())
    return date.fromisoformat(str(following))


def end_of_day(day: date) -> datetime:
    """23:59:59 New York on `day`, UTC: the hour of a fact that is known to the day only."""
    return new_york.instant(day, END_OF_DAY)


def fred_published_instants(series_id: str, days: Sequence[date]) -> list[datetime]:
    """When FRED's publisher gave out each observation, in the order of `days`, UTC.

    Args:
        series_id: FRED's own id, such as `BAMLH0A0HYM2`.
        days: observation dates as FRED writes them (a month or a quarter by its first day).

    Raises:
        UnknownSeries: `fred_releases.RELEASES` holds no rule for the series.
    """
    release = RELEASES.get(series_id)
    if release is None:
        raise UnknownSeries(f"{series_id}: no publication rule; add one to calendars/fred_releases.py")
    if not days:
        return []
    return new_york.instants(release.days(np.asarray(days, dtype="datetime64[D]")), release.at)


def fred_published_at(series_id: str, observed_on: date) -> datetime:
    """`fred_published_instants` for one observation."""
    return fred_published_instants(series_id, [observed_on])[0]


def filing_available_at(filed_on: date, accepted_at: datetime | None) -> datetime:
    """When a filing could be read, UTC: its EDGAR acceptance, else 17:30 New York of its filing day.

    Raises:
        ValueError: `accepted_at` has no offset, so the host's zone would decide.
    """
    if accepted_at is None:
        return new_york.instant(filed_on, EDGAR_CUTOFF)
    if accepted_at.tzinfo is None:
        raise ValueError(f"accepted_at {accepted_at.isoformat()} has no offset; EDGAR's own is UTC")
    return accepted_at.astimezone(UTC)


def deal_available_at(announced_on: date, precision: str) -> datetime:
    """When a deal could be known, UTC.

    Args:
        announced_on: the day announced, or any day of the month it was announced in.
        precision: `day` means that day's end; anything else (`month`, `approx`, `day-unsourced`) says that
            only the month is sure, so the deal counts from the end of the month.
    """
    if precision == "day":
        return end_of_day(announced_on)
    next_month = (announced_on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return end_of_day(next_month - timedelta(days=1))
