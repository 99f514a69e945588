"""The meta of Yahoo's chart: what the exchange is, where it stands, and its hours."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from abri_pipeline.calendars import new_york, sessions

NEW_YORK = ZoneInfo("America/New_York")
VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
# Yahoo states the kind of every symbol; the funds that the platform follows are ETFs, suffixes tell the rest.
_FUNDS = frozenset({"SPY", "QQQ", "XLK", "TQQQ", "SOXL", "TECL"})


def quote(symbol: str, daily: pd.DataFrame, now: datetime) -> dict[str, Any]:
    """The fields that do not depend on the window.

    `firstTradeDate` is the first bar that the market holds. Names are the symbol: a market records no others.
    """
    last = daily.iloc[-1]
    year = daily[daily["date"] > last["date"] - pd.Timedelta(days=365)]
    zone = _zone(now)
    return {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": _kind(symbol),
        "firstTradeDate": _opening(daily["date"].iloc[0]),
        "regularMarketTime": int(sessions.closes_at(sessions.last_closed(now)).timestamp()),
        "hasPrePostMarketData": False,
        "gmtoffset": zone["gmtoffset"],
        "timezone": zone["timezone"],
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": float(last["close"]),
        "fiftyTwoWeekHigh": float(year["high"].max()),
        "fiftyTwoWeekLow": float(year["low"].min()),
        "regularMarketDayHigh": float(last["high"]),
        "regularMarketDayLow": float(last["low"]),
        "regularMarketVolume": int(last["volume"]),
        "longName": symbol,
        "shortName": symbol,
        "priceHint": 2,
    }


def current_periods(now: datetime) -> dict[str, Any]:
    """Pre, regular and post hours of the newest closed session, in epoch seconds."""
    session = sessions.last_closed(now)
    opened, closed = sessions.opens_at(session), sessions.closes_at(session)
    early, late = new_york.instant(session, time(4)), new_york.instant(session, time(20))
    return {
        "pre": _period(early, opened),
        "regular": _period(opened, closed),
        "post": _period(closed, late),
    }


def trading_periods(stamps: list[int]) -> list[list[dict[str, Any]]]:
    """The regular hours of every session that the stamps fall into, one list a session, as Yahoo nests them."""
    days = sorted({datetime.fromtimestamp(stamp, NEW_YORK).date() for stamp in stamps})
    return [[_period(sessions.opens_at(day), sessions.closes_at(day))] for day in days if sessions.is_session(day)]


def _period(start: datetime, end: datetime) -> dict[str, Any]:
    return {**_zone(start), "start": int(start.timestamp()), "end": int(end.timestamp())}


def _zone(instant: datetime) -> dict[str, Any]:
    """New York's zone name and offset at an instant."""
    local = instant.astimezone(NEW_YORK)
    offset = local.utcoffset() or timedelta()  # never None in a zone; the type cannot say so
    return {"timezone": f"{local:%Z}", "gmtoffset": int(offset.total_seconds())}


def _opening(day: pd.Timestamp) -> int:
    """09:30 New York of a day, in epoch seconds: the stamp of its bar."""
    return int(new_york.instant(day.date(), time(9, 30)).timestamp())


def _kind(symbol: str) -> str:
    if symbol in _FUNDS:
        return "ETF"
    if symbol.endswith("=F"):
        return "FUTURE"
    if symbol.startswith("^") or symbol == "DX-Y.NYB":
        return "INDEX"
    return "CRYPTOCURRENCY" if symbol.endswith("-USD") else "EQUITY"
