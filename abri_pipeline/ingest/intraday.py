"""Intraday bars: one unit a symbol and timeframe, one transaction a unit; 4h put together in the same one."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.analytics.resample import resample
from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.intraday import BARS, FETCHED, MINUTES, RESAMPLED
from abri_pipeline.ingest import books, runs, watchlist
from abri_pipeline.ingest.ask import Answer, Asked, ask
from abri_pipeline.ingest.delivery import Delivery, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.intraday_basis import rebase
from abri_pipeline.ingest.intraday_books import Reasons, book, on_the_books, unmade
from abri_pipeline.ingest.intraday_plan import ASSET_CLASS, Need, kept, plan
from abri_pipeline.ingest.publish import Batch, Judgement, publish
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.providers.bars import STEPS
from abri_pipeline.quality import score
from abri_pipeline.quality.gaps import Why
from abri_pipeline.quality.intraday import counts, expected_bars, hours
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lease, unit_lock
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

CELLS = ["open", "high", "low", "close", "volume"]


class UnknownTimeframe(ValueError):
    """A timeframe that is not kept here; the message names those that are."""


def load(desk: Desk, window: Window, symbols: Sequence[str] = (), timeframes: Collection[str] = ()) -> Load:
    """Fetch, check and store what is missing of every intraday timeframe that an instrument keeps.

    Args:
        desk: database, archive, transport and settings.
        window: days asked for. What lies before a provider's reach is booked as a gap with that reason.
        symbols: only these; all that are followed by default.
        timeframes: only these, of whoever is asked for; those of the watchlist by default.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
        UnknownTimeframe: a named timeframe is not kept here.
        MixedMarkets: the database holds the other market.
    """
    if strange := sorted(set(timeframes) - {*FETCHED, *RESAMPLED}):
        raise UnknownTimeframe(f"{strange[0]!r} is no intraday timeframe; known: {', '.join((*FETCHED, *RESAMPLED))}")
    watchlist.seed(desk.engine)
    with desk.engine.connect() as connection:
        listed = watchlist.followed(connection, symbols)
        needs = [need for one in listed for need in _plan(connection, desk, one, kept(one, timeframes), window)]
    with (
        runs.booked(desk, Load(BARS.name), window, len(needs), symbols) as loaded,
        ThreadPoolExecutor(desk.fetchers) as pool,
    ):
        for result in pool.map(lambda need: unit(desk, window, need), needs):
            loaded.results.append(result)
            runs.beat(desk, loaded)
            desk.report(loaded, len(needs))
        if needs:
            desk.arms.save()
            desk.metrics.save()
    return loaded


def _plan(
    connection: Connection, desk: Desk, listed: Listed, timeframes: Mapping[str, tuple[str, ...]], window: Window
) -> list[Need]:
    now = clock.now()
    return plan(connection, desk.registry, listed, timeframes, window, now, desk.full_refresh, desk.reread)


def unit(desk: Desk, window: Window, early: Need) -> UnitResult:
    """One symbol and timeframe from plan to commit, while nobody else works on it.

    `early` is the need as it was before the lease was held; it is planned anew under it.
    """
    symbol, timeframe = early.listed.symbol, early.timeframe
    with unit_lease(desk.engine, f"{timeframe}:{symbol}"):
        rebase(desk.engine, symbol, (timeframe, *early.resampled))
        with desk.engine.connect() as connection:
            (need,) = _plan(connection, desk, early.listed, {timeframe: early.resampled}, window)
            told, lacking = on_the_books(connection, need), unmade(connection, need)
        for name, days in lacking.items():
            put_together(desk, need, name, days)
        if need.request is None:
            if not told:
                with begin(desk.engine) as connection:
                    book(connection, need, lambda _day: need.why)
            return UnitResult(need.name, "unchanged")
        asked = ask(desk, symbol, ASSET_CLASS, timeframe, need.request)
        if asked.answer is None:
            return _book_silence(desk, need, asked)
        return store(desk, need, asked, asked.answer)


def store(desk: Desk, need: Need, asked: Asked, answer: Answer) -> UnitResult:
    """Judge one answer and publish what may stand of it, with the longer bars put together from it."""
    at = answer.delivery.pulled_at
    request = need.request or Window(need.wanted[0], need.wanted[-1])
    days = [*days_in([(request.start, request.end)], closed_sessions(at)), *([need.live] if need.live else [])]
    rows = closed_bars(answer.bars, days, need.timeframe, at)
    verdict = _judge(need, rows)
    whole = pd.concat([rows, *(longer_bars(rows, days, need, name, at) for name in need.resampled)], ignore_index=True)
    whole = whole.assign(symbol=need.listed.symbol, instrument_id=need.listed.instrument_id)

    def afterwards(connection: Connection, screened: list[Screened]) -> None:
        named = f"{ASSET_CLASS} {need.timeframe}"
        books.decision(connection, desk.job_id, need.listed.symbol, named, asked, answer.provider)
        book(connection, need, _reasons(answer, verdict, screened[0]))

    batch = Batch(BARS, whole, days)
    result = publish(desk, answer.delivery, [batch], judgement=verdict, afterwards=afterwards)
    return replace(result, unit=need.name)


def closed_bars(bars: pd.DataFrame, days: Sequence[date], timeframe: str, at: datetime) -> pd.DataFrame:
    """The bars that lie in one of the sessions and were over at an instant, each with its session.

    The last bar of a session is over with it, however short. Bars outside of its hours, such as a half day's
    afternoon, are no part of it.
    """
    session = hours(days)
    starts = pd.DatetimeIndex(bars["datetime"])
    place = session["opens_at"].searchsorted(starts, side="right") - 1
    ends = pd.DatetimeIndex(session["closes_at"])[place.clip(0)]
    inside = (place >= 0) & (starts < ends)
    over = (starts + STEPS[timeframe] <= pd.Timestamp(at)) | (ends <= pd.Timestamp(at))
    dated = bars.assign(date=session["date"].to_numpy()[place.clip(0)], timeframe=timeframe)
    chosen: pd.DataFrame = dated.loc[inside & over, ["datetime", "date", *CELLS, "timeframe"]].reset_index(drop=True)
    return chosen


def longer_bars(rows: pd.DataFrame, days: Sequence[date], need: Need, name: str, at: datetime) -> pd.DataFrame:
    """Bars of a longer timeframe put together from those of the need."""
    step = timedelta(minutes=MINUTES[name])
    made = resample(rows, hours(days), STEPS[need.timeframe], step, at)
    return made[["datetime", "date", *CELLS]].assign(timeframe=name)


def put_together(desk: Desk, need: Need, name: str, days: Sequence[date]) -> None:
    """Longer bars out of stored ones, where a timeframe was added after its parts were stored.

    Each is said to come from where the newest of its session's parts came from.
    """
    symbol = need.listed.symbol
    where = [
        ("symbol", "=", symbol),
        ("timeframe", "=", need.timeframe),
        ("date", ">=", days[0]),
        ("date", "<=", days[-1]),
    ]
    with begin(desk.engine) as connection:
        unit_lock(connection, f"{name}:{symbol}")
        parts = frame(connection, BARS, where=where)
        made = longer_bars(parts, days, need, name, clock.now())
        source = parts.sort_values("pulled_at").drop_duplicates("date", keep="last")
        made = made.merge(source[["date", "source_provider", "raw_hash", "pulled_at"]], on="date")
        upsert(connection, BARS, made.assign(symbol=symbol, instrument_id=need.listed.instrument_id))
        book(connection, need, lambda _day: need.why)


def _judge(need: Need, rows: pd.DataFrame) -> Judgement:
    """The verdict on a load as a whole."""
    wanted = sum(expected_bars(need.timeframe, day) for day in need.sessions)
    inside = rows[rows["date"].isin(pd.DatetimeIndex(list(need.sessions)))]
    found = counts(inside, wanted)
    refused = score.refusals(found)
    judged = books.Judged(score.score(found), len(inside), wanted, found, "rejected" if refused else "accepted")
    return Judgement(judged, refused)


def _reasons(answer: Answer, verdict: Judgement, screened: Screened) -> Reasons:
    if verdict.refused:
        quarantined = Why("rejected", f"{answer.provider}'s load was quarantined: {'; '.join(verdict.refused)}")
        return lambda _day: quarantined
    refused = screened.rejected_days
    hole = Why("hole", f"the session is not whole in {answer.provider}'s answer")
    broke = Why("rejected", f"{answer.provider}'s row broke a rule; see rejected_rows")
    return lambda day: broke if day in refused else hole


def _book_silence(desk: Desk, need: Need, asked: Asked) -> UnitResult:
    """Nobody had a bar: proof of absence only where two providers say so."""
    symbol, timeframe = need.listed.symbol, need.timeframe
    if asked.empties and all(e.kind == "absent" for e in asked.errors):
        names = " and ".join(answer.provider for answer in asked.empties)
        confirmed = len(asked.empties) > 1
        told = f"{names} answered without a bar" + ("" if confirmed else ", and nobody confirmed it")
        result, why = UnitResult(need.name, "empty"), Why("skipped" if confirmed else "hole", told)
        sent: Delivery = asked.empties[0].delivery
    else:
        error = asked.error
        result = UnitResult(need.name, error.kind, reason=str(error))
        why = Why("absent" if error.kind == "absent" else "failed", f"{error.provider}: {error.message}")
        sent = asked.unread.get(error.provider) or nothing(symbol, timeframe, error.provider, need.request)
    with begin(desk.engine) as connection:
        row = books.audit(connection, desk.job_id, BARS.name, sent, result)
        books.decision(connection, desk.job_id, symbol, f"{ASSET_CLASS} {timeframe}", asked, "")
        book(connection, need, lambda _day: why)
    desk.journal.write(row)
    return result
