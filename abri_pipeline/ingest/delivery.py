"""A delivery: the accepted payload of one unit, archived, with what it took to get it.

A delivery of several pages is archived as a manifest that names the hash of each page and the request it answers,
so that its rows can be read again from the archive alone.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from abri_pipeline.calendars import clock
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.ingest.stamp import SYNTHETIC, market_of
from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.transport import Payload
from abri_pipeline.warehouse.archive import Archive

MANIFEST = b'{"abri_manifest":'


@dataclass(frozen=True, slots=True)
class Delivery:
    """One unit's payload in the archive; `raw_hash` is None where nothing came."""

    unit: str
    timeframe: str
    provider: str
    window: Window | None
    raw_hash: str | None
    pulled_at: datetime
    market: str
    latency_ms: float
    body: bytes = b""
    content_type: str = ""
    attempts: int = 1

    @property
    def provenance(self) -> dict[str, Any]:
        """The three columns that say where a row is from."""
        named = SYNTHETIC if self.market == SYNTHETIC else self.provider
        return {"source_provider": named, "raw_hash": self.raw_hash, "pulled_at": self.pulled_at}


def fetch(desk: Desk, unit: str, timeframe: str, window: Window | None, ask: Callable[[], Payload]) -> Delivery:
    """Ask an upstream and archive its bytes before anybody reads them.

    Raises:
        UpstreamError: whatever the provider's errors say.
    """
    began = time.perf_counter()
    payload = ask()
    took = (time.perf_counter() - began) * 1000
    desk.at("fetch")
    raw_hash = desk.archive.put(payload.body)
    desk.at("archive")
    return Delivery(
        unit=unit,
        timeframe=timeframe,
        provider=payload.provider,
        window=window,
        raw_hash=raw_hash,
        pulled_at=payload.fetched_at,
        market=market_of(payload.market),
        latency_ms=took,
        body=payload.body,
        content_type=payload.content_type,
    )


Pages = list[tuple[BarQuery, list[bytes]]]


def fetch_pages(
    desk: Desk,
    unit: str,
    timeframe: str,
    window: Window,
    requests: Sequence[tuple[BarQuery, Callable[[], tuple[Payload, ...]]]],
) -> tuple[Delivery, Pages]:
    """Ask for every part of a window and archive each page; the bodies come back by the query they answer.

    Raises:
        UpstreamError: a part failed; none of it is delivered.
    """
    began = time.perf_counter()
    pages = [(query, get()) for query, get in requests]
    took = (time.perf_counter() - began) * 1000
    desk.at("fetch")
    hashes = [[desk.archive.put(page.body) for page in found] for _, found in pages]
    told = [{"request": _told(query), "pages": own} for (query, _), own in zip(pages, hashes, strict=True)]
    payloads = [page for _, found in pages for page in found]
    plain = BarQuery(unit, window.start, window.end, timeframe)
    single = len(payloads) == 1 and pages[0][0] == plain
    raw_hash = hashes[0][0] if single else desk.archive.put(json.dumps({"abri_manifest": told}).encode())
    desk.at("archive")
    delivery = Delivery(
        unit=unit,
        timeframe=timeframe,
        provider=payloads[0].provider,
        window=window,
        raw_hash=raw_hash,
        pulled_at=max(p.fetched_at for p in payloads),
        market=market_of(payloads[0].market),
        latency_ms=took,
        attempts=len(payloads),
    )
    return delivery, [(query, [page.body for page in found]) for query, found in pages]


def read_pages(archive: Archive, raw_hash: str, whole: BarQuery) -> Pages:
    """The archived pages of a delivery; `whole` is the request of one that has a single page."""
    body = archive.get(raw_hash)
    if not body.startswith(MANIFEST):
        return [(whole, [body])]
    return [
        (_query(part["request"]), [archive.get(page) for page in part["pages"]])
        for part in json.loads(body)["abri_manifest"]
    ]


def _told(query: BarQuery) -> dict[str, str]:
    return {
        "symbol": query.symbol,
        "start": query.start.isoformat(),
        "end": query.end.isoformat(),
        "timeframe": query.timeframe,
    }


def _query(told: dict[str, str]) -> BarQuery:
    return BarQuery(
        told["symbol"], date.fromisoformat(told["start"]), date.fromisoformat(told["end"]), told["timeframe"]
    )


def nothing(unit: str, timeframe: str, provider: str, window: Window | None) -> Delivery:
    """The record of a fetch that brought nothing."""
    return Delivery(unit, timeframe, provider, window, None, clock.now(), "", 0.0)


def combine(desk: Desk, unit: str, parts: Sequence[Delivery], manifest: bytes) -> Delivery:
    """Several payloads that make one set of rows: the archived manifest names the hash of each."""
    return Delivery(
        unit=unit,
        timeframe=parts[0].timeframe,
        provider=parts[0].provider,
        window=None,
        raw_hash=desk.archive.put(manifest),
        pulled_at=max(p.pulled_at for p in parts),
        market=parts[0].market,
        latency_ms=sum(p.latency_ms for p in parts),
        body=manifest,
        attempts=len(parts),
    )
