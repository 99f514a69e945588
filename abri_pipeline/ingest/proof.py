"""Proof: what answers without a session say of it, after a repair has asked whom it could.

Belongs here: telling a session that is empty, or given up, from one to ask for again. Does not belong here: whom to
ask, and when (repair).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions, final_at
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest import books, equity
from abri_pipeline.ingest.ask import Asked
from abri_pipeline.ingest.desk import Desk
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.providers.errors import BadRequest
from abri_pipeline.quality.gaps import Gap, Why, merge
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import Condition, frame, records

NO_MORE_TO_COME = ("absent", "permanent")  # kinds of failure that asking again tomorrow does not mend
# How long a day that is proved empty or given up is left alone by loads that ask for what is missing.
REST = timedelta(days=30)


def missing(desk: Desk, symbol: str, days: Sequence[date]) -> list[date]:
    """Those of some sessions that are not stored."""
    where: list[Condition] = [("symbol", "=", symbol), ("date", "in", days)]
    with desk.engine.connect() as connection:
        stored = set(frame(connection, BARS, columns=["date"], where=where)["date"].dt.date)
    return [day for day in days if day not in stored]


def told(desk: Desk, need: Need) -> dict[date, Why]:
    """The reason on the books for each session of a need that is missing."""
    with desk.engine.connect() as connection:
        known = books.open_gaps(connection, need.listed.symbol, TIMEFRAME)
    return {day: gap.why for gap in known for day in days_in([(gap.start, gap.end)], need.sessions)}


def reach(desk: Desk, provider: str, symbol: str, need: Need) -> set[date]:
    """The sessions of a need that a provider can be asked for: a plan may reach back a few months only."""
    one, span, today = desk.registry[provider], need.request, clock.now().date()
    try:
        asked = one.queries(
            symbol, span.start, span.end, asset_class=equity.ASSET_CLASS, timeframe=TIMEFRAME, today=today
        )
    except BadRequest:  # it has the instrument under no name then
        return set()
    return set(days_in([(query.start, query.end) for query in asked], need.sessions))


def conclude(desk: Desk, need: Need, answers: Sequence[Asked], reasons: Mapping[date, Why], attempts: int) -> None:
    """Give every session that is still missing the reason that is proved by now.

    Two providers that answered without it prove a session empty. One that was asked for often enough, and that nobody
    who could be asked has, is given up; as long as somebody fails to answer, it is not. What the first provider said
    (`reasons`) stands where the second one failed.
    """
    left = missing(desk, need.listed.symbol, need.sessions)
    if not left:
        return
    silent = {day: _silent(desk, need, day, answers) for day in left}
    failed = any(error.kind not in NO_MORE_TO_COME for asked in answers for error in asked.errors)
    days, now, symbol = closed_sessions(clock.now()), clock.now(), need.listed.symbol
    with begin(desk.engine) as connection:
        known = books.open_gaps(connection, symbol, TIMEFRAME)
        tries = _tries(connection, symbol)
        open_now = {day: gap for gap in known for day in days_in([(gap.start, gap.end)], left)}
        ruled: dict[date, Why] = {}
        for day, gap in open_now.items():
            if len(silent[day]) > 1 and final_at(day) <= now:
                ruled[day] = Why("skipped", f"{' and '.join(silent[day])} answered without the session")
            elif not failed and gap.why.cause != "failed" and tries.get(gap.start, 0) >= attempts:
                ruled[day] = _given_up(gap.why, tries[gap.start], silent[day])
            elif gap.why.cause == "failed" and reasons.get(day, gap.why).cause != "failed":
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
            and day in reach(desk, one.provider, need.listed.symbol, need)
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
