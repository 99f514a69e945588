"""api.stlouisfed.org/fred: observations and series, XML by default and JSON on `file_type=json`.

A recorded market holds one vintage of each series, so a value's real-time period starts on the day it was
published and is still open; a request for an earlier real-time day gets what was published by then.
Error bodies as documented at fred.stlouisfed.org/docs/api/fred/errors.html.
"""

from datetime import date, datetime, time
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import fred_series
from abri_pipeline.sandbox.wires.fred_series import CENTRAL, Observation, Window

LIMIT = 100_000
_FREQUENCIES = ((2, "Daily", "D"), (10, "Weekly", "W"), (45, "Monthly", "M"), (120, "Quarterly", "Q"))


class _BadRequestError(ValueError):
    """FRED's 400; the message is the text after `Bad Request.  `."""


def routes(market: Market) -> list[Route]:
    """`/fred/series/observations` and `/fred/series`."""

    async def observations(request: Request) -> Response:
        return _answer(request, market, _observations)

    async def series(request: Request) -> Response:
        return _answer(request, market, _series)

    return [Route("/fred/series/observations", observations), Route("/fred/series", series)]


def _answer(request: Request, market: Market, build: Any) -> Response:
    """Check the key and the real-time period, then build; every complaint becomes FRED's own 400."""
    query = request.query_params
    as_json = query.get("file_type", "xml") == "json"
    try:
        if not query.get("api_key"):
            raise _BadRequestError("Variable api_key has not been set.")
        return _write(build(request, market), as_json)
    except _BadRequestError as complaint:
        return _refused(f"Bad Request.  {complaint}", as_json)


def _observations(request: Request, market: Market) -> tuple[str, str, dict[str, Any], list[dict[str, str]]]:
    query = request.query_params
    now = clock.now()
    start, end = _realtime(query, now)
    window = _window(query)
    rows = window.cut(_known(request, market, now, end))
    if query.get("sort_order") == "desc":
        rows.reverse()
    offset, limit = _count(query, "offset", 0), _count(query, "limit", LIMIT)
    head = {
        "realtime_start": start.isoformat(),
        "realtime_end": end.isoformat(),
        "observation_start": window.start.isoformat(),
        "observation_end": window.end.isoformat(),
        "units": "lin",
        "output_type": 1,
        "file_type": query.get("file_type", "xml"),
        "order_by": "observation_date",
        "sort_order": query.get("sort_order", "asc"),
        "count": len(rows),
        "offset": offset,
        "limit": limit,
    }
    cells = [
        {
            "realtime_start": max(start, row.published_on).isoformat(),
            "realtime_end": end.isoformat(),
            "date": row.observed_on.isoformat(),
            "value": row.value,
        }
        for row in rows[offset : offset + limit]
    ]
    return "observations", "observation", head, cells


def _series(request: Request, market: Market) -> tuple[str, str, dict[str, Any], list[dict[str, str]]]:
    """What a market can say of a series: its id, span and spacing. FRED's title and units are not recorded."""
    query = request.query_params
    now = clock.now()
    start, end = _realtime(query, now)
    rows = _known(request, market, now, end)
    name, short = _frequency(rows)
    entry = {
        "id": query["series_id"],
        "realtime_start": start.isoformat(),
        "realtime_end": end.isoformat(),
        "title": query["series_id"],
        "observation_start": rows[0].observed_on.isoformat() if rows else "",
        "observation_end": rows[-1].observed_on.isoformat() if rows else "",
        "frequency": name,
        "frequency_short": short,
        "last_updated": f"{rows[-1].published_on.isoformat()} 00:00:00-06" if rows else "",
    }
    head = {"realtime_start": start.isoformat(), "realtime_end": end.isoformat()}
    return "seriess", "series", head, [entry]


def _known(request: Request, market: Market, now: datetime, realtime_end: date) -> list[Observation]:
    """The series as known at the end of the real-time period, oldest first."""
    series_id = request.query_params.get("series_id", "")
    if not series_id:
        raise _BadRequestError("Variable series_id has not been set.")
    # 9999-12-31 is FRED's "still valid": there is no instant after it to take.
    known_at = now if realtime_end >= now.date() else _end_of(realtime_end)
    rows = fred_series.published(market, series_id, now, known_at)
    if rows is None:
        raise _BadRequestError("The series does not exist.")
    return fred_series.shrunk(rows, series_id, request, now)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=CENTRAL)


def _realtime(query: QueryParams, now: datetime) -> tuple[date, date]:
    """The real-time period asked for; today in St. Louis where none is."""
    today = now.astimezone(CENTRAL).date()
    try:
        start = date.fromisoformat(query["realtime_start"]) if query.get("realtime_start") else today
        end = date.fromisoformat(query["realtime_end"]) if query.get("realtime_end") else today
    except ValueError as error:
        raise _BadRequestError("The value for variable realtime_start is not a YYYY-MM-DD date.") from error
    if end < start:
        raise _BadRequestError("The value for variable realtime_end is before realtime_start.")
    return start, end


def _window(query: QueryParams) -> Window:
    try:
        return Window.of(query.get("observation_start"), query.get("observation_end"))
    except ValueError as error:
        raise _BadRequestError("The value for variable observation_start is not a YYYY-MM-DD date.") from error


def _count(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise _BadRequestError(f"The value for variable {name} is not an integer.")
    return int(text)


def _frequency(rows: list[Observation]) -> tuple[str, str]:
    """The series' frequency by the median step of its dates; empty where there are too few to tell."""
    steps = sorted((b.observed_on - a.observed_on).days for a, b in pairwise(rows))
    if not steps:
        return "", ""
    middle = steps[len(steps) // 2]
    return next(((name, short) for most, name, short in _FREQUENCIES if middle <= most), ("Annual", "A"))


def _write(content: tuple[str, str, dict[str, Any], list[dict[str, str]]], as_json: bool) -> Response:
    """The two file types, from one content: plural tag, singular tag, attributes, rows."""
    plural, singular, head, rows = content
    if as_json:
        return JSONResponse({**head, plural: rows})
    lines = [f"  <{singular} {_attributes(row)}/>" for row in rows]
    body = ['<?xml version="1.0" encoding="utf-8" ?>', f"<{plural} {_attributes(head)}>", *lines, f"</{plural}>"]
    return Response("\n".join(body), media_type="text/xml")


def _attributes(cells: dict[str, Any]) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in cells.items())


def _refused(message: str, as_json: bool) -> Response:
    if as_json:
        return JSONResponse({"error_code": 400, "error_message": message}, status_code=400)
    body = f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="400" message={quoteattr(message)}/>'
    return Response(body, status_code=400, media_type="text/xml")
