"""Yahoo as one bar provider among others: a thin coat over `yahoo`, and the reading of its intraday charts.

Belongs here: translation between the common query and frame and Yahoo's own. Does not belong here: the request
(`yahoo`), daily charts with their dividends and splits (`yahoo_chart`).
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from abri_pipeline.providers.bars import BarProvider, BarQuery, bars, instants_of, regular_hours, wire_numbers
from abri_pipeline.providers.errors import Malformed
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import json_object
from abri_pipeline.providers.yahoo import ChartQuery, fetch_chart, parse_chart
from abri_pipeline.providers.yahoo_chart import chart_error

_QUOTE = ("open", "high", "low", "close", "volume")
_NEW_YORK = "America/New_York"
_HALF_HOUR = pd.Timedelta(minutes=30)


class Yahoo(BarProvider):
    """Yahoo's charts: open to close adjusted for splits, adj_close for dividends too (daily bars only).

    Intraday bars reach back 8 days a call and 30 in all (1m), 60 days (5m to 30m) or 730 days (1h). Half hours
    are put together from quarters, since Yahoo answers `30m` with hours.
    """

    name = "yahoo"
    adjustment = "split"
    timeframes = ("1m", "5m", "15m", "30m", "1h", "1d")
    spelling = r"\^?[A-Z0-9][A-Z0-9.\-=&_]{0,29}"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        return (fetch_chart(transport, _chart_query(query)),)

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the one chart of a window; see `BarProvider`."""
        return self.read(bodies, query)[0]

    def read(self, bodies: Sequence[bytes], query: BarQuery) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """The bars of a chart, of a daily one with its dividends and splits."""
        if len(bodies) != 1:
            raise Malformed("yahoo", f"one chart was expected, there are {len(bodies)}")
        if not query.daily:
            return _intraday(bodies[0], query), None
        chart = parse_chart(bodies[0], _chart_query(query))
        return chart.bars, chart.actions


def _chart_query(query: BarQuery) -> ChartQuery:
    interval = "15m" if query.timeframe == "30m" else query.timeframe
    # coins trade by the UTC day, and so are their windows
    zone = "UTC" if query.symbol.endswith("-USD") else _NEW_YORK
    return ChartQuery(query.symbol, query.start, query.end, interval, zone)


def _intraday(body: bytes, query: BarQuery) -> pd.DataFrame:
    """An intraday chart as the common frame; of a stamp sent twice, as the live bar is, the last one counts."""
    found = json_object(body, "yahoo").get("chart")
    if not isinstance(found, dict):
        raise Malformed("yahoo", "the answer holds no chart")
    if found.get("error"):
        raise chart_error(found["error"], query.symbol)
    try:
        result = found["result"][0]
        zone = str(result["meta"]["exchangeTimezoneName"])
        stamps = result.get("timestamp") or []
        quote = result["indicators"]["quote"][0] if stamps else {}
        columns = {name: list(quote[name]) if stamps else [] for name in _QUOTE}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise Malformed(
            "yahoo", f"the chart of {query.symbol} has an unknown shape ({type(error).__name__})"
        ) from error
    if any(len(column) != len(stamps) for column in columns.values()):
        raise Malformed("yahoo", "an array is not as long as the timestamps")
    return _framed(query, stamps, columns, zone)


def _framed(query: BarQuery, stamps: list[Any], columns: dict[str, list[Any]], zone: str) -> pd.DataFrame:
    times = instants_of(stamps, "yahoo", per_second=1)
    last = ~times.duplicated(keep="last")
    kept = {name: wire_numbers(column, "yahoo")[last] for name, column in columns.items()}
    try:
        home = ZoneInfo(zone)
    except (ValueError, OSError) as error:  # OSError: a name that happens to be a folder of the zone database
        raise Malformed("yahoo", f"{zone[:40]!r} is no time zone") from error
    frame = bars("yahoo", query, times[last], kept, zone=home)
    step = pd.Timedelta(minutes=15) if query.timeframe == "30m" else pd.Timedelta(query.step)
    if zone == _NEW_YORK:
        frame = regular_hours(frame, step.to_pytimedelta())
    else:
        frame = frame[frame["datetime"].dt.floor(step) == frame["datetime"]].reset_index(drop=True)
    return _half_hours(frame) if query.timeframe == "30m" else frame


def _half_hours(quarters: pd.DataFrame) -> pd.DataFrame:
    """Half hours of which both quarters are there; a lone quarter would be half of the truth."""
    groups = quarters.groupby(quarters["datetime"].dt.floor(_HALF_HOUR), sort=True)
    frame = groups.agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        adj_close=("adj_close", "last"),
        volume=("volume", "sum"),
        quarters=("datetime", "size"),
    )
    whole = frame[frame["quarters"] == 2].drop(columns="quarters")
    return whole.reset_index()
