"""Repair: what is missing is asked for once more, of a second provider where there is one, and then given up.

Belongs here: which gaps can still be filled, and what a repeated silence proves. Does not belong here: fetching and
storing (equity), when a repair runs (defs), what a person reads of it (cli).
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions, final_at
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.ingest import books, equity, runs, watchlist
from abri_pipeline.ingest.ask import UNREADABLE, Asked
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.providers.errors import BadRequest
from abri_pipeline.quality.gap_scan import UNBOOKED, MarketWide, market_wide, scan
from abri_pipeline.quality.gaps import Gap, Why, merge
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lease
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import Condition, frame, records

NO_MORE_TO_COME = ("absent", "permanent")  # kinds of failure that asking again tomorrow does not mend
ATTEMPTS = 3  # after which a gap is unfillable
# How long a day that is proved empty or given up is left alone by loads that ask for what is missing.
REST = timedelta(days=30)


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
        need = _need(desk, listed, _missing(desk, listed.symbol, days))
        if need is None:
            return UnitResult(listed.symbol, "unchanged")
        result, first = equity.fill(desk, need)
        answers, reasons = [first], _told(desk, need)
        for other in _others(desk, first):
            missing = _missing(desk, listed.symbol, need.sessions)
            left = _need(desk, listed, sorted(_reach(desk, other, listed.symbol, need).intersection(missing)))
            if left is None:
                continue
            again, second = equity.fill(desk, left, only=other)
            answers.append(second)
            result = _together(result, again)
            if second.answer or second.empties:
                break
        _conclude(desk, need, answers, reasons, attempts)
    return result


def _need(desk: Desk, listed: Listed, days: Sequence[date]) -> Need | None:
    """The need of exactly these sessions; None where there are none, or the instrument was not listed then."""
    if not days:
        return None
    with desk.engine.connect() as connection:
        needs = plan(connection, [listed], Window(days[0], days[-1]), clock.now(), insist=frozenset(days))
    return needs[0] if needs and needs[0].sessions else None


def _missing(desk: Desk, symbol: str, days: Sequence[date]) -> list[date]:
    """Those of some sessions that are not stored."""
    where: list[Condition] = [("symbol", "=", symbol), ("date", "in", days)]
    with desk.engine.connect() as connection:
        stored = set(frame(connection, BARS, columns=["date"], where=where)["date"].dt.date)
    return [day for day in days if day not in stored]


def _told(desk: Desk, need: Need) -> dict[date, Why]:
    """The reason on the books for each session of a need that is missing."""
    with desk.engine.connect() as connection:
        known = books.open_gaps(connection, need.listed.symbol, TIMEFRAME)
    return {day: gap.why for gap in known for day in days_in([(gap.start, gap.end)], need.sessions)}


def _others(desk: Desk, asked: Asked) -> list[str]:
    """The providers that were not asked yet, best tier first."""
    able = desk.registry.for_bars(equity.ASSET_CLASS, TIMEFRAME)
    return [p.name for p in able if p.adjustment not in UNREADABLE and p.name not in asked.tried]


def _reach(desk: Desk, provider: str, symbol: str, need: Need) -> set[date]:
    """The sessions of a need that a provider can be asked for: a plan may reach back a few months only."""
    one, span, today = desk.registry[provider], need.request, clock.now().date()
    try:
        asked = one.queries(
            symbol, span.start, span.end, asset_class=equity.ASSET_CLASS, timeframe=TIMEFRAME, today=today
        )
    except BadRequest:  # it has the instrument under no name then
        return set()
    return set(days_in([(query.start, query.end) for query in asked], need.sessions))


def _conclude(desk: Desk, need: Need, answers: Sequence[Asked], reasons: Mapping[date, Why], attempts: int) -> None:
    """Give every session that is still missing the reason that is proved by now.

    Two providers that answered without it prove a session empty. One that was asked for often enough, and that nobody
    who could be asked has, is given up; as long as somebody fails to answer, it is not. What the first provider said
    (`reasons`) stands where the second one failed.
    """
    left = _missing(desk, need.listed.symbol, need.sessions)
    if not left:
        return
    silent = {day: _silent(desk, need, day, answers) for day in left}
    failed = any(error.kind not in NO_MORE_TO_COME for asked in answers for error in asked.errors)
    days, now, symbol = closed_sessions(clock.now()), clock.now(), need.listed.symbol
    with begin(desk.engine) as connection:
        known = books.open_gaps(connection, symbol, TIMEFRAME)
        tries = _tries(connection, symbol)
        told = {day: gap for gap in known for day in days_in([(gap.start, gap.end)], left)}
        ruled: dict[date, Why] = {}
        for day, gap in told.items():
            if len(silent[day]) > 1 and final_at(day) <= now:
                ruled[day] = Why("skipped", f"{' and '.join(silent[day])} answered without the session")
            elif not failed and gap.why.cause != "failed" and tries.get(gap.start, 0) >= attempts:
                ruled[day] = _given_up(gap.why, tries[gap.start], silent[day])
            elif gap.why.cause == "failed" and reasons[day].cause != "failed":
                ruled[day] = reasons[day]
        if ruled:
            _write(connection, need, known, ruled, days)


def _silent(desk: Desk, need: Need, day: date, answers: Sequence[Asked]) -> list[str]:
    """The providers that answered a request that held a day without a bar on it."""
    given = [a for asked in answers for a in (asked.answer, *asked.empties) if a is not None]
    return sorted(
        {
            one.provider
            for one in given
            if day not in set(one.bars["date"].dt.date if len(one.bars) else ())
            and day in _reach(desk, one.provider, need.listed.symbol, need)
        }
    )


def _given_up(why: Why, tries: int, silent: Sequence[str]) -> Why:
    last = f"the session is not in the answer of {silent[0]}" if silent and why.cause == "hole" else why.reason
    return Why(why.cause, f"given up after {tries} attempts; {last}", given_up=True)


def _tries(connection: Connection, symbol: str) -> dict[date, int]:
    """How often each open gap was asked for, by its first day."""
    where: list[Condition] = [("symbol", "=", symbol), ("timeframe", "=", TIMEFRAME), ("state", "!=", "filled")]
    rows = frame(connection, operations.GAPS, columns=["gap_start", "attempts"], where=where)
    return {row.gap_start.date(): int(row.attempts) for row in records(rows)}


def _write(
    connection: Connection,
    need: Need,
    known: Sequence[Gap],
    ruled: Mapping[date, Why],
    days: Sequence[date],
) -> None:
    """The gaps with what was ruled, and rest for the days that it was ruled of."""
    symbol, now = need.listed.symbol, clock.now()
    kept = {day: gap.why for gap in known for day in days_in([(gap.start, gap.end)], days)}
    everything = (days[0], days[-1])
    books.gaps(connection, symbol, TIMEFRAME, merge((), everything, {**kept, **ruled}, days), asked=())
    fresh = plan(connection, [need.listed], need.wanted, now)[0]
    resting = {day: now + REST for day, why in ruled.items() if why.given_up or why.cause == "skipped"}
    equity.cover(connection, symbol, fresh.have, {**fresh.waiting, **resting}, days)


def _together(one: UnitResult, other: UnitResult) -> UnitResult:
    """Two answers for one symbol as one result: what was stored counts together, and one that came is no failure."""
    best = one if other.failed or (not one.failed and one.outcome == "stored") else other
    sums = {name: getattr(one, name) + getattr(other, name) for name in ("rows", "inserted", "changed", "rejected")}
    return replace(best, **sums)
