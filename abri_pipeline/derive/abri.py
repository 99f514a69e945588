"""Official weekly prints: one a closed week and method, append-only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Engine

from abri_pipeline.analytics.abri import DatedPrint, Inputs, WeeklyScorer, load_method
from abri_pipeline.calendars import clock, weeks
from abri_pipeline.contracts.abri import COMPONENTS, HISTORY
from abri_pipeline.contracts.catalog import dataset
from abri_pipeline.contracts.model import RECORDED_AT
from abri_pipeline.derive.result import Derived, store
from abri_pipeline.warehouse.reads import asof, frame, records

METHODS = ("spec-1.1",)
FIRST_PRINT = date(2022, 1, 3)  # Monday of the first published week
# A row stored later than this after it was public is backfilled, and so is the print that shows it.
BACKFILLED_AFTER = timedelta(days=30)
INPUTS = {
    "market": "market_metrics",
    "credit": "credit_spreads",
    "gpu": "gpu_prices",
    "filings": "hyperscaler_metrics",
    "segments": "segment_revenue",
    "deals": "deals",
}


@dataclass(frozen=True)
class _Known:
    """Everything the window's prints may look at, read once."""

    frames: dict[str, pd.DataFrame]

    def backfilled(self, made: DatedPrint) -> bool:
        """Whether a row behind one of the readings was stored long after it was public."""
        for reading in made.result.readings.values():
            if reading.value is None or reading.observed_on is None:
                continue
            # A source reads `tables` or `tables: what is cited from them`.
            for name in reading.source.partition(":")[0].split(", "):
                rows, table = self.frames[name], dataset(name)
                kept = RECORDED_AT.name if RECORDED_AT.name in rows else "pulled_at"
                behind = rows[rows[table.observed] == pd.Timestamp(reading.observed_on)]
                if ((behind[kept] - behind["available_at"]) > BACKFILLED_AFTER).any():
                    return True
        return False


def derive(engine: Engine, keys: Sequence[str]) -> Derived:
    """Print every closed week among `keys`, from 2022 on; the same inputs are never printed twice."""
    now = clock.now()
    due = [k for k in keys if weeks.monday(k) >= FIRST_PRINT and weeks.closed(k, now)]
    if not due:
        return Derived(0, 0, 0)
    known = _read(engine, weeks.as_of(due[-1]), weeks.knowledge_at(due[-1]))
    # Without the metrics of its own session a week was not loaded: an outage must not become an official print.
    loaded = set(known.frames["market_metrics"]["date"].dt.date)
    due = [k for k in due if weeks.as_of(k) in loaded]
    if not due:
        return Derived(0, 0, 0)
    scorer = WeeklyScorer(Inputs(**{name: known.frames[table] for name, table in INPUTS.items()}))
    rows = []
    for name in METHODS:
        method = load_method(name)
        prints = [scorer.print_at(method, weeks.as_of(k), weeks.knowledge_at(k)) for k in due]
        earlier = _printed(engine, name, prints)
        rows += [_row(p, known, now, earlier.get((p.as_of, p.knowledge_at), [])) for p in prints]
    fresh = [row for row in rows if row is not None]
    if not fresh:
        return Derived(len(rows), 0, 0)
    stored = store(engine, HISTORY, pd.DataFrame(fresh))
    return Derived(len(rows), stored.inserted, stored.changed)


def official(engine: Engine, keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The official prints of each week in `keys` (`abri_latest`), one a method; a week without one is left out."""
    names = ("method", "status", "composite_score", "level", "coverage", "reason", *(f"{c}_score" for c in COMPONENTS))
    query = sa.text(
        f"SELECT as_of, {', '.join(names)} FROM abri_latest WHERE as_of BETWEEN :first AND :last ORDER BY method"
    ).columns(sa.column("as_of", sa.Date))
    span = {"first": weeks.monday(keys[0]), "last": weeks.week_span(keys[-1])[1]}
    found: dict[str, list[dict[str, Any]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query.bindparams(**span)).mappings():
            found.setdefault(weeks.week_key(row["as_of"]), []).append({name: row[name] for name in names})
    return found


def _read(engine: Engine, as_of: date, knowledge_at: datetime) -> _Known:
    with engine.connect() as connection:
        return _Known({t: asof(connection, dataset(t), as_of, knowledge_at) for t in INPUTS.values()})


def _printed(engine: Engine, method: str, prints: Sequence[DatedPrint]) -> dict[tuple[date, datetime], list[str]]:
    """Digests of the prints that stand already, oldest first, by date and knowledge time."""
    where = [("method", "=", method), ("as_of", ">=", prints[0].as_of), ("as_of", "<=", prints[-1].as_of)]
    with engine.connect() as connection:
        rows = frame(connection, HISTORY, columns=["as_of", "knowledge_at", "input_digest", "recorded_at"], where=where)
    found: dict[tuple[date, datetime], list[str]] = {}
    for row in records(rows.sort_values("recorded_at")):
        key = (row.as_of.date(), row.knowledge_at.to_pydatetime().astimezone(UTC))
        found.setdefault(key, []).append(row.input_digest)
    return found


def _row(made: DatedPrint, known: _Known, now: datetime, earlier: Sequence[str]) -> dict[str, object] | None:
    """A print as a row of the history; None where the same inputs were printed before."""
    if made.input_digest in earlier:
        return None
    result = made.result
    late = now - made.knowledge_at > BACKFILLED_AFTER or known.backfilled(made)
    return {
        "as_of": made.as_of,
        "method": result.method,
        "knowledge_at": made.knowledge_at,
        "input_digest": made.input_digest,
        "kind": "reconstructed" if late else "live",
        "status": result.status,
        **{f"{name}_score": value for name, value in result.components.items()},
        "composite_score": result.composite,
        "level": result.level,
        "vulnerability": result.vulnerability,
        "stress": result.stress,
        "coverage": result.coverage,
        "crowded": result.crowded,
        "inputs": json.dumps({n: r.document() for n, r in result.readings.items()}, sort_keys=True),
        "supersedes": earlier[-1] if earlier else None,
        "reason": "; ".join(f"{c} missing: {why}" for c, why in sorted(result.missing.items())) or None,
        "recorded_at": now,
    }
