"""The body of Yahoo's v8 chart, field by field as recorded: meta, timestamp, events, indicators."""

import json
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from abri_pipeline.sandbox import asof, minutes
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import yahoo_meta
from abri_pipeline.sandbox.wires.yahoo_meta import NEW_YORK

QUOTE = ["open", "high", "low", "close", "volume"]
Stamps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """One symbol at one instant: its closed daily bars and the whole history they were cut from."""

    market: Market
    symbol: str
    now: datetime
    daily: pd.DataFrame
    whole: pd.DataFrame

    @classmethod
    def of(cls, market: Market, symbol: str, now: datetime) -> "Source | None":
        """The symbol's source; None where it is unknown or has not traded yet."""
        whole = market.bars(symbol)
        if whole is None:
            return None
        daily = asof.daily(whole, now)
        return None if daily.empty else cls(market, symbol, now, daily, whole)

    @property
    def last_open(self) -> int:
        """The stamp of the newest daily bar."""
        return int(opens(self.daily["date"].iloc[-1:])[0])

    def intraday(self, interval: str) -> pd.DataFrame | None:
        """Closed intraday bars on today's split basis."""
        if interval == "15m":
            return minutes.bars(self.market, self.symbol, 15, self.now)
        frame = self.market.intraday(self.symbol, interval)
        if frame is None:
            return None
        split = asof.basis(self.whole, self.daily["date"].iloc[-1]).split
        return asof.intraday(frame, interval, self.now, split)


def opens(days: "pd.Series[Any]") -> Stamps:
    """Daily stamps: 09:30 New York in epoch seconds, as Yahoo stamps a session."""
    wall = pd.DatetimeIndex(days) + pd.Timedelta(hours=9, minutes=30)
    return _epochs(wall.tz_localize(NEW_YORK))


def _epochs(instants: pd.DatetimeIndex) -> Stamps:
    seconds: Stamps = instants.tz_convert("UTC").as_unit("s").asi8
    return seconds


def body(source: Source, interval: str, window: tuple[int, int], asked: str, events: str) -> bytes:
    """The chart as bytes.

    Args:
        source: the symbol as of now.
        interval: `1d`, `1m`, `5m`, `15m` or `1h`.
        window: period1 and period2 in epoch seconds, the second one exclusive.
        asked: the `range` of the request, for the meta ('' where it gave periods).
        events: the request's `events`; what it does not name is left out.
    """
    frame = source.daily if interval == "1d" else source.intraday(interval)
    stamps = _stamps(frame, interval)
    first, last = (int(place) for place in np.searchsorted(stamps, window))
    result: dict[str, Any] = {"meta": _meta(source, interval, asked, stamps, (first, last))}
    if frame is None or last <= first:
        result["indicators"] = {"quote": [{}]} if interval != "1d" else {"quote": [{}], "adjclose": [{}]}
        return _encoded(result)
    cut = frame.iloc[first:last]
    result["timestamp"] = stamps[first:last].tolist()
    if interval == "1d" and (found := _events(cut, result["timestamp"], events)):
        result["events"] = found
    result["indicators"] = {"quote": [{name: _values(cut[name]) for name in QUOTE}]}
    if interval == "1d":
        result["indicators"]["adjclose"] = [{"adjclose": _values(cut["adj_close"])}]
    return _encoded(result)


def _stamps(frame: pd.DataFrame | None, interval: str) -> Stamps:
    if frame is None:
        return np.array([], dtype=np.int64)
    return opens(frame["date"]) if interval == "1d" else _epochs(pd.DatetimeIndex(frame["ts_utc"]))


def _values(column: "pd.Series[Any]") -> list[Any]:
    """A column for JSON; a hole in the market is a null on the wire."""
    if column.isna().any():
        return [None if pd.isna(value) else value for value in column.tolist()]
    values: list[Any] = column.tolist()
    return values


def _encoded(result: dict[str, Any]) -> bytes:
    chart = {"chart": {"result": [result], "error": None}}
    return json.dumps(chart, separators=(",", ":"), allow_nan=False).encode()


def _events(cut: pd.DataFrame, stamps: list[int], asked: str) -> dict[str, Any]:
    """Dividends and splits of the window, keyed by the stamp of their ex-date."""
    found: dict[str, Any] = {}
    if "div" in asked:
        paid = zip(stamps, cut["dividends"].tolist(), strict=True)
        if dividends := {str(at): {"amount": amount, "date": at} for at, amount in paid if amount}:
            found["dividends"] = dividends
    if "split" in asked:
        ratios = zip(stamps, cut["splits"].tolist(), strict=True)
        if splits := {str(at): _split(at, ratio) for at, ratio in ratios if ratio}:
            found["splits"] = splits
    return found


def _split(at: int, ratio: float) -> dict[str, Any]:
    """A split as numerator and denominator: 10 is 10:1, 0.1 is 1:10, a spin-off's 1.175 is 47:40."""
    exact = Fraction(ratio).limit_denominator(10_000)
    top, bottom = exact.numerator, exact.denominator
    return {"date": at, "numerator": top, "denominator": bottom, "splitRatio": f"{top}:{bottom}"}


def _meta(source: Source, interval: str, asked: str, stamps: Stamps, place: tuple[int, int]) -> dict[str, Any]:
    """The meta of the window at rows `place`; only intraday charts with bars list their trading periods."""
    first, last = place
    found = {
        **yahoo_meta.quote(source.symbol, source.daily, source.now),
        "chartPreviousClose": _previous_close(source.daily, stamps[first:last], interval, first),
        "currentTradingPeriod": yahoo_meta.current_periods(source.now),
        "dataGranularity": interval,
        "range": asked,
        "validRanges": yahoo_meta.VALID_RANGES,
    }
    if interval != "1d" and last > first:
        found["tradingPeriods"] = yahoo_meta.trading_periods(stamps[first:last].tolist())
    return found


def _previous_close(daily: pd.DataFrame, stamps: Stamps, interval: str, first: int) -> float:
    """The close before the window; the first open where history begins in it, the newest close where it is empty."""
    before = first
    if interval != "1d" and not len(stamps):
        before = len(daily)
    elif interval != "1d":
        # The session of the first bar opened at or before it, so the one before that is one row back.
        before = int(np.searchsorted(opens(daily["date"]), stamps[0], side="right")) - 1
    row, column = (before - 1, "close") if before > 0 else (0, "open")
    return float(daily[column].tolist()[row])
