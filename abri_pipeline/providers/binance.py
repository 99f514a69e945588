"""Crypto bars from Binance's public klines, asked through ccxt.

Belongs here: the seam under ccxt, paging, Binance's error codes. Does not belong here: HTTP (transport),
reading of the rows (`klines`), old history (`binance_vision`).

ccxt builds each request; its one fetch method is ours: the request goes through the transport and the bytes
stay with us. Its list of markets, a heavy request, is not asked for: the pair's own name is all that is needed.
A bar that is still open is never asked for, so what is archived is closed.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pandas as pd

from abri_pipeline.calendars import clock
from abri_pipeline.providers import klines
from abri_pipeline.providers.bars import BarProvider, BarQuery
from abri_pipeline.providers.errors import Absent, BadRequest, Malformed, RateLimited, Refused, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import utf8

PAGE = 1000  # bars, the most of one answer
_KLINES = "/api/v3/klines"


class Binance(BarProvider):
    """Spot klines, in the quote asset of the pair; volume in its base asset."""

    name = "binance"
    adjustment = "none"
    timeframes = ("1m", "5m", "15m", "30m", "1h", "1d")
    spelling = r"[A-Z0-9]{2,30}"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        exchange = _exchange_class()(transport, query.symbol)
        step = int(query.step.total_seconds() * 1000)
        since = _milli(datetime.combine(query.start, time(), UTC))
        end = _milli(datetime.combine(query.end + timedelta(days=1), time(), UTC))
        until = min(end, _milli(clock.now()) // step * step)  # the start of the bar that is still open
        try:
            while since < until:
                exchange.fetch_ohlcv(query.symbol, query.timeframe, since, PAGE, {"until": until - 1})
                newest = _newest(exchange.pages[-1].body, since)
                if newest is None:
                    break
                since = newest + step
        except UpstreamError as error:
            raise _explained(error, query) from error
        return tuple(exchange.pages)

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the pages of one window; see `BarProvider`. Without pages nothing of the window was closed yet."""
        pages = [_rows(body) for body in bodies]
        if any(len(page) < PAGE for page in pages[:-1]):
            raise Malformed("binance", "a page before the last one is not full; fetch the window again")
        rows = [row for page in pages for row in page]
        return klines.frame("binance", query, [row[0] for row in rows], [row[1:6] for row in rows])


def _milli(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000


def _newest(body: bytes, since: int) -> int | None:
    """The last opening time of a full page, None where the window ends with this page."""
    rows = _rows(body)
    if len(rows) < PAGE:
        return None
    newest = rows[-1][0]
    if not isinstance(newest, int) or newest < since:
        raise Malformed("binance", "its pages lead back to one another; nothing of them is used")
    return newest


def _rows(body: bytes) -> list[list[Any]]:
    """The klines of one page, or the error that it is."""
    try:
        found = json.loads(utf8(body, "binance"))
    except (ValueError, RecursionError) as error:
        raise Malformed("binance", f"the answer is no JSON ({str(error)[:80]})") from error
    if isinstance(found, dict) and "code" in found:
        raise _told(found["code"], str(found.get("msg"))[:200])
    if not isinstance(found, list) or not all(isinstance(row, list) and len(row) >= 6 for row in found):
        raise Malformed("binance", "the answer is no list of klines")
    return found


def _told(code: object, words: str) -> UpstreamError:
    """The branch of one of Binance's codes."""
    said = f"(it says: {code}: {words})"
    if code == -1121:
        return Absent("binance", f"does not know the pair {said}", detail=words)
    if code in (-1003, -1015):
        return RateLimited("binance", f"asked too often; wait and run again {said}", detail=words)
    if code in (-1100, -1102, -1104, -1120, -1125, -1128, -1130):
        return BadRequest("binance", f"does not accept the request {said}", detail=words)
    return Malformed("binance", f"an answer of unknown kind {said}")


def _explained(error: UpstreamError, query: BarQuery) -> UpstreamError:
    """A failed request under the branch that fits; ccxt would call half of them DDoSProtection."""
    if error.status == 418:
        return error.told_as(RateLimited, f"has shut us out for a while after too many requests ({error.detail})")
    if isinstance(error, BadRequest) and "-1121" in error.detail:
        return error.told_as(Absent, f"does not know the pair {query.symbol}; write it as BTCUSDT")
    if isinstance(error, Refused) and error.status == 451:
        return error.told_as(Refused, "does not serve this country; use binance-vision or another provider")
    return error


@lru_cache(maxsize=1)
def _exchange_class() -> Any:
    """ccxt's Binance over our transport, made once: importing ccxt takes half a second."""
    from ccxt import binance  # type: ignore[import-untyped]  # it ships no types

    class OverTransport(binance):  # type: ignore[misc]  # ccxt's classes come untyped
        def __init__(self, transport: Transport, symbol: str) -> None:
            super().__init__({"enableRateLimit": False})  # the pace is the transport's, and it does not sleep here
            self.markets = {symbol: {"id": symbol, "spot": True, "option": False, "linear": None, "inverse": None}}
            self.pages: list[Payload] = []
            self._transport = transport

        def market(self, symbol: str) -> Any:
            return self.markets[symbol]

        def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            parts = urlsplit(url)
            self.pages.append(self._transport.get("binance", _KLINES, dict(parse_qsl(parts.query))))
            return []  # rows are read from the bytes, by `parse`

    return OverTransport
