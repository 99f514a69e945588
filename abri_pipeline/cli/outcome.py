"""How a run ended, read back from the books it kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from abri_pipeline.cli.errors import DONE, FAILED, PARTIAL

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.cli.foreground import Finished

ANSWERED = ("stored", "unchanged", "empty", "absent")  # an upstream was asked and said something of use
BARS = ("price_history_daily", "price_history_intraday")
PACKAGED = "packaged"  # the copy that ships with the platform: no upstream


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a run did to one dataset."""

    dataset: str
    status: str
    requested: int
    done: int
    failed: list[str]
    inserted: int
    changed: int
    calls: int


@dataclass(frozen=True, slots=True)
class OpenGap:
    """Sessions of one unit that are missing from the window for one reason."""

    unit: str
    start: date
    end: date
    sessions: int
    cause: str
    reason: str
    explained: bool


@dataclass(frozen=True)
class Outcome:
    """A run's end: `code` is the command's exit code, `why` the one line of a run that is not green."""

    run_id: str
    status: str
    code: int
    why: str
    market: str | None
    datasets: list[Loaded]
    gaps: list[OpenGap]
    checks: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def outcome(engine: "Engine", finished: "Finished", start: date, end: date) -> Outcome:
    """The verdict: 3 where some units failed, 1 where nothing worked or a step broke, else 0.

    A launch narrowed to bars of which no provider gave any is 3 too: what was asked for is on the books and resumable.
    """
    from abri_pipeline.ingest.stamp import held

    datasets = loaded(engine, finished.run_id)
    failed = {one.dataset: one.failed for one in datasets if one.failed}
    named = "; ".join(f"{name}: {', '.join(units)}" for name, units in failed.items())
    status, code, why = "done", DONE, ""
    if finished.broken or not (finished.success or failed):
        status, code, why = "failed", FAILED, finished.broken or "the run failed; see it in the Dagster UI"
    elif failed and not _narrowed(datasets) and not _answered(engine, finished.run_id):
        why = f"nothing could be fetched ({_complaint(engine, finished.run_id)}); what was stored before stays"
        status, code = "failed", FAILED
    elif failed:
        spent = _spent(engine, finished.run_id)
        status, code, why = "partial", PARTIAL, f"failed, and tried again by the next run: {named}{spent}"
    with engine.connect() as connection:
        market = held(connection)
    return Outcome(finished.run_id, status, code, why, market, datasets, gaps(engine, start, end), _checks(finished))


def loaded(engine: "Engine", run_id: str) -> list[Loaded]:
    """The rows of `backfill_runs` that a run wrote, in the order of their datasets."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.contracts.catalog import DATASETS
    from abri_pipeline.warehouse.reads import frame, records

    order = {dataset.name: place for place, dataset in enumerate(DATASETS)}
    ids = [f"{run_id}:{name}" for name in order]
    with engine.connect() as connection:
        rows = frame(connection, operations.RUNS, where=[("run_id", "in", ids)])
    found = [
        Loaded(
            dataset=row.kind,
            status=row.status,
            requested=int(row.symbols_requested),
            done=int(row.symbols_done),
            failed=row.symbols_failed.split(",") if row.symbols_failed else [],
            inserted=int(row.bars_inserted),
            changed=int(row.bars_changed),
            calls=int(row.upstream_calls),
        )
        for row in records(rows)
    ]
    return sorted(found, key=lambda one: order[one.dataset])


def gaps(engine: "Engine", start: date, end: date) -> list[OpenGap]:
    """Open gaps that touch a window, one line a unit and reason, the unexplained first."""
    from abri_pipeline.contracts import intraday, operations
    from abri_pipeline.contracts.operations import EXPLAINED
    from abri_pipeline.warehouse.reads import frame, records

    where = [("state", "!=", "filled"), ("gap_start", "<=", end), ("gap_end", ">=", start)]
    with engine.connect() as connection:
        rows = frame(connection, operations.GAPS, where=where)
    merged: dict[tuple[str, str, str], OpenGap] = {}
    for row in records(rows):
        first, last, sessions = row.gap_start.date(), row.gap_end.date(), int(row.sessions)
        unit = f"{row.symbol} {row.timeframe}" if row.timeframe in intraday.MINUTES else row.symbol
        key = (unit, row.cause, row.reason)
        if (before := merged.get(key)) is not None:
            first, last = min(first, before.start), max(last, before.end)
            sessions += before.sessions
        merged[key] = OpenGap(unit, first, last, sessions, row.cause, row.reason, row.cause in EXPLAINED)
    return sorted(merged.values(), key=lambda gap: (gap.explained, gap.unit, gap.start))


def _narrowed(datasets: Sequence[Loaded]) -> bool:
    """Whether only bars of instruments were asked for."""
    return all(one.dataset in BARS for one in datasets)


def _spent(engine: "Engine", run_id: str) -> str:
    """Which quotas stopped a run, and when each frees; nothing where none did."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame

    where = [("job_id", "=", run_id), ("error", "is not", None)]
    with engine.connect() as connection:
        said = frame(connection, operations.AUDIT, columns=["provider", "error"], where=where)
    told = said[said["error"].str.contains("it frees at", regex=False)].drop_duplicates("provider", keep="last")
    return "".join(f"; {error}" for error in told["error"].str.replace(r" \[[^\]]*\]$", "", regex=True))


def _answered(engine: "Engine", run_id: str) -> bool:
    """Whether any upstream gave anything in this run."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame

    where = [("job_id", "=", run_id), ("outcome", "in", ANSWERED), ("provider", "!=", PACKAGED)]
    with engine.connect() as connection:
        return not frame(connection, operations.AUDIT, columns=["audit_id"], where=where).empty


def _complaint(engine: "Engine", run_id: str) -> str:
    """The commonest of what the upstreams said, without the address it was said to."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.warehouse.reads import frame

    where = [("job_id", "=", run_id), ("error", "is not", None)]
    with engine.connect() as connection:
        said = frame(connection, operations.AUDIT, columns=["error"], where=where)["error"]
    if said.empty:
        return "no upstream answered"
    return str(said.str.replace(r" \[[^\]]*\]$", "", regex=True).value_counts().index[0])


def _checks(finished: "Finished") -> dict[str, Any]:
    """Counts of the asset checks, and those that did not pass by name."""
    missed = [check for check in finished.checks if not check.passed]
    return {
        "passed": len(finished.checks) - len(missed),
        "failed": [
            {
                "asset": c.asset,
                "check": c.name,
                "severity": c.severity,
                "said": c.said.splitlines()[0] if c.said else "",
            }
            for c in missed
        ],
    }
