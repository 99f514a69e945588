"""Prefixes of upstreams whose wires are not served yet: 501, so that silence is never taken for "no data"."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PREFIXES = ("coinmetrics", "blockchain", "gpu", "rss")


async def _answer(request: Request) -> Response:
    """Name the wire that is missing."""
    wire = request.url.path.split("/")[1]
    return JSONResponse({"error": f"the sandbox does not serve the wire {wire!r} yet"}, status_code=501)


def routes() -> list[Route]:
    """One catch-all a prefix."""
    return [Route(f"/{prefix}/{{rest:path}}", _answer) for prefix in PREFIXES]
