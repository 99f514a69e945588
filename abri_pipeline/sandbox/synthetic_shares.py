"""Index shares and weights of the synthetic market: one count behind market values and index weights.

Belongs here: how many shares each line has, and what share of the index that makes it.
Does not belong here: the table in which weights are published (`synthetic_weights`).

A line's weight is its shares times its price over the index's value, and SPY's price close stands for the
index. Between quarter ends the count stands still, so a weight drifts exactly by its price relative to
SPY's; at a quarter end it steps by buy-backs and new stock, well under one percent.
"""

from datetime import date
from functools import cache

import numpy as np

from abri_pipeline.sandbox.synthetic_equities import known_bars
from abri_pipeline.sandbox.synthetic_world import Days, Floats, session_days, stream

INDEX_MILLIONS_PER_POINT = 84_000.0
"""USD millions of index value per dollar of SPY: 59 trillion at 702."""
LINES = ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA")
TESLA_JOINED = date(2020, 12, 21)  # the index's own rule of membership

_LAST_WEIGHT = {"AAPL": 0.066, "MSFT": 0.060, "NVDA": 0.070, "AMZN": 0.038, "META": 0.025, "GOOGL": 0.024,
                "GOOG": 0.019, "TSLA": 0.019}  # fmt: skip


@cache
def quarter_ends() -> Days:
    """The last session of every calendar quarter of the synthetic market."""
    days = session_days()
    quarters = days.astype("datetime64[M]").astype(np.int64) // 3
    last_of_each: Days = days[np.append(np.flatnonzero(np.diff(quarters)), len(days) - 1)]
    return last_of_each


@cache
def _steps(line: str) -> Floats:
    """Shares in each quarter as a multiple of the last one: the step of each quarter end, walked back."""
    change = stream(f"{line} shares").normal(-0.0010, 0.0015, len(quarter_ends()))
    return np.asarray(np.exp(-np.cumsum(change[::-1])[::-1] + change))


def index_shares(line: str, at: Days) -> Floats:
    """Millions of shares in the index on each of `at`, on the split basis of the end of the market."""
    bars = known_bars(line)
    last = _LAST_WEIGHT[line] * INDEX_MILLIONS_PER_POINT * known_bars("SPY")["close"].iloc[-1]
    steps = _steps(line)
    # Weights anchored at a quarter end hold until the next: the step is taken on the quarter end itself.
    quarter = np.clip(np.searchsorted(quarter_ends(), at, side="right") - 1, 0, len(steps) - 1)
    return np.asarray(last / bars["close"].iloc[-1] * steps[quarter])


def weight(line: str, at: Days) -> Floats:
    """A line's share of the index, a fraction, on sessions `at`; TSLA is 0 before it joined."""
    sessions = session_days()
    rows = np.searchsorted(sessions, at)
    price = known_bars(line)["close"].to_numpy()[rows]
    index = known_bars("SPY")["close"].to_numpy()[rows] * INDEX_MILLIONS_PER_POINT
    share = index_shares(line, at) * price / index
    return np.where(at < np.datetime64(TESLA_JOINED), 0.0, share) if line == "TSLA" else share


def outstanding(ticker: str, day: date) -> int | None:
    """Shares as a filing of `day` counts them, later splits undone; None without an index line."""
    if ticker not in LINES or day < session_days()[0].astype(object):
        return None
    bars = known_bars(ticker)
    later = bars.loc[(bars["date"] > np.datetime64(day)) & (bars["splits"] > 0), "splits"]
    millions = float(index_shares(ticker, np.array([day], dtype="datetime64[D]"))[0] / np.prod(later))
    return round(millions * 1000.0) * 1000
