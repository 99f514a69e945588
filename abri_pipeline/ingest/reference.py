"""Curated tables: the packaged copy, or the newer one behind `/reference`, which replaces it whole."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.publication import deal_available_at, end_of_day
from abri_pipeline.contracts.deals import DEALS
from abri_pipeline.contracts.filings import SEGMENTS
from abri_pipeline.contracts.gpu import PRICES
from abri_pipeline.contracts.market import WEIGHTS
from abri_pipeline.contracts.model import RECORDED_AT, Dataset
from abri_pipeline.ingest import books, freshness, runs
from abri_pipeline.ingest.delivery import Delivery, fetch, nothing
from abri_pipeline.ingest.desk import Desk, Load, UnitResult, Window
from abri_pipeline.ingest.publish import Batch, publish
from abri_pipeline.ingest.rulings import ruled
from abri_pipeline.providers import reference as wire
from abri_pipeline.providers.errors import Absent, UpstreamError
from abri_pipeline.providers.payload import Payload
from abri_pipeline.quality.screen import Screened
from abri_pipeline.reference.tables import packaged
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

# A 10-Q is due 40 days after its quarter and a 10-K 60 days after its year (SEC forms 10-Q and 10-K, large
# accelerated filers): by then a segment's revenue was public, whatever the day of the earnings release.
QUARTER_DUE = timedelta(days=40)
YEAR_DUE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Curated:
    """One curated table: its contract, its name on the wire, its parser, and when its rows were known."""

    table: Dataset
    name: str
    parse: Callable[[bytes], pd.DataFrame]
    dated: Callable[[pd.DataFrame], pd.DataFrame]


def _weights(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(available_at=[end_of_day(d) for d in pd.to_datetime(rows["available_at"]).dt.date])


def _gpu(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(available_at=[end_of_day(d) for d in pd.to_datetime(rows["observed_on"]).dt.date])


def _segments(rows: pd.DataFrame) -> pd.DataFrame:
    ends = pd.to_datetime(rows["period_end"]).dt.date
    due = [
        end + (YEAR_DUE if period.endswith("Q4") else QUARTER_DUE)
        for end, period in zip(ends, rows["fiscal_period"], strict=True)
    ]
    return rows.assign(available_at=[end_of_day(d) for d in due])


def _deals(rows: pd.DataFrame) -> pd.DataFrame:
    known = [
        deal_available_at(day, precision)
        for day, precision in zip(pd.to_datetime(rows["announced_date"]).dt.date, rows["date_precision"], strict=True)
    ]
    return ruled(rows).assign(available_at=known)


WEIGHTS_TABLE = Curated(WEIGHTS, "weights", wire.parse_weights, _weights)
GPU_TABLE = Curated(PRICES, "gpu_prices", wire.parse_gpu_prices, _gpu)
DEALS_TABLE = Curated(DEALS, "deals", wire.parse_deals, _deals)
SEGMENTS_TABLE = Curated(SEGMENTS, "segment_revenue", wire.parse_segment_revenue, _segments)
CURATED = (WEIGHTS_TABLE, GPU_TABLE, DEALS_TABLE, SEGMENTS_TABLE)


def load(desk: Desk, curated: Curated, window: Window) -> Load:
    """Store a curated table whole; rows that a newer copy no longer holds are marked withdrawn, never deleted.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    name = curated.table.name
    with runs.booked(desk, Load(name), window, 1) as loaded:
        if not desk.full_refresh and freshness.fresh(desk.engine, curated.name, name):
            loaded.results.append(UnitResult(curated.name, "unchanged"))
            return loaded
        delivery: Delivery | None = None
        try:
            delivery = fetch(desk, curated.name, name, None, lambda: _newest(desk, curated))
            loaded.results.append(store(desk, curated, delivery))
        except UpstreamError as error:
            result = UnitResult(curated.name, error.kind, reason=str(error))
            with begin(desk.engine) as connection:
                sent = delivery or nothing(curated.name, name, error.provider, None)
                record = books.audit(connection, desk.job_id, name, sent, result)
            desk.journal.write(record)
            loaded.results.append(result)
        desk.report(loaded, 1)
    return loaded


def _newest(desk: Desk, curated: Curated) -> Payload:
    """The published copy where one answers, else the packaged one."""
    if desk.settings.upstream_url:
        try:
            return wire.fetch_table(desk.transport, curated.name)
        except Absent:
            pass  # nobody publishes a newer copy: the packaged one stands
    body = packaged(curated.name)
    return Payload("packaged", f"package:{curated.name}.csv", 200, "text/csv", body, clock.now())


def store(desk: Desk, curated: Curated, delivery: Delivery) -> UnitResult:
    """Publish one copy of a table, from the delivery and what is stored: a rebuild calls it too.

    Raises:
        UpstreamError: the body is no such table.
    """
    table = curated.table
    rows = curated.dated(curated.parse(delivery.body))
    if RECORDED_AT.name in table.columns:
        rows = rows.assign(recorded_at=delivery.pulled_at)
    withdrawn = 0

    def afterwards(connection: Connection, _screened: list[Screened]) -> None:
        nonlocal withdrawn
        if rows.empty:  # a copy cut down to its header tells nothing of the rows it lost
            return
        withdrawn = _withdraw(connection, table, rows, delivery.pulled_at)
        days = pd.to_datetime(rows[table.observed]).dt.date
        freshness.mark(connection, curated.name, table.name, days.min(), days.max())

    result = publish(desk, delivery, [Batch(table, rows)], expected=len(rows), afterwards=afterwards)
    return replace(result, changed=result.changed + withdrawn)


def _withdraw(connection: Connection, table: Dataset, current: pd.DataFrame, at: datetime) -> int:
    """Mark stored rows that the copy just read does not hold; a row that it holds broken stays as it is stored."""
    stored = frame(connection, table, where=[("withdrawn_at", "is", None)])
    key = list(table.key)
    gone = stored[~pd.MultiIndex.from_frame(stored[key]).isin(pd.MultiIndex.from_frame(current[key]))]
    if gone.empty:
        return 0
    return upsert(connection, table, gone.assign(withdrawn_at=at)).changed
