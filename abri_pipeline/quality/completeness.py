"""Completeness: is every expected observation of a week stored, or its absence explained?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.market import METRICS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.warehouse.reads import frame, records

FIRST_PRINT = weeks.monday("2022-01-03")


@dataclass(slots=True)
class WeekVerdict:
    """One week: what is expected, stored and explained of the bars, and what else is still missing.

    `missing` names what is neither stored nor explained, as `what: why`. `open` is a week whose official print
    is not due yet: it is never complete, and that is no failure.
    """

    expected: int = 0
    stored: int = 0
    explained: int = 0
    open: bool = False
    missing: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the week is closed and nothing of it is missing without an explanation."""
        return not self.open and not self.missing


def week_verdicts(engine: Engine, keys: Sequence[str]) -> dict[str, WeekVerdict]:
    """The verdict of every week in `keys`, which are consecutive."""
    now = clock.now()
    verdicts = {key: WeekVerdict(open=not weeks.closed(key, now)) for key in keys}
    start, end = weeks.monday(keys[0]), weeks.week_span(keys[-1])[1]
    days = [d for d in closed_sessions(now) if start <= d <= end]
    with engine.connect() as connection:
        _judge_bars(connection, days, verdicts)
        _judge_gaps(connection, start, end, verdicts)
        _judge_derived(connection, days, verdicts)
    return verdicts


def _judge_bars(connection: Connection, days: Sequence[date], verdicts: dict[str, WeekVerdict]) -> None:
    """Every instrument on every session it was listed: stored, explained, or missing."""
    matrix = expected_bars(connection, days)
    if matrix.empty:
        return
    where = [("date", ">=", days[0]), ("date", "<=", days[-1])]
    stored = frame(connection, BARS, columns=["symbol", "date"], where=where).assign(stored=True)
    matrix = matrix.merge(stored, on=["symbol", "date"], how="left")
    absent = matrix[matrix["stored"].isna()]
    why = _reasons(connection, "1d")
    for key, count in matrix["date"].dt.date.map(weeks.week_key).value_counts().items():
        verdicts[str(key)].expected = int(count)
        verdicts[str(key)].stored = int(count)
    for symbol, day in zip(absent["symbol"], absent["date"].dt.date, strict=True):
        verdict = verdicts[weeks.week_key(day)]
        verdict.stored -= 1
        cause, reason = why.get((symbol, day), ("hole", "never asked for"))
        if cause in EXPLAINED:
            verdict.explained += 1
        else:
            verdict.missing.append(f"{symbol} {day}: {reason}")


def expected_bars(connection: Connection, days: Sequence[date]) -> pd.DataFrame:
    """Every (symbol, date) that the watchlist and the calendar expect."""
    listed = frame(connection, operations.INSTRUMENTS, where=[("active", "=", True)])
    rows = [
        pd.DataFrame({"symbol": one.symbol, "date": pd.DatetimeIndex(own)})
        for one in records(listed)
        if (
            own := [
                d
                for d in days
                if (pd.isna(one.listed_on) or one.listed_on.date() <= d)
                and (pd.isna(one.delisted_on) or d <= one.delisted_on.date())
            ]
        )
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["symbol", "date"])


def _reasons(connection: Connection, timeframe: str) -> dict[tuple[str, date], tuple[str, str]]:
    """Cause and reason of every open gap, a day at a time."""
    where = [("timeframe", "=", timeframe), ("state", "!=", "filled")]
    gaps = frame(connection, operations.GAPS, where=where)
    return {
        (gap.symbol, day.date()): (gap.cause, gap.reason)
        for gap in records(gaps)
        for day in pd.date_range(gap.gap_start, gap.gap_end)
    }


def _judge_gaps(connection: Connection, start: date, end: date, verdicts: dict[str, WeekVerdict]) -> None:
    """Open gaps of the other datasets, where nothing explains them."""
    where = [("timeframe", "!=", "1d"), ("state", "!=", "filled"), ("gap_start", "<=", end), ("gap_end", ">=", start)]
    for gap in records(frame(connection, operations.GAPS, where=where)):
        if gap.cause in EXPLAINED:
            continue
        for key, verdict in verdicts.items():
            first, last = weeks.week_span(key)
            if gap.gap_start.date() <= last and gap.gap_end.date() >= first:
                verdict.missing.append(f"{gap.symbol} ({gap.timeframe}): {gap.reason}")


def _judge_derived(connection: Connection, days: Sequence[date], verdicts: dict[str, WeekVerdict]) -> None:
    """Derived datasets: metrics of every session, spreads in every week, a print of every closed week from 2022."""
    if not days:
        return
    have = {}
    for table in (METRICS, SPREADS, HISTORY):
        where = [(table.observed, ">=", days[0]), (table.observed, "<=", days[-1])]
        seen = frame(connection, table, columns=[table.observed], where=where)[table.observed]
        have[table.name] = {weeks.week_key(d) for d in seen.dt.date}
    for key in {weeks.week_key(d) for d in days}:
        verdict = verdicts[key]
        due = [METRICS, SPREADS, *([HISTORY] if weeks.monday(key) >= FIRST_PRINT and not verdict.open else [])]
        verdict.missing += [f"{t.name}: no row in this week" for t in due if key not in have[t.name]]
