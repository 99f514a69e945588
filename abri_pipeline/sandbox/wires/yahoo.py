"""Yahoo: the chart, and the small answers its client asks for beside it (cookie, crumb, shares).

Doubles are sent as the market holds them, where Yahoo itself rounds to 32-bit floats. The window keeps bars
with period1 <= stamp < period2, as the recorded charts do (`end` is exclusive). Limits of intraday windows and
error texts are Yahoo's own.
"""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import yahoo_chart

DAY = 86_400
_RANGES = {
    "5d": 5, "1mo": 31, "3mo": 92, "6mo": 183, "1y": 366, "2y": 731, "5y": 1827, "10y": 3653, "max": 36_500,
}  # fmt: skip
# Days an interval reaches back, and days one call may span.
_REACH = {"1m": (30, 8), "5m": (60, 60), "15m": (60, 60), "1h": (730, 730)}
_SAME = {"60m": "1h"}


class _ChartError(ValueError):
    """An answer in Yahoo's `chart.error`: status, code and description."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status, self.code, self.description = status, code, description

    def response(self) -> Response:
        error = {"code": self.code, "description": self.description}
        return JSONResponse({"chart": {"result": None, "error": error}}, status_code=self.status)


def routes(market: Market) -> list[Route]:
    """`/yahoo/`, the crumb, the chart and the empty shares answer; anything else is Yahoo's 404."""

    async def chart(request: Request) -> Response:
        try:
            return Response(_chart(request, market), media_type="application/json")
        except _ChartError as error:
            return error.response()

    return [
        Route("/yahoo", _cookie),
        Route("/yahoo/", _cookie),
        Route("/yahoo/v1/test/getcrumb", _crumb),
        Route("/yahoo/v8/finance/chart/{symbol}", chart),
        Route("/yahoo/ws/fundamentals-timeseries/v1/finance/timeseries/{symbol}", _timeseries),
        Route("/yahoo/{rest:path}", _absent),
    ]


def _chart(request: Request, market: Market) -> bytes:
    """The chart's body for one request."""
    symbol, query, now = request.path_params["symbol"], request.query_params, clock.now()
    interval = _SAME.get(query.get("interval", "1d"), query.get("interval", "1d"))
    if interval != "1d" and interval not in _REACH:
        allowed = ", ".join(["1d", *_REACH])
        raise _ChartError(
            422,
            "Unprocessable Entity",
            f"Invalid input - interval={interval} is not supported. Valid intervals: [{allowed}]",
        )
    # An unknown symbol is a 404 before its window is looked at, as at Yahoo.
    source = yahoo_chart.Source.of(market, symbol, now)
    if source is None:
        raise _ChartError(404, "Not Found", "No data found, symbol may be delisted")
    start, end = _window(request, source, now)
    if interval in _REACH:
        _check_reach(interval, start, end, now)
    if interval in _REACH and source.intraday(interval) is None:
        raise _ChartError(400, "Bad Request", f"Data doesn't exist for startDate = {start}, endDate = {end}")
    events = query.get("events", "")
    return yahoo_chart.body(source, interval, (start, end), query.get("range", ""), events)


def _window(request: Request, source: yahoo_chart.Source, now: datetime) -> tuple[int, int]:
    """period1 and period2, or the span of `range`, in epoch seconds."""
    query = request.query_params
    if "period1" in query or "period2" in query:
        return _epoch(query.get("period1"), 0), _epoch(query.get("period2"), int(now.timestamp()))
    asked = query.get("range", "1d")
    if asked == "1d":
        return source.last_open, int(now.timestamp()) + 1
    if asked == "ytd":
        return int(datetime(now.year, 1, 1, tzinfo=now.tzinfo).timestamp()), int(now.timestamp()) + 1
    if asked not in _RANGES:
        raise _ChartError(422, "Unprocessable Entity", f"Invalid input - range={asked} is not supported.")
    return int(now.timestamp()) - _RANGES[asked] * DAY, int(now.timestamp()) + 1


def _epoch(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        description = f'failed to parse "period1": "{text}" is not a number'
        raise _ChartError(400, "Bad Request", description) from error


def _check_reach(interval: str, start: int, end: int, now: datetime) -> None:
    """Yahoo's own 422 for intraday windows that are too old, or too long for one call."""
    reach, span = _REACH[interval]
    said = f"{interval} data not available for startTime={start} and endTime={end}. "
    if end - start > span * DAY:
        raise _ChartError(
            422,
            "Unprocessable Entity",
            f"{said}Only {span} days worth of {interval} granularity data are allowed to be fetched per request.",
        )
    if start < now.timestamp() - reach * DAY:
        raise _ChartError(
            422, "Unprocessable Entity", f"{said}The requested range must be within the last {reach} days."
        )


async def _cookie(_: Request) -> Response:
    """fc.yahoo.com: all that its visitor wants is the cookie. (A base URL may arrive without its last slash.)"""
    answer = PlainTextResponse("")
    answer.set_cookie("A3", "sandbox", max_age=31_536_000, path="/", samesite="lax")
    return answer


async def _crumb(_: Request) -> Response:
    return PlainTextResponse("sandboxcrumb")


async def _timeseries(request: Request) -> Response:
    """Shares and fundamentals, of which no market here holds any: the shape of an empty result."""
    asked = [kind for kind in request.query_params.get("type", "").split(",") if kind]
    symbol = request.path_params["symbol"]
    result: list[dict[str, Any]] = [{"meta": {"symbol": [symbol], "type": [kind]}} for kind in asked]
    return JSONResponse({"timeseries": {"result": result, "error": None}})


async def _absent(_: Request) -> Response:
    error = {"code": "Not Found", "description": "HTTP 404 Not Found"}
    return JSONResponse({"finance": {"result": None, "error": error}}, status_code=404)
