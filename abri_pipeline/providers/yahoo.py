"""Daily bars, dividends and splits from Yahoo's chart wire, asked through yfinance.

Belongs here: the query, the seam under yfinance, the names of Yahoo's errors. Does not belong here: HTTP
(transport), reading of the bytes (`yahoo_chart`).

`yfinance.Ticker.history` builds and sends the request through a `session=` of ours, which hands it to the
transport. Once the chart's bytes are in hand we leave yfinance: they are archived and read by our own parser,
a hundred times faster and without the module-wide response cache that would answer a second fetch with old bytes.
"""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from abri_pipeline.providers.errors import Absent, BadRequest, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.yahoo_chart import Chart, parse_chart

__all__ = ["Chart", "ChartQuery", "fetch_chart", "parse_chart"]

_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=&_]{0,29}")
# not 30m: Yahoo answers it with hours, so halves are put together from quarters (`yahoo_bars`)
INTERVALS = ("1d", "1m", "5m", "15m", "1h")
_CHART = "/v8/finance/chart/"


@dataclass(frozen=True, slots=True)
class ChartQuery:
    """Bars of one symbol over a window.

    Attributes:
        symbol: Yahoo's own name, such as `NVDA`, `BRK-B`, `^GSPC`, `GC=F`.
        start: first session wanted.
        end: last session wanted, inclusive.
        interval: `1d`, which `parse_chart` reads, or one of the intraday ones of `yahoo_bars`.
        timezone: zone in which `start` and `end` are days.

    Raises:
        BadRequest: on a symbol that cannot be Yahoo's, a window that ends before it starts, another interval.
    """

    symbol: str
    start: date
    end: date
    interval: str = "1d"
    timezone: str = "America/New_York"

    def __post_init__(self) -> None:
        if not _SYMBOL.fullmatch(self.symbol):
            shown = self.symbol if len(self.symbol) <= 40 else self.symbol[:40] + "…"
            raise BadRequest("yahoo", f"{shown!r} is no Yahoo symbol; write it as NVDA, BRK-B or ^GSPC")
        if self.end < self.start:
            raise BadRequest("yahoo", f"the window ends ({self.end}) before it starts ({self.start})")
        if self.interval not in INTERVALS:
            raise BadRequest("yahoo", f"interval {self.interval!r} is not read here; ask for {', '.join(INTERVALS)}")


def fetch_chart(transport: Transport, query: ChartQuery) -> Payload:
    """Yahoo's chart of one symbol, as sent: one upstream request, safe in threads.

    Raises:
        Absent: Yahoo does not know the symbol, or has nothing in the window.
        UpstreamError: any other branch of the tree.
    """
    yfinance = _yfinance()
    call = _Call(transport, query)
    token = _CALL.set(call)
    zone = ZoneInfo(query.timezone)
    try:
        yfinance.Ticker(query.symbol, session=_session()).history(
            start=datetime.combine(query.start, time.min, zone),
            end=datetime.combine(query.end + timedelta(days=1), time.min, zone),  # yfinance excludes the end
            interval=query.interval,
            auto_adjust=False,
            actions=True,
            repair=False,  # it invents splits, such as GME's of 2021-01
        )
    except _BytesInHand as done:
        return done.payload
    finally:
        _CALL.reset(token)
    raise AssertionError("unreachable: yfinance returned without having asked for the chart")


@dataclass(frozen=True, slots=True)
class _Call:
    """What one thread is fetching."""

    transport: Transport
    query: ChartQuery


class _BytesInHand(Exception):
    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        super().__init__(payload.url)


# yfinance keeps one session for all threads, so the session cannot know whose request it carries: this does
_CALL: ContextVar[_Call] = ContextVar("yahoo_call")


@dataclass(frozen=True, slots=True)
class _Reply:
    """As much of an HTTP answer as yfinance looks at before the chart arrives."""

    url: str
    text: str
    payload: dict[str, Any]
    status_code: int = 200

    def json(self) -> dict[str, Any]:
        """The answer as JSON."""
        return self.payload


def _answer(url: str, params: dict[str, Any]) -> _Reply:
    """Answer one request of yfinance: cookie, crumb and zone here, the chart by the transport."""
    call = _CALL.get()
    path = urlsplit(url).path
    if not path.startswith(_CHART):
        # the chart wire needs neither cookie nor crumb: no request is spent on them
        return _Reply(url, "none", {})
    if "range" in params:  # yfinance asks for the zone of the symbol; the window's instants are already exact
        meta = {"exchangeTimezoneName": call.query.timezone}
        return _Reply(url, "", {"chart": {"result": [{"meta": meta}], "error": None}})
    wanted = {k: v for k, v in params.items() if k != "crumb"}
    try:
        payload = call.transport.get("yahoo", _CHART + quote(call.query.symbol, safe=""), wanted)
    except UpstreamError as error:
        _explain(error, call.query)
    raise _BytesInHand(payload)


def _explain(error: UpstreamError, query: ChartQuery) -> NoReturn:
    """Raise a failed chart request again, in the words of Yahoo's own error where it gave one."""
    window = f"{query.start}..{query.end}"
    if isinstance(error, Absent):
        raise error.told_as(
            Absent, f"does not know {query.symbol}: check the symbol, it may be renamed or delisted"
        ) from error
    if isinstance(error, BadRequest) and "data doesn't exist" in error.detail.lower():
        raise error.told_as(Absent, f"has no data for {query.symbol} in {window}") from error
    if isinstance(error, BadRequest) and error.status is not None:
        raise error.told_as(
            BadRequest, f"does not serve {query.symbol} for {window} (it says: {error.detail})"
        ) from error
    raise error


@lru_cache(maxsize=1)
def _yfinance() -> Any:
    """The client, once, with its errors shown and its caches off."""
    import yfinance

    yfinance.config.debug.hide_exceptions = False
    # It would keep zones and cookies in SQLite files in the user's home. No folder can be made below the null
    # device, and without a folder it does without a cache: nothing is written, no two threads share a file.
    yfinance.set_tz_cache_location(os.path.join(os.devnull, "yfinance"))  # noqa: PTH118 - yfinance wants a str
    return yfinance


@lru_cache(maxsize=1)
def _session() -> Any:
    """The session that yfinance accepts, carrying every request to `_answer`."""
    from curl_cffi.requests import Session

    class Adapter(Session):  # type: ignore[type-arg]  # its own parameter is the response class, unused here
        def request(self, method: str, url: str, params: Any = None, **_: Any) -> Any:  # type: ignore[override]  # yfinance uses these three
            return _answer(url, dict(params or {}))

    return Adapter()
