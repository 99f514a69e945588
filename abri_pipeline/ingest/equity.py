"""Equity bars and corporate actions: one unit a symbol, one transaction a unit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest import books, rows, runs, watchlist
from abri_pipeline.ingest.ask import Answer, Asked, ask
from abri_pipeline.ingest.delivery import Delivery, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan, reaching_back
from abri_pipeline.ingest.publish import Batch, Judgement, publish
from abri_pipeline.ingest.revise import judge, protect
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.providers.errors import UpstreamError
from abri_pipeline.quality.gaps import Why, merge
from abri_pipeline.quality.ranges import days_in, ranges
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lease
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import frame

RETRY_AFTER = timedelta(hours=24)
ASSET_CLASS = "equity"
WANTED = f"{ASSET_CLASS} {TIMEFRAME}"
Reasons = Callable[[date], Why]


def load(desk: Desk, window: Window, symbols: Sequence[str] = ()) -> Load:
    """Fetch, check and store what is missing of the bars in a window.

    A symbol's failure stops nobody else: it is booked, and named in the result.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
        MixedMarkets: the database holds the other market.
    """
    watchlist.seed(desk.engine)
    window = reaching_back(window, desk.reread, clock.now())
    with desk.engine.connect() as connection:
        followed = watchlist.followed(connection, symbols)
        needs = plan(connection, followed, window, clock.now(), desk.full_refresh, desk.reread)
    with (
        runs.booked(desk, Load(BARS.name), window, len(needs), symbols) as loaded,
        ThreadPoolExecutor(desk.fetchers) as pool,
    ):
        loaded.results += [UnitResult(need.listed.symbol, "unchanged") for need in needs if not need.sessions]
        asked = [need.listed for need in needs if need.sessions]
        for result in pool.map(lambda listed: unit(desk, window, listed), asked):
            loaded.results.append(result)
            runs.beat(desk, loaded)
            desk.report(loaded, len(needs))
        desk.arms.save()
        desk.metrics.save()
    return loaded


def unit(desk: Desk, window: Window, listed: Listed) -> UnitResult:
    """One symbol from plan to commit, while nobody else works on it: who comes second finds it done.

    So does the unit itself, where it is done again because the database went away.
    """
    return patiently(lambda: _unit(desk, window, listed))


def _unit(desk: Desk, window: Window, listed: Listed) -> UnitResult:
    with unit_lease(desk.engine, lease_of(listed.symbol)):
        with desk.engine.connect() as connection:
            needs = plan(connection, [listed], window, clock.now(), desk.full_refresh, desk.reread)
        if not needs or not needs[0].sessions:
            return UnitResult(listed.symbol, "unchanged")
        return fill(desk, needs[0])[0]


def lease_of(symbol: str) -> str:
    """The name of the lease under which one symbol's daily bars are worked on."""
    return f"{TIMEFRAME}:{symbol}"


def fill(desk: Desk, need: Need, only: str | None = None) -> tuple[UnitResult, Asked]:
    """Ask for one need, publish and book what came, under the symbol's lease; `only` names the provider to ask."""
    asked = ask(desk, need.listed.symbol, ASSET_CLASS, TIMEFRAME, need.request, only=only)
    if asked.answer is None:
        return _book_silence(desk, need, asked), asked
    try:
        return _settle(desk, need, asked, asked.answer), asked
    except UpstreamError as error:  # the second, wider fetch failed
        return _book_failure(desk, need, error, asked), asked


def _settle(desk: Desk, need: Need, asked: Asked, answer: Answer) -> UnitResult:
    """Publish an answer; where it shows a new dividend or split, the whole stored history in its stead."""
    span = need.request
    with desk.engine.connect() as connection:
        rebased = need.stored is not None and rows.rebased(connection, need.listed.symbol, span, answer)
    if rebased and need.stored:
        span = Window(min(need.stored.start, span.start), max(need.stored.end, span.end))
        again = ask(desk, need.listed.symbol, ASSET_CLASS, TIMEFRAME, span, only=answer.provider)
        if again.answer is None:
            raise again.error
        answer = again.answer
    return store(desk, need, asked, answer, span)


def store(desk: Desk, need: Need, asked: Asked, answer: Answer, span: Window) -> UnitResult:
    """Judge one answer and publish what may stand of it, from the delivery alone: a rebuild calls it too."""
    with desk.engine.connect() as connection:
        bars = rows.bars(connection, need.listed, answer)
        actions = rows.actions(need.listed, answer)
        verdicts = judge(connection, need.listed.symbol, bars, actions, span, answer)
    days = closed_sessions(answer.delivery.pulled_at)
    batches = [Batch(BARS, bars, days), *([Batch(ACTIONS, actions)] if actions is not None else [])]

    def prepare(connection: Connection, screened: list[Screened]) -> list[Screened]:
        rebased = span != need.request
        return [protect(connection, need.listed.symbol, screened[0], answer, rebased=rebased), *screened[1:]]

    def afterwards(connection: Connection, screened: list[Screened]) -> None:
        books.decision(connection, desk.job_id, need.listed.symbol, WANTED, asked, answer.provider)
        if not verdicts.refused:
            rows.vouch(connection, desk.archive, need.listed.symbol, screened[0].accepted, answer)
        _book(connection, need, _reasons(answer, verdicts, screened[0]), None if verdicts.refused else span)

    return publish(desk, answer.delivery, batches, judgement=verdicts, prepare=prepare, afterwards=afterwards)


def _reasons(answer: Answer, verdicts: Judgement, screened: Screened) -> Reasons:
    """Why a day that was asked for is not stored after this answer."""
    refused = screened.rejected_days
    if verdicts.refused:
        quarantined = Why("rejected", f"{answer.provider}'s load was quarantined: {'; '.join(verdicts.refused)}")
        return lambda _day: quarantined
    hole = Why("hole", f"the session is not in {answer.provider}'s answer")
    broke = Why("rejected", f"{answer.provider}'s row broke a rule; see rejected_rows")
    return lambda day: broke if day in refused else hole


def _book_silence(desk: Desk, need: Need, asked: Asked) -> UnitResult:
    """Nobody had a bar: proof of absence only where two providers say so, an open question where one does."""
    if not asked.empties or any(e.kind != "absent" for e in asked.errors):
        return _book_failure(desk, need, asked.error, asked)
    names = " and ".join(answer.provider for answer in asked.empties)
    confirmed = len(asked.empties) > 1
    told = f"{names} answered without a bar" + ("" if confirmed else ", and nobody confirmed it")
    why = Why("skipped" if confirmed else "hole", told)
    return _book_nothing(desk, need, asked, asked.empties[0].delivery, UnitResult(need.listed.symbol, "empty"), why)


def _book_failure(desk: Desk, need: Need, error: UpstreamError, asked: Asked) -> UnitResult:
    """Book a fetch that brought nothing: an absent symbol waits a day, any other may be tried at once."""
    result = UnitResult(need.listed.symbol, error.kind, reason=str(error))
    why = Why("absent" if error.kind == "absent" else "failed", f"{error.provider}: {error.message}")
    sent = asked.unread.get(error.provider) or nothing(need.listed.symbol, TIMEFRAME, error.provider, need.request)
    return _book_nothing(desk, need, asked, sent, result, why)


def _book_nothing(desk: Desk, need: Need, asked: Asked, sent: Delivery, result: UnitResult, why: Why) -> UnitResult:
    with begin(desk.engine) as connection:
        row = books.audit(connection, desk.job_id, BARS.name, sent, result)
        books.decision(connection, desk.job_id, need.listed.symbol, WANTED, asked, "")
        _book(connection, need, lambda _day: why)
    desk.journal.write(row)
    return result


def _book(connection: Connection, need: Need, why: Reasons, read: Window | None = None) -> None:
    """Coverage, gaps and progress of one symbol after a load, from what is stored now; `read` is what an answer spans.

    A request that reaches into the stored history also brings what lies between, and that is covered then too. What
    is stored but was to be read again, and was not, stays uncovered.
    """
    symbol, days = need.listed.symbol, closed_sessions(clock.now())
    books.progress(connection, symbol, TIMEFRAME, BARS, "symbol", "date")
    span = need.wanted
    stored = set(frame(connection, BARS, columns=["date"], where=[("symbol", "=", symbol)])["date"].dt.date)
    expected = set(days_in([(span.start, span.end)], days))
    known = books.open_gaps(connection, symbol, TIMEFRAME)
    told = {day: gap.why for gap in known for day in days_in([(gap.start, gap.end)], days)}
    asked = set(need.sessions)
    # What was not asked for keeps its reason, and what was given up stays so until it comes.
    kept = {day: one for day, one in told.items() if one.given_up or day not in asked}
    missing = {day: kept.get(day) or why(day) for day in expected - stored}
    books.gaps(connection, symbol, TIMEFRAME, merge(known, (span.start, span.end), missing, days, stored), asked)
    have = need.have | (stored & set(days_in([(read.start, read.end)], days)) if read else set())
    # A session that was not asked for this time keeps its own waiting time, or daily loads would put it off for ever.
    again_at = clock.now() + RETRY_AFTER
    rests = {d for d, w in missing.items() if w.given_up and d in need.waiting}  # given up: its rest is longer
    tried = {d: again_at for d, w in missing.items() if w.cause != "failed" and d in asked - rests}
    cover(connection, symbol, have, {**need.waiting, **tried}, days)


def cover(
    connection: Connection,
    symbol: str,
    have: Collection[date],
    waiting: Mapping[date, datetime],
    days: Sequence[date],
) -> None:
    """Write down which sessions of a symbol are stored, and from when each of the others may be asked for again."""
    by_instant = {
        at: ranges((d for d, until in waiting.items() if until == at and d not in have), days)
        for at in set(waiting.values())
    }
    books.coverage(connection, symbol, TIMEFRAME, ranges(have, days), by_instant)
