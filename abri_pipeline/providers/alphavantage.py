"""Equity bars from Alpha Vantage: 25 calls a day on the free plan.

Belongs here: the query, the texts behind which it hides every limit, reading of its JSON.
Does not belong here: HTTP (transport), the plan's limits (`providers.yaml`).

Every limit and entitlement arrives with HTTP 200 as `Information`, `Note` or `Error Message`; the text decides,
and texts about rates are told first, since they advertise the premium plans too. The free plan gives the newest
100 sessions (`compact`); intraday bars, asked a month at a time, need a paid one. Prices are as traded.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from abri_pipeline.providers.bars import NEW_YORK, BarProvider, BarQuery, bars, regular_hours
from abri_pipeline.providers.errors import Absent, BadRequest, Malformed, RateLimited, Refused, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import json_object, numbers

_INTERVALS = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min"}
_COLUMNS = {"open": "1. open", "high": "2. high", "low": "3. low", "close": "4. close", "volume": "5. volume"}
_RATE = ("rate limit", "call frequency", "requests per day", "calls per day", "calls per minute", "sparingly")
_PLAN = ("premium", "subscribe", "entitle")
_ZONE = "US/Eastern"


class AlphaVantage(BarProvider):
    """Alpha Vantage's daily and intraday series, as traded: a split shows as a jump.

    Hours are not served: whether its first hour begins at 09:00 or 09:30 is nowhere stated.
    """

    name = "alphavantage"
    adjustment = "none"
    timeframes = (*_INTERVALS, "1d")
    key = "ALPHAVANTAGE_API_KEY"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        secret = self._secret(transport)
        found = []
        for asked in _requests(query):
            payload = transport.get("alphavantage", "/query", {**asked, "datatype": "json", "apikey": secret})
            # a limit is no transport error here; without this look a spent quota would be archived as data
            _series(payload.body, query)
            found.append(payload)
        return tuple(found)

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the pages of one window; see `BarProvider`. Texts that are no number are missing."""
        if not query.daily and len(bodies) != len(_months(query)):
            raise Malformed("alphavantage", "a month of the window has no page")
        rows: dict[str, Any] = {}
        for body in bodies:
            page = _series(body, query)
            if rows.keys() & page.keys():
                raise Malformed("alphavantage", "a bar came twice: pages overlap; nothing of them is used")
            rows |= page
        try:
            texts = {ours: [row[theirs] for row in rows.values()] for ours, theirs in _COLUMNS.items()}
        except (KeyError, TypeError) as error:
            raise Malformed("alphavantage", f"a bar of {query.symbol} lacks a column ({error})") from error
        if not all(isinstance(text, str) for column in texts.values() for text in column):
            raise Malformed("alphavantage", "a price or volume is no text, as this wire sends them")
        columns = {name: numbers(pd.Series(column, dtype="str")) for name, column in texts.items()}
        frame = bars("alphavantage", query, _times(list(rows), query), columns)
        return frame if query.daily else regular_hours(frame, query.step)


def _requests(query: BarQuery) -> list[dict[str, str]]:
    """The parameters of each request that a window takes."""
    if query.daily:
        return [{"function": "TIME_SERIES_DAILY", "symbol": query.symbol, "outputsize": "compact"}]
    asked = {
        "function": "TIME_SERIES_INTRADAY",
        "symbol": query.symbol,
        "interval": _INTERVALS[query.timeframe],
        "adjusted": "false",
        "extended_hours": "false",
        "outputsize": "full",
    }
    return [{**asked, "month": month} for month in _months(query)]


def _months(query: BarQuery) -> list[str]:
    """The calendar months that a window touches, as `2024-06`."""
    first, found = query.start.replace(day=1), []
    while first <= query.end:
        found.append(f"{first:%Y-%m}")
        first = (first + timedelta(days=32)).replace(day=1)
    return found


def _series(body: bytes, query: BarQuery) -> dict[str, Any]:
    """Bars by their stamps, or the error that the answer is."""
    found = json_object(body, "alphavantage")
    for name in ("Information", "Note", "Error Message"):
        if name in found:
            raise _told(name, str(found[name])[:300], query)
    name = "Time Series (Daily)" if query.daily else f"Time Series ({_INTERVALS[query.timeframe]})"
    series, about = found.get(name), found.get("Meta Data")
    if not isinstance(series, dict) or not isinstance(about, dict):
        # an empty object was seen in the wild for symbols without data; it is no proof of absence
        raise Malformed(
            "alphavantage", f"the answer holds no {name!r}; it has {', '.join(sorted(found))[:80] or 'nothing'}"
        )
    symbol = about.get("2. Symbol")
    if symbol not in (None, query.symbol):
        raise Malformed("alphavantage", f"the answer is of {str(symbol)[:20]!r}, not of {query.symbol}")
    zone = next((about[key] for key in about if key.endswith("Time Zone")), None)
    if zone not in (None, _ZONE):
        raise Malformed("alphavantage", f"stamps are in {str(zone)[:30]!r}, not in {_ZONE}")
    return series


def _told(name: str, words: str, query: BarQuery) -> UpstreamError:
    """The branch that a text stands for; rate before plan, as both mention the premium plans."""
    said, told = f"(it says: {words})", words.lower()
    if any(sign in told for sign in _RATE):
        return RateLimited("alphavantage", f"the calls of the plan are spent; run again tomorrow {said}", detail=words)
    if "apikey" in told or "api key" in told:
        return Refused("alphavantage", f"does not accept the key: check ALPHAVANTAGE_API_KEY {said}", detail=words)
    if any(sign in told for sign in _PLAN):
        return Refused("alphavantage", f"the plan does not include it {said}", detail=words)
    if name == "Error Message" and "invalid api call" in told:
        # its answer to an unknown symbol; a wrong parameter would get the same words, and we send none
        return Absent("alphavantage", f"does not know {query.symbol}; check the symbol {said}", detail=words)
    if name == "Error Message":
        return BadRequest("alphavantage", f"does not accept the request {said}", detail=words)
    return Malformed("alphavantage", f"a note of unknown kind {said}")


def _times(stamps: list[str], query: BarQuery) -> pd.DatetimeIndex:
    """Days, or the UTC instants of New York's wall clock."""
    try:
        if query.daily:
            return pd.DatetimeIndex(pd.to_datetime(stamps, format="%Y-%m-%d")).as_unit("us")
        local = pd.DatetimeIndex(pd.to_datetime(stamps, format="%Y-%m-%d %H:%M:%S")).as_unit("us")
        return local.tz_localize(NEW_YORK).tz_convert("UTC")
    except (ValueError, OverflowError) as error:  # also an hour that the change of clocks skips or repeats
        raise Malformed("alphavantage", f"a stamp is no time ({str(error)[:80]})") from error
