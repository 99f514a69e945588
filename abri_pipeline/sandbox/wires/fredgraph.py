"""fred.stlouisfed.org/graph: the key-less CSV, `observation_date,{ID}`, missing values blank."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from abri_pipeline.calendars import clock
from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import fred_series

_ABSENT = "<!DOCTYPE html><html><head><title>Error - St. Louis Fed</title></head><body>Not Found</body></html>"


def routes(market: Market) -> list[Route]:
    """`/fredgraph/fredgraph.csv?id[&cosd][&coed]`; an unknown id is an HTML page with 404, as at FRED."""

    async def csv(request: Request) -> Response:
        query = request.query_params
        series_id = query.get("id", "")
        try:
            window = fred_series.Window.of(query.get("cosd"), query.get("coed"))
        except ValueError:
            return HTMLResponse(_ABSENT, status_code=404)
        now = clock.now()
        rows = fred_series.published(market, series_id, now, now)
        if rows is None:
            return HTMLResponse(_ABSENT, status_code=404)
        rows = window.cut(fred_series.shrunk(rows, series_id, request, now))
        lines = [f"{row.observed_on:%Y-%m-%d},{'' if row.value == '.' else row.value}" for row in rows]
        return Response("\n".join([f"observation_date,{series_id}", *lines, ""]), media_type="application/csv")

    return [Route("/fredgraph/fredgraph.csv", csv)]
