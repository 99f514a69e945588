"""One small module a wire: each answers in the shape, the error bodies and the codes of its upstream.

Belongs here: formats of the upstreams, quoted from recorded bodies. Does not belong here: what a market
holds, and what of it is public at an instant (`asof`).
"""

from starlette.routing import Route

from abri_pipeline.sandbox.market import Market
from abri_pipeline.sandbox.wires import (
    alphavantage,
    binance,
    binance_vision,
    fred,
    fredgraph,
    massive,
    reference,
    sec,
    stooq,
    unserved,
    yahoo,
)

WIRES = (yahoo, massive, alphavantage, stooq, binance, binance_vision, fred, fredgraph, sec, reference)


# The first part of every path; a test holds it equal to the routes.
PREFIXES = (
    *("yahoo", "massive", "alphavantage", "stooq", "binance", "binance-vision"),
    *("fred", "fredgraph", "sec", "reference", *unserved.PREFIXES),
)


def routes(market: Market) -> list[Route]:
    """Every served wire's routes, then the prefixes that are not served yet."""
    served = [route for wire in WIRES for route in wire.routes(market)]
    return [*served, *unserved.routes()]
