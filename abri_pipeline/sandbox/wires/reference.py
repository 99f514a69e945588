"""The curated reference tables as CSV: `/reference/{name}.csv`, the rows that were public at `ABRI_NOW`."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox import asof
from abri_pipeline.sandbox.market import Market


def routes(market: Market) -> list[Route]:
    """`/reference/{name}.csv`; 404 where the market has no such table."""

    async def table(request: Request) -> Response:
        name = request.path_params["name"]
        frame = market.reference(name)
        if frame is None:
            return PlainTextResponse(f"no reference table {name}\n", status_code=404)
        body = asof.reference(name, frame, clock.now()).to_csv(index=False, lineterminator="\n")
        return Response(body, media_type="text/csv")

    return [Route("/reference/{name}.csv", table)]
