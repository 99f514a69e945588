"""Equity bars from Massive (Polygon until 2025-10-30), asked through its client.

Belongs here: the seam under the client, paging, Massive's error texts, reading of its aggregates.
Does not belong here: HTTP (transport), the plan's limits (`providers.yaml`).

The client builds each request and follows `next_url`; its one HTTP seam, the pool, is ours: it hands the
request to the transport, keeps the bytes, and gives the client back no more than the address of the next page.
A key travels in a header, never in an address. Names are dated: META before 2022-06-09 is the Roundhill fund
there, Facebook's history is under FB (`providers.yaml`). An unknown ticker is answered like an empty window.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd

from abri_pipeline.providers.bars import (
    BarProvider,
    BarQuery,
    bars,
    days_of,
    instants_of,
    regular_hours,
    wire_numbers,
)
from abri_pipeline.providers.errors import Absent, BadRequest, Malformed, RateLimited, Refused, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.providers.transport import Transport
from abri_pipeline.providers.wire import json_object

PAGES = 100  # of 50,000 base bars each: decades of minutes; more is a loop
_RANGES = {"1m": (1, "minute"), "5m": (5, "minute"), "15m": (15, "minute"), "30m": (30, "minute"), "1d": (1, "day")}
_COLUMNS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_STATUSES = ("OK", "DELAYED")  # DELAYED: true bars, fifteen minutes late on the cheaper plans


class Massive(BarProvider):
    """Massive's aggregates, adjusted for splits.

    Hours are not served: its clock hours straddle the opening bell at 09:30.
    """

    name = "massive"
    adjustment = "split"
    timeframes = tuple(_RANGES)
    key = "MASSIVE_API_KEY"

    def _pages(self, transport: Transport, query: BarQuery) -> tuple[Payload, ...]:
        pool = _Pool(transport)
        amount, unit = _RANGES[query.timeframe]
        client = _client_class()(self._secret(transport), pool)
        start, end = query.start.isoformat(), query.end.isoformat()
        try:
            for _ in client.list_aggs(query.symbol, amount, unit, start, end, adjusted=True, sort="asc", limit=50_000):
                raise AssertionError("unreachable: the client is given no bars")
        except UpstreamError as error:
            raise _explained(error, query) from error
        return tuple(pool.pages)

    def parse(self, bodies: Sequence[bytes], query: BarQuery) -> pd.DataFrame:
        """Read the pages of one window; see `BarProvider`. Minutes outside of regular hours are dropped."""
        rows: list[Any] = []
        for number, body in enumerate(bodies, start=1):
            page = _page(body)
            if bool(page.get("next_url")) != (number < len(bodies)):
                raise Malformed(
                    "massive", f"page {number} of {len(bodies)} is not where the answer ends; fetch it again"
                )
            if page.get("ticker") not in (None, query.symbol):
                raise Malformed("massive", f"the answer is of {str(page['ticker'])[:20]!r}, not of {query.symbol}")
            if page.get("adjusted") is False:
                raise Malformed("massive", "the answer is not adjusted for splits, as was asked")
            rows += page["results"]
        try:
            stamps = instants_of([row["t"] for row in rows], "massive")
            columns = {ours: wire_numbers([row.get(c) for row in rows], "massive") for ours, c in _COLUMNS.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise Malformed("massive", f"a bar has an unknown shape ({type(error).__name__})") from error
        times = days_of(stamps) if query.daily else stamps
        frame = bars("massive", query, times, columns)
        return frame if query.daily else regular_hours(frame, query.step)


def _page(body: bytes) -> dict[str, Any]:
    """One page with its `results` as a list, or the error that it is."""
    page = json_object(body, "massive")
    status = page.get("status")
    if status not in _STATUSES:
        raise _told(str(status), str(page.get("error") or page.get("message") or "")[:200])
    results = page.get("results")  # null in old answers, left out in newer ones, where the window is empty
    if results is None:
        results = []
    if not isinstance(results, list):
        raise Malformed("massive", "the results are no list")
    count = page.get("resultsCount")
    if count is not None and count != len(results):
        raise Malformed("massive", f"a page promises {str(count)[:20]} bars and holds {len(results)}")
    return {**page, "results": results}


def _told(status: str, words: str) -> UpstreamError:
    """The branch of an error that came with HTTP 200."""
    said = f"(it says: {status}: {words})"
    told = words.lower()
    if "maximum requests" in told or "too many requests" in told:
        return RateLimited("massive", f"asked too often; wait a minute and run again {said}")
    if status == "NOT_AUTHORIZED" or "plan" in told or "entitled" in told or "api key" in told:
        return Refused("massive", f"does not allow it; check the key and the plan {said}")
    if status == "NOT_FOUND":
        return Absent("massive", f"does not know it {said}")
    return Malformed("massive", f"an answer of unknown kind {said}")


def _explained(error: UpstreamError, query: BarQuery) -> UpstreamError:
    """A failed request in words that name what was asked."""
    window = f"{query.symbol} from {query.start} to {query.end}"
    if isinstance(error, Absent):
        return error.told_as(Absent, f"does not know {query.symbol}; check the symbol")
    if isinstance(error, Refused) and error.status == 403:
        # also the answer to a window that reaches into the future
        return error.told_as(Refused, f"the plan does not include {window} (it says: {error.detail})")
    if isinstance(error, Refused) and error.status == 401:
        return error.told_as(Refused, "does not accept the key: check MASSIVE_API_KEY")
    if isinstance(error, BadRequest) and error.status is not None:
        return error.told_as(BadRequest, f"does not serve {window} (it says: {error.detail})")
    return error


class _Pool:
    """Stands where the client keeps its connections: one request goes through our transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._asked: set[str] = set()
        self.pages: list[Payload] = []

    def request(self, method: str, url: str, fields: Mapping[str, Any], headers: Mapping[str, str]) -> "_Reply":
        """Ask for one page and tell the client where the next one is."""
        if url in self._asked or len(self._asked) >= PAGES:
            raise Malformed("massive", "its pages lead back to one another; nothing of them is used")
        self._asked.add(url)
        bearer = {"Authorization": headers["Authorization"]}
        payload = self._transport.get("massive", *_split(url, fields), headers=bearer)
        self.pages.append(payload)
        following = _page(payload.body).get("next_url")
        if following is not None and not isinstance(following, str):
            raise Malformed("massive", "the next page's address is no text")
        return _Reply({"results": [], **({"next_url": following} if following else {})})


def _split(url: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Path and parameters of a request; a next page carries its own."""
    path, _, query = url.partition("?")
    if not path.startswith("/v2/aggs/ticker/"):
        raise Malformed("massive", "the next page's address leads elsewhere; not followed")
    return path, {**dict(parse_qsl(query)), **fields}


class _Reply:
    """As much of an HTTP answer as the client looks at."""

    status = 200

    def __init__(self, document: dict[str, Any]) -> None:
        self.data = json.dumps(document).encode()


@lru_cache(maxsize=1)
def _client_class() -> Any:
    """The client's class over a pool of ours, made once: importing the client takes 0.15 s."""
    from massive.rest.aggs import AggsClient  # type: ignore[import-untyped]  # it ships no types

    class OverTransport(AggsClient):  # type: ignore[misc]  # its class comes untyped
        def __init__(self, api_key: str, pool: _Pool) -> None:
            # not super().__init__: it opens certificate stores and a pool with retries of its own
            self.API_KEY = api_key
            self.BASE = ""
            self.headers = {"Authorization": f"Bearer {api_key}"}
            self.client = pool  # the one seam: it asks for `request` only
            self.pagination, self.trace, self.json = True, False, json

    return OverTransport
