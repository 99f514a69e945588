"""One row of `backfill_runs` for each dataset of a job, from its first moment to its end.

While a load runs, its process holds a lease of the run's name, which goes with the process. A row that says `running`
and whose lease nobody holds was killed: `sweep` says so.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.ingest.desk import Desk, Load, Window
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import discard, held, unit_lease
from abri_pipeline.warehouse.patience import patiently
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline.warehouse.upsert import upsert

BEAT_EVERY = timedelta(seconds=10)


@contextmanager
def booked(desk: Desk, load: Load, window: Window, requested: int, symbols: Sequence[str] = ()) -> Iterator[Load]:
    """Book a load as running, then as done, partial or failed; one that dies is seen as interrupted.

    `symbols` are the tickers it was narrowed to, so that it can be resumed as it was asked for.
    """
    sweep(desk.engine)
    run_id = f"{desk.job_id}:{load.dataset}"
    with unit_lease(desk.engine, lease_of(run_id)):
        before = sum(desk.transport.calls.values())
        row: dict[str, object] = {
            "run_id": run_id,
            "kind": load.dataset,
            "started_at": clock.now(),
            "window_start": window.start,
            "window_end": window.end,
            "symbols_requested": requested,
            "symbols_done": 0,
            "bars_inserted": 0,
            "bars_changed": 0,
            "upstream_calls": 0,
            "status": "running",
            "symbols": ",".join(symbols) or None,
            "owner": f"{socket.gethostname()}:{os.getpid()}",
            "heartbeat_at": clock.wall(),
        }
        _write(desk, row)
        yield load
        patiently(lambda: desk.journal.catch_up(desk.engine))
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
            "heartbeat_at": clock.wall(),
        }
        _write(desk, row)
    discard(desk.engine, lease_of(run_id))


def lease_of(run_id: str) -> str:
    """The name of a run's lease."""
    return f"run:{run_id}"


def beat(desk: Desk, load: Load) -> None:
    """Leave a sign of life and how far the load is, at most every ten seconds."""
    now = clock.wall()
    if load.beaten_at is not None and now - load.beaten_at < BEAT_EVERY:
        return
    load.beaten_at = now
    book = metadata.tables[operations.RUNS.name]
    done = sum(not result.failed for result in load.results)
    own = book.update().where(book.c.run_id == f"{desk.job_id}:{load.dataset}")

    def write() -> None:
        with begin(desk.engine) as connection:
            connection.execute(own.values(heartbeat_at=now, symbols_done=done))

    patiently(write)


def orphans(engine: Engine) -> list[str]:
    """The runs that are booked as running although no process works on them; only looks."""
    with engine.connect() as connection:
        running = frame(connection, operations.RUNS, columns=["run_id"], where=[("status", "=", "running")])
    return [run_id for run_id in running["run_id"] if not held(engine, lease_of(run_id))]


def sweep(engine: Engine) -> list[str]:
    """Book killed runs as interrupted, and return their ids; what they stored stays, and a new run goes on."""
    found = orphans(engine)
    for run_id in found:
        _mark_interrupted(engine, run_id)
        discard(engine, lease_of(run_id))
    return found


def _mark_interrupted(engine: Engine, run_id: str) -> None:
    book = metadata.tables[operations.RUNS.name]
    own = book.update().where(book.c.run_id == run_id, book.c.status == "running")
    with begin(engine) as connection:
        connection.execute(own.values(status="interrupted", finished_at=clock.now()))


def _write(desk: Desk, row: dict[str, object]) -> None:
    def write() -> None:
        with begin(desk.engine) as connection:
            upsert(connection, operations.RUNS, pd.DataFrame([row]))

    patiently(write)


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
