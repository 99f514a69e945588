"""data.binance.vision: a zip a pair, interval and day, and the checksum beside it.

Stamps are milliseconds until 2024-12-31 and microseconds from 2025-01-01, as in the archive itself.
"""

import hashlib
import io
import re
import zipfile
from datetime import date

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import binance

_NAME = re.compile(r"(?P<pair>[A-Z0-9]+)-(?P<interval>\w+)-(?P<day>\d{4}-\d{2}-\d{2})\.zip(?P<sum>\.CHECKSUM)?")
_MICRO_SINCE = date(2025, 1, 1)
_MISSING = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"""


def routes(market: Market) -> list[Route]:
    """The daily klines; anything else is the archive's own 404."""

    async def file(request: Request) -> Response:
        path = request.path_params
        told = _NAME.fullmatch(path["name"])
        named = told is not None and (told["pair"], told["interval"]) == (path["pair"], path["interval"])
        body = _zip(market, told) if told is not None and named else None
        if told is None or body is None:
            return _missing()
        if told["sum"]:
            zipped = path["name"].removesuffix(".CHECKSUM")
            return PlainTextResponse(f"{hashlib.sha256(body).hexdigest()}  {zipped}\n")
        return Response(body, media_type="application/zip")

    async def absent(_: Request) -> Response:
        return _missing()

    path = "/binance-vision/data/spot/daily/klines/{pair}/{interval}/{name}"
    return [Route(path, file), Route("/binance-vision/{rest:path}", absent)]


def _zip(market: Market, told: "re.Match[str]") -> bytes | None:
    """One day's file, the same bytes at every request; None where the day is not over or has no bars."""
    pair, interval = told["pair"], told["interval"]
    seen = binance.bars(market, pair, interval) if interval in binance.STEPS else None
    try:
        day = date.fromisoformat(told["day"])
    except ValueError:
        return None
    if seen is None or day >= clock.now().date():
        return None
    cut = seen[seen["ts_utc"].dt.date == day]
    per_second = 1_000_000 if day >= _MICRO_SINCE else 1000
    lines = [",".join(map(str, row)) for row in binance.rows(cut, interval, per_second)]
    if not lines:
        return None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        member = zipfile.ZipInfo(f"{pair}-{interval}-{day}.csv", (2020, 1, 1, 0, 0, 0))
        packed.writestr(member, "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _missing() -> Response:
    return Response(_MISSING, status_code=404, media_type="application/xml")
