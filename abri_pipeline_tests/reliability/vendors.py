"""Two vendors of one market: Yahoo's charts and Massive's aggregates, each of which can be made to misbehave."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from abri_pipeline.calendars import clock
from abri_pipeline.providers.errors import UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline_tests.reliability.truth import shown
from abri_pipeline_tests.reliability.wire import NEW_YORK, Wire

Alter = Callable[[bytes], bytes]


def same(body: bytes) -> bytes:
    """The body as it is."""
    return body


@dataclass
class Vendors(Wire):
    """By upstream: `alters` changes a body, `fails` raises in its stead; `factor` scales Massive's closes."""

    alters: dict[str, Alter] = field(default_factory=dict)
    fails: dict[str, UpstreamError] = field(default_factory=dict)
    factor: float = 1.0

    def get(
        self,
        upstream: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Payload:
        """One page of either vendor."""
        if upstream in self.fails:
            self.calls[upstream] += 1
            raise self.fails[upstream]
        if upstream == "massive":
            self.calls[upstream] += 1
            body, url = self._aggregates(path), path
        else:
            page = super().get(upstream, path, params, headers=headers)
            body, url = page.body, page.url
        changed = self.alters.get(upstream, same)(body)
        return Payload(upstream, url, 200, "application/json", changed, clock.now(), self.market.label)

    def _aggregates(self, path: str) -> bytes:
        """`/v2/aggs/ticker/{symbol}/range/1/day/{start}/{end}` on the basis of now."""
        symbol, (start, end) = path.split("/")[4], path.split("/")[-2:]
        bars = [
            {"t": _midnight(day), "o": close, "h": close, "l": close, "c": close * self.factor, "v": volume}
            for day, (close, _, volume) in shown(self.market, symbol).items()
            if start <= day.isoformat() <= end
        ]
        for bar in bars:
            bar["h"], bar["l"] = max(bar["o"], bar["c"]) + 1, min(bar["o"], bar["c"]) - 1
        return json.dumps(
            {"ticker": symbol, "resultsCount": len(bars), "adjusted": True, "results": bars, "status": "OK"}
        ).encode()


def _midnight(day: Any) -> int:
    return int(datetime.combine(day, time(), NEW_YORK).timestamp() * 1000)
