"""What may stand of a load: its verdict, and how it meets the bars that are stored already.

A final bar is never overwritten silently: its own provider may correct it, and every change is in `price_revisions`;
another provider only fills what is missing, and where the two disagree on a close the newcomer is quarantined.
"""

from typing import Any

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest.ask import Answer
from abri_pipeline.ingest.books import Judged
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.publish import Judgement
from abri_pipeline.ingest.rows import PRICES
from abri_pipeline.quality.disagreement import Closes, compare
from abri_pipeline.quality.ranges import days_in
from abri_pipeline.quality.rules import assess
from abri_pipeline.quality.screen import Screened
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import upsert

LOOK_BACK = 25  # stored sessions before a load, by which its first jump is judged
CELLS = [*PRICES, "volume"]


def judge(
    connection: Connection,
    symbol: str,
    bars: pd.DataFrame,
    actions: pd.DataFrame | None,
    span: Window,
    answer: Answer,
) -> Judgement:
    """Assess a load by the rules of quality, and against the closes that another provider gave."""
    expected = list(days_in([(span.start, span.end)], closed_sessions(answer.delivery.pulled_at)))
    where = [("symbol", "=", symbol), ("date", "<", span.start)]
    earlier = frame(connection, BARS, columns=["symbol", "date", *CELLS], where=where).tail(LOOK_BACK)
    found = assess(bars, actions, {symbol: expected}, earlier=earlier if len(earlier) else None)
    refused = list(found.refusals(symbol)) + _apart(connection, symbol, bars, answer)
    checks = found.checks(symbol)
    judged = Judged(found.score(symbol), len(bars), len(expected), checks, "rejected" if refused else "accepted")
    return Judgement(judged, tuple(refused))


def _apart(connection: Connection, symbol: str, bars: pd.DataFrame, answer: Answer) -> list[str]:
    """Closes on which this load and another provider's stored bars disagree by more than half a percent."""
    own = str(answer.delivery.provenance["source_provider"])
    where = [("symbol", "=", symbol), ("source_provider", "!=", own), ("bar_status", "=", "final")]
    stored = frame(connection, BARS, columns=["symbol", "date", "close", "source_provider"], where=where)
    if stored.empty or bars.empty:
        return []
    found: list[str] = []
    through = answer.delivery.pulled_at.date()  # both are on today's shares: what is stored was re-based when it split
    for source, theirs in stored.groupby("source_provider"):
        met = compare(
            Closes(str(source), theirs[["symbol", "date", "close"]], adjusted_through=through),
            Closes(own, bars[["symbol", "date", "close"]], adjusted_through=through),
        )
        found += [f"{row.date:%Y-%m-%d}: {row.reason}" for row in records(met.apart.head(3))]
    return found


def protect(connection: Connection, symbol: str, screened: Screened, answer: Answer, *, rebased: bool) -> Screened:
    """The accepted rows that may be written: another provider's final bars stay, changes of final bars are booked."""
    fresh = screened.accepted
    if fresh.empty:
        return screened
    where = [("symbol", "=", symbol), ("date", ">=", fresh["date"].min()), ("date", "<=", fresh["date"].max())]
    columns = ["date", *CELLS, "bar_status", "source_provider"]
    stored = frame(connection, BARS, columns=columns, where=where)
    if stored.empty:
        return screened
    own = answer.delivery.provenance["source_provider"]
    theirs = stored[(stored["source_provider"] != own) & (stored["bar_status"] == "final")]
    kept = fresh[~fresh["date"].isin(theirs["date"])]
    final = stored[(stored["source_provider"] == own) & (stored["bar_status"] == "final")]
    why = "re-based in full after a dividend or split" if rebased else f"corrected by {answer.provider}"
    _book_changes(connection, symbol, final, kept, why, answer)
    return Screened(kept.reset_index(drop=True), screened.rejected)


def _book_changes(
    connection: Connection, symbol: str, final: pd.DataFrame, fresh: pd.DataFrame, why: str, answer: Answer
) -> None:
    """One row of `price_revisions` for each field of a final bar that is about to change."""
    both = final.merge(fresh[["date", *CELLS]], on="date", suffixes=("_old", "_new"))
    changes = []
    for name in CELLS:
        old, new = (both[f"{name}_{side}"].astype("Float64") for side in ("old", "new"))
        moved = both[(old != new).fillna(True) & ~(old.isna() & new.isna())]
        was, now = moved[f"{name}_old"], moved[f"{name}_new"]
        changes.append(pd.DataFrame({"date": moved["date"], "field": name, "old": was, "new": now}))
    rows = pd.concat([c.astype({"old": "float64", "new": "float64"}) for c in changes], ignore_index=True)
    if len(rows):
        told: dict[str, Any] = {
            "symbol": symbol,
            "recorded_at": clock.now(),
            "reason": why,
            "raw_hash": answer.delivery.raw_hash,
        }
        upsert(connection, operations.REVISIONS, rows.assign(**told))
