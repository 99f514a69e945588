"""Publishing: one transaction holds the rows of a unit and every book about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Dataset
from abri_pipeline.ingest import books
from abri_pipeline.ingest.delivery import Delivery
from abri_pipeline.ingest.desk import Desk, UnitResult
from abri_pipeline.ingest.stamp import stamp
from abri_pipeline.quality.screen import Screened, screen
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lock
from abri_pipeline.warehouse.upsert import upsert


@dataclass(frozen=True)
class Batch:
    """Rows for one table, without provenance; `sessions` where only exchange sessions may carry a row."""

    table: Dataset
    rows: pd.DataFrame
    sessions: Sequence[date] | None = None


Afterwards = Callable[[Connection, list[Screened]], None]


def publish(
    desk: Desk, delivery: Delivery, batches: Sequence[Batch], expected: int = 0, afterwards: Afterwards | None = None
) -> UnitResult:
    """Screen, store and book one unit; the first batch is the dataset the unit was asked for.

    `afterwards` runs in the same transaction, for coverage and gaps. Either all of it is stored or nothing.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    screened = [screen(b.table, b.rows.assign(**delivery.provenance), b.sessions) for b in batches]
    with begin(desk.engine) as connection:
        unit_lock(connection, f"{delivery.timeframe}:{delivery.unit}")
        stamp(connection, delivery.market)
        result = UnitResult(delivery.unit, "unchanged")
        for place, (batch, split) in enumerate(zip(batches, screened, strict=True)):
            first = place == 0
            stored = upsert(connection, batch.table, split.accepted)
            books.rejections(connection, batch.table, delivery, split)
            named = delivery.timeframe if first else batch.table.name
            books.quality(connection, batch.table, named, delivery, split, expected if first else 0)
            result = replace(
                result,
                rows=result.rows + split.rows,
                inserted=result.inserted + stored.inserted,
                changed=result.changed + stored.changed,
                rejected=result.rejected + split.rows - len(split.accepted),
            )
        result = replace(result, outcome=_outcome(result))
        books.audit(connection, desk.job_id, batches[0].table.name, delivery, result)
        if afterwards:
            afterwards(connection, screened)
    return result


def _outcome(result: UnitResult) -> str:
    if result.inserted or result.changed:
        return "stored"
    return "unchanged" if result.rows else "empty"
