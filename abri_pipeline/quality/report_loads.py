"""What validation found in the loads of a window, a line an instrument or series."""

import json
from collections import Counter
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.contracts import operations
from abri_pipeline.warehouse.reads import Condition, frame, records

COLUMNS = ("symbol", "timeframe", "loads", "through", "rows", "expected", "nulls", "rejected",
           "lowest_score", "rejected_loads", "verdict", "rules")  # fmt: skip
SIZES = frozenset({"rows", "expected", "cells"})  # in the counts of a load, what is no defect


def judged_loads(connection: Connection, start: date, end: date) -> pd.DataFrame:
    """The loads whose last day lies in the window, from `data_quality_log`, the lowest score first.

    Returns:
        symbol, timeframe (or dataset of a series), loads, through (last day), rows, expected, nulls and rejected (sums
        over the loads), lowest_score, rejected_loads, verdict (of the newest load), rules (what was found, with
        counts, in words).
    """
    where: list[Condition] = [("date", ">=", start), ("date", "<=", end)]
    found = frame(connection, operations.QUALITY, where=where)
    rows = [
        (
            symbol, timeframe, len(own), own["date"].iloc[-1],
            *(int(own[c].sum()) for c in ("rows", "expected", "nulls", "rejected")),
            float(own["score"].min()), int((own["verdict"] == "rejected").sum()), own["verdict"].iloc[-1], _rules(own),
        )
        for (symbol, timeframe), own in found.groupby(["symbol", "timeframe"])
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["lowest_score", "symbol", "timeframe"], kind="stable", ignore_index=True)


def _rules(loads: pd.DataFrame) -> str:
    counts: Counter[str] = Counter()
    for load in records(loads):
        counts.update({rule: int(n) for rule, n in json.loads(load.checks).items() if rule not in SIZES})
    return ", ".join(f"{rule} {n}" for rule, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if n)
