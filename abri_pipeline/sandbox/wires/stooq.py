"""Stooq: one CSV of daily bars, adjusted for splits and dividends, and its refusals with HTTP 200."""

from datetime import date

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox import asof
from abri_pipeline.sandbox.market import Market

_KEY_PAGE = "<html><body><h1>Get your apikey</h1><p>Solve the captcha and add apikey to the address.</p></body></html>"


def routes(market: Market) -> list[Route]:
    """`/stooq/q/d/l/`."""

    async def download(request: Request) -> Response:
        if not request.query_params.get("apikey"):
            return HTMLResponse(_KEY_PAGE)
        return PlainTextResponse(_csv(request, market) or "No data", media_type="text/csv")

    return [Route("/stooq/q/d/l/", download), Route("/stooq/{rest:path}", _absent)]


def _csv(request: Request, market: Market) -> str:
    """The bars as CSV, '' where there are none."""
    query = request.query_params
    name = query.get("s", "")
    whole = market.bars(name.removesuffix(".us").upper()) if name.endswith(".us") and query.get("i") == "d" else None
    if whole is None:
        return ""
    seen = asof.daily(whole, clock.now())
    try:
        first, last = (date.fromisoformat(query[bound]) if bound in query else None for bound in ("d1", "d2"))
    except ValueError:
        return ""
    if first:
        seen = seen[seen["date"].dt.date >= first]
    if last:
        seen = seen[seen["date"].dt.date <= last]
    if seen.empty:
        return ""
    share = seen["adj_close"] / seen["close"]
    prices = seen[asof.PRICES].mul(share, axis=0).round(6)
    table = prices.assign(date=seen["date"].dt.strftime("%Y-%m-%d"), volume=seen["volume"])
    table = table[["date", *asof.PRICES, "volume"]].rename(columns=str.capitalize)
    text: str = table.to_csv(index=False, lineterminator="\r\n")
    return text


async def _absent(_: Request) -> Response:
    return Response("404 Not Found", status_code=404, media_type="text/plain")
