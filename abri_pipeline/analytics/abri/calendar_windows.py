"""Look-back windows counted in calendar months and years."""

from datetime import date

import pandas as pd


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier, or the last day of a shorter month."""
    return (pd.Timestamp(day) - pd.DateOffset(months=months)).date()


def years_before(day: date, years: int) -> date:
    """The same day `years` earlier; 28 February where that year has no 29th."""
    return months_before(day, 12 * years)
