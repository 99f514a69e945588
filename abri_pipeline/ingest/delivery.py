"""A delivery: the accepted payload of one unit, archived, with what it took to get it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from abri_pipeline.calendars import clock
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.ingest.stamp import SYNTHETIC, market_of
from abri_pipeline.providers.transport import Payload


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
    return Delivery(
        unit=unit,
        timeframe=timeframe,
        provider=payload.provider,
        window=window,
        raw_hash=desk.archive.put(payload.body),
        pulled_at=payload.fetched_at,
        market=market_of(payload.market),
        latency_ms=took,
        body=payload.body,
        content_type=payload.content_type,
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
