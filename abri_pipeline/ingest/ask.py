"""Asking for bars: the right provider, within quota, the next one where it fails; every step is told.

Belongs here: the walk over providers for one request. Does not belong here: what is done with the rows (equity),
scoring (bandit), limits (quota).
"""

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pandas as pd

from abri_pipeline.calendars import clock
from abri_pipeline.ingest.delivery import Delivery, Pages, fetch_pages
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.bandit import reward
from abri_pipeline.providers.bars import BarQuery
from abri_pipeline.providers.errors import BadRequest, RateLimited, Transient, UpstreamError
from abri_pipeline.providers.quota import QuotaSpent
from abri_pipeline.providers.registry import Provider

WAIT_AT_MOST = 75.0  # seconds for a quota to free, where nobody else can answer
UNREADABLE = ("split_dividend",)  # closes that no known action can turn back into closes


@dataclass(frozen=True)
class Answer:
    """Bars of one provider: as parsed, with the archived delivery; `actions` where the same payload holds them."""

    provider: str
    adjustment: str
    delivery: Delivery
    bars: pd.DataFrame
    actions: pd.DataFrame | None


@dataclass
class Asked:
    """The walk for one request: who was tried, what each said, and the answer, if any.

    `empties` answered with no bar at all; `errors` are in the order in which they came; `unread` are the archived
    payloads that could not be read, by provider.
    """

    answer: Answer | None = None
    tried: list[str] = field(default_factory=list)
    empties: list[Answer] = field(default_factory=list)
    errors: list[UpstreamError] = field(default_factory=list)
    unread: dict[str, Delivery] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)
    seed: int = 0

    @property
    def error(self) -> UpstreamError:
        """What to book where there is no answer: absence only where nobody failed in another way."""
        return next((e for e in self.errors if e.kind != "absent"), self.errors[-1])


def ask(desk: Desk, symbol: str, asset_class: str, timeframe: str, window: Window, *, only: str | None = None) -> Asked:
    """Ask the providers, best first, until one answers with bars that may stand; `only` names the one to ask."""
    dataset = f"{asset_class} {timeframe}"
    today = clock.now().date()
    parts: dict[str, tuple[BarQuery, ...]] = {}
    asked = Asked(seed=_seed(symbol, dataset, window))
    for provider in desk.registry.for_bars(asset_class, timeframe):
        if only not in (None, provider.name) or provider.adjustment in UNREADABLE:
            continue
        parts[provider.name] = _queries(asked, provider, symbol, asset_class, timeframe, window, today)
    able = [name for name, queries in parts.items() if queries]
    decision = desk.arms.choose(able, dataset, clock.wall(), asked.seed)
    alone = f"{able[0]} alone can be asked" if able else "nobody can be asked"
    asked.why.append(decision.reason if len(able) > 1 else alone)
    for name in decision.order:
        _try(desk, asked, desk.registry[name], symbol, timeframe, window, parts[name], dataset)
        if asked.answer:
            break
    if not asked.errors and not asked.answer and not asked.empties:
        asked.errors.append(
            Transient("registry", f"no provider can be asked for {symbol} {timeframe}: {asked.why[-1]}")
        )
    return asked


def _queries(
    asked: Asked, provider: Provider, symbol: str, asset_class: str, timeframe: str, window: Window, today: date
) -> tuple[BarQuery, ...]:
    try:
        return provider.queries(
            symbol, window.start, window.end, asset_class=asset_class, timeframe=timeframe, today=today
        )
    except BadRequest as error:  # it has the instrument under no name then: another one may
        asked.why.append(str(error))
        return ()


def _try(
    desk: Desk,
    asked: Asked,
    provider: Provider,
    symbol: str,
    timeframe: str,
    window: Window,
    queries: tuple[BarQuery, ...],
    dataset: str,
) -> None:
    """One provider: reserve, fetch, parse, learn."""
    asked.tried.append(provider.name)
    began = time.perf_counter()
    try:
        _reserve(desk, provider, len(queries))
        delivery, bodies = _fetch(desk, provider, symbol, timeframe, window, queries)
        asked.unread[provider.name] = delivery
        bars, actions = parse_pages(provider, bodies)
    except QuotaSpent as spent:
        asked.errors.append(RateLimited(provider.name, str(spent)))
        asked.why.append(str(spent))
        return  # nothing was asked, so nothing is learnt
    except UpstreamError as error:
        took = (time.perf_counter() - began) * 1000
        desk.metrics.count(provider.name, error.kind, isinstance(error, RateLimited), took, None)
        # That a symbol is unknown is an honest answer: it says nothing against the provider.
        if error.kind != "absent":
            desk.arms.learn(provider.name, dataset, 0.0, clock.wall())
        asked.errors.append(error)
        asked.why.append(f"{provider.name} left: {error.message}")
        return
    del asked.unread[provider.name]
    answer = Answer(provider.name, provider.adjustment, delivery, bars, actions)
    wealth = _quality(answer.bars, timeframe)
    desk.metrics.count(provider.name, "success", False, answer.delivery.latency_ms, wealth)
    desk.arms.learn(provider.name, dataset, reward(True, answer.delivery.latency_ms, wealth), clock.wall())
    if answer.bars.empty:
        asked.empties.append(answer)
        asked.why.append(f"{provider.name} left: it answered without a bar")
    else:
        asked.answer = answer


def _reserve(desk: Desk, provider: Provider, requests: int) -> None:
    """Charge the requests before they are made; a quota that frees soon is waited for.

    Polite rates are the transport's to keep, and nothing but politeness binds a stand-in of our own less.
    """
    limits = [limit for limit in provider.limits if limit.basis != "polite"]
    if not limits:
        return
    weight = provider.declared.weight if any(limit.unit == "weight" for limit in limits) else 1
    while True:
        now = clock.wall()
        try:
            desk.usage.reserve(provider.name, limits, requests * weight, now)
            return
        except QuotaSpent as spent:
            pause = (spent.frees_at - now).total_seconds()
            if pause > WAIT_AT_MOST:
                raise
            desk.pause(pause)


def _fetch(
    desk: Desk, provider: Provider, symbol: str, timeframe: str, window: Window, queries: tuple[BarQuery, ...]
) -> tuple[Delivery, Pages]:
    """Fetch every part of the window and archive it."""
    if provider.bars is None:
        raise BadRequest(provider.name, "gives no bars")
    requests = [(query, partial(provider.bars.fetch, desk.transport, query)) for query in queries]
    return fetch_pages(desk, symbol, timeframe, window, requests)


def parse_pages(provider: Provider, bodies: Pages) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The bars and actions of archived pages, by query: what a fetch and a rebuild read alike.

    Raises:
        UpstreamError: a page is no complete answer.
    """
    if provider.bars is None:
        raise BadRequest(provider.name, "gives no bars")
    found = [provider.bars.read(pages, query) for query, pages in bodies]
    actions = [one for _, one in found if one is not None]
    return (
        pd.concat([bars for bars, _ in found], ignore_index=True) if len(found) > 1 else found[0][0],
        pd.concat(actions, ignore_index=True) if actions else None,
    )


def _quality(bars: pd.DataFrame, timeframe: str) -> float:
    """Share of the cells that a bar should have; adj_close counts for days only."""
    columns = ["open", "high", "low", "close", "volume", *(["adj_close"] if timeframe == "1d" else [])]
    return float(bars[columns].notna().to_numpy().mean()) if len(bars) else 1.0


def _seed(symbol: str, dataset: str, window: Window) -> int:
    """A seed that the same request draws again, so that a decision can be replayed."""
    told = json.dumps([symbol, dataset, str(window.start), str(window.end)]).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:4], "big")
