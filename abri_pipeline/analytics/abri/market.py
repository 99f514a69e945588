"""Concentration and correlation: the newest market metric of a session."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from abri_pipeline.analytics.abri.asof import AsOfTable
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

UNITS = {"mag7_weight": "fraction", "nvda_spy_corr": "r", "mag7_spy_corr": "r"}


@dataclass(frozen=True, slots=True)
class SessionMetric:
    """How old the newest value may be, in calendar days, before it counts as missing."""

    max_age_days: int

    @classmethod
    def read(cls, section: Section) -> "SessionMetric":
        """From the field `max_age_days`."""
        return cls(section.whole("max_age_days"))


def session_metric(
    column: str, table: AsOfTable, settings: SessionMetric, as_of: date, knowledge_at: datetime
) -> Reading:
    """The newest known value of a column of market_metrics on or before `as_of`.

    A value older than the method allows is missing: it would describe another market. Younger ones show
    their age in `observed_on`.
    """
    unit = UNITS[column]
    after = as_of - timedelta(days=settings.max_age_days + 1)
    rows = table.latest_versions(table.known(as_of, knowledge_at, after))
    rows = rows[~np.isnan(table.number(column, rows))]
    if len(rows) == 0:
        reason = f"no {column} of the {settings.max_age_days} days to {as_of} was known by {knowledge_at.date()}"
        return Reading(column, None, unit, None, None, "market_metrics", reason)
    newest = rows[-1:]
    value = float(table.number(column, newest)[0])
    day = table.day(int(newest[0]))
    return Reading(column, value, unit, day, table.available_at(newest), "market_metrics")
