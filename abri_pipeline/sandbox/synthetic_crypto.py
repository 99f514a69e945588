"""Daily crypto bars of the synthetic market.

Belongs here: prices and volumes of a few pairs. Does not belong here: the factors (`synthetic_world`).

Coins trade every UTC day. A log return is `beta x` the market's weekday return, plus a tide that all coins
share, plus noise of its own; at weekends the market stands still and the coin does not.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from abri_pipeline.sandbox.synthetic_world import (
    FIRST_SESSION,
    LAST_DAY,
    Days,
    Floats,
    fat_tailed,
    mean_reverting,
    stream,
    world,
)


@dataclass(frozen=True)
class Coin:
    """A pair: its loadings, daily noise, last close in the quote asset and usual volume in the base asset."""

    pair: str
    beta: float
    tide: float
    own: float
    growth: float
    last_close: float
    turnover: float


COINS = (
    Coin("BTCUSDT", 1.2, 1.0, 0.012, 0.33, 91_000.0, 3.0e4),
    Coin("ETHUSDT", 1.5, 1.2, 0.018, 0.24, 3_100.0, 4.0e5),
    Coin("SOLUSDT", 1.8, 1.5, 0.030, 0.45, 142.0, 4.5e6),
    Coin("XRPUSDT", 1.3, 1.1, 0.030, 0.10, 2.1, 2.5e8),
)
_TIDE = 0.021  # a day, standard deviation
_COINS = {coin.pair: coin for coin in COINS}


@cache
def bars(pair: str) -> pd.DataFrame | None:
    """Daily bars from 2018-01-02 to 2026-12-31, None where the pair is unknown; shared, copy before changing."""
    coin = _COINS.get(pair)
    if coin is None:
        return None
    days = np.arange(np.datetime64(FIRST_SESSION), np.datetime64(LAST_DAY) + np.timedelta64(1, "D"))
    own = fat_tailed(stream(f"{pair} own"), len(days)) * coin.own
    steps = coin.beta * _market(days) + coin.tide * _tide(len(days)) + own
    steps = steps - steps.mean() + coin.growth / 365.0
    path = np.cumsum(steps)
    close = coin.last_close * np.exp(path - path[-1])
    return _candles(coin, days, close)


def _market(days: Days) -> Floats:
    """The market factor on every day, 0 at weekends."""
    state = world()
    found = np.zeros(len(days))
    weekday = np.isin(days, state.days)
    found[weekday] = state.market[np.searchsorted(state.days, days[weekday])]
    return found


def _tide(size: int) -> Floats:
    return fat_tailed(stream("crypto tide"), size) * _TIDE


def _candles(coin: Coin, days: Days, close: Floats) -> pd.DataFrame:
    """A coin opens where it closed: its market never shuts."""
    rng = stream(f"{coin.pair} candles")
    opening = np.concatenate([close[:1], close[:-1]])
    reach = 0.6 * (coin.own + _TIDE * coin.tide)
    top = np.maximum(opening, close) * np.exp(reach * np.abs(rng.normal(size=len(days))))
    bottom = np.minimum(opening, close) * np.exp(-reach * np.abs(rng.normal(size=len(days))))
    mood = mean_reverting(stream(f"{coin.pair} volume"), len(days), 0.9, 0.35)
    columns = {"open": opening, "high": top, "low": bottom, "close": close, "volume": coin.turnover * np.exp(mood)}
    times = pd.DatetimeIndex(days.astype("datetime64[us]")).tz_localize("UTC")
    return pd.DataFrame({"ts_utc": times, **{name: column.round(6) for name, column in columns.items()}})
