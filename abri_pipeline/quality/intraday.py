"""Intraday bars against the session: how many there must be, and what a load of them is worth.

Belongs here: expectation and counts. Does not belong here: daily bars (`rules`), the score itself (`score`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from abri_pipeline.calendars.sessions import closes_at, opens_at
from abri_pipeline.contracts.intraday import MINUTES

PASSED_OVER = 0.1  # share of a session's bars that a feed may pass over where nothing was traded
FLIP = np.log(20.0)  # no bar is twenty times its session's median; one in another unit is a hundred times
_PRICES = ["open", "high", "low", "close"]


def hours(days: Sequence[date]) -> pd.DataFrame:
    """Sessions with their bells: `date` (midnight, no zone), `opens_at` and `closes_at` (UTC), oldest first."""
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex(list(days)).as_unit("s"),
            "opens_at": pd.DatetimeIndex([opens_at(day) for day in days], tz="UTC").as_unit("us"),
            "closes_at": pd.DatetimeIndex([closes_at(day) for day in days], tz="UTC").as_unit("us"),
        }
    )


def expected_bars(timeframe: str, day: date) -> int:
    """Bars of a whole session: 390, 78, 26, 13, 7 and 2 from 1m to 4h; 210, 42, 14, 7, 4 and 1 on a half day."""
    return -(-(closes_at(day) - opens_at(day)) // timedelta(minutes=MINUTES[timeframe]))


def enough(timeframe: str, day: date, stored: int) -> bool:
    """Whether a session counts as stored: at most a tenth of its bars is missing, or one bar where bars are few.

    A feed sends no bar for a minute in which nothing was traded, and some leave out the short last one of a half day.
    A bar put together from ours is there or is not.
    """
    wanted = expected_bars(timeframe, day)
    spare = 0 if timeframe == "4h" else max(1, int(PASSED_OVER * wanted))
    return stored > 0 and stored >= wanted - spare


def counts(bars: pd.DataFrame, wanted: int) -> Mapping[str, int]:
    """What the rules of requirement 3.4 find in a load, by the names that `score` reads; what is 0 is left out.

    Args:
        bars: `date`, `open`, `high`, `low`, `close`, `volume` of closed bars within sessions, as parsed.
        wanted: bars that the sessions asked for should have.
    """
    prices = bars[_PRICES].to_numpy(dtype=float)
    volume = bars["volume"].to_numpy(dtype=float, na_value=np.nan)
    first, high, low, last = prices.T
    found = {
        "rows": len(bars),
        "expected": wanted,
        "cells": len(bars) * 5,
        "nulls": int(np.isnan(prices).sum() + np.isnan(volume).sum()),
        "missing": max(0, wanted - len(bars)),
        "negative_price": int((prices < 0).any(axis=1).sum()),
        "zero_price": int((prices == 0).any(axis=1).sum()),
        "negative_volume": int((volume < 0).sum()),
        "envelope": int(((low > np.fmin(first, last)) | (high < np.fmax(first, last)) | (low > high)).sum()),
        "unit_flip": int(_flips(bars["date"], last).sum()),
    }
    return {name: n for name, n in found.items() if n}


def _flips(days: pd.Series, close: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    positive = pd.Series(np.where(close > 0, close, np.nan), index=days.index)
    middle = positive.groupby(days).transform("median")
    return np.asarray(np.abs(np.log(positive / middle)) > FLIP)
