"""Daily bars of the synthetic market.

Belongs here: prices, volumes, dividends and splits of each symbol, all derived from the two factors.
Does not belong here: the factors (`synthetic_world`) and the parameters (`synthetic_instruments`).

A log return is `beta * market + ai * ai factor + own noise`, and pays its dividend out of the price on the
ex-date. Prices carry six decimals: they are split-adjusted as of the end of the market, so cents as traded
would be fractions here anyway.
"""

from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from abri_pipeline.calendars import sessions
from abri_pipeline.sandbox.synthetic_instruments import INSTRUMENTS, LEVERAGED, TWINS, Instrument, Leveraged
from abri_pipeline.sandbox.synthetic_world import (
    YEAR,
    Days,
    Floats,
    fat_tailed,
    mean_reverting,
    session_days,
    stream,
    world,
)

DECIMALS = 6
_FEE = 0.0095 / 252.0  # leveraged funds, a session
_HALF_DAY_VOLUME = 0.42
_OVERNIGHT = 0.35  # share of a day's return that the open already shows

_SHARES = {each.symbol: each for each in INSTRUMENTS}
_LEVERAGED = {each.symbol: each for each in LEVERAGED}


@cache
def bars(symbol: str) -> pd.DataFrame | None:
    """Daily bars of `symbol` from its listing (or 2018-01-02) to 2026-12-31, None where it is unknown.

    Columns: date (datetime64), open, high, low, close (USD, split-adjusted), adj_close (also
    dividend-adjusted), volume (shares, split-adjusted), dividends (USD a share on the ex-date), splits
    (ratio on the ex-date, else 0). The frame is shared: copy before changing it.
    """
    if symbol in _LEVERAGED:
        return _leveraged(_LEVERAGED[symbol])
    if symbol in TWINS:
        return _twin(symbol, _SHARES[TWINS[symbol]])
    return _share(_SHARES[symbol]) if symbol in _SHARES else None


def known_bars(symbol: str) -> pd.DataFrame:
    """`bars` of a symbol that this market lists.

    Raises:
        KeyError: it lists none of that name.
    """
    frame = bars(symbol)
    if frame is None:
        raise KeyError(symbol)
    return frame


def _share(instrument: Instrument) -> pd.DataFrame:
    days = session_days()
    days = days[days >= np.datetime64(instrument.listed_on)]
    undropped = _level(instrument, days)
    close, dividends = _pay_dividends(instrument, days, undropped)
    return _frame(instrument.symbol, days, close, dividends, instrument.turnover, instrument.splits,
                  _spread(instrument, days))  # fmt: skip


def _level(instrument: Instrument, days: Days) -> Floats:
    """The price path before dividends leave it, read at the sessions."""
    state = world()
    alive = state.days >= days[0]
    own = fat_tailed(stream(f"{instrument.symbol} own"), len(state.days)) * instrument.own
    steps = (instrument.beta * state.market + instrument.ai * state.ai + own)[alive]
    if instrument.growth is not None:
        steps = steps - steps.mean() + instrument.growth / YEAR
    path = np.cumsum(steps)
    at = np.searchsorted(state.days[alive], days)
    return np.asarray(instrument.last_close * np.exp(path[at] - path[-1]))


def _spread(instrument: Instrument, days: Days) -> Floats:
    """The day's volatility, from which high, low and the opening gap are drawn."""
    state = world()
    at = np.searchsorted(state.days, days)
    factors = (instrument.beta * state.volatility[at]) ** 2 + (instrument.ai * state.ai_volatility[at]) ** 2
    return np.asarray(np.sqrt(factors + instrument.own**2))


def _pay_dividends(instrument: Instrument, days: Days, level: Floats) -> tuple[Floats, Floats]:
    """Closing prices and dividends: each year's amount is declared from the first close of that year."""
    price, dividends = level.copy(), np.zeros(len(days))
    if not instrument.dividend:
        return price, dividends
    years = days.astype("datetime64[Y]")
    for at in _ex_dates(instrument, days):
        declared_at = int(np.searchsorted(years, years[at]))
        dividends[at] = round(float(price[declared_at]) * instrument.dividend / 4.0, 4)
        # Everything from the ex-date on is lower by what left the company: the return before is untouched.
        price[at:] *= 1.0 - dividends[at] / price[at]
    return price * (instrument.last_close / price[-1]), dividends * (instrument.last_close / price[-1])


def _ex_dates(instrument: Instrument, days: Days) -> list[int]:
    """Positions of the ex-dates: the first session from the 12th of each dividend month."""
    found = []
    for month in np.unique(days.astype("datetime64[M]")):
        if month.astype(object).month not in instrument.dividend_months:
            continue
        at = int(np.searchsorted(days, month.astype("datetime64[D]") + np.timedelta64(11, "D")))
        if 0 < at < len(days) and days[at] >= np.datetime64(instrument.dividend_from):
            found.append(at)
    return found


def _twin(symbol: str, sibling: Instrument) -> pd.DataFrame:
    """The second share line of a company: the sibling's prices and payouts, a small wandering premium."""
    first = known_bars(sibling.symbol)
    days = first["date"].to_numpy().astype("datetime64[D]")
    premium = np.exp(0.004 + mean_reverting(stream(f"{symbol} premium"), len(days), 0.98, 0.002))
    close = first["close"].to_numpy() * premium
    return _frame(symbol, days, close, first["dividends"].to_numpy(), sibling.turnover * 0.7,
                  sibling.splits, _spread(sibling, days))  # fmt: skip


def _leveraged(fund: Leveraged) -> pd.DataFrame:
    underlying = _SHARES[fund.underlying]
    below = known_bars(fund.underlying)
    days = below["date"].to_numpy().astype("datetime64[D]")
    change = below["close"].pct_change().fillna(0.0).to_numpy()
    level = np.cumprod(1.0 + 3.0 * change - _FEE)
    close = fund.last_close * level / level[-1]
    spread = 3.0 * _spread(underlying, days)
    return _frame(fund.symbol, days, close, np.zeros(len(days)), fund.turnover, fund.splits, spread)


def _frame(
    symbol: str, days: Days, close: Floats, dividends: Floats, turnover: float, splits: dict[date, float],
    spread: Floats,
) -> pd.DataFrame:  # fmt: skip
    rng = stream(f"{symbol} candles")
    before = np.concatenate([close[:1], close[:-1]])
    gap = _OVERNIGHT * np.log(close / before) + 0.25 * spread * rng.normal(size=len(days))
    opening = before * np.exp(gap)
    top = np.maximum(opening, close) * np.exp(0.45 * spread * np.abs(rng.normal(size=len(days))))
    bottom = np.minimum(opening, close) * np.exp(-0.45 * spread * np.abs(rng.normal(size=len(days))))
    frame = pd.DataFrame(
        {
            "date": days.astype("datetime64[s]"),
            "open": opening.round(DECIMALS),
            "high": top.round(DECIMALS),
            "low": bottom.round(DECIMALS),
            "close": close.round(DECIMALS),
        }
    )
    frame["adj_close"] = _adjusted(frame["close"].to_numpy(), dividends.round(DECIMALS))
    frame["volume"] = _volume(symbol, days, np.log(close / before) / spread, turnover)
    frame["dividends"] = dividends.round(DECIMALS)
    frame["splits"] = [splits.get(day, 0.0) for day in days.astype(object)]
    return frame


def _adjusted(close: Floats, dividends: Floats) -> Floats:
    """Yahoo's adjustment: each close before an ex-date is scaled by 1 - dividend / close before it."""
    kept = np.ones(len(close))
    kept[:-1] = 1.0 - dividends[1:] / close[:-1]
    return np.asarray((close * np.cumprod(kept[::-1])[::-1]).round(DECIMALS))


def _volume(symbol: str, days: Days, surprise: Floats, turnover: float) -> pd.Series:
    rng = stream(f"{symbol} volume")
    mood = mean_reverting(rng, len(days), 0.9, 0.25) + 0.12 * rng.normal(size=len(days))
    shares = turnover * np.exp(mood + 0.22 * np.minimum(np.abs(surprise), 4.0))
    shares *= np.where([sessions.is_half_day(day) for day in days.astype(object)], _HALF_DAY_VOLUME, 1.0)
    return pd.Series(shares.round().astype(np.int64))
