"""New York wall time turned into UTC instants, whatever zone the host is in.

Belongs here: the one conversion that sessions, weeks and publication share. Does not belong here: which
hour of which day matters; its callers know that.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

ZONE = ZoneInfo("America/New_York")


def instant(day: date, at: time) -> datetime:
    """The moment New York's clocks show `at` on `day`, in UTC.

    Args:
        day: a calendar day in New York.
        at: a naive wall time outside 01:00-03:00, the only hours that a clock change repeats or skips.
    """
    return datetime.combine(day, at, tzinfo=ZONE).astimezone(UTC)


def instants(days: Sequence[date] | npt.NDArray[np.datetime64], at: time) -> list[datetime]:
    """`instant` for many days at once, in their order; about 10 ms for 5,000 days."""
    wall = pd.DatetimeIndex(np.asarray(days, dtype="datetime64[D]").astype("datetime64[us]"))
    since_midnight = pd.Timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
    utc = (wall + since_midnight).tz_localize(ZONE).tz_convert(UTC)
    return list(utc.to_pydatetime())


def day_of(moment: datetime) -> date:
    """The calendar day in New York at an instant.

    Raises:
        ValueError: the instant has no offset, so the host's zone would decide.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset; instants are in UTC")
    return moment.astimezone(ZONE).date()
