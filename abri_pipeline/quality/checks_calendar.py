"""Checks against the calendar: is everything expected there, and is it new enough?"""

from datetime import date

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions, last_closed, session_lag
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import Complete, Continuous, Dataset, Fresh
from abri_pipeline.contracts.operations import COVERAGE, EXPLAINED, GAPS, INSTRUMENTS, RUNS
from abri_pipeline.quality.checks_verdict import EXAMPLES, Rows, Verdict, booked, judge, standing
from abri_pipeline.quality.completeness import expected_bars
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.quality.weekly import booked_as
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import sql_table


def complete(connection: Connection, dataset: Dataset) -> Verdict:
    """Every expected observation is stored, or its gap is explained by the source itself.

    Bars are counted anew against the calendar, so that a hole nobody booked is found too.
    """
    where = [("timeframe", "in", booked_as(dataset)), ("state", "!=", "filled")]
    gaps = frame(connection, GAPS, where=where)
    explained = gaps["cause"].isin(EXPLAINED)
    figures: dict[str, int | float | str | Rows] = {
        "unexplained": _listed(gaps[~explained]),
        "explained": _listed(gaps[explained]),
    }
    unbooked = 0
    if any(dataset.expects(Complete)):
        counted = _recount(connection, gaps)
        unbooked = int(counted["unbooked"].sum())
        short = counted[counted["expected"] != counted["stored"]]
        figures |= {"expected": int(counted["expected"].sum()), "stored": int(counted["stored"].sum())}
        figures["recount"] = [{str(k): str(v) for k, v in row.items()} for row in short.to_dict("records")]
    named = sorted({f"{g.symbol} ({g.cause})" for g in records(gaps[~explained])})
    said = f"missing without an explanation: {', '.join(named) or 'no booked gap'}"
    return judge(
        int((~explained).sum()) + unbooked,
        "error",
        f"nothing is missing without an explanation; {int(explained.sum())} explained gaps",
        said + (f"; {unbooked} sessions are neither stored nor booked as a gap" if unbooked else ""),
        **figures,
    )


def _listed(gaps: pd.DataFrame) -> Rows:
    return [
        {
            "what": g.symbol,
            "from": f"{g.gap_start:%Y-%m-%d}",
            "to": f"{g.gap_end:%Y-%m-%d}",
            "sessions": str(g.sessions),
            "cause": g.cause,
            "reason": g.reason,
        }
        for g in records(gaps.head(EXAMPLES))
    ]


def _recount(connection: Connection, gaps: pd.DataFrame) -> pd.DataFrame:
    """Expected, stored, explained and unbooked bars of each instrument, from calendar and stored rows alone."""
    days = closed_sessions(clock.now())
    matrix = expected_bars(connection, days).astype({"date": "datetime64[s]"})
    matrix = matrix[_asked(connection, matrix, days)]
    stored = frame(connection, BARS, columns=["symbol", "date"]).assign(stored=1)
    in_gaps = _by_day(gaps.assign(explained=gaps["cause"].isin(EXPLAINED).astype(int), booked=1), days)
    matrix = matrix.merge(stored, on=["symbol", "date"], how="left").merge(in_gaps, on=["symbol", "date"], how="left")
    matrix[["stored", "explained", "booked"]] = matrix[["stored", "explained", "booked"]].fillna(0).astype(int)
    matrix["unbooked"] = (matrix["stored"] == 0) & (matrix["booked"] == 0)
    grouped = matrix.groupby("symbol", as_index=False)
    return grouped.agg(
        expected=("date", "size"),
        stored=("stored", "sum"),
        explained=("explained", "sum"),
        unbooked=("unbooked", "sum"),
    )


def _by_day(gaps: pd.DataFrame, days: tuple[date, ...]) -> pd.DataFrame:
    rows = [
        (g.symbol, pd.Timestamp(day), g.explained, g.booked)
        for g in records(gaps)
        for day in days_in([(g.gap_start.date(), g.gap_end.date())], days)
    ]
    found = pd.DataFrame(rows, columns=["symbol", "date", "explained", "booked"])
    return found.astype({"date": "datetime64[s]"}).drop_duplicates(["symbol", "date"])


def _asked(connection: Connection, matrix: pd.DataFrame, days: tuple[date, ...]) -> pd.Series:
    """Which expected bars were ever asked for: in the window of a whole run, or covered for their instrument.

    A run narrowed to some instruments asks for less than its window says; what it stored is covered.
    """
    runs = frame(connection, RUNS, where=[("kind", "=", booked(BARS)), ("status", "!=", "running")])
    asked = pd.Series(False, index=matrix.index)
    for window in records(runs.drop_duplicates(["window_start", "window_end", "symbols_requested"])):
        inside = matrix["date"].between(window.window_start, window.window_end)
        if window.symbols_requested >= matrix.loc[inside, "symbol"].nunique():
            asked |= inside
    have = frame(connection, COVERAGE, where=[("timeframe", "in", booked_as(BARS)), ("state", "=", "have")])
    covered = {
        (row.symbol, day)
        for row in records(have)
        for day in days_in([(row.range_start.date(), row.range_end.date())], days)
    }
    pairs = zip(matrix["symbol"], matrix["date"].dt.date, strict=True)
    return asked | pd.Series([pair in covered for pair in pairs], index=matrix.index, dtype=bool)


def fresh(connection: Connection, dataset: Dataset) -> Verdict:
    """The newest observation lags the closed sessions by no more than the contract allows.

    Judged by the days that the data speak of, never by when a run took place. Where several instruments or
    columns are watched, the one furthest behind decides.
    """
    expected = next(e for e in dataset.expects(Fresh) if isinstance(e, Fresh))
    now = clock.now()
    newest = (
        _newest_by_symbol(connection, dataset) if "symbol" in dataset.key else _newest_by_column(connection, dataset)
    )
    never = sorted(name for name, day in newest.items() if day is None)
    lags = {name: session_lag(day, now) for name, day in newest.items() if day is not None}
    lag = max(lags.values(), default=0)
    late = sorted((n for n in lags if lags[n] > expected.warn), key=lambda n: (-lags[n], n))
    behind = [{"what": name, "newest": "never"} for name in never]
    behind += [{"what": name, "newest": f"{newest[name]}", "sessions behind": str(lags[name])} for name in late]
    severity = "error" if never or not lags or lag > expected.error else "warn"
    return judge(
        len(never) + len(late) + (not newest),
        "error" if severity == "error" else "warn",
        f"{lag} sessions behind {last_closed(now)}; {expected.warn} are allowed",
        f"behind {last_closed(now)}: "
        + (
            ", ".join(f"{b['what']} ({b.get('sessions behind', 'never seen')})" for b in behind[:5])
            or "no row is stored"
        ),
        lag=lag,
        warn_above=expected.warn,
        error_above=expected.error,
        last_session=last_closed(now).isoformat(),
        behind=behind[:EXAMPLES],
    )


def _newest_by_column(connection: Connection, dataset: Dataset) -> dict[str, date | None]:
    """The newest day of each column that the contract watches for steps; of any row where it watches none.

    A row that holds one series only must not hide that another has stopped.
    """
    table = sql_table(dataset)
    today = clock.now().date()
    watched = [e.column for e in dataset.expects(Continuous) if isinstance(e, Continuous)]
    newest = {}
    for name in watched or [dataset.observed]:
        seen = [table.c[name].is_not(None), table.c[dataset.observed] <= today, *standing(dataset)]
        query = sa.select(sa.func.max(table.c[dataset.observed])).where(*seen)
        newest[name] = connection.execute(query).scalar_one()
    return newest


def _newest_by_symbol(connection: Connection, dataset: Dataset) -> dict[str, date | None]:
    """The newest day of every followed, listed instrument that its source knows."""
    table, followed = sql_table(dataset), sql_table(INSTRUMENTS)
    last = last_closed(clock.now())
    day = sa.func.max(table.c[dataset.observed])
    seen = sa.select(table.c.symbol, day).where(table.c[dataset.observed] <= last).group_by(table.c.symbol)
    newest: dict[str, date] = dict(iter(connection.execute(seen)))
    listed = sa.select(followed.c.symbol).where(
        followed.c.active,
        sa.or_(followed.c.listed_on.is_(None), followed.c.listed_on <= last),
        sa.or_(followed.c.delisted_on.is_(None), followed.c.delisted_on >= last),
    )
    absent = _absent_until(connection, dataset)
    return {
        symbol: newest.get(symbol)
        for symbol in connection.execute(listed.order_by(followed.c.symbol)).scalars()
        if symbol not in absent or newest.get(symbol, date.min) > absent[symbol]
    }


def _absent_until(connection: Connection, dataset: Dataset) -> dict[str, date]:
    """Instruments that the source does not know, with the last day it was asked about."""
    gaps = sql_table(GAPS)
    query = (
        sa.select(gaps.c.symbol, sa.func.max(gaps.c.gap_end))
        .where(
            gaps.c.timeframe.in_(booked_as(dataset)),
            gaps.c.state != "filled",
            gaps.c.cause == "absent",
        )
        .group_by(gaps.c.symbol)
    )
    return dict(iter(connection.execute(query)))
