"""Credit spreads: four FRED series, one row a date, one transaction."""

import json
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.publication import fred_published_instants
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.ingest import books, freshness, runs
from abri_pipeline.ingest.delivery import Delivery, combine, fetch, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.publish import Batch, publish
from abri_pipeline.providers import fred
from abri_pipeline.providers.errors import UpstreamError
from abri_pipeline.quality.gaps import Why, merge
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame

# FRED series and the column each fills; spreads come in percent and are stored in basis points.
SERIES = {
    "BAMLH0A0HYM2": ("hy_oas", 100.0),
    "BAMLC0A4CBBB": ("ig_bbb_oas", 100.0),
    "BAA10Y": ("baa10y", 100.0),
    "DGS10": ("treasury_10y", 1.0),
}
UNIT = "FRED spreads"
ICE = ["hy_oas", "ig_bbb_oas"]


def load(desk: Desk, window: Window) -> Load:
    """Fetch the series whole where anything new can have been published, and store every date of them.

    What FRED no longer serves stays stored (it shows the ICE series for three years only). A series that fails is
    named, and its stored values stay.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    with runs.booked(desk, Load(SPREADS.name), window, len(SERIES)) as loaded:
        if not desk.full_refresh and freshness.fresh(desk.engine, UNIT, SPREADS.name):
            loaded.results += [UnitResult(series, "unchanged") for series in SERIES]
            return loaded
        answers = {series: _ask(desk, series) for series in SERIES}
        parsed: dict[str, pd.DataFrame] = {}
        for series, answer in answers.items():
            result, rows = _settle(desk, series, answer)
            loaded.results.append(result)
            if rows is not None:
                parsed[series] = rows
            desk.report(loaded, len(SERIES))
        if parsed:
            read = [a for a in answers.values() if isinstance(a, Delivery) and a.unit in parsed]
            _publish(desk, window, loaded, parsed, read)
        else:
            with begin(desk.engine) as connection:
                _book_gaps(connection, window, {r.unit for r in loaded.failed})
    return loaded


def _ask(desk: Desk, series: str) -> Delivery | UpstreamError:
    key = desk.settings.get("FRED_API_KEY")
    try:
        return fetch(desk, series, SPREADS.name, None, lambda: fred.fetch_series(desk.transport, series, key))
    except UpstreamError as error:
        return error


def _settle(desk: Desk, series: str, answer: Delivery | UpstreamError) -> tuple[UnitResult, pd.DataFrame | None]:
    """The observations of a series; or the failure, booked."""
    try:
        if isinstance(answer, UpstreamError):
            raise answer
        rows = fred.parse_series(answer.body, answer.content_type)
    except UpstreamError as error:
        result = UnitResult(series, error.kind, reason=str(error))
        sent = answer if isinstance(answer, Delivery) else nothing(series, SPREADS.name, error.provider, None)
        with begin(desk.engine) as connection:
            record = books.audit(connection, desk.job_id, SPREADS.name, sent, result)
        desk.journal.write(record)
        return result, None
    return UnitResult(series, "unchanged", rows=len(rows)), rows


def _publish(
    desk: Desk, window: Window, loaded: Load, parsed: dict[str, pd.DataFrame], answers: list[Delivery]
) -> None:
    manifest = json.dumps({a.unit: a.raw_hash for a in answers}, sort_keys=True).encode()
    delivery = combine(desk, UNIT, answers, manifest)
    loaded.results.append(store(desk, window, delivery, parsed, {r.unit for r in loaded.failed}))


def read(archive: Archive, raw_hash: str) -> dict[str, pd.DataFrame]:
    """The observations of an archived delivery, by series.

    Raises:
        UpstreamError: a payload is no series.
        PayloadMissing, PayloadCorrupt: the archive cannot give one back.
    """
    manifest: dict[str, str] = json.loads(archive.get(raw_hash))
    return {series: fred.parse_series(archive.get(part)) for series, part in manifest.items()}


def store(
    desk: Desk, window: Window, delivery: Delivery, parsed: dict[str, pd.DataFrame], failed: set[str]
) -> UnitResult:
    """Publish the series of one delivery, from it and what is stored: a rebuild calls it too."""
    rows = spreads({SERIES[s][0]: r.set_index("observed_on")["value"] * SERIES[s][1] for s, r in parsed.items()})
    with desk.engine.connect() as connection:
        rows = _kept(connection, rows)

    def afterwards(connection: Connection, _screened: list[Screened]) -> None:
        if len(parsed) == len(SERIES):
            freshness.mark(connection, UNIT, SPREADS.name, rows["date"].min().date(), rows["date"].max().date())
        _book_gaps(connection, window, failed)

    return publish(desk, delivery, [Batch(SPREADS, rows)], expected=len(rows), afterwards=afterwards)


def spreads(columns: dict[str, pd.Series]) -> pd.DataFrame:
    """Series by date as rows of `credit_spreads`, spreads in basis points; a date stands if any series has it.

    `hy_ig_diff` needs both ICE series; where either is missing and BAA10Y is there, it is the named substitute.
    """
    rows = pd.DataFrame(columns).sort_index()
    for name, _ in SERIES.values():
        if name not in rows:
            rows[name] = float("nan")
    spread_columns = [name for name, scale in SERIES.values() if scale == 100.0]
    rows[spread_columns] = rows[spread_columns].round(6)  # 3.11 % is 311 bp, not 310.99999999999994
    return _completed(rows.rename_axis("date").reset_index())


def _completed(rows: pd.DataFrame) -> pd.DataFrame:
    days = [d.date() for d in pd.to_datetime(rows["date"])]
    stands_in = rows[ICE].isna().any(axis=1) & rows["baa10y"].notna()
    return rows.assign(
        date=pd.to_datetime(rows["date"]),
        hy_ig_diff=(rows["hy_oas"] - rows["ig_bbb_oas"]).round(6),
        substitute=stands_in.map({True: "BAA10Y", False: None}),
        available_at=fred_published_instants("BAMLH0A0HYM2", days),
    )


def _kept(connection: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with stored values where the new answer has none: a vendor's shrinking loses nothing."""
    names = [name for name, _ in SERIES.values()]
    stored = frame(connection, SPREADS, columns=["date", *names]).set_index("date")
    if stored.empty:
        return rows
    merged = rows.set_index("date")[names].combine_first(stored).loc[lambda f: f.index.isin(rows["date"])]
    return _completed(merged.rename_axis("date").reset_index())


def _book_gaps(connection: Connection, window: Window, failed: set[str]) -> None:
    """Gaps of the spread on exchange sessions: days FRED passes over are verified empty, later ones not due yet."""
    where = [("date", ">=", window.start), ("date", "<=", window.end), ("hy_ig_diff", "is not", None)]
    stored = set(frame(connection, SPREADS, columns=["date"], where=where)["date"].dt.date)
    newest = max(stored, default=None)
    found: dict[date, Why] = {}
    now = clock.now()
    days = sessions(date(2018, 1, 1), now.date())
    due = dict(zip(days, fred_published_instants("BAMLH0A0HYM2", days), strict=True))
    for day in (d for d in days if window.start <= d <= window.end and d not in stored and due[d] <= now):
        if failed & {"BAMLH0A0HYM2", "BAMLC0A4CBBB"}:
            found[day] = Why("failed", f"FRED could not be read: {', '.join(sorted(failed))}")
        elif newest and day < newest:
            found[day] = Why("skipped", "FRED's own series passes over the day (bond-market holiday or no quote)")
        else:
            found[day] = Why("hole", "due by its publication date, but not in FRED's answer")
    known = books.open_gaps(connection, UNIT, SPREADS.name)
    books.gaps(connection, UNIT, SPREADS.name, merge(known, (window.start, window.end), found, days))
