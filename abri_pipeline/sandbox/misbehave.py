"""What a fault does to an answer. Belongs here: bytes and status codes. Not here: which requests it meets."""

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from abri_pipeline.sandbox.faults import Fault

# In the manner of stooq.com since 2026-07: a page that wants a proof of work, with status 200.
_PROOF_OF_WORK = (
    "<!DOCTYPE html><html><head><title>Checking your browser</title></head>"
    '<body><form method="post" action="/__verify"></form><script>/* sha-256 */</script></body></html>'
)
_CHART = "/yahoo/v8/finance/chart/"


def instead(fault: Fault) -> Response | None:
    """The answer of a fault that never reaches the wire; None for faults that alter the true answer."""
    if fault.kind == "status":
        return _status(fault)
    if fault.kind == "html":
        return HTMLResponse(_PROOF_OF_WORK)
    return Response(b"") if fault.kind == "empty" else None


def altered(fault: Fault, path: str, body: bytes) -> bytes | None:
    """A body after `truncate` or `corrupt`; None where the fault has nothing to bite on."""
    if fault.kind == "truncate":
        return body[: len(body) // 2 if fault.value is None else int(fault.value)]
    if path.startswith(_CHART):
        return _planted(body, fault.value)
    middle = len(body) // 2
    return body[:middle] + b"\xff" + body[middle:]


def _status(fault: Fault) -> Response:
    """An error status; for 429 in the words recorded from Yahoo and FRED."""
    code = int(fault.value or 500)
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else None
    if code == 429 and fault.upstream == "yahoo":
        return HTMLResponse("Edge: Too Many Requests", code, headers)
    if code == 429 and fault.upstream == "fred":
        said = {"error_code": 429, "error_message": "Too Many Requests.  Exceeded Rate Limit"}
        return JSONResponse(said, code, headers)
    return PlainTextResponse(f"sandbox fault: status {code}\n", code, headers)


def _planted(body: bytes, day: str | None) -> bytes | None:
    """A chart with one bad bar: low above high, volume negative. None where the chart lacks the bar."""
    chart: dict[str, Any] = json.loads(body)
    result = (chart["chart"]["result"] or [{}])[0]
    at = _bar(result.get("timestamp") or [], day)
    if at is None:
        return None
    quote = result["indicators"]["quote"][0]
    quote["low"][at] = quote["high"][at] * 2
    quote["volume"][at] = -1 - quote["volume"][at]
    return json.dumps(chart, separators=(",", ":")).encode()


def _bar(stamps: list[int], day: str | None) -> int | None:
    """The place of the bar of `day`, or of the newest bar."""
    if not stamps:
        return None
    if day is None:
        return len(stamps) - 1
    wanted, zone = date.fromisoformat(day), ZoneInfo("America/New_York")
    days = (datetime.fromtimestamp(stamp, zone).date() for stamp in stamps)
    return next((place for place, found in enumerate(days) if found == wanted), None)
