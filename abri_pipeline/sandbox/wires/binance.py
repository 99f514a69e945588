"""Binance: klines, in pages of at most 1,000, with its error codes."""

from datetime import timedelta
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox import asof
from abri_pipeline.sandbox.market import Market

STEPS = {
    "1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30), "1h": timedelta(hours=1), "1d": timedelta(days=1),
}  # fmt: skip
_MOST = 1000


class _Error(ValueError):
    """A code and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.body = {"code": code, "msg": words}


def routes(market: Market) -> list[Route]:
    """`/binance/api/v3/klines`; anything else is a 404."""

    async def klines(request: Request) -> Response:
        try:
            return JSONResponse(_klines(request, market), headers={"X-MBX-USED-WEIGHT-1M": "2"})
        except _Error as error:
            return JSONResponse(error.body, status_code=400)

    return [Route("/binance/api/v3/klines", klines), Route("/binance/{rest:path}", _absent)]


def bars(market: Market, pair: str, interval: str) -> pd.DataFrame | None:
    """Closed bars of a pair; None where the market does not know it in any timeframe."""
    if all(market.crypto(pair, each) is None for each in ("1d", "1h")):
        return None
    found = market.crypto(pair, interval)
    if found is None:
        return pd.DataFrame({"ts_utc": pd.DatetimeIndex([], tz="UTC")})
    return asof.coins(found, STEPS[interval], clock.now())


def rows(seen: pd.DataFrame, interval: str, per_second: int = 1000) -> list[list[Any]]:
    """Klines as Binance writes them: numbers as texts of eight decimals, times in parts of a second."""
    length = int(STEPS[interval].total_seconds()) * per_second
    found = []
    for bar in seen.to_dict("records"):
        opens = int(bar["ts_utc"].timestamp()) * per_second
        texts = [f"{bar[name]:.8f}" for name in (*asof.PRICES, "volume")]
        turnover = f"{bar['volume'] * bar['close']:.8f}"
        found.append([opens, *texts, opens + length - 1, turnover, 1, "0.00000000", "0.00000000", "0"])
    return found


def _klines(request: Request, market: Market) -> list[list[Any]]:
    query = request.query_params
    pair, interval = query.get("symbol"), query.get("interval")
    if not pair or not interval:
        missing = "interval" if pair else "symbol"
        raise _Error(-1102, f"Mandatory parameter '{missing}' was not sent, was empty/null, or malformed.")
    if interval not in STEPS:
        raise _Error(-1120, "Invalid interval.")
    seen = bars(market, pair, interval)
    if seen is None:
        raise _Error(-1121, "Invalid symbol.")
    try:
        start, end = int(query.get("startTime", 0)), int(query.get("endTime", 4_000_000_000_000))
        limit = min(int(query.get("limit", 500)), _MOST)
    except ValueError as error:
        raise _Error(-1100, "Illegal characters found in a parameter.") from error
    stamps = seen["ts_utc"]
    inside = (stamps >= pd.Timestamp(start, unit="ms", tz="UTC")) & (stamps <= pd.Timestamp(end, unit="ms", tz="UTC"))
    cut = seen[inside]
    # without a beginning the newest ones are meant
    return rows(cut.head(limit) if "startTime" in query else cut.tail(limit), interval)


async def _absent(_: Request) -> Response:
    return Response("", status_code=404)
