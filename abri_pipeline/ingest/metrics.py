"""Each provider's day: requests, successes, limits, failures, latency and quality, counted while a load runs."""

from dataclasses import dataclass, field
from datetime import date
from statistics import median
from threading import Lock

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import upsert


@dataclass
class _Day:
    requests: int = 0
    successes: int = 0
    rate_limited: int = 0
    failures: int = 0
    latencies: list[float] = field(default_factory=list)
    qualities: list[float] = field(default_factory=list)


class Metrics:
    """Counts of this process, added to the day's row when they are saved."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._days: dict[tuple[str, date], _Day] = {}

    def count(self, provider: str, outcome: str, limited: bool, latency_ms: float, quality: float | None) -> None:
        """One request and how it ended; `outcome` is `success` or the kind of failure."""
        with self._lock:
            day = self._days.setdefault((provider, clock.now().date()), _Day())
            day.requests += 1
            day.latencies.append(latency_ms)
            if outcome == "success":
                day.successes += 1
                day.qualities.append(1.0 if quality is None else quality)
            elif limited:
                day.rate_limited += 1
            else:
                day.failures += 1

    def save(self) -> None:
        """Add what was counted to the stored days; the median and mean weigh the newest counts by their number."""
        with self._lock:
            counted, self._days = self._days, {}
        if counted:
            patiently(lambda: self._add(counted))

    def _add(self, counted: dict[tuple[str, date], _Day]) -> None:
        with begin(self._engine) as connection:
            known = {(r.provider, r.date.date()): r for r in records(frame(connection, operations.PROVIDER_METRICS))}
            rows = [_row(provider, day, own, known.get((provider, day))) for (provider, day), own in counted.items()]
            upsert(connection, operations.PROVIDER_METRICS, pd.DataFrame(rows))


def _row(provider: str, day: date, own: _Day, stored: object | None) -> dict[str, object]:
    before = {n: int(getattr(stored, n, 0)) for n in ("requests", "successes", "rate_limited", "failures")}
    latency, quality = getattr(stored, "median_latency_ms", None), getattr(stored, "quality", None)
    good = [*own.qualities, *([quality] * before["successes"] if quality is not None and quality == quality else [])]
    return {
        "provider": provider,
        "date": day,
        **{name: getattr(own, name) + count for name, count in before.items()},
        "median_latency_ms": median([*own.latencies, *([latency] * before["requests"] if latency else [])]),
        "quality": sum(good) / len(good) if good else None,
    }
