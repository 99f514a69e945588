"""Equity bars and corporate actions: one payload, one transaction a symbol."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions, final_at
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest import books, runs, watchlist
from abri_pipeline.ingest.delivery import Delivery, fetch, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.plan import TIMEFRAME, Need, plan
from abri_pipeline.ingest.publish import Batch, publish
from abri_pipeline.providers import yahoo
from abri_pipeline.providers.errors import UpstreamError
from abri_pipeline.quality.gaps import Why, merge
from abri_pipeline.quality.ranges import days_in, ranges
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame

FETCHERS = 4
RETRY_AFTER = timedelta(hours=24)
# Two adjusted closes of one bar differ by rounding on the wire; a new dividend moves them by far more.
SAME_ADJUSTMENT = 1e-5


def load(desk: Desk, window: Window, symbols: Sequence[str] = ()) -> Load:
    """Fetch, check and store what is missing of the bars in a window.

    A symbol's failure stops nobody else: it is booked, and named in the result.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
        MixedMarkets: the database holds the other market.
    """
    watchlist.seed(desk.engine)
    with desk.engine.connect() as connection:
        needs = plan(connection, watchlist.followed(connection, symbols), window, clock.now(), desk.full_refresh)
    with runs.booked(desk, Load(BARS.name), window, len(needs)) as loaded, ThreadPoolExecutor(FETCHERS) as pool:
        asked = [need for need in needs if need.sessions]
        loaded.results += [UnitResult(need.listed.symbol, "unchanged") for need in needs if not need.sessions]
        for need, answer in zip(asked, pool.map(lambda n: _ask(desk, n, n.request), asked), strict=True):
            loaded.results.append(_settle(desk, need, answer))
            desk.report(loaded, len(needs))
    return loaded


def _ask(desk: Desk, need: Need, span: Window) -> Delivery | UpstreamError:
    query = yahoo.ChartQuery(need.listed.symbol, span.start, span.end)
    try:
        return fetch(desk, need.listed.symbol, TIMEFRAME, span, lambda: yahoo.fetch_chart(desk.transport, query))
    except UpstreamError as error:
        return error


def _settle(desk: Desk, need: Need, answer: Delivery | UpstreamError) -> UnitResult:
    """Publish an answer, or book why there is none."""
    if isinstance(answer, UpstreamError):
        return _book_failure(desk, need, answer)
    try:
        chart = _parse(answer)
        if need.stored and _rebased(desk, need, chart.bars):
            whole = Window(min(need.stored.start, need.request.start), max(need.stored.end, need.request.end))
            again = _ask(desk, need, whole)
            if isinstance(again, UpstreamError):
                return _book_failure(desk, need, again)
            answer, chart = again, _parse(again)
    except UpstreamError as error:
        return _book_failure(desk, need, error, answer)
    batches = [
        Batch(BARS, _bars(need, chart.bars), closed_sessions(clock.now())),
        Batch(ACTIONS, _actions(need, chart.actions)),
    ]

    def afterwards(connection: Connection, screened: list[Screened]) -> None:
        refused = screened[0].rejected_days
        hole = Why("hole", "the session is not in yahoo's answer")
        broke = Why("rejected", "yahoo's row broke a rule; see rejected_rows")
        _book(connection, need, lambda day: broke if day in refused else hole)

    return publish(desk, answer, batches, len(need.sessions), afterwards)


def _parse(delivery: Delivery) -> yahoo.Chart:
    if delivery.window is None:
        raise ValueError("a chart is always asked for a window")
    query = yahoo.ChartQuery(delivery.unit, delivery.window.start, delivery.window.end)
    return yahoo.parse_chart(delivery.body, query)


def _bars(need: Need, bars: pd.DataFrame) -> pd.DataFrame:
    """Closed bars under the instrument's identity, each provisional or final as of now."""
    now = clock.now()
    known = set(closed_sessions(now))
    days = pd.to_datetime(bars["date"])
    closed = bars[days <= pd.Timestamp(max(known))]
    final = [d not in known or final_at(d) <= now for d in pd.to_datetime(closed["date"]).dt.date]
    status = pd.Series(final, index=closed.index).map({True: "final", False: "provisional"})
    return closed.assign(symbol=need.listed.symbol, instrument_id=need.listed.instrument_id, bar_status=status)


def _actions(need: Need, actions: pd.DataFrame) -> pd.DataFrame:
    return actions.assign(symbol=need.listed.symbol)


def _rebased(desk: Desk, need: Need, bars: pd.DataFrame) -> bool:
    """Whether a dividend or split has moved the adjustment of bars that are stored already."""
    fetched = bars.assign(date=pd.to_datetime(bars["date"]))[["date", "close", "adj_close"]]
    with desk.engine.connect() as connection:
        where = [
            ("symbol", "=", need.listed.symbol),
            ("date", ">=", need.request.start),
            ("date", "<=", need.request.end),
        ]
        stored = frame(connection, BARS, columns=["date", "close", "adj_close"], where=where)
    both = stored.merge(fetched, on="date", suffixes=("", "_now")).dropna()
    moved = [(both[f"{c}_now"] / both[c] - 1).abs().gt(SAME_ADJUSTMENT).any() for c in ("close", "adj_close")]
    return any(moved)


def _book_failure(desk: Desk, need: Need, error: UpstreamError, delivery: Delivery | None = None) -> UnitResult:
    """Book a fetch that brought nothing: an absent symbol waits a day, any other may be tried at once."""
    absent = error.kind == "absent"
    result = UnitResult(need.listed.symbol, error.kind, reason=str(error))
    sent = delivery or nothing(need.listed.symbol, TIMEFRAME, error.provider, need.request)
    why = Why("absent" if absent else "failed", error.message)
    with begin(desk.engine) as connection:
        books.audit(connection, desk.job_id, BARS.name, sent, result)
        _book(connection, need, lambda _day: why)
    return result


def _book(connection: Connection, need: Need, why: Callable[[date], Why]) -> None:
    """Coverage, gaps and progress of one symbol after a load, from what is stored now."""
    symbol, days = need.listed.symbol, closed_sessions(clock.now())
    books.progress(connection, symbol, TIMEFRAME, BARS, "symbol", "date")
    span = need.wanted
    where = [("symbol", "=", symbol), ("date", ">=", span.start), ("date", "<=", span.end)]
    stored = set(frame(connection, BARS, columns=["date"], where=where)["date"].dt.date)
    expected = set(days_in([(span.start, span.end)], days))
    missing = {day: why(day) for day in expected - stored}
    known = books.open_gaps(connection, symbol, TIMEFRAME)
    books.gaps(connection, symbol, TIMEFRAME, merge(known, (span.start, span.end), missing, days))
    have = need.have | (stored & expected)
    # A session that was not asked for this time keeps its own waiting time, or daily loads would put it off for ever.
    again_at = clock.now() + RETRY_AFTER
    asked = set(need.sessions)
    tried = {d: again_at for d, w in missing.items() if w.cause != "failed" and d in asked}
    waiting = {**need.waiting, **tried}
    by_instant = {
        at: ranges((d for d, until in waiting.items() if until == at and d not in have), days)
        for at in set(waiting.values())
    }
    books.coverage(connection, symbol, TIMEFRAME, ranges(have, days), by_instant)
