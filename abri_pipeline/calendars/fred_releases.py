"""The release calendars behind FRED's series: one table, one rule a publisher.

Belongs here: which day and hour a publisher gives a number out. Does not belong here: reading FRED.

Business days are those of the US federal government, whose offices (Board of Governors, BLS, BEA, EIA)
publish most of the series. pandas' `USFederalHolidayCalendar` states the statute (5 U.S.C. 6103) with its
Friday-for-Saturday rule and Juneteenth from 2021; writing it again would only add mistakes. Closings by executive
order (a day of mourning, a Christmas Eve) are left out: FRED and the market data vendors work through them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.datetime64]  # unit: day

_THURSDAY = 3
_WEDNESDAY = 2
_SATURDAY = 5


@lru_cache(maxsize=1)
def business_days() -> np.busdaycalendar:
    """Monday to Friday without the federal holidays of 1945 to 2099."""
    from pandas.tseries.holiday import USFederalHolidayCalendar

    holidays = USFederalHolidayCalendar().holidays("1945-01-01", "2099-12-31")
    return np.busdaycalendar(holidays=holidays.to_numpy().astype("datetime64[D]"))


def _forward(days: Days) -> Days:
    """Each day, or the next business day where it is none."""
    return np.busday_offset(days, 0, "forward", busdaycal=business_days())


def _next_business(days: Days) -> Days:
    return np.busday_offset(days, 1, "backward", busdaycal=business_days())


def _weekday(days: Days) -> npt.NDArray[np.int64]:
    """Monday is 0; 1970-01-01, day 0 of numpy, was a Thursday."""
    return (days.astype(np.int64) + _THURSDAY) % 7


def _on_or_after(days: Days, weekday: int) -> Days:
    ahead = (weekday - _weekday(days)) % 7
    shifted: Days = days + ahead.astype("timedelta64[D]")
    return shifted


def _month(days: Days, shift: int) -> Days:
    """The first day of the month `shift` months later."""
    return (days.astype("datetime64[M]") + shift).astype("datetime64[D]")


def _week_after(days: Days) -> Days:
    """The first business day of the week after the observation."""
    return _forward(days - _weekday(days) + 7)


def _eia_thursday(days: Days) -> Days:
    return _forward(_on_or_after(days + 3, _THURSDAY))


def _wednesday_after(days: Days) -> Days:
    return _forward(_on_or_after(days + 1, _WEDNESDAY))


def _thursday_after(days: Days) -> Days:
    return _forward(_on_or_after(days + 1, _THURSDAY))


def _employment_friday(days: Days) -> Days:
    """Third Friday after the week (Sunday to Saturday) of the 12th; before a holiday, the day before it."""
    reference_week_ends = _on_or_after(_month(days, 0) + 11, _SATURDAY)
    friday: Days = reference_week_ends + 20
    new_year = (friday - _month(friday, 0)).astype(np.int64) < 3
    january = friday.astype("datetime64[M]").astype(np.int64) % 12 == 0
    friday = friday + 7 * (new_year & january)
    return np.busday_offset(friday, 0, "backward", busdaycal=business_days())


def _fifteenth(days: Days) -> Days:
    return _forward(_month(days, 1) + 14)


def _first_of_next_month(days: Days) -> Days:
    return _forward(_month(days, 1))


def _month_end_after_quarter(days: Days) -> Days:
    """The last business day of the month that follows the quarter; `days` hold the quarters' first days."""
    return np.busday_offset(_month(days, 4), -1, "forward", busdaycal=business_days())


@dataclass(frozen=True)
class Release:
    """One publisher's habit: the day from the observation, the hour in New York, and the known exceptions."""

    day: Callable[[Days], Days]
    at: time
    exceptions: Mapping[date, date] = field(default_factory=dict)

    def days(self, observed: Days) -> Days:
        """The release days, in the order of `observed`."""
        released = self.day(observed)
        for observation, moved in self.exceptions.items():
            released[observed == np.datetime64(observation, "D")] = np.datetime64(moved, "D")
        return released


# The market's daily series: the vendor's file reaches FRED on the next business day (methodology, "Point in time").
_DAILY = Release(_next_business, time(17, 0))
# H.10, federalreserve.gov/releases/h10: the whole past week on Mondays at 16:15, a day later after a holiday.
_H10 = Release(_week_after, time(16, 15))
# EIA spot prices, eia.gov/dnav/pet/pet_pri_spt_s1_d.htm: weekly on Wednesday up to Monday's price, Thursday in
# a holiday's week; Thursday is never early.
_EIA = Release(_eia_thursday, time(17, 0))
# NFCI, chicagofed.org/research/data/nfci: Wednesday 08:30 for the week that ended on Friday.
_NFCI = Release(_wednesday_after, time(8, 30))
# STLFSI4, fred.stlouisfed.org/series/STLFSI4: Thursday for the week that ended on Friday, no hour promised.
_STLFSI = Release(_thursday_after, time(17, 0))
# Employment Situation, bls.gov/schedule: third Friday after the reference week, so not always the first Friday
# of the month (2023-03-10, 2024-03-08); a week later where that is the 1st to 3rd of January.
_UNRATE = Release(
    _employment_friday,
    time(8, 30),
    {  # lapses in appropriations, 2025 and 2026, bls.gov/bls/2025-lapse-revised-release-dates.htm; no 2025-10 value
        date(2025, 9, 1): date(2025, 11, 20),
        date(2025, 11, 1): date(2025, 12, 16),
        date(2026, 1, 1): date(2026, 2, 11),
    },
)
# Consumer Price Index, bls.gov/schedule: between the 10th and the 15th of the next month since 2018.
_CPI = Release(
    _fifteenth,
    time(8, 30),
    {  # the same lapse; no 2025-10 value
        date(2025, 9, 1): date(2025, 10, 24),
        date(2025, 11, 1): date(2025, 12, 18),
    },
)
# H.15, federalreserve.gov/releases/h15: a month's average with the daily rates of its next month's first business day.
_H15_MONTH = Release(_first_of_next_month, time(16, 15))
# GDP advance estimate, bea.gov/news/schedule: 08:30 in the last days of the month after the quarter, mostly its last
# Thursday, but 2025-04-30 was a Wednesday after it; the last business day is never early.
_GDP = Release(
    _month_end_after_quarter,
    time(8, 30),
    {  # lapses in appropriations of 2018/19 and 2025, bea.gov/news
        date(2018, 10, 1): date(2019, 2, 28),
        date(2025, 7, 1): date(2025, 12, 23),
        date(2025, 10, 1): date(2026, 2, 20),
    },
)

RELEASES: Mapping[str, Release] = {
    "BAMLH0A0HYM2": _DAILY,
    "BAMLC0A4CBBB": _DAILY,
    "BAA10Y": _DAILY,
    "DGS10": _DAILY,
    "T10Y2Y": _DAILY,
    "VIXCLS": _DAILY,
    "SP500": _DAILY,
    "DTWEXBGS": _H10,
    "DEXUSEU": _H10,
    "DCOILWTICO": _EIA,
    "NFCI": _NFCI,
    "STLFSI4": _STLFSI,
    "UNRATE": _UNRATE,
    "CPIAUCSL": _CPI,
    "FEDFUNDS": _H15_MONTH,
    "A191RO1Q156NBEA": _GDP,
    "GDPC1": _GDP,
}
