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
from abri_pipeline.warehouse.upsert import Outcome, upsert


@dataclass(frozen=True)
class Batch:
    """Rows for one table, without provenance; `sessions` where only exchange sessions may carry a row."""

    table: Dataset
    rows: pd.DataFrame
    sessions: Sequence[date] | None = None


Prepare = Callable[[Connection, list[Screened]], list[Screened]]
Afterwards = Callable[[Connection, list[Screened]], None]


@dataclass(frozen=True)
class Judgement:
    """A load's judgement beyond its contract; a load with `refused` reasons is quarantined: nothing of it lands."""

    judged: books.Judged
    refused: tuple[str, ...] = ()


def publish(
    desk: Desk,
    delivery: Delivery,
    batches: Sequence[Batch],
    *,
    expected: int = 0,
    judgement: Judgement | None = None,
    prepare: Prepare | None = None,
    afterwards: Afterwards | None = None,
) -> UnitResult:
    """Screen, store and book one unit; the first batch is the dataset the unit was asked for.

    `prepare` may hold rows back before they are written, and `afterwards` books coverage and gaps, both in the same
    transaction: either all of it is stored or nothing.

    Raises:
        MixedMarkets: the database holds the other market.
    """
    refused = judgement.refused if judgement else ()
    screened = [screen(b.table, b.rows.assign(**delivery.provenance), b.sessions) for b in batches]
    desk.at("stage")
    with begin(desk.engine) as connection:
        unit_lock(connection, f"{delivery.timeframe}:{delivery.unit}")
        stamp(connection, delivery.market)
        written = [_held_back(split) for split in screened] if refused else screened
        if prepare and not refused:
            written = prepare(connection, screened)
        result, wrote = UnitResult(delivery.unit, "unchanged"), Outcome()
        for place, (batch, split, rows) in enumerate(zip(batches, screened, written, strict=True)):
            stored = upsert(connection, batch.table, rows.accepted)
            books.rejections(connection, batch.table, delivery, split)
            judged = judgement.judged if judgement and place == 0 else books.screening(split, 0 if place else expected)
            named = batch.table.name if place else delivery.timeframe
            books.quality(connection, named, delivery, split, judged)
            wrote += stored
            if place == 0:
                result = _counted(result, split, rows if refused else split, stored)
        desk.at("merge")
        if refused:
            books.quarantine(connection, batches[0].table, delivery, refused)
        result = replace(result, outcome=_outcome(result, wrote, refused), reason="; ".join(refused))
        record = books.audit(connection, desk.job_id, batches[0].table.name, delivery, result)
        if afterwards:
            afterwards(connection, screened)
        desk.at("audit")
    desk.at("commit")
    desk.journal.write(record)
    return result


def _held_back(screened: Screened) -> Screened:
    """A quarantined load: none of its rows may land, the good ones neither."""
    return Screened(screened.accepted.iloc[:0], screened.rejected)


def _counted(result: UnitResult, split: Screened, admitted: Screened, stored: Outcome) -> UnitResult:
    """The counts of the dataset that was asked for; what came along with it is booked under its own name."""
    return replace(
        result,
        rows=split.rows,
        inserted=stored.inserted,
        changed=stored.changed,
        rejected=split.rows - len(admitted.accepted),
    )


def _outcome(result: UnitResult, wrote: Outcome, refused: Sequence[str]) -> str:
    if refused:
        return "malformed"
    if wrote.inserted or wrote.changed:
        return "stored"
    return "unchanged" if result.rows else "empty"
