"""What the acceptance kit asks of every provider of bars, and what a vendor must tell about itself to be asked.

A vendor writes the same bars in its own wire, shaped as recorded, and says with which answers it signals limits,
entitlements and unknown names. Where a vendor has no such case it says why in `lacks`: no cell stays empty.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pandas as pd

from abri_pipeline.providers.bars import BarProvider, BarQuery
from abri_pipeline.providers.errors import UpstreamError

NEW_YORK = ZoneInfo("America/New_York")

QUESTIONS = {
    "valid_page": "bars of a sound answer arrive as sent",
    "paging": "a window of several pages arrives whole",
    "pages_overlap": "a bar on two pages is refused",
    "pages_loop": "pages that lead back to one another are refused",
    "page_missing": "half of the pages is nothing",
    "empty": "an empty window gives no bars and no error, or is absent",
    "unknown_symbol": "an unknown name is absent",
    "rate_limit": "a limit is told as one, with its waiting time",
    "entitlement": "what the plan does not include is refused",
    "html_200": "a web page with status 200 is refused",
    "truncation": "an answer cut short gives no bars",
    "wrong_types": "a cell that is no number never becomes one",
    "huge_numbers": "large and small numbers keep their digits, numbers beyond any are refused or missing",
    "dst_daily": "days around the changes of clocks stay on their dates",
    "dst_intraday": "minutes around the changes of clocks stay on their instants",
    "split": "prices around a split are adjusted as declared",
    "bom": "a byte-order mark is refused",
    "invalid_utf8": "bytes that are no text are refused",
    "unknown_shape": "a sound answer of another shape is refused",
    "outside_window": "bars that were not asked for are dropped",
    "no_key": "without its key nothing is asked",
    "key_hidden": "the key is in no address, error or log",
    "foreign_symbol": "names that cannot be the vendor's are not asked for",
    "timeframe": "a timeframe that is not served is not asked for",
    "purity": "the same bytes give the same bars",
}


@dataclass(frozen=True)
class Bar:
    """One bar; `at` is a day, or an instant for minutes."""

    at: date | datetime
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any


@dataclass(frozen=True)
class Signal:
    """How a vendor says no: status, body, headers (underscores for dashes), and the branch that it stands for."""

    body: bytes
    branch: type[UpstreamError]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


# AAPL as traded in January 2023, from the recorded page in OpenBB's test of Polygon's aggregates
PRICES = (
    (130.28, 130.9, 124.17, 125.07, 112117471),
    (126.89, 128.6557, 125.08, 126.36, 89100633),
    (127.13, 127.77, 124.76, 125.02, 80716808),
    (126.01, 130.29, 124.89, 129.62, 87754715),
    (130.465, 133.41, 129.89, 130.15, 70790813),
    (130.26, 131.2636, 128.12, 130.73, 63896155),
)
DAYS = tuple(date(2023, 1, d) for d in (3, 4, 5, 6, 9, 10))
JANUARY = tuple(Bar(day, *prices) for day, prices in zip(DAYS, PRICES, strict=True))


class Vendor(ABC):
    """One provider with the wire of its upstream."""

    provider: ClassVar[BarProvider]
    symbol: ClassVar[str]
    keys: ClassVar[Mapping[str, str]] = {}
    lacks: ClassVar[Mapping[str, str]] = {}
    signals: ClassVar[Mapping[str, Sequence[Signal]]] = {}
    absent_when_empty: ClassVar[bool] = False
    crypto: ClassVar[bool] = False
    minutes: ClassVar[str | None] = "5m"
    asks: ClassVar[Mapping[str, str]] = {}

    def query(self, bars: Sequence[Bar] = JANUARY, timeframe: str = "1d") -> BarQuery:
        """The window from the first bar's day to the last one's."""
        days = [self.day(bar) for bar in bars]
        return BarQuery(self.symbol, min(days), max(days), timeframe)

    def day(self, bar: Bar) -> date:
        """The exchange's day of a bar."""
        return bar.at.astimezone(UTC if self.crypto else NEW_YORK).date() if isinstance(bar.at, datetime) else bar.at

    @abstractmethod
    def encode(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        """The texts of the answers that hold these bars."""

    def serve(self, upstream: Any, bodies: Sequence[bytes], answer: Callable[..., Any], query: BarQuery) -> None:
        """Let the server give these answers, one after another."""
        del query
        upstream.will(*[answer(body) for body in bodies])

    def pages(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        """The answers of a window that takes several requests."""
        raise NotImplementedError(query, bars)

    def overlap(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        """The same with a bar on two pages."""
        raise NotImplementedError(query, bars)

    def loop(self, bars: Sequence[Bar], query: BarQuery) -> list[bytes]:
        """Answers that never end."""
        raise NotImplementedError(query, bars)

    def many(self) -> tuple[Sequence[Bar], BarQuery]:
        """Bars that take several pages, and their query."""
        return JANUARY, self.query()

    def empty(self, query: BarQuery) -> list[list[bytes]]:
        """Every way in which the vendor says that a window is empty, each as its answers."""
        raise NotImplementedError(query)


def stamp(at: date | datetime) -> datetime:
    """New York's midnight of a day, or the instant."""
    return at if isinstance(at, datetime) else datetime.combine(at, time(), NEW_YORK)


def sessions_around(change: date) -> tuple[Bar, ...]:
    """A week of days around a change of clocks (the Sunday `change`)."""
    days = [change + timedelta(days=n) for n in (-3, -2, 1, 2)]
    return tuple(Bar(day, *PRICES[n]) for n, day in enumerate(days))


def minutes_around(change: date) -> tuple[Bar, ...]:
    """The first two five-minute bars of the sessions before and after a change of clocks."""
    found = []
    for n, offset in enumerate((-2, 1)):
        opening = datetime.combine(change + timedelta(days=offset), time(9, 30), NEW_YORK)
        found += [Bar((opening + timedelta(minutes=5 * k)).astimezone(UTC), *PRICES[2 * n + k]) for k in (0, 1)]
    return tuple(found)


def expected(bars: Sequence[Bar], query: BarQuery, *, crypto: bool = False) -> pd.DataFrame:
    """The frame that these bars must become, without `adj_close`."""
    if query.daily:
        times = pd.DatetimeIndex([pd.Timestamp(bar.at) for bar in bars]).as_unit("us")
    else:
        times = pd.DatetimeIndex([pd.Timestamp(bar.at) for bar in bars]).tz_convert("UTC").as_unit("us")
    frame = pd.DataFrame({"date" if query.daily else "datetime": times})
    for name in ("open", "high", "low", "close"):
        frame[name] = pd.Series([getattr(bar, name) for bar in bars], dtype="float64")
    volumes = [bar.volume for bar in bars]
    frame["volume"] = pd.Series(volumes, dtype="float64") if crypto else pd.array(volumes, dtype="Int64")
    return frame.sort_values(frame.columns[0], ignore_index=True)
