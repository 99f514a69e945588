"""`abri status --job ID` and `abri backfill --resume ID`: what a job did, and going on with it."""

from datetime import date
from typing import TYPE_CHECKING, Any

from abri_pipeline.cli import house, show
from abri_pipeline.cli.errors import DONE, UsageFault
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.cli.window import Asked
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

RESUMABLE = ("interrupted", "partial", "failed")


def status(job: str, *, as_json: bool) -> int:
    """Show the runs of a job and what came of each symbol.

    Raises:
        UsageFault: no job has that id.
    """
    engine = _engine(job)
    runs = _runs(engine, job)
    job = runs[0]["run_id"].rpartition(":")[0]
    resumable, units = any(run["status"] in RESUMABLE for run in runs), _symbols(engine, job)
    if as_json:
        terminal().document({"job_id": job, "resumable": resumable, "runs": runs, "symbols": units})
        return DONE
    columns = ("dataset", "status", "from", "to", "asked", "done", "failed", "new rows", "calls", "owner", "last sign")
    names = ("kind", "status", "window_start", "window_end", "symbols_requested", "symbols_done", "symbols_failed",
             "bars_inserted", "upstream_calls", "owner", "heartbeat_at")  # fmt: skip
    figures = ("asked", "done", "new rows", "calls")
    terminal().show(show.table(f"Job {job}", columns, [[run[name] for name in names] for run in runs], figures))
    told = ("symbol", "dataset", "provider", "outcome", "rows", "attempt", "error")
    outcomes = [[one[name] for name in told] for one in units]
    if outcomes:
        terminal().show(show.table("What came of each", told, outcomes, ("rows", "attempt")))
    if resumable:
        terminal().note(f"resumable: `abri backfill --resume {job}` goes on from what is stored")
    return DONE


def resumed(job: str) -> tuple[Asked, tuple[str, ...]]:
    """The window and the symbols that a job was asked for.

    Raises:
        UsageFault: no job has that id, or it works still.
    """
    runs = _runs(_engine(job), job)
    if any(run["status"] == "running" for run in runs):
        raise UsageFault(f"job {job} is at work still ({runs[0]['owner']}); wait for it, or stop it first")
    bars = [run for run in runs if run["kind"] == "price_history_daily"] or runs
    symbols = tuple(bars[0]["symbols"].split(",")) if bars[0]["symbols"] else ()
    start = min(date.fromisoformat(run["window_start"]) for run in bars)
    end = max(date.fromisoformat(run["window_end"]) for run in bars)
    return Asked(start, end), symbols


def _engine(job: str) -> "Engine":
    from abri_pipeline.ingest.runs import sweep

    engine = house.existing_warehouse(Settings.load())
    if engine is None:
        raise UsageFault(f"no job {job}: nothing was loaded yet; start with `abri backfill`")
    sweep(engine)
    return engine


def _runs(engine: "Engine", job: str) -> list[dict[str, Any]]:
    """The job's rows of `backfill_runs`, oldest first; the beginning of an id will do."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame, records

    with engine.connect() as connection:
        rows = frame(connection, operations.RUNS).sort_values("started_at", kind="stable")
    own = rows[rows["run_id"].str.startswith(job)] if job else rows.iloc[:0]
    jobs = {run_id.rpartition(":")[0] for run_id in own["run_id"]}
    if len(jobs) != 1:
        said = f"no job begins with {job!r}" if not jobs else f"{len(jobs)} jobs begin with {job!r}"
        newest = rows["run_id"].str.rpartition(":")[0].drop_duplicates(keep="last").tail(3)
        raise UsageFault(f"{said}; the newest are {', '.join(newest) or 'none'}")
    return [{name: _plain(value) for name, value in row._asdict().items()} for row in records(own)]


def _symbols(engine: "Engine", job: str) -> list[dict[str, Any]]:
    """The newest audit record of each unit of a job."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame, records

    with engine.connect() as connection:
        rows = frame(connection, operations.AUDIT, where=[("job_id", "=", job)]).sort_values("audit_id")
    newest = rows.drop_duplicates(["symbol", "dataset"], keep="last").sort_values(["dataset", "symbol"])
    return [{name: _plain(value) for name, value in row._asdict().items()} for row in records(newest)]


def _plain(value: Any) -> Any:
    """A cell for JSON and tables: days and instants in ISO form, None where there is nothing."""
    if value is None or value != value:
        return None
    if not hasattr(value, "isoformat"):
        return value.item() if hasattr(value, "item") else value
    return value.date().isoformat() if value.tzinfo is None else value.isoformat()
