"""The sandbox's own pages: `/_health`, `/_calls`, `/_faults`."""

import json
from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox.faults import Fault, FaultError, Faults
from abri_pipeline.sandbox.market import Market


def routes(market: Market, faults: Faults, counts: "Counter[str]") -> list[Route]:
    """Health (GET), calls (GET, DELETE to reset) and faults (GET, POST one or a list, DELETE all)."""

    async def health(_: Request) -> Response:
        return JSONResponse({"market": market.label, "now": clock.now().isoformat()})

    async def calls(request: Request) -> Response:
        if request.method == "DELETE":
            counts.clear()
        return JSONResponse(dict(counts))

    async def switches(request: Request) -> Response:
        if request.method == "DELETE":
            faults.switches.clear()
        if request.method == "POST":
            try:
                body = json.loads(await request.body())
                added = [Fault.of(cells) for cells in (body if isinstance(body, list) else [body])]
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                return JSONResponse({"error": f"no JSON: {error}"}, status_code=400)
            except (FaultError, TypeError) as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            faults.switches.extend(added)
        return JSONResponse(faults.listed())

    return [
        Route("/_health", health),
        Route("/_calls", calls, methods=["GET", "DELETE"]),
        Route("/_faults", switches, methods=["GET", "POST", "DELETE"]),
    ]
