"""Each week of a dataset: rows, symbols, gaps and rejections, for the launch's metadata."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Engine, func, select

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts import intraday, operations
from abri_pipeline.contracts.model import Dataset
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata

WEEK = timedelta(days=6)
# Bars are booked by timeframe; every other dataset by its name.
TIMEFRAMES = {"price_history_daily": ("1d",), intraday.BARS.name: tuple(intraday.MINUTES)}


def booked_as(dataset: Dataset) -> tuple[str, ...]:
    """The timeframes under which the gaps and coverage of a dataset are booked."""
    return TIMEFRAMES.get(dataset.name, (dataset.name,))


@dataclass(frozen=True, slots=True)
class WeekGap:
    """The part of a gap that lies in one week."""

    unit: str
    start: date
    end: date
    sessions: int
    cause: str
    reason: str


@dataclass(slots=True)
class WeekReport:
    """One week of one dataset; `symbols` is None where rows have none, `through` its last day with a row."""

    rows: int = 0
    symbols: int | None = None
    through: date | None = None
    gaps: list[WeekGap] = field(default_factory=list)
    rejected: int = 0

    @property
    def note(self) -> str:
        """Why a week has no rows, where it has none."""
        return "" if self.rows else "nothing was observed in this week"


def weekly_reports(engine: Engine, dataset: Dataset, keys: Sequence[str]) -> dict[str, WeekReport]:
    """A report for every week in `keys`, which are consecutive."""
    start, end = weeks.monday(keys[0]), weeks.week_span(keys[-1])[1]
    reports = {key: WeekReport() for key in keys}
    _count_rows(engine, dataset, start, end, reports)
    with engine.connect() as connection:
        open_gaps = [
            ("timeframe", "in", booked_as(dataset)),
            ("state", "!=", "filled"),
            ("gap_start", "<=", end),
            ("gap_end", ">=", start),
        ]
        for gap in records(frame(connection, operations.GAPS, where=open_gaps)):
            unit = f"{gap.symbol} {gap.timeframe}" if gap.timeframe in intraday.MINUTES else gap.symbol
            _spread(unit, gap.gap_start.date(), gap.gap_end.date(), gap.cause, gap.reason, reports)
        refused = [("dataset", "=", dataset.name), ("observed_on", ">=", start), ("observed_on", "<=", end)]
        rows = frame(connection, operations.REJECTED, columns=["observed_on", "row"], where=refused)
        # A row is booked once for each rule that it broke, and again with each payload that brought it.
        for day in rows.drop_duplicates()["observed_on"]:
            reports[weeks.week_key(day.date())].rejected += 1
    return reports


def _count_rows(engine: Engine, dataset: Dataset, start: date, end: date, reports: dict[str, WeekReport]) -> None:
    table = metadata.tables[dataset.name]
    day = table.c[dataset.observed]
    name = next((n for n in ("symbol", "ticker", "gpu_model", "line", "company") if n in table.c), None)
    grouped = [day, *([table.c[name]] if name else [])]
    query = select(*grouped, func.count()).where(day >= start, day <= end).group_by(*grouped)
    seen: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query):
            key = weeks.week_key(row[0])
            report = reports[key]
            report.rows += row[-1]
            report.through = max(report.through or row[0], row[0])
            if name:
                seen.setdefault(key, set()).add(row[1])
    for key, report in reports.items():
        report.symbols = len(seen.get(key, ())) if name else None


def _spread(unit: str, start: date, end: date, cause: str, reason: str, reports: dict[str, WeekReport]) -> None:
    """Cut a gap into the weeks it touches."""
    from abri_pipeline.calendars.sessions import sessions

    for key, report in reports.items():
        first, last = max(start, weeks.monday(key)), min(end, weeks.monday(key) + WEEK)
        if first <= last and (days := sessions(first, last)):
            report.gaps.append(WeekGap(unit, days[0], days[-1], len(days), cause, reason))
