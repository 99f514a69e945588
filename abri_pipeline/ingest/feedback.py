"""Execution feedback: orders as they were filled, brought by whoever traded, as evidence of slippage.

Belongs here: validating by the contract, storing once an order, the summary. Does not belong here: the formats of
the files (feedback_file).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import clock, new_york
from abri_pipeline.contracts.operations import FEEDBACK
from abri_pipeline.ingest.feedback_file import COLUMNS, BadCell, Raw, values
from abri_pipeline.quality.schema import conform
from abri_pipeline.quality.screen import faults
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import Outcome, upsert

MIDNIGHT = time(0)
SUMMARY = ("symbol", "orders", "measured", "notional", "median_bps", "p95_bps", "weighted_bps")


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not stored: where it stands in the file, and why."""

    place: str
    reason: str


@dataclass
class Imported:
    """What came of an import: rows read, what the store made of the good ones, and the bad ones by name."""

    read: int = 0
    stored: Outcome = field(default_factory=Outcome)
    rejected: list[Refused] = field(default_factory=list)


def store(engine: Engine, rows: Iterable[Raw]) -> Imported:
    """Store the good rows in one transaction; an order that is stored already is corrected, never doubled.

    Rejected are rows that break the contract, fills that lie ahead, and an order that stands in the file again with
    other values; the same row again is no fault.
    """
    result, good, first = Imported(), [], dict[str, tuple[str, dict[str, Any]]]()
    now = clock.now()
    for raw in rows:
        result.read += 1
        try:
            row = values(raw)
            if row["filled_at"] > now:
                raise BadCell(f"filled_at: {row['filled_at'].isoformat()} lies ahead")
            place, before = first.setdefault(row["order_id"], (raw.place, row))
            if before is row:
                good.append((raw.place, row))
            elif before != row:
                raise BadCell(f"order_id: {row['order_id']!r} stands in {place} with other values")
        except BadCell as error:
            result.rejected.append(Refused(raw.place, str(error)))
    if good:
        table = conform(FEEDBACK, pd.DataFrame([row for _, row in good], columns=COLUMNS).assign(recorded_at=now))
        broken = faults(FEEDBACK, table)
        result.rejected += [Refused(good[int(f.position)][0], f"{f.reason}, against {f.rule}") for f in records(broken)]
        with begin(engine) as connection:
            result.stored = upsert(connection, FEEDBACK, table.drop(index=pd.Index(broken["position"].unique())))
    result.rejected.sort(key=lambda one: int(one.place.rpartition(" ")[2]))
    return result


def orders(engine: Engine) -> pd.DataFrame:
    """Every stored order, by its id."""
    with engine.connect() as connection:
        return frame(connection, FEEDBACK, columns=COLUMNS)


def none() -> pd.DataFrame:
    """No orders, in the columns that `orders` gives."""
    return pd.DataFrame(columns=list(COLUMNS))


def slippage_summary(engine: Engine, start: date, end: date) -> pd.DataFrame:
    """What filled orders say of slippage, a row a symbol, in the order of the symbols; no row where none was filled.

    Args:
        engine: the warehouse.
        start: first day, New York's.
        end: last day, included.

    Returns:
        symbol, orders (filled in the window), measured (of them with a known slippage), notional (USD of the
        measured ones), median_bps, p95_bps (the worse tail, linear between ranks) and weighted_bps (mean weighted
        by notional), in basis points, NaN where nothing was measured. Positive is worse than expected.
    """
    span = [
        ("filled_at", ">=", new_york.instant(start, MIDNIGHT)),
        ("filled_at", "<", new_york.instant(end + timedelta(days=1), MIDNIGHT)),
    ]
    with engine.connect() as connection:
        filled = frame(connection, FEEDBACK, columns=COLUMNS, where=span)
    rows = [_summary(str(symbol), own) for symbol, own in filled.groupby("symbol")]
    return pd.DataFrame(rows, columns=list(SUMMARY))


def _summary(symbol: str, filled: pd.DataFrame) -> dict[str, Any]:
    measured = filled[filled["slippage_bps"].notna()]
    notional = (measured["quantity"] * measured["price"]).to_numpy()
    slipped = measured["slippage_bps"].to_numpy()
    known = len(measured) > 0
    return {
        "symbol": symbol,
        "orders": len(filled),
        "measured": len(measured),
        "notional": float(notional.sum()),
        "median_bps": float(np.median(slipped)) if known else np.nan,
        "p95_bps": float(np.quantile(slipped, 0.95)) if known else np.nan,
        "weighted_bps": float(np.average(slipped, weights=notional)) if known else np.nan,
    }
