"""Credit stress: where the spread of high yield over BBB stands in its own recent history."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from abri_pipeline.analytics.abri.asof import AsOfTable, Rows
from abri_pipeline.analytics.abri.calendar_windows import years_before
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

INDICATOR = "hy_ig_diff_percentile"
UNIT = "share of the trailing history"


@dataclass(frozen=True, slots=True)
class SpreadRank:
    """Length of the trailing history, the least of it that makes a rank, and the oldest value to rank."""

    window_years: int
    minimum_years: int
    max_age_days: int

    @classmethod
    def read(cls, section: Section) -> "SpreadRank":
        """From the fields `window_years`, `minimum_years` and `max_age_days`."""
        settings = cls(section.whole("window_years"), section.whole("minimum_years"), section.whole("max_age_days"))
        if settings.minimum_years > settings.window_years:
            raise section.error("minimum_years", "is longer than window_years")
        return settings


def _weekdays(table: AsOfTable, rows: Rows) -> Rows:
    """Rows of Monday to Friday: weekend month-ends are published and stored, but are no trading day."""
    return rows[np.is_busday(table.observed[rows])]


def hy_ig_diff_percentile(table: AsOfTable, settings: SpreadRank, as_of: date, knowledge_at: datetime) -> Reading:
    """Percentile rank of HY OAS - BBB OAS as a share of 1.

    The rank is the share of the history that is at or below the newest value, that value included: the
    widest spread in five years reads 1.0, the narrowest of n observations 1/n. The history holds the
    weekday observations in (as_of - window, as_of] as known at `knowledge_at`. Days on which a substitute
    series stands in are not ranked, because its level is not that of the spread.
    """
    rows = table.latest_versions(table.known(as_of, knowledge_at, years_before(as_of, settings.window_years)))
    rows = _weekdays(table, table.where(rows, "substitute", ""))
    spreads = table.number("hy_ig_diff", rows)
    rows, spreads = rows[~np.isnan(spreads)], spreads[~np.isnan(spreads)]
    if reason := _lacking(table, rows, settings, as_of, knowledge_at):
        return Reading(INDICATOR, None, UNIT, None, None, "credit_spreads", reason)
    rank = float(np.count_nonzero(spreads <= spreads[-1])) / len(spreads)
    note = f"{spreads[-1]:.0f} bp, ranked among {len(spreads)} weekdays since {table.day(int(rows[0]))}"
    day, known_at = table.day(int(rows[-1])), table.available_at(rows[-1:])
    return Reading(INDICATOR, rank, UNIT, day, known_at, "credit_spreads", note=note)


def _lacking(table: AsOfTable, rows: Rows, settings: SpreadRank, as_of: date, knowledge_at: datetime) -> str | None:
    """Why these observations make no rank, or None where they do."""
    known_by = f"known by {knowledge_at.date()}"
    oldest_allowed = as_of - timedelta(days=settings.max_age_days)
    if len(rows) == 0 or table.day(int(rows[-1])) < oldest_allowed:
        return f"no HY - BBB spread of a weekday from {oldest_allowed} to {as_of} was {known_by}"
    first = table.day(int(rows[0]))
    if first > years_before(as_of, settings.minimum_years):
        return f"the spread history {known_by} starts on {first}, less than {settings.minimum_years} year back"
    return None


def without_substitutes(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a `substitute` column, empty where the dataset has none to tell of."""
    return frame if "substitute" in frame.columns else frame.assign(substitute=None)
