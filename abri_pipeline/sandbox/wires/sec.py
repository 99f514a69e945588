"""data.sec.gov: companyfacts and submissions, cut at what was filed by `ABRI_NOW`.

The 404 is S3's own document, as data.sec.gov passes it through for a company without facts.
"""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox import asof
from abri_pipeline.sandbox.market import Market

_ABSENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
)
Read = Callable[[int], dict[str, Any] | None]
Cut = Callable[[dict[str, Any], Any], dict[str, Any] | None]


def _document(read: Read, cut: Cut) -> Callable[[Request], Any]:
    """An endpoint over one kind of document; the last answers are kept, as one body takes 0.1 s to cut."""
    kept: dict[tuple[int, str], bytes | None] = {}

    async def endpoint(request: Request) -> Response:
        cik, now = int(request.path_params["cik"]), clock.now()
        # Filings are dated to the second, so two requests within a minute may share an answer of that minute.
        minute = now.replace(second=0, microsecond=0)
        key = (cik, minute.isoformat())
        if key not in kept:
            if len(kept) >= 16:  # of up to 4 MB each
                kept.clear()
            whole = read(cik)
            seen = None if whole is None else cut(whole, minute)
            kept[key] = None if seen is None else json.dumps(seen, separators=(",", ":")).encode()
        body = kept[key]
        if body is None:
            return Response(_ABSENT, status_code=404, media_type="application/xml")
        return Response(body, media_type="application/json")

    return endpoint


def routes(market: Market) -> list[Route]:
    """`/sec/api/xbrl/companyfacts/CIK##########.json` and `/sec/submissions/CIK##########.json`."""
    companyfacts = _document(market.companyfacts, asof.facts)
    submissions = _document(market.submissions, asof.filings)

    async def absent(_: Request) -> Response:
        return Response(_ABSENT, status_code=404, media_type="application/xml")

    return [
        Route("/sec/api/xbrl/companyfacts/CIK{cik:int}.json", companyfacts),
        Route("/sec/submissions/CIK{cik:int}.json", submissions),
        Route("/sec/{rest:path}", absent),
    ]
