"""Small markets planted by upsert, and rows that break exactly one rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import Dataset, Kind, Table
from abri_pipeline.quality.checks_verdict import booked
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.warehouse import samples

NOW = datetime(2026, 1, 20, 2, tzinfo=UTC)  # Monday evening in New York; Martin Luther King day, so closed
WEEK = sessions(date(2026, 1, 12), date(2026, 1, 16))
GOOD, BAD, NEWER = ("a" * 64, "b" * 64, "c" * 64)


def row(table: Table, number: int = 0, /, **given: Any) -> dict[str, Any]:
    """A row the contract allows: required fields from the samples, the others null, then what is given."""
    made = {f.name: samples.value(f, number) if samples.required(table, f) else None for f in table}
    return made | given


def plant(engine: Engine, table: Table, *rows: dict[str, Any]) -> None:
    """Store rows as the platform would."""
    with begin(engine) as connection:
        upsert(connection, table, pd.DataFrame(rows, columns=list(table.columns)))


def instruments(engine: Engine, *symbols: str, **given: Any) -> None:
    plant(
        engine,
        operations.INSTRUMENTS,
        *(row(operations.INSTRUMENTS, instrument_id=f"XNYS:{s}", symbol=s, active=True, **given) for s in symbols),
    )


def bars(engine: Engine, symbol: str, days: Sequence[date], close: float = 100.0) -> None:
    plant(engine, BARS, *(row(BARS, symbol=symbol, date=day, close=close, bar_status="final") for day in days))


def gap(engine: Engine, unit: str, timeframe: str, days: Sequence[date], cause: str, state: str = "missing") -> None:
    one = row(
        operations.GAPS,
        symbol=unit,
        timeframe=timeframe,
        gap_start=days[0],
        gap_end=days[-1],
        sessions=len(days),
        state=state,
        cause=cause,
        reason=f"planted as {cause}",
    )
    plant(engine, operations.GAPS, one)


def run(engine: Engine, dataset: Dataset, number: int = 0, **given: Any) -> None:
    """A booked load of a dataset, each number an hour after the one before."""
    told = {
        "run_id": f"job{number}:{booked(dataset)}",
        "kind": booked(dataset),
        "started_at": NOW - timedelta(days=9) + timedelta(hours=number),
        "window_start": WEEK[0],
        "window_end": WEEK[-1],
        "symbols_requested": 2,
        "status": "done",
    }
    plant(engine, operations.RUNS, row(operations.RUNS, **(told | given)))


def audit(engine: Engine, dataset: Dataset, unit: str, number: int, **given: Any) -> None:
    """A booked fetch of a unit."""
    told = {
        "audit_id": f"{number:012d}",
        "job_id": f"job{number}",
        "symbol": unit,
        "dataset": booked(dataset),
        "outcome": "stored",
        "recorded_at": NOW - timedelta(days=9) + timedelta(hours=number),
    }
    plant(engine, operations.AUDIT, row(operations.AUDIT, **(told | given)))


def rejection(engine: Engine, dataset: Dataset, unit: str, payload: str, **given: Any) -> None:
    """A row that was turned away."""
    told = {"payload_hash": payload, "row": f"{unit} 2026-01-13", "rule": "close > 0", "reason": "close is -1.0"}
    plant(engine, operations.REJECTED, row(operations.REJECTED, dataset=dataset.name, symbol=unit, **(told | given)))


@dataclass(frozen=True)
class Breach:
    """Cells that break one rule of a table, and the rule's name as checks say it."""

    table: Table
    rule: str
    cells: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.table.name}: {self.rule}"


def breaches(table: Table) -> Iterator[Breach]:
    """One breach of every rule of a contract."""
    for field in table:
        if samples.required(table, field):
            yield Breach(table, f"{field.name} is required", {field.name: None})
        if field.kind is Kind.NUMBER:
            for value in (float("inf"), float("-inf")) if field.low is field.above is None else (float("inf"),):
                if field.high is None:
                    yield Breach(table, f"{field.name} is finite", {field.name: value})
        if field.low is not None:
            yield Breach(table, f"{field.name} >= {field.low:g}", {field.name: field.low - 1})
        if field.above is not None:
            yield Breach(table, f"{field.name} > {field.above:g}", {field.name: field.above})
        if field.high is not None:
            yield Breach(table, f"{field.name} <= {field.high:g}", {field.name: field.high + 1})
        if field.choices:
            yield Breach(table, f"{field.name} is known", {field.name: "none of them"})
    for low, high in table.orders:
        small, large = samples.value(table[low], 0), samples.other(table[low])
        yield Breach(table, f"{low} <= {high}", {low: large, high: small})


def edges(table: Table) -> Iterator[Breach]:
    """Values that stand exactly on a bound: allowed by every rule."""
    for field in table:
        for bound in (field.low, field.high):
            if bound is not None and not any(field.name in pair for pair in table.orders):
                yield Breach(table, f"{field.name} at {bound:g}", {field.name: bound})
        for choice in field.choices:
            yield Breach(table, f"{field.name} = {choice}", {field.name: choice})


def unguarded(connection: Connection, table: Table) -> None:
    """Take every constraint off a table, as a database would be that somebody wrote to by hand."""
    cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
    for view in ("abri_latest", "ohlc_bars"):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
    connection.exec_driver_sql(f'CREATE TABLE bare AS SELECT * FROM "{table.name}"')
    connection.exec_driver_sql(f'DROP TABLE "{table.name}"{cascade}')
    connection.exec_driver_sql(f'ALTER TABLE bare RENAME TO "{table.name}"')
