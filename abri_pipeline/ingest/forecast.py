"""Forecast: what a backfill would ask for, of whom, and how long quotas make it take. Nobody is asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.ingest import intraday_plan
from abri_pipeline.ingest.ask import UNREADABLE
from abri_pipeline.ingest.desk import FETCHERS, Window
from abri_pipeline.ingest.equity import ASSET_CLASS
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.ingest.watchlist import Listed, followed
from abri_pipeline.providers.errors import BadRequest
from abri_pipeline.providers.registry import Provider, Registry
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.usage import Standing, Usage

TYPICAL_MS = 400.0  # of one answer, where nothing was measured yet


@dataclass(frozen=True, slots=True)
class SymbolForecast:
    """One instrument in one timeframe, in sessions: how many the window expects of it, how many of them are stored,
    not to be asked for yet, to be asked for; and the days that the requests would reach over, None where nothing is
    asked."""

    symbol: str
    timeframe: str
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
    timeframes: Sequence[str] = (),
    full_refresh: bool = False,
    fetchers: int = FETCHERS,
) -> Forecast:
    """The plan for the bars of a window: of `timeframes` where any are named, else of whatever the watchlist keeps.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
    """
    now, moment = clock.now(), clock.wall()
    with engine.connect() as connection:
        listed = followed(connection, symbols)
        daily = not timeframes or TIMEFRAME in timeframes
        found = _daily(connection, listed, window, now, full_refresh) if daily else []
        found += _intraday(connection, registry, listed, timeframes, window, now, full_refresh)
        speeds = _speeds(frame(connection, operations.PROVIDER_METRICS))
    asked = [one for one in found if one.asked]
    names = list(dict.fromkeys(p.name for one in asked or found for p in _able(registry, one.timeframe)))
    usage = Usage(engine)
    providers = [
        _provider(registry[name], asked, now, moment, usage, speeds.get(name, TYPICAL_MS) / 1000 / fetchers)
        for name in names
    ]
    return Forecast(window, tuple(found), tuple(providers))


def _able(registry: Registry, timeframe: str) -> list[Provider]:
    """Who may be asked for a timeframe."""
    return [p for p in registry.for_bars(ASSET_CLASS, timeframe) if p.adjustment not in UNREADABLE]


def _daily(
    connection: Connection, listed: Sequence[Listed], window: Window, now: datetime, full_refresh: bool
) -> list[SymbolForecast]:
    days = closed_sessions(now)
    return [_symbol(need, days) for need in plan(connection, listed, window, now, full_refresh)]


def _intraday(
    connection: Connection,
    registry: Registry,
    listed: Sequence[Listed],
    timeframes: Sequence[str],
    window: Window,
    now: datetime,
    full_refresh: bool,
) -> list[SymbolForecast]:
    shorter = [one for one in timeframes if one != TIMEFRAME]
    if timeframes and not shorter:
        return []
    return [
        _shorter(need)
        for one in listed
        if (frames := intraday_plan.kept(one, shorter))
        for need in intraday_plan.plan(connection, registry, one, frames, window, now, full_refresh)
    ]


def _shorter(need: intraday_plan.Need) -> SymbolForecast:
    expected, span = set(need.wanted), need.request
    return SymbolForecast(
        need.listed.symbol,
        need.timeframe,
        len(expected),
        len(expected & need.have),
        len(expected & need.waiting.keys() - set(need.sessions)),
        len(need.sessions),
        span.start if span else None,
        span.end if span else None,
    )


def _symbol(need: Need, days: Sequence[date]) -> SymbolForecast:
    expected = set(days_in([(need.wanted.start, need.wanted.end)], days))
    waiting = len(expected & need.waiting.keys() - set(need.sessions))
    span = need.request if need.sessions else None
    return SymbolForecast(
        need.listed.symbol,
        TIMEFRAME,
        len(expected),
        len(expected & need.have),
        waiting,
        len(need.sessions),
        span.start if span else None,
        span.end if span else None,
    )


def _provider(
    provider: Provider, asked: Sequence[SymbolForecast], now: datetime, moment: datetime, usage: Usage, pace: float
) -> ProviderForecast:
    counts = [_requests(provider, one, now) for one in asked]
    requests = sum(counts)
    weight = provider.declared.weight if any(limit.unit == "weight" for limit in provider.limits) else 1
    cost = requests * weight
    limits = usage.standing(provider.name, provider.limits, moment)
    waits = max((_wait(one, cost) for one in limits), default=0.0)
    return ProviderForecast(
        provider.name,
        len({o.symbol for o, n in zip(asked, counts, strict=True) if n}),
        requests,
        cost,
        max(waits, requests * pace),
        waits,
        tuple(limits),
    )


def _requests(provider: Provider, one: SymbolForecast, now: datetime) -> int:
    if one.start is None or one.end is None:
        return 0
    kind, today = {"asset_class": ASSET_CLASS, "timeframe": one.timeframe}, now.date()
    try:
        return len(provider.queries(one.symbol, one.start, one.end, **kind, today=today))
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
