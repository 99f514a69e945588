"""Massive: aggregates, paged, with its keys, entitlements and dated names.

A market knows Facebook as META throughout; Massive has it under FB until 2022-06-08. Before 2022-06-09 its META
is the Roundhill fund, at about 12 dollars and gone on 2022-01-28, for which a steady stand-in is served.
Data plans are not told apart: any key opens everything up to today.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock, new_york, sessions
from abri_pipeline.sandbox import asof, minutes
from abri_pipeline.sandbox.market import Market

_RENAMED = date(2022, 6, 9)
_FOREIGN = (date(2021, 6, 30), date(2022, 1, 28), 12.0)
_MOST = 50_000
_PUBLIC = "https://api.massive.com"


class _Error(ValueError):
    """An answer that is none: status and body as recorded."""

    def __init__(self, code: int, /, **body: str) -> None:
        super().__init__(body)
        self.code, self.body = code, body


@dataclass(frozen=True)
class _Ask:
    """One request: `start` and `end` in milliseconds, both included."""

    ticker: str
    amount: int
    unit: str
    start: int
    end: int
    adjusted: bool
    descending: bool
    limit: int


def routes(market: Market) -> list[Route]:
    """The aggregates; anything else is a 404."""

    async def aggregates(request: Request) -> Response:
        try:
            return JSONResponse(_answer(request, market))
        except _Error as error:
            return JSONResponse({"request_id": _id(request), **error.body}, status_code=error.code)

    path = "/massive/v2/aggs/ticker/{ticker}/range/{amount:int}/{unit}/{start}/{end}"
    return [Route(path, aggregates), Route("/massive/{rest:path}", _absent)]


def _answer(request: Request, market: Market) -> dict[str, Any]:
    ask, now = _read(request), clock.now()
    frame = _bars(market, ask, now)
    stamps = _stamps(frame, ask)
    kept = [n for n, stamp in enumerate(stamps) if ask.start <= stamp <= ask.end]
    if ask.descending:
        kept.reverse()
    page = kept[: ask.limit]
    results = [_result(frame.iloc[n], stamps[n]) for n in page]
    found: dict[str, Any] = {
        "ticker": ask.ticker,
        "queryCount": len(page),
        "resultsCount": len(page),
        "adjusted": ask.adjusted,
        **({"results": results} if results else {}),
        "status": "OK",
        "request_id": _id(request),
        "count": len(page),
    }
    if len(kept) > len(page):
        found["next_url"] = _next(request, ask, stamps[kept[len(page)]])
    return found


def _read(request: Request) -> _Ask:
    query, path = request.query_params, request.path_params
    if not (request.headers.get("authorization", "").startswith("Bearer ") or query.get("apiKey")):
        raise _Error(401, status="ERROR", error="API Key was not provided")
    cursor = query.get("cursor", "")
    try:
        start = int(base64.urlsafe_b64decode(cursor)) if cursor else _edge(path["start"], first=True)
        end = _edge(path["end"], first=False)
        limit = min(int(query.get("limit", 5000)), _MOST)
    except ValueError as error:
        raise _Error(400, status="ERROR", error=f"Could not parse the time parameter: {error}") from error
    if path["unit"] not in ("minute", "day") or path["amount"] < 1 or limit < 1:
        raise _Error(400, status="ERROR", error="Invalid timespan or multiplier")
    if end >= _edge(clock.now().date().isoformat(), first=False) + 86_400_000:
        raise _Error(
            403,
            status="NOT_AUTHORIZED",
            message="Your plan doesn't include this data timeframe. Please upgrade your plan at"
            " https://polygon.io/pricing",
        )
    return _Ask(
        ticker=path["ticker"],
        amount=path["amount"],
        unit=path["unit"],
        start=start,
        end=end,
        adjusted=query.get("adjusted", "true").lower() != "false",
        descending=query.get("sort") == "desc",
        limit=limit,
    )


def _edge(text: str, *, first: bool) -> int:
    """A bound in milliseconds: as given, or the first or last one of a New York day."""
    if text.isdigit():
        return int(text)
    midnight = new_york.instant(date.fromisoformat(text), time())
    return int(midnight.timestamp() * 1000) + (0 if first else 86_399_999)


def _bars(market: Market, ask: _Ask, now: datetime) -> pd.DataFrame:
    """The bars that a ticker had there, whichever security it was; empty where it had none."""
    ours = {"FB": "META"}.get(ask.ticker, ask.ticker)
    whole = market.bars(ours)
    if whole is None or (ours != ask.ticker and market.bars(ask.ticker) is not None):
        return pd.DataFrame({"date": []})
    if ask.unit == "minute":
        found = minutes.bars(market, ours, ask.amount, now, adjusted=ask.adjusted)
        return _era(found, "ts_utc", ask.ticker) if found is not None else pd.DataFrame({"ts_utc": []})
    seen = asof.daily(whole, now)
    seen = _era(seen if ask.adjusted else asof.as_traded(seen), "date", ask.ticker)
    return pd.concat([_foreign(now), seen], ignore_index=True) if ask.ticker == "META" else seen


def _era(frame: pd.DataFrame, column: str, ticker: str) -> pd.DataFrame:
    """The part of Facebook's bars that stands under a ticker."""
    if ticker not in ("FB", "META"):
        return frame
    days = frame[column] if column == "date" else frame[column].dt.tz_convert("America/New_York").dt.tz_localize(None)
    early = days < pd.Timestamp(_RENAMED)
    return frame[early if ticker == "FB" else ~early].reset_index(drop=True)


def _foreign(now: datetime) -> pd.DataFrame:
    first, last, price = _FOREIGN
    days = [day for day in sessions.sessions(first, last) if day <= sessions.last_closed(now)]
    prices = dict.fromkeys(asof.PRICES, price)
    return pd.DataFrame({"date": pd.to_datetime(days), **prices, "volume": 100_000})


def _stamps(frame: pd.DataFrame, ask: _Ask) -> list[int]:
    """Milliseconds of each bar's start; a day starts at New York's midnight."""
    if frame.empty:
        return []
    times = (
        pd.DatetimeIndex(frame["date"]).tz_localize("America/New_York")
        if ask.unit == "day"
        else pd.DatetimeIndex(frame["ts_utc"])
    )
    stamps: list[int] = times.tz_convert("UTC").as_unit("ms").asi8.tolist()
    return stamps


def _result(row: "pd.Series[Any]", stamp: int) -> dict[str, Any]:
    """One bar; the volume comes as a fraction, as recorded."""
    prices = {name[0]: float(row[name]) for name in ("open", "close", "high", "low")}
    return {"v": float(row["volume"]), "vw": round(sum(prices.values()) / 4, 4), **prices, "t": stamp, "n": 1}


def _next(request: Request, ask: _Ask, stamp: int) -> str:
    path = f"/v2/aggs/ticker/{ask.ticker}/range/{ask.amount}/{ask.unit}/{stamp}/{ask.end}"
    kept = f"adjusted={str(ask.adjusted).lower()}&limit={ask.limit}"
    return f"{_PUBLIC}{path}?cursor={base64.urlsafe_b64encode(str(stamp).encode()).decode()}&{kept}"


def _id(request: Request) -> str:
    # it stands for Massive's random id; the same request gets the same one, so that a replay is a replay
    return hashlib.sha256(f"{request.url.path}?{request.query_params.get('cursor', '')}".encode()).hexdigest()[:32]


async def _absent(_: Request) -> Response:
    return Response("404 page not found", status_code=404, media_type="text/plain")
