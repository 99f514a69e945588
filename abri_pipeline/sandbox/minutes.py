"""Minute bars of any length out of the two that a market holds.

Belongs here: putting short bars together. Does not belong here: wire formats, daily bars.
"""

from datetime import datetime

import pandas as pd

from abri_pipeline.sandbox import asof
from abri_pipeline.sandbox.market import Market


def bars(market: Market, symbol: str, minutes: int, now: datetime, *, adjusted: bool = True) -> pd.DataFrame | None:
    """Closed bars of so many minutes on the split basis of `now`, or as traded; None where there are none.

    Shape of `Market.intraday`. A bar of which a part is still open is left out.
    """
    whole = market.bars(symbol)
    base = next((m for m in (5, 1) if minutes % m == 0 and market.intraday(symbol, f"{m}m") is not None), None)
    if whole is None or base is None:
        return None
    found = market.intraday(symbol, f"{base}m")
    assert found is not None  # noqa: S101 - asked a line above; the type cannot say so
    last = whole[whole["date"] <= pd.Timestamp(now).tz_convert("America/New_York").tz_localize(None)]["date"].max()
    seen = asof.intraday(found, f"{base}m", now, asof.basis(whole, last).split)
    if not adjusted:
        seen = _as_traded(seen, whole, last)
    return _grouped(seen, minutes, now) if minutes != base else seen


def _as_traded(seen: pd.DataFrame, whole: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Each bar times the ratios of the splits between its day and `last`."""
    days = seen["ts_utc"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    splits = whole[(whole["splits"] != 0) & (whole["date"] <= last)]
    raw = seen.copy()
    for day, ratio in zip(splits["date"], splits["splits"], strict=True):
        before = days < day
        raw.loc[before, asof.PRICES] = (raw.loc[before, asof.PRICES] * ratio).round(6)
        raw.loc[before, "volume"] = (raw.loc[before, "volume"] / ratio).round()
    return raw


def _grouped(seen: pd.DataFrame, minutes: int, now: datetime) -> pd.DataFrame:
    length = pd.Timedelta(minutes=minutes)
    frame = seen.groupby(seen["ts_utc"].dt.floor(length), sort=True).agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
    )
    frame = frame.reset_index()
    closed: pd.DataFrame = frame[frame["ts_utc"] + length <= pd.Timestamp(now)].reset_index(drop=True)
    return closed
