"""The validation report: what every load of a window was worth, what was turned away, and what is missing still."""

from collections.abc import Mapping
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.quality import checks
from abri_pipeline.quality.matrix import completeness_matrix, totals
from abri_pipeline.quality.report_gaps import OpenGaps, open_gaps
from abri_pipeline.quality.report_loads import judged_loads
from abri_pipeline.quality.report_page import Page, Section
from abri_pipeline.quality.report_targets import non_null_shares
from abri_pipeline.warehouse.reads import Condition, frame

APART = "apart as traded"  # how `disagreement` words the reason for which a load is quarantined


def validation_page(
    engine: Engine, start: date, end: date, *, synthetic: bool = False, slippage: pd.DataFrame | None = None
) -> Page:
    """Everything that validation found in a window, and the verification queries as they answer now.

    Args:
        engine: the warehouse.
        start, end: the days that loads and rows speak of, both included.
        synthetic: the market is invented, and the report says so.
        slippage: evidence of slippage, a row a symbol; None where filled orders are not kept.
    """
    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    with engine.connect() as connection:
        gaps = open_gaps(connection, days)
        rejected = rejected_rows(connection, start, end)
        apart = rejected["reason"].str.contains(APART, regex=False).astype(bool)
        sections = [
            Section("completeness", "Completeness", totals(completeness_matrix(connection, days)), percent=("share",)),
            Section("loads", "Loads, the lowest score first", judged_loads(connection, start, end), most=1_000),
            Section("rejected_by_rule", "Rejected rows by rule", by_rule(rejected)),
            Section("rejected_rows", "Rejected rows", rejected[~apart]),
            Section("disagreements", "Providers that disagree on a close", rejected[apart]),
            *_gap_sections(gaps),
            Section("price_revisions", "Revisions of final bars", revisions(connection, start, end)),
            Section("targets", "Share of cells that hold a value", non_null_shares(connection, start, end),
                    percent=("share", "target")),
            Section("verification", "Verification queries", verification(connection), most=1_000),
        ]  # fmt: skip
    if slippage is not None:
        sections.append(Section("slippage", "Slippage of filled orders", slippage))
    lines = (
        f"{start} to {end}: {len(days):,} closed sessions. Made at {clock.now():%Y-%m-%d %H:%M} UTC.",
        "Loads and rows are those that speak of the window; the verification queries read the whole warehouse.",
    )
    return Page("Validation", lines, synthetic, (_summary(sections), *sections))


def rejected_rows(connection: Connection, start: date, end: date) -> pd.DataFrame:
    """Rows that never landed, one a row and rule however often it was sent.

    Returns:
        observed_on, dataset, symbol, row, rule, reason.
    """
    where: list[Condition] = [("observed_on", ">=", start), ("observed_on", "<=", end)]
    columns = ["observed_on", "dataset", "symbol", "row", "rule", "reason"]
    rows = frame(connection, operations.REJECTED, columns=columns, where=where, order=False)
    rows = rows.drop_duplicates(["dataset", "symbol", "row", "rule"])
    return rows.sort_values(columns[:5], kind="stable", ignore_index=True)


def by_rule(rejected: pd.DataFrame) -> pd.DataFrame:
    """rule, dataset, symbols and rows of what was rejected, the most frequent first; quarantined loads are one rule."""
    short = rejected.assign(rule=rejected["rule"].str.replace(r"^quarantined: .*", "quarantined", regex=True))
    grouped = short.groupby(["rule", "dataset"], as_index=False)
    counted = grouped.agg(symbols=("symbol", "nunique"), rows=("row", "nunique"))
    return counted.sort_values(["rows", "rule"], ascending=[False, True], kind="stable", ignore_index=True)


def revisions(connection: Connection, start: date, end: date) -> pd.DataFrame:
    """Changes of final bars of the window: symbol, date, field, old, new, reason, recorded_at."""
    where: list[Condition] = [("date", ">=", start), ("date", "<=", end)]
    columns = ["symbol", "date", "field", "old", "new", "reason", "recorded_at"]
    return frame(connection, operations.REVISIONS, columns=columns, where=where)


def verification(connection: Connection) -> pd.DataFrame:
    """Every check that a contract implies, as it answers now: dataset, check, verdict, said; what failed first."""
    rows = []
    for dataset in DATASETS:
        for name in checks.implied(dataset):
            found = checks.run(connection, dataset, name)
            rows.append((dataset.name, name, "passed" if found.passed else found.severity, found.summary))
    table = pd.DataFrame(rows, columns=["dataset", "check", "verdict", "said"])
    rank = table["verdict"].map({"error": 0, "warn": 1, "passed": 2})
    return table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def _gap_sections(gaps: OpenGaps) -> list[Section]:
    wide = [Section("market_wide", "Market-wide misses", lines=tuple(one.text for one in gaps.wide))]
    return [
        *(wide if gaps.wide else []),
        Section("gaps_by_cause", "Open gaps by cause", gaps.by_cause()),
        Section("gaps", "Open gaps", gaps.rows),
    ]


def _summary(sections: list[Section]) -> Section:
    """The report in a few figures."""
    told: Mapping[str, pd.DataFrame] = {s.name: s.table for s in sections if s.table is not None}
    loads, queries, gaps = told["loads"], told["verification"]["verdict"], told["gaps"]
    refused = int(loads["rejected_loads"].sum())
    figures = {
        "instruments and series judged": len(loads),
        "loads": int(loads["loads"].sum()),
        "loads rejected": refused,
        "rows rejected": len(told["rejected_rows"]),
        "closes quarantined, providers disagree": len(told["disagreements"]),
        "open gaps without an explanation": int((~gaps["explained"].astype(bool)).sum()),
        "open gaps explained": int(gaps["explained"].astype(bool).sum()),
        "market-wide misses": sum(len(s.lines) for s in sections if s.name == "market_wide"),
        "revisions of final bars": len(told["price_revisions"]),
        "verification queries passed": int((queries == "passed").sum()),
        "verification queries failed": int((queries != "passed").sum()),
    }
    return Section("summary", "Summary", pd.DataFrame(list(figures.items()), columns=["what", "count"]))
