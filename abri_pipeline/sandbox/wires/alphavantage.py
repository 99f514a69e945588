"""Alpha Vantage: daily and intraday series as traded; everything it refuses is a text with HTTP 200.

The key decides the plan: one that begins with `premium` opens what the free plan does not give.
"""

from datetime import datetime
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox import asof, minutes
from abri_pipeline.sandbox.market import Market

_COMPACT = 100
_MINUTES = {"1min": 1, "5min": 5, "15min": 15, "30min": 30}
_THANKS = "Thank you for using Alpha Vantage!"
_SUBSCRIBE = (
    "You may subscribe to any of the premium plans at https://www.alphavantage.co/premium/ to instantly unlock all"
    " premium"
)


class _Said(ValueError):
    """A text instead of data."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.body = {name: words}


def routes(market: Market) -> list[Route]:
    """`/alphavantage/query`."""

    async def query(request: Request) -> Response:
        try:
            return JSONResponse(_answer(request, market))
        except _Said as said:
            return JSONResponse(said.body)

    return [Route("/alphavantage/query", query), Route("/alphavantage/{rest:path}", _absent)]


def _answer(request: Request, market: Market) -> dict[str, Any]:
    query, now = request.query_params, clock.now()
    function, symbol, key = query.get("function", ""), query.get("symbol", ""), query.get("apikey", "")
    if not key:
        words = "the parameter apikey is invalid or missing. Please claim your free API key on"
        raise _Said("Error Message", f"{words} (https://www.alphavantage.co/support/#api-key).")
    premium = key.startswith("premium")
    if function == "TIME_SERIES_DAILY":
        if query.get("outputsize") == "full" and not premium:
            words = "The outputsize=full parameter value is a premium feature for the TIME_SERIES_DAILY endpoint."
            raise _Said("Information", f"{_THANKS} {words} {_SUBSCRIBE} features")
        return _daily(market, symbol, now, whole=query.get("outputsize") == "full")
    if function in ("TIME_SERIES_INTRADAY", "TIME_SERIES_DAILY_ADJUSTED") and not premium:
        raise _Said("Information", f"{_THANKS} This is a premium endpoint. {_SUBSCRIBE} endpoints")
    if function == "TIME_SERIES_INTRADAY" and query.get("interval") in _MINUTES:
        return _intraday(market, request, now)
    raise _invalid(function)


def _invalid(function: str) -> _Said:
    words = "Invalid API call. Please retry or visit the documentation (https://www.alphavantage.co/documentation/) for"
    return _Said("Error Message", f"{words} {function}.")


def _daily(market: Market, symbol: str, now: datetime, *, whole: bool) -> dict[str, Any]:
    bars = market.bars(symbol)
    seen = None if bars is None else asof.as_traded(asof.daily(bars, now))
    if seen is None or seen.empty:
        raise _invalid("TIME_SERIES_DAILY")
    if not whole:
        seen = seen.tail(_COMPACT)
    stamps = seen["date"].dt.strftime("%Y-%m-%d").tolist()
    about = {
        "1. Information": "Daily Prices (open, high, low, close) and Volumes",
        "2. Symbol": symbol,
        "3. Last Refreshed": stamps[-1],
        "4. Output Size": "Full size" if whole else "Compact",
        "5. Time Zone": "US/Eastern",
    }
    return {"Meta Data": about, "Time Series (Daily)": _rows(seen, stamps)}


def _intraday(market: Market, request: Request, now: datetime) -> dict[str, Any]:
    query = request.query_params
    symbol, interval = query.get("symbol", ""), query["interval"]
    adjusted = query.get("adjusted", "true") != "false"
    seen = minutes.bars(market, symbol, _MINUTES[interval], now, adjusted=adjusted)
    if seen is None:
        raise _invalid("TIME_SERIES_INTRADAY")
    local = seen["ts_utc"].dt.tz_convert("America/New_York")
    if month := query.get("month"):
        seen, local = seen[local.dt.strftime("%Y-%m") == month], local[local.dt.strftime("%Y-%m") == month]
    if query.get("outputsize") != "full":
        seen, local = seen.tail(_COMPACT), local.tail(_COMPACT)
    stamps = local.dt.strftime("%Y-%m-%d %H:%M:%S").tolist()
    about = {
        "1. Information": f"Intraday ({interval}) open, high, low, close prices and volume",
        "2. Symbol": symbol,
        "3. Last Refreshed": stamps[-1] if stamps else "",
        "4. Interval": interval,
        "5. Output Size": "Full size" if query.get("outputsize") == "full" else "Compact",
        "6. Time Zone": "US/Eastern",
    }
    return {"Meta Data": about, f"Time Series ({interval})": _rows(seen, stamps)}


def _rows(seen: pd.DataFrame, stamps: list[str]) -> dict[str, dict[str, str]]:
    """Newest first, every number a text."""
    found = {}
    for stamp, bar in zip(reversed(stamps), seen.iloc[::-1].to_dict("records"), strict=True):
        prices = {f"{n}. {name}": f"{bar[name]:.4f}" for n, name in enumerate(asof.PRICES, start=1)}
        found[stamp] = {**prices, "5. volume": str(int(bar["volume"]))}
    return found


async def _absent(_: Request) -> Response:
    return Response("Not Found", status_code=404, media_type="text/plain")
