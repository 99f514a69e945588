"""A market small enough to reckon by hand, whose events a test sets one by one.

Every symbol trades on every session from 2024-06-03 to 2025-04-30. As traded, a close is 100 + the number of the
session (0, 1, 2 ...), open and low lie 1 below it and high 1 above, volume is 1,000 shares. Splits and dividends
re-base what came before them, as Yahoo does, and the sandbox shows them from their ex-dates on only.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from abri_pipeline.calendars.sessions import sessions

FIRST, LAST = date(2024, 6, 3), date(2025, 4, 30)
ICE = ("BAMLH0A0HYM2", "BAMLC0A4CBBB")


@dataclass
class SmallMarket:
    """`Market` of the sandbox; events are keyed by (symbol, day)."""

    label: str = "recorded"
    unknown: set[str] = field(default_factory=set)
    holes: set[tuple[str, date]] = field(default_factory=set)
    weekends: set[tuple[str, date]] = field(default_factory=set)  # days with a bar although nobody traded
    odd: dict[tuple[str, date], dict[str, float]] = field(default_factory=dict)
    dividends: dict[tuple[str, date], float] = field(default_factory=dict)
    splits: dict[tuple[str, date], float] = field(default_factory=dict)
    series: dict[str, dict[date, str]] = field(default_factory=dict)
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)
    filed: dict[int, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def bars(self, symbol: str) -> pd.DataFrame | None:
        if symbol in self.unknown:
            return None
        days = sessions(FIRST, LAST)
        ratio = [self.splits.get((symbol, day), 0.0) for day in days]
        paid = [self.dividends.get((symbol, day), 0.0) for day in days]
        shares, kept = self._later(ratio, paid)
        close = [(100.0 + row) / shares[row] for row in range(len(days))]
        frame = pd.DataFrame(
            {
                "date": pd.to_datetime(list(days)),
                "open": [price - 1 / n for price, n in zip(close, shares, strict=True)],
                "high": [price + 1 / n for price, n in zip(close, shares, strict=True)],
                "low": [price - 1 / n for price, n in zip(close, shares, strict=True)],
                "close": close,
                "adj_close": [price * k for price, k in zip(close, kept, strict=True)],
                "volume": [round(1000 * n) for n in shares],
                "dividends": [amount / n for amount, n in zip(paid, shares, strict=True)],
                "splits": ratio,
            }
        )
        for (name, day), cells in self.odd.items():
            if name == symbol:
                frame.loc[frame["date"] == pd.Timestamp(day), list(cells)] = list(cells.values())
        for name, day in self.weekends:
            if name == symbol:
                frame = pd.concat([frame, frame.tail(1).assign(date=pd.Timestamp(day))], ignore_index=True)
        frame = frame.sort_values("date", ignore_index=True)
        missing = [pd.Timestamp(day) for name, day in self.holes if name == symbol]
        return frame[~frame["date"].isin(missing)].reset_index(drop=True)

    @staticmethod
    def _later(ratio: list[float], paid: list[float]) -> tuple[list[float], list[float]]:
        """Shares that one share became after each session, and what dividends after it left of the price."""
        shares, kept = [1.0] * len(ratio), [1.0] * len(ratio)
        for row in range(len(ratio) - 2, -1, -1):
            shares[row] = shares[row + 1] * (ratio[row + 1] or 1.0)
            kept[row] = kept[row + 1] * (1 - paid[row + 1] / (100.0 + row))
        return shares, kept

    def intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        return None

    def fred(self, series_id: str) -> pd.DataFrame | None:
        values = self.series.get(series_id)
        if values is None:
            return None
        frame = pd.DataFrame({"observed_on": pd.to_datetime(list(values)), "value": list(values.values())})
        return frame.sort_values("observed_on", ignore_index=True)

    def companyfacts(self, cik: int) -> dict[str, Any] | None:
        return self.facts.get(cik)

    def submissions(self, cik: int) -> dict[str, Any] | None:
        return self.filed.get(cik)

    def reference(self, name: str) -> pd.DataFrame | None:
        return self.tables.get(name)


def close_on(day: date) -> float:
    """The close as traded."""
    return 100.0 + sessions(FIRST, LAST).index(day)


def spread_series(first: date, last: date) -> dict[str, dict[date, str]]:
    """The four FRED series on every session: HY 3.00 %, BBB 1.00 %, Baa 1.50 %, ten-year 4.00 %, rising by .01."""
    days = sessions(first, last)
    starts = {"BAMLH0A0HYM2": 300, "BAMLC0A4CBBB": 100, "BAA10Y": 150, "DGS10": 400}
    return {name: {day: f"{(start + row) / 100:.2f}" for row, day in enumerate(days)} for name, start in starts.items()}
