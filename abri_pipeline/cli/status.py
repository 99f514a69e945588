"""`abri status`: what is stored, how fresh it is, what is missing, what the index says."""

from typing import TYPE_CHECKING, Any

from abri_pipeline.calendars import clock
from abri_pipeline.cli import house, report, show
from abri_pipeline.cli.errors import DONE
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

PRINTS = 4


def status(*, as_json: bool) -> int:
    """Show the state of the house; an empty one is no error."""
    settings = Settings.load()
    engine = house.existing_warehouse(settings)
    if engine:
        _see_killed(engine)
    market = report.market_of(engine)
    found: dict[str, Any] = {
        "now": clock.now().isoformat(),
        "home": str(settings.home),
        "market": market,
        "synthetic": market == "synthetic",
        "datasets": datasets(engine) if engine else [],
        "gaps": open_gaps(engine) if engine else {},
        "prints": report.prints(engine, PRINTS) if engine else [],
    }
    if as_json:
        terminal().document(found)
    elif engine is None:
        terminal().note(report.NOTHING)
    else:
        _draw(found)
    return DONE


def _see_killed(engine: "Engine") -> None:
    """Book runs whose process is gone as interrupted, and say so."""
    from abri_pipeline.ingest.runs import sweep

    for run_id in sweep(engine):
        terminal().note(
            f"{run_id} was killed: interrupted; `abri backfill --resume {run_id.rpartition(':')[0]}` goes on"
        )


def datasets(engine: "Engine") -> list[dict[str, Any]]:
    """Rows, newest observation, its lag in sessions, and the last run of each dataset."""
    from abri_pipeline.contracts.catalog import DATASETS

    with engine.connect() as connection:
        ran = _last_runs(connection)
        return [_dataset(connection, name.name, name.observed) | {"last_run": ran.get(name.name)} for name in DATASETS]


def _dataset(connection: "Connection", name: str, observed: str) -> dict[str, Any]:
    from sqlalchemy import func, select

    from abri_pipeline.calendars.sessions import session_lag
    from abri_pipeline.warehouse.tables import metadata

    table = metadata.tables[name]
    rows, newest = connection.execute(select(func.count(), func.max(table.c[observed]))).one()
    lag = None if newest is None else session_lag(newest, clock.now())
    return {"dataset": name, "rows": rows, "newest": None if newest is None else newest.isoformat(), "lag": lag}


def _last_runs(connection: "Connection") -> dict[str, dict[str, Any]]:
    """The newest row of `backfill_runs` of each dataset; derived datasets keep none."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame, records

    rows = frame(connection, operations.RUNS).sort_values("started_at", kind="stable")
    return {
        row.kind: {
            "run": row.run_id.partition(":")[0],
            "started_at": row.started_at.isoformat(),
            "status": row.status,
            "failed": row.symbols_failed,
        }
        for row in records(rows)
    }


def open_gaps(engine: "Engine") -> dict[str, dict[str, int]]:
    """Open gaps by cause: how many, over how many sessions."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame

    with engine.connect() as connection:
        rows = frame(connection, operations.GAPS, where=[("state", "!=", "filled")])
    return {
        str(cause): {"gaps": len(own), "sessions": int(own["sessions"].sum())} for cause, own in rows.groupby("cause")
    }


def _draw(found: dict[str, Any]) -> None:
    rows = [
        (
            d["dataset"], f"{d['rows']:,}", d["newest"] or "-", "-" if d["lag"] is None else d["lag"],
            (d["last_run"] or {}).get("status", "-"), (d["last_run"] or {}).get("failed") or "",
        )
        for d in found["datasets"]
    ]  # fmt: skip
    head = ("dataset", "rows", "newest", "lag (sessions)", "last run", "failed")
    shown = [
        *show.labelled(found["market"]),
        show.table(f"{found['home']} at {found['now']}", head, rows, ("rows", "lag (sessions)")),
    ]
    gaps = [(cause, g["gaps"], g["sessions"]) for cause, g in found["gaps"].items()]
    if gaps:
        shown.append(show.table("Open gaps", ("cause", "gaps", "sessions"), gaps, ("gaps", "sessions")))
    if found["prints"]:
        shown += report.index_tables(found["prints"])
    terminal().show(*shown)
