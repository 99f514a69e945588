"""Bars for the rules: a calm invented market, and the recorded one with its splits put back."""

from pathlib import Path

import numpy as np
import pandas as pd

PRICES = ["open", "high", "low", "close", "adj_close"]


def calm(symbol: str = "CALM", rows: int = 60, start: float = 100.0, seed: int = 7) -> pd.DataFrame:
    """Bars of an ordinary stock: moves of 1 % a day, gaps of 0.5 %, volume around a million."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
    opened = np.concatenate([[start], close[:-1]]) * np.exp(rng.normal(0, 0.005, rows))
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": pd.bdate_range("2024-01-02", periods=rows),
            "open": opened,
            "high": np.maximum(opened, close) * 1.004,
            "low": np.minimum(opened, close) * 0.996,
            "close": close,
            "adj_close": close,
            "volume": np.rint(1e6 * np.exp(rng.normal(0, 0.2, rows))),
        }
    )


def unadjusted(bars: pd.DataFrame, day: pd.Timestamp, ratio: float) -> pd.DataFrame:
    """One symbol's bars as a vendor sends them that has missed a split: old prices and volumes before the day."""
    before = bars["date"] < day
    found = bars.assign(volume=bars["volume"].astype(float))
    found.loc[before, PRICES] *= ratio
    found.loc[before, "volume"] /= ratio
    return found


def recorded(shared: Path) -> pd.DataFrame:
    """All recorded daily bars with dividends and splits; `equity_daily/` wins where both folders hold a symbol."""
    universe = pd.read_parquet(shared / "data/universe/sp500_half_daily.parquet")
    files = sorted((shared / "data/equity_daily").glob("*.csv"))
    own = pd.concat([pd.read_csv(f, parse_dates=["date"]).assign(symbol=f.stem) for f in files])
    universe = universe.assign(symbol=universe["symbol"].astype(str))
    columns = ["symbol", "date", *PRICES, "volume", "dividends", "splits"]
    both = pd.concat([universe.loc[~universe["symbol"].isin(own["symbol"].unique()), columns], own[columns]])
    # The universe keeps ratios as 32-bit floats: 1.281 comes as 1.28100001.
    both = both.assign(splits=both["splits"].astype(float).round(6), dividends=both["dividends"].astype(float))
    return both.sort_values(["symbol", "date"], ignore_index=True)


def actions(bars: pd.DataFrame, *kinds: str) -> pd.DataFrame:
    """The known actions that recorded bars carry: symbol, date, action, value."""
    parts = [
        bars.loc[bars[f"{kind}s"] > 0, ["symbol", "date", f"{kind}s"]]
        .set_axis(["symbol", "date", "value"], axis=1)
        .assign(action=kind)
        for kind in kinds
    ]
    return pd.concat(parts, ignore_index=True)
