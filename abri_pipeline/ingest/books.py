"""The books kept in the transaction of the rows: audit, rejections, quality, coverage, gaps, progress."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Connection, delete, func, select, text

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.model import Table
from abri_pipeline.ingest.delivery import Delivery
from abri_pipeline.ingest.desk import UnitResult
from abri_pipeline.quality.gaps import Gap, Why
from abri_pipeline.quality.ranges import Range
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.record import record
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline.warehouse.upsert import upsert

if TYPE_CHECKING:
    from abri_pipeline.ingest.ask import Asked


def audit(
    connection: Connection, job_id: str, dataset: str, delivery: Delivery, result: UnitResult
) -> dict[str, object]:
    """One record of one fetch and what came of it; the record is returned for the journal."""
    row: dict[str, object] = {
        "audit_id": _next_audit_id(connection),
        "job_id": job_id,
        "symbol": delivery.unit,
        "dataset": dataset,
        "provider": delivery.provider,
        "window_start": delivery.window.start if delivery.window else None,
        "window_end": delivery.window.end if delivery.window else None,
        "attempt": delivery.attempts,
        "outcome": result.outcome,
        "rows": result.rows,
        "unchanged": max(0, result.rows - result.rejected - result.inserted - result.changed),
        "timeframe": delivery.timeframe,
        "pulled_at": delivery.pulled_at,
        "raw_hash": delivery.raw_hash,
        "latency_ms": delivery.latency_ms,
        "error": result.reason or None,
        "recorded_at": clock.now(),
    }
    record(connection, operations.AUDIT, row)
    return row


def _next_audit_id(connection: Connection) -> str:
    """An id that sorts after every stored one, so that records of one instant keep their order.

    The clock may be frozen. The tail keeps two writers apart who count alike; a unit has one writer at a time.
    """
    book = metadata.tables[operations.AUDIT.name]
    newest = connection.execute(select(func.max(book.c.audit_id))).scalar_one() or ""
    number = newest.partition("-")[0]
    return f"{int(number) + 1 if number.isdecimal() else 1:012d}-{uuid.uuid4().hex[:12]}"


def rejections(connection: Connection, table: Table, delivery: Delivery, screened: Screened) -> None:
    """The rows that broke a rule, each with the rule and the reason; the payload itself stays archived."""
    if screened.rejected.empty:
        return
    found = screened.rejected
    rows = pd.DataFrame(
        {
            "payload_hash": delivery.raw_hash,
            "row": found["row"],
            "rule": found["rule"],
            "dataset": table.name,
            "symbol": delivery.unit,
            "observed_on": found["observed_on"],
            "reason": found["reason"],
            "recorded_at": clock.now(),
        }
    )
    upsert(connection, operations.REJECTED, rows.drop_duplicates(["row", "rule"]))


@dataclass(frozen=True)
class Judged:
    """What validation found in a load: a score that `checks` (counts by rule) gives again, and the verdict."""

    score: float
    rows: int
    expected: int
    checks: Mapping[str, int]
    verdict: str


def screening(screened: Screened, expected: int) -> Judged:
    """The judgement of a load that only its contract's rules were applied to."""
    rejected = int(screened.rejected["position"].nunique())
    checks = screened.rejected["rule"].value_counts().sort_index().to_dict()
    score = 1.0 if not screened.rows else 1.0 - rejected / screened.rows
    return Judged(score, screened.rows, expected, {str(rule): int(n) for rule, n in checks.items()}, "accepted")


def quality(connection: Connection, timeframe: str, delivery: Delivery, screened: Screened, judged: Judged) -> None:
    """What validation found in this load; `timeframe` tells the tables of one payload apart."""
    nulls = judged.checks.get("nulls", int(screened.rejected["rule"].str.endswith("is required").sum()))
    row = {
        "symbol": delivery.unit,
        "timeframe": timeframe,
        "date": delivery.window.end if delivery.window else delivery.pulled_at.date(),
        "score": judged.score,
        "rows": judged.rows,
        "expected": judged.expected,
        "nulls": nulls,
        "rejected": int(screened.rejected["position"].nunique()),
        "checks": json.dumps(dict(judged.checks), sort_keys=True),
        "verdict": judged.verdict,
    }
    record(connection, operations.QUALITY, row)


def quarantine(connection: Connection, table: Table, delivery: Delivery, refusals: Sequence[str]) -> None:
    """A load that was refused as a whole, with the reasons; its payload stays archived."""
    span = f" {delivery.window.start} to {delivery.window.end}" if delivery.window else ""
    rows = [
        {
            "payload_hash": delivery.raw_hash,
            "row": delivery.unit + span,
            "rule": f"quarantined: {reason}",
            "dataset": table.name,
            "symbol": delivery.unit,
            "observed_on": delivery.window.end if delivery.window else None,
            "reason": reason,
            "recorded_at": clock.now(),
        }
        for reason in refusals
    ]
    upsert(connection, operations.REJECTED, pd.DataFrame(rows))


def decision(connection: Connection, job_id: str, symbol: str, dataset: str, asked: "Asked", chosen: str) -> None:
    """One choice of a provider, why, and what came of it."""
    row = {
        "decision_id": uuid.uuid4().hex,
        "job_id": job_id,
        "symbol": symbol,
        "dataset": dataset,
        "chosen": chosen,
        "tried": ",".join(asked.tried),
        "reason": "; ".join(asked.why),
        "seed": asked.seed,
        "recorded_at": clock.now(),
    }
    record(connection, operations.DECISIONS, row)


def coverage(
    connection: Connection,
    unit: str,
    timeframe: str,
    have: Sequence[Range],
    waiting: Mapping[datetime, Sequence[Range]] | None = None,
) -> None:
    """Write down afresh what is known of one unit's history: ranges stored, and ranges missing until an instant.

    `waiting` names for each instant the missing ranges that are not to be asked for before it.
    """
    covered = metadata.tables[operations.COVERAGE.name]
    connection.execute(delete(covered).where(covered.c.symbol == unit, covered.c.timeframe == timeframe))
    states: list[tuple[str, datetime | None, Sequence[Range]]] = [("have", None, have)]
    states += [("missing", again_at, spans) for again_at, spans in (waiting or {}).items()]
    rows = [
        {
            "symbol": unit,
            "timeframe": timeframe,
            "range_start": start,
            "range_end": end,
            "state": state,
            "next_attempt_at": again_at,
            "updated_at": clock.now(),
        }
        for state, again_at, spans in states
        for start, end in spans
    ]
    if rows:
        upsert(connection, operations.COVERAGE, pd.DataFrame(rows))


def open_gaps(connection: Connection, unit: str, timeframe: str) -> list[Gap]:
    """The gaps of a unit that are not filled."""
    where = [("symbol", "=", unit), ("timeframe", "=", timeframe), ("state", "!=", "filled")]
    rows = frame(connection, operations.GAPS, where=where)
    return [
        Gap(r.gap_start.date(), r.gap_end.date(), r.sessions, Why(r.cause, r.reason, r.state == "unfillable"))
        for r in records(rows)
    ]


def gaps(
    connection: Connection, unit: str, timeframe: str, found: Iterable[Gap], asked: Collection[date] | None = None
) -> None:
    """Write down a unit's open gaps as they are now; those that are no longer open become `filled`.

    Each write of a gap counts as one more attempt if it was asked for: if it holds one of the days of `asked`, or
    always where `asked` is None.
    """
    book = metadata.tables[operations.GAPS.name]
    here = (book.c.symbol == unit, book.c.timeframe == timeframe)
    tried = {
        r.gap_start: r.attempts for r in connection.execute(select(book.c.gap_start, book.c.attempts).where(*here))
    }
    now = clock.now()
    rows = [
        {
            "symbol": unit,
            "timeframe": timeframe,
            "gap_start": gap.start,
            "gap_end": gap.end,
            "sessions": gap.sessions,
            "state": gap.why.state,
            "attempts": tried.get(gap.start, 0)
            + int(asked is None or any(gap.start <= day <= gap.end for day in asked)),
            "cause": gap.why.cause,
            "reason": gap.why.reason,
            "updated_at": now,
        }
        for gap in found
    ]
    closed = book.update().where(
        *here, book.c.state != "filled", book.c.gap_start.not_in([r["gap_start"] for r in rows])
    )
    connection.execute(closed.values(state="filled", updated_at=now))
    if rows:
        upsert(connection, operations.GAPS, pd.DataFrame(rows))


def progress(connection: Connection, unit: str, timeframe: str, table: Table, by: str, observed: str) -> None:
    """How far the stored history of a unit reaches now."""
    span = text(f'SELECT min("{observed}"), max("{observed}") FROM {table.name} WHERE "{by}" = :unit')
    oldest, newest = connection.execute(span, {"unit": unit}).one()
    if oldest is None:
        return
    row = {
        "symbol": unit,
        "timeframe": timeframe,
        "oldest_bar": _as_date(oldest),
        "newest_bar": _as_date(newest),
        "last_updated": clock.now(),
    }
    record(connection, operations.PROGRESS, row)


def _as_date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
