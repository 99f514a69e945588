"""Completeness: is every expected observation of a week stored, or its absence explained?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock, weeks
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.market import METRICS
from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.quality.gap_scan import Scan, expectation, listings, scan
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
        _judge_bars(scan(connection, days), verdicts)
        _judge_gaps(connection, start, end, verdicts)
        _judge_derived(connection, days, verdicts)
    return verdicts


def _judge_bars(found: Scan, verdicts: dict[str, WeekVerdict]) -> None:
    """Every instrument on every session it was listed: stored, explained, or missing.

    A session that nearly the whole market misses is one line of its week, not one an instrument.
    """
    keys = [weeks.week_key(day) for day in found.days]
    for column, key in enumerate(keys):
        verdict = verdicts[key]
        verdict.expected += int(found.expected[:, column].sum())
        verdict.stored += int((found.expected & found.stored)[:, column].sum())
        verdict.explained += int(found.explained[:, column].sum())
    reasons = [*found.book["reason"], "never asked for"]  # the last one is UNBOOKED
    for row, column in np.argwhere(found.unexplained & ~found.wide).tolist():
        said = f"{found.symbols[row]} {found.days[column]}: {reasons[found.owner[row, column]]}"
        verdicts[keys[column]].missing.append(said)
    for column in np.flatnonzero(found.wide).tolist():
        missed, due = found.unexplained[:, column].sum(), (found.expected & ~found.explained)[:, column].sum()
        verdicts[keys[column]].missing.append(f"{missed} of {due} instruments miss {found.days[column]}: market-wide")


def expected_bars(connection: Connection, days: Sequence[date]) -> pd.DataFrame:
    """Every (symbol, date) that the watchlist and the calendar expect."""
    listed = listings(connection)
    symbols, axis = sorted(set(listed["symbol"])), np.array(days, dtype="datetime64[s]")
    row, column = np.nonzero(expectation(listed, symbols, axis.astype("datetime64[D]")))
    return pd.DataFrame({"symbol": np.array(symbols, dtype=object)[row], "date": axis[column]})


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
