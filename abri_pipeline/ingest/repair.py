"""Repair: what is missing is asked for once more, of a second provider where there is one, and then given up.

Belongs here: which gaps can still be filled, and whom to ask for them. Does not belong here: fetching and storing
(equity), what a repeated silence proves (proof), when a repair runs (defs).
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.ingest import equity, proof, runs, watchlist
from abri_pipeline.ingest.ask import UNREADABLE, Asked
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.quality.gap_scan import UNBOOKED, MarketWide, market_wide, scan
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.locks import unit_lease
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import Condition, frame, records

ATTEMPTS = 3  # after which a gap is unfillable


@dataclass(frozen=True)
class Repairable:
    """The sessions worth asking for again, by symbol, and the misses of the whole market, which are not."""

    days: Mapping[str, tuple[date, ...]]
    wide: tuple[MarketWide, ...]


def repairable(connection: Connection, now: datetime, window: Window | None = None) -> Repairable:
    """Open gaps of daily bars that nothing explains, and those of unknown symbols whose day of waiting has passed.

    A session that nearly every instrument misses is one finding, however many instruments there are: asking for each
    would not mend the provider or the calendar.
    """
    days = closed_sessions(now)
    if window is not None:
        days = tuple(days_in([(window.start, window.end)], days))
    where: list[Condition] = [("timeframe", "=", TIMEFRAME), ("state", "=", "missing")]
    rows = frame(connection, operations.GAPS, where=where)
    followed = {one.symbol for one in watchlist.followed(connection)}
    rows = rows[rows["symbol"].isin(followed)]
    if rows.empty or not days:
        return Repairable({}, ())
    spans = [(row.gap_start.date(), row.gap_end.date()) for row in records(rows)]
    inside = tuple(days_in([(min(a for a, _ in spans), max(b for _, b in spans))], days))
    seen = scan(connection, inside)
    # What nobody ever asked for is no miss of the market's.
    wide = tuple(market_wide(replace(seen, expected=seen.expected & (seen.stored | (seen.owner != UNBOOKED)))))
    left_out = set(days_in([(one.start, one.end) for one in wide], days))
    waiting = _waiting(connection, now, days)
    found: dict[str, set[date]] = {}
    for row, span in zip(records(rows), spans, strict=True):
        wanted = set(days_in([span], days)) - left_out
        if row.cause in EXPLAINED:
            wanted -= waiting.get(row.symbol, set())
        if wanted:
            found.setdefault(row.symbol, set()).update(wanted)
    return Repairable({symbol: tuple(sorted(own)) for symbol, own in sorted(found.items())}, wide)


def _waiting(connection: Connection, now: datetime, days: Sequence[date]) -> dict[str, set[date]]:
    """The days of each symbol that are not to be asked for yet."""
    where: list[Condition] = [("timeframe", "=", TIMEFRAME), ("state", "!=", "have"), ("next_attempt_at", ">", now)]
    found: dict[str, set[date]] = {}
    for row in records(frame(connection, operations.COVERAGE, where=where)):
        found.setdefault(row.symbol, set()).update(days_in([(row.range_start.date(), row.range_end.date())], days))
    return found


def standing(connection: Connection, asked: Mapping[str, Sequence[date]]) -> dict[str, int]:
    """What became of sessions that were asked for, by state of their gap; those no longer missing are `filled`."""
    where: list[Condition] = [("timeframe", "=", TIMEFRAME), ("state", "!=", "filled")]
    rows = frame(connection, operations.GAPS, where=[*where, ("symbol", "in", list(asked))])
    found = dict.fromkeys(("filled", "verified_empty", "unfillable", "missing"), 0)
    found["filled"] = sum(len(days) for days in asked.values())
    for row in records(rows):
        count = sum(row.gap_start.date() <= day <= row.gap_end.date() for day in asked[row.symbol])
        found[row.state] += count
        found["filled"] -= count
    return found


def load(desk: Desk, window: Window, symbols: Sequence[str] = (), attempts: int = ATTEMPTS) -> Load:
    """Ask once more for the repairable sessions of a window, and conclude from what comes.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
        MixedMarkets: the database holds the other market.
    """
    watchlist.seed(desk.engine)
    with desk.engine.connect() as connection:
        followed = {one.symbol: one for one in watchlist.followed(connection, symbols)}
        found = repairable(connection, clock.now(), window).days
    asked = [(followed[symbol], days) for symbol, days in found.items() if symbol in followed]
    with (
        runs.booked(desk, Load(BARS.name), window, len(asked), symbols) as loaded,
        ThreadPoolExecutor(desk.fetchers) as pool,
    ):
        for result in pool.map(lambda each: unit(desk, each[0], each[1], attempts), asked):
            loaded.results.append(result)
            runs.beat(desk, loaded)
            desk.report(loaded, len(asked))
        desk.arms.save()
        desk.metrics.save()
    return loaded


def unit(desk: Desk, listed: Listed, days: Sequence[date], attempts: int) -> UnitResult:
    """One symbol: ask, ask a second provider for what is still missing, then write down what that proves.

    Whoever comes second, or does it again because the database went away, asks for what is missing by then.
    """
    return patiently(lambda: _unit(desk, listed, days, attempts))


def _unit(desk: Desk, listed: Listed, days: Sequence[date], attempts: int) -> UnitResult:
    with unit_lease(desk.engine, equity.lease_of(listed.symbol)):
        need = _need(desk, listed, proof.missing(desk, listed.symbol, days))
        if need is None:
            return UnitResult(listed.symbol, "unchanged")
        result, first = equity.fill(desk, need)
        answers, reasons = [first], proof.told(desk, need)
        for other in _others(desk, first):
            missing = proof.missing(desk, listed.symbol, need.sessions)
            left = _need(desk, listed, sorted(proof.reach(desk, other, listed.symbol, need).intersection(missing)))
            if left is None:
                continue
            again, second = equity.fill(desk, left, only=other)
            answers.append(second)
            result = _together(result, again)
            if second.answer or second.empties:
                break
        proof.conclude(desk, need, answers, reasons, attempts)
    return result


def _need(desk: Desk, listed: Listed, days: Sequence[date]) -> Need | None:
    """The need of exactly these sessions; None where there are none, or the instrument was not listed then."""
    if not days:
        return None
    with desk.engine.connect() as connection:
        needs = plan(connection, [listed], Window(days[0], days[-1]), clock.now(), insist=frozenset(days))
    return needs[0] if needs and needs[0].sessions else None


def _others(desk: Desk, asked: Asked) -> list[str]:
    """The providers that were not asked yet, best tier first."""
    able = desk.registry.for_bars(equity.ASSET_CLASS, TIMEFRAME)
    return [p.name for p in able if p.adjustment not in UNREADABLE and p.name not in asked.tried]


def _together(one: UnitResult, other: UnitResult) -> UnitResult:
    """Two answers for one symbol as one result: what was stored counts together, and one that came is no failure."""
    best = one if other.failed or (not one.failed and one.outcome == "stored") else other
    sums = {name: getattr(one, name) + getattr(other, name) for name in ("rows", "inserted", "changed", "rejected")}
    return replace(best, **sums)
