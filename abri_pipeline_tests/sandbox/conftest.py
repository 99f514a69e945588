"""A market small enough to check by hand, and a client of the sandbox that serves it."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pandas as pd
import pytest

from abri_pipeline.calendars import sessions
from abri_pipeline.sandbox.server import running

SPLIT_ON, PAID_ON = date(2024, 6, 10), date(2024, 6, 20)


class HandMarket:
    """UP trades 2024-06-03..07-05, splits 10:1 on 06-10 and pays 0.10 on 06-20; LATE lists on 06-24.

    Close is 100 + row number before any adjustment after the split (files are as of the end), volume 1,000
    times the row number plus one. 2024-07-03 is a half day.
    """

    label = "synthetic"

    def bars(self, symbol: str) -> pd.DataFrame | None:
        if symbol not in ("UP", "LATE"):
            return None
        days = list(sessions.sessions(date(2024, 6, 3 if symbol == "UP" else 24), date(2024, 7, 5)))
        close = [100.0 + row for row in range(len(days))]
        before = [day < PAID_ON for day in days]
        factor = 1 - 0.10 / close[days.index(PAID_ON) - 1] if PAID_ON in days else 1.0
        return pd.DataFrame(
            {
                "date": pd.to_datetime(days),
                "open": close,
                "high": [price + 1 for price in close],
                "low": [price - 1 for price in close],
                "close": close,
                "adj_close": [price * (factor if early else 1) for price, early in zip(close, before, strict=True)],
                "volume": [1000 * (row + 1) for row in range(len(days))],
                "dividends": [0.10 if day == PAID_ON else 0.0 for day in days],
                "splits": [10.0 if day == SPLIT_ON else 0.0 for day in days],
            }
        )

    def intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        if symbol != "UP" or interval not in ("1m", "1h"):
            return None
        # The hours of 2024-06-27, a whole session: 09:30 New York is 13:30 UTC; the last hour is half an hour.
        steps = {"1m": pd.Timedelta(minutes=1), "1h": pd.Timedelta(hours=1)}
        starts = pd.date_range("2024-06-27T13:30Z", "2024-06-27T19:59Z", freq=steps[interval])
        prices = {name: [10.0] * len(starts) for name in ("open", "high", "low", "close")}
        return pd.DataFrame({"ts_utc": starts, **prices, "volume": [7] * len(starts)})

    def crypto(self, pair: str, timeframe: str) -> pd.DataFrame | None:
        """UPUSDT from 2024-12-25 to 2025-01-05 UTC, close 50 + row number; ONLYDAYS has no hours."""
        if (pair, timeframe) not in (("UPUSDT", "1d"), ("UPUSDT", "1h"), ("ONLYDAYS", "1d")):
            return None
        freq = {"1d": "D", "1h": "h"}[timeframe]
        times = pd.date_range("2024-12-25", "2025-01-05T23:00", freq=freq, tz="UTC")
        close = [50.0 + row for row in range(len(times))]
        prices = {"open": close, "high": [p + 1 for p in close], "low": [p - 1 for p in close], "close": close}
        return pd.DataFrame({"ts_utc": times, **prices, "volume": [1.5] * len(times)})

    def fred(self, series_id: str) -> pd.DataFrame | None:
        tables = {
            "UNRATE": ["2024-04-01,3.9", "2024-05-01,4.0", "2024-06-01,4.1"],
            "BAMLH0A0HYM2": ["2019-06-03,4.5", "2024-06-26,3.2", "2024-06-27,.", "2024-06-28,3.3"],
            "NORULE": ["2024-06-03,1"],
        }
        if series_id not in tables:
            return None
        cells = [row.split(",") for row in tables[series_id]]
        frame = pd.DataFrame(cells, columns=["observed_on", "value"])
        return frame.assign(observed_on=pd.to_datetime(frame["observed_on"]))

    def companyfacts(self, cik: int) -> dict[str, Any] | None:
        if cik != 42:
            return None
        old = {"end": "2024-03-31", "val": 1, "accn": "a", "filed": "2024-05-02", "form": "10-Q"}
        new = {"end": "2024-06-30", "val": 2, "accn": "b", "filed": "2024-07-01", "form": "10-Q"}
        concepts = {
            "Assets": {"label": "Assets", "units": {"USD": [old, new]}},
            "Debt": {"label": "Debt", "units": {"USD": [new]}},
        }
        return {"cik": 42, "entityName": "UP", "facts": {"us-gaap": concepts, "dei": {"Shares": concepts["Debt"]}}}

    def submissions(self, cik: int) -> dict[str, Any] | None:
        if cik != 42:
            return None
        recent = {
            "accessionNumber": ["b", "a"],
            "filingDate": ["2024-07-01", "2024-05-02"],
            "acceptanceDateTime": ["2024-07-01T20:05:00.000Z", "2024-05-02T20:05:00.000Z"],
            "form": ["10-Q", "10-Q"],
        }
        return {"cik": "42", "name": "UP", "filings": {"recent": recent, "files": [{"name": "older.json"}]}}

    def reference(self, name: str) -> pd.DataFrame | None:
        tables = {
            "weights": {"effective_date": ["2024-03-31", "2024-06-30"], "available_at": ["2024-04-01", "2024-07-01"]},
            "gpu_prices": {"date": ["2024-06-24", "2024-07-01"], "price": ["2.5", "2.4"]},
            "deals": {
                "announced_date": ["2024-06-03", "2024-06-03"],
                "company": ["day", "month"],
                "date_precision": ["day", "month"],
            },
            "segment_revenue": {"period_end": ["2024-03-31", "2024-06-30"], "revenue_usd_millions": ["1", "2"]},
        }
        return pd.DataFrame(tables[name]) if name in tables else None


@pytest.fixture(scope="session")
def hand_market() -> HandMarket:
    return HandMarket()


@pytest.fixture(scope="session")
def sandbox(hand_market: HandMarket) -> Iterator[httpx.Client]:
    """A client of one sandbox over the hand-made market; `ABRI_NOW` of the test decides its answers."""
    with running(hand_market) as base, httpx.Client(base_url=base) as client:
        yield client


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Moves the frozen clock."""

    def move(instant: str) -> None:
        monkeypatch.setenv("ABRI_NOW", instant)

    return move
