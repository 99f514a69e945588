"""FRED as the synthetic world publishes it: all series in the wire's form, and the economy's paths.

Belongs here: yields, dollar, oil, jobs, prices, output, conditions, and the dates each series has.
Does not belong here: credit spreads (`synthetic_credit`), publication times (the wires cut by those).

Slow series follow invented way-points with noise around them. Values are the text of the wire: `.` where the
source has a date but no value. UNRATE and CPIAUCSL have none for 2025-10, the month that was never surveyed.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from abri_pipeline.calendars.fred_releases import business_days
from abri_pipeline.sandbox import synthetic_credit
from abri_pipeline.sandbox.synthetic_world import (
    FIRST_DAY,
    LAST_DAY,
    Days,
    Floats,
    between,
    decayed,
    mean_reverting,
    stream,
    world,
)

_NEVER_SURVEYED = np.datetime64("2025-10-01")
_MONTHS = np.arange(np.datetime64(FIRST_DAY, "M"), np.datetime64(LAST_DAY, "M") + 1).astype("datetime64[D]")

_TEN_YEAR = {"2012-01-01": 2.0, "2014-06-01": 2.7, "2016-09-01": 1.7, "2018-10-01": 3.0, "2020-06-01": 0.9,
             "2021-12-01": 1.6, "2023-10-01": 4.5, "2024-08-01": 3.9, "2025-05-01": 4.5, "2026-12-31": 4.0}  # fmt: skip
_CURVE = {"2012-01-01": 1.7, "2014-01-01": 2.4, "2018-12-01": 0.2, "2021-03-01": 1.5, "2023-06-01": -0.9,
          "2024-09-01": 0.1, "2026-12-31": 0.8}  # fmt: skip
_DOLLAR = {"2012-01-01": 91.0, "2016-01-01": 114.0, "2020-03-01": 119.0, "2021-05-01": 112.0,
           "2022-10-01": 127.0, "2025-01-01": 128.0, "2026-12-31": 119.0}  # fmt: skip
_OIL = {"2012-01-01": 98.0, "2014-06-01": 96.0, "2016-02-01": 36.0, "2018-09-01": 68.0, "2020-04-15": 24.0,
        "2022-05-01": 104.0, "2024-04-01": 79.0, "2026-12-31": 64.0}  # fmt: skip
_JOBLESS = {"2012-01-01": 8.1, "2016-01-01": 5.0, "2020-02-01": 3.7, "2020-04-01": 11.8, "2020-10-01": 6.9,
            "2022-06-01": 3.6, "2024-06-01": 4.0, "2026-12-01": 4.7}  # fmt: skip
_INFLATION = {"2012-01-01": 1.9, "2015-06-01": 0.4, "2019-01-01": 1.9, "2020-05-01": 0.5, "2022-05-01": 8.2,
              "2023-07-01": 3.4, "2026-12-01": 2.5}  # fmt: skip
_FUNDS = {"2012-01-01": 0.10, "2015-11-01": 0.12, "2019-06-01": 2.40, "2020-02-01": 1.60, "2020-04-01": 0.06,
          "2022-02-01": 0.08, "2023-08-01": 5.30, "2024-08-01": 5.30, "2025-12-01": 3.70,
          "2026-12-01": 3.30}  # fmt: skip


@cache
def fred(series_id: str) -> pd.DataFrame | None:
    """A series by its FRED id, None where this world has none of that name.

    Columns: observed_on (datetime64; the first day of a month or quarter, the Friday of a week) and value
    (text; `.` is missing), from 2012 to 2026, oldest first. The frame is shared: copy before changing it.
    """
    builder = _SERIES.get(series_id)
    return builder() if builder else None


def _frame(days: Days, values: Floats, decimals: int, missing: Days | None = None) -> pd.DataFrame:
    text = [f"{value:.{decimals}f}" for value in values.tolist()]
    frame = pd.DataFrame({"observed_on": days.astype("datetime64[s]"), "value": text})
    if missing is not None:
        frame.loc[np.isin(days, missing), "value"] = "."
    return frame


def _bank_holidays() -> Days:
    return business_days().holidays


def _ice(series_id: str) -> pd.DataFrame:
    """Every weekday but Christmas and New Year's Day (no row at all), and weekend month ends."""
    weekdays = synthetic_credit.daily()[series_id]
    days = weekdays.index.to_numpy().astype("datetime64[D]")
    month_and_day = np.char.replace(np.datetime_as_string(days, unit="D"), "-", "")
    closed = np.isin([text[4:] for text in month_and_day.tolist()], ["0101", "1225"])
    extra = synthetic_credit.weekend_month_ends(days[~closed])
    all_days = np.sort(np.concatenate([days[~closed], extra[extra <= days[-1]]]))
    at = np.searchsorted(days, all_days, side="right") - 1  # a weekend takes the Friday's spread
    return _frame(all_days, weekdays.to_numpy()[at], 2)


def _of_the_market(series_id: str) -> pd.DataFrame:
    series = synthetic_credit.daily()[series_id]
    days = series.index.to_numpy().astype("datetime64[D]")
    closed = synthetic_credit.stock_exchange_holidays(days) if series_id == "VIXCLS" else _bank_holidays()
    return _frame(days, series.to_numpy(), 2, closed)


def _around(name: str, points: dict[str, float], deviation: float, decimals: int) -> pd.DataFrame:
    """A daily series that wanders around its way-points and rests on bank holidays."""
    days = world().days
    values = between(days, points) + mean_reverting(stream(name), len(days), 0.97, deviation)
    return _frame(days, values, decimals, _bank_holidays())


def _oil() -> pd.DataFrame:
    state = world()
    own = mean_reverting(stream("oil"), len(state.days), 0.98, 0.08)
    demand = decayed(0.8 * (state.market - state.market.mean()), 0.98)
    return _frame(state.days, between(state.days, _OIL) * np.exp(own + demand), 2, _bank_holidays())


def _monthly(name: str, points: dict[str, float], deviation: float, decimals: int) -> pd.DataFrame:
    noise = mean_reverting(stream(name), len(_MONTHS), 0.6, deviation)
    values = np.maximum(between(_MONTHS, points) + noise, 0.05)
    missing = np.array([_NEVER_SURVEYED]) if name == "UNRATE" else None
    return _frame(_MONTHS, values, decimals, missing)


def _consumer_prices() -> pd.DataFrame:
    monthly = between(_MONTHS, _INFLATION) / 1200.0 + stream("CPIAUCSL").normal(0.0, 0.0008, len(_MONTHS))
    return _frame(_MONTHS, 228.0 * np.exp(np.cumsum(monthly)), 3, np.array([_NEVER_SURVEYED]))


@cache
def _output() -> pd.Series:
    """Real GDP, billions of chained dollars, from 2011 so that 2012 already has a year-on-year change."""
    quarters = np.arange(np.datetime64("2011-01"), np.datetime64(LAST_DAY, "M"), 3).astype("datetime64[D]")
    growth = 0.0058 + stream("GDPC1").normal(0.0, 0.0025, len(quarters))
    growth[quarters == np.datetime64("2020-04-01")] -= 0.074
    growth[quarters == np.datetime64("2020-07-01")] += 0.062
    return pd.Series((16_100.0 * np.exp(np.cumsum(growth))).round(3), index=quarters)


def _output_level() -> pd.DataFrame:
    level = _output().iloc[4:]
    return _frame(level.index.to_numpy().astype("datetime64[D]"), level.to_numpy(), 3)


def _output_growth() -> pd.DataFrame:
    change = (100.0 * (_output() / _output().shift(4) - 1.0)).dropna()
    return _frame(change.index.to_numpy().astype("datetime64[D]"), change.to_numpy(), 1)


def _conditions(name: str, centre: float, scale: float) -> pd.DataFrame:
    """A weekly stress index, Fridays: the week's mean of both spreads, in logs."""
    daily = synthetic_credit.daily()
    tension = np.log(daily["BAMLH0A0HYM2"] / 4.5) + np.log(daily["BAMLC0A4CBBB"] / 1.7)
    weekly = tension.groupby(tension.index.to_period("W-FRI")).mean()
    fridays = weekly.index.to_timestamp(how="end").to_numpy().astype("datetime64[D]")
    complete = fridays <= np.datetime64(LAST_DAY)
    noise = mean_reverting(stream(name), len(weekly), 0.8, 0.03)
    values = (centre + scale * weekly.to_numpy() + noise)[complete]
    return _frame(fridays[complete], values, 4)


_SERIES: dict[str, Callable[[], pd.DataFrame]] = {
    "BAMLH0A0HYM2": lambda: _ice("BAMLH0A0HYM2"),
    "BAMLC0A4CBBB": lambda: _ice("BAMLC0A4CBBB"),
    "BAA10Y": lambda: _of_the_market("BAA10Y"),
    "VIXCLS": lambda: _of_the_market("VIXCLS"),
    "DGS10": lambda: _around("DGS10", _TEN_YEAR, 0.13, 2),
    "T10Y2Y": lambda: _around("T10Y2Y", _CURVE, 0.08, 2),
    "DTWEXBGS": lambda: _around("DTWEXBGS", _DOLLAR, 1.1, 4),
    "DCOILWTICO": _oil,
    "UNRATE": lambda: _monthly("UNRATE", _JOBLESS, 0.07, 1),
    "CPIAUCSL": _consumer_prices,
    "FEDFUNDS": lambda: _monthly("FEDFUNDS", _FUNDS, 0.01, 2),
    "GDPC1": _output_level,
    "A191RO1Q156NBEA": _output_growth,
    "NFCI": lambda: _conditions("NFCI", -0.40, 0.28),
    "STLFSI4": lambda: _conditions("STLFSI4", -0.25, 0.75),
}

SERIES = tuple(_SERIES)
