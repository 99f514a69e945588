"""What a sandbox serves: one market, recorded or synthetic, behind one small protocol.

Belongs here: the questions the wires ask of a market.
Does not belong here: wire formats, the clock (a market holds everything it knows; the wires cut it at now).
"""

from typing import Any, Protocol

import pandas as pd


class Market(Protocol):
    """Everything an upstream could be asked, uncut; None is "no such thing here", never an empty guess."""

    label: str
    """`recorded` or `synthetic`; every response carries it in `X-ABRI-Market`."""

    def bars(self, symbol: str) -> pd.DataFrame | None:
        """Daily bars, oldest first: date, open, high, low, close (split-adjusted), adj_close, volume,
        dividends (USD a share, split-adjusted), splits (ratio on the ex-date, else 0)."""
        ...

    def intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        """Bars of `1m`, `5m` or `1h`, oldest first: ts_utc (bar start), open, high, low, close, volume."""
        ...

    def fred(self, series_id: str) -> pd.DataFrame | None:
        """A FRED series, oldest first: observed_on, value (the text on the wire, `.` is missing)."""
        ...

    def companyfacts(self, cik: int) -> dict[str, Any] | None:
        """The companyfacts JSON as data.sec.gov serves it, with every fact ever filed."""
        ...

    def submissions(self, cik: int) -> dict[str, Any] | None:
        """The submissions JSON as data.sec.gov serves it, with every filing."""
        ...

    def reference(self, name: str) -> pd.DataFrame | None:
        """A curated table (weights, gpu_prices, deals, segment_revenue) in the recorded layout."""
        ...

    def crypto(self, pair: str, timeframe: str) -> pd.DataFrame | None:
        """Bars of a spot pair such as `BTCUSDT`, `1d` or `1h`, oldest first: ts_utc (bar start), open, high,
        low, close (in the quote asset), volume (in the base asset)."""
        ...
