"""One row of `backfill_runs` for each dataset of a job, from its first moment to its end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.ingest.desk import Desk, Load, Window
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline.warehouse.upsert import upsert


@contextmanager
def booked(desk: Desk, load: Load, window: Window, requested: int) -> Iterator[Load]:
    """Book a load as running, then as done, partial or failed; one that dies stays `running` for its lease to tell."""
    started = clock.now()
    before = sum(desk.transport.calls.values())
    row: dict[str, object] = {
        "run_id": f"{desk.job_id}:{load.dataset}",
        "kind": load.dataset,
        "started_at": started,
        "window_start": window.start,
        "window_end": window.end,
        "symbols_requested": requested,
        "symbols_done": 0,
        "bars_inserted": 0,
        "bars_changed": 0,
        "upstream_calls": 0,
        "status": "running",
    }
    _write(desk, row)
    yield load
    desk.journal.catch_up(desk.engine)
    load.calls = sum(desk.transport.calls.values()) - before
    failed = [r.unit for r in load.failed]
    row |= {
        "finished_at": clock.now(),
        "symbols_done": requested - len(failed),
        "symbols_failed": ",".join(failed) or None,
        "bars_inserted": load.total("inserted"),
        "bars_changed": load.total("changed"),
        "upstream_calls": load.calls,
        "status": "done" if not failed else "failed" if len(failed) == requested else "partial",
    }
    _write(desk, row)


def _write(desk: Desk, row: dict[str, object]) -> None:
    with begin(desk.engine) as connection:
        upsert(connection, operations.RUNS, pd.DataFrame([row]))


def failures(engine: Engine, job_id: str) -> list[str]:
    """The units that failed in one job, as `dataset: symbols`."""
    with engine.connect() as connection:
        rows = frame(connection, operations.RUNS, where=[("symbols_failed", "is not", None)])
    own = rows[rows["run_id"].str.startswith(f"{job_id}:")]
    return [f"{row.kind}: {row.symbols_failed}" for row in records(own)]


def interrupt(engine: Engine, job_id: str) -> None:
    """Mark what a job had not finished as interrupted; what it stored stays, and a new run goes on from there."""
    book = metadata.tables[operations.RUNS.name]
    own = book.update().where(book.c.run_id.startswith(f"{job_id}:", autoescape=True), book.c.status == "running")
    with begin(engine) as connection:
        connection.execute(own.values(status="interrupted", finished_at=clock.now()))
