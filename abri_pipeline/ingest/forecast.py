"""Forecast: what a backfill would ask for, of whom, and how long quotas make it take. Nobody is asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.ingest.ask import UNREADABLE
from abri_pipeline.ingest.desk import FETCHERS, Window
from abri_pipeline.ingest.equity import ASSET_CLASS
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.ingest.watchlist import followed
from abri_pipeline.providers.errors import BadRequest
from abri_pipeline.providers.registry import Provider, Registry
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.usage import Standing, Usage

TYPICAL_MS = 400.0  # of one answer, where nothing was measured yet


@dataclass(frozen=True, slots=True)
class SymbolForecast:
    """One instrument: how many sessions the window expects of it, how many are stored, not to be asked for yet, and
    to be asked for; and from when to when one request would reach, None where nothing is asked."""

    symbol: str
    expected: int
    stored: int
    waiting: int
    asked: int
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class ProviderForecast:
    """One provider, if it were asked for all that it can give.

    `requests` for `symbols` instruments, `cost` in the unit of its quota; `seconds` until the last one is answered,
    where `waits` of them are for the quota; `limits` as they stand now.
    """

    provider: str
    symbols: int
    requests: int
    cost: int
    seconds: float
    waits: float
    limits: tuple[Standing, ...]


@dataclass(frozen=True)
class Forecast:
    """The whole plan; `providers` are by tier, and whoever has the best record is asked first."""

    window: Window
    symbols: tuple[SymbolForecast, ...]
    providers: tuple[ProviderForecast, ...]

    @property
    def sessions(self) -> int:
        """Sessions that would be asked for, of all instruments."""
        return sum(one.asked for one in self.symbols)


def forecast(
    engine: Engine,
    registry: Registry,
    window: Window,
    symbols: Sequence[str] = (),
    *,
    full_refresh: bool = False,
    fetchers: int = FETCHERS,
) -> Forecast:
    """The plan for daily bars of a window.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
    """
    now, moment = clock.now(), clock.wall()
    with engine.connect() as connection:
        needs = plan(connection, followed(connection, symbols), window, now, full_refresh)
        speeds = _speeds(frame(connection, operations.PROVIDER_METRICS))
    asked = [need for need in needs if need.sessions]
    usage = Usage(engine)
    able = [p for p in registry.for_bars(ASSET_CLASS, TIMEFRAME) if p.adjustment not in UNREADABLE]
    providers = [
        _provider(provider, asked, now, moment, usage, speeds.get(provider.name, TYPICAL_MS) / 1000 / fetchers)
        for provider in able
    ]
    days = closed_sessions(now)
    return Forecast(window, tuple(_symbol(need, days) for need in needs), tuple(providers))


def _symbol(need: Need, days: Sequence[date]) -> SymbolForecast:
    expected = set(days_in([(need.wanted.start, need.wanted.end)], days))
    waiting = len(expected & need.waiting.keys() - set(need.sessions))
    span = need.request if need.sessions else None
    return SymbolForecast(
        need.listed.symbol,
        len(expected),
        len(expected & need.have),
        waiting,
        len(need.sessions),
        span.start if span else None,
        span.end if span else None,
    )


def _provider(
    provider: Provider, needs: Sequence[Need], now: datetime, moment: datetime, usage: Usage, pace: float
) -> ProviderForecast:
    counts = [_requests(provider, need, now) for need in needs]
    requests = sum(counts)
    weight = provider.declared.weight if any(limit.unit == "weight" for limit in provider.limits) else 1
    cost = requests * weight
    limits = usage.standing(provider.name, provider.limits, moment)
    waits = max((_wait(one, cost) for one in limits), default=0.0)
    return ProviderForecast(
        provider.name, sum(map(bool, counts)), requests, cost, max(waits, requests * pace), waits, tuple(limits)
    )


def _requests(provider: Provider, need: Need, now: datetime) -> int:
    span = need.request
    try:
        return len(
            provider.queries(
                need.listed.symbol,
                span.start,
                span.end,
                asset_class=ASSET_CLASS,
                timeframe=TIMEFRAME,
                today=now.date(),
            )
        )
    except BadRequest:  # it has the instrument under no name then
        return 0


def _wait(standing: Standing, cost: int) -> float:
    """Seconds until the last of the calls may be made: the rest of this window's first, then a window at a time."""
    beyond = cost - standing.left
    return math.ceil(beyond / standing.limit.amount) * standing.limit.seconds if beyond > 0 else 0.0


def _speeds(metrics: pd.DataFrame) -> dict[str, float]:
    """The newest median latency of each provider, in milliseconds."""
    known = metrics[metrics["median_latency_ms"].notna()].sort_values("date")
    return {row.provider: float(row.median_latency_ms) for row in records(known)}
