"""How much of a table's cells hold a value, against the target that the platform sets itself.

Absence is absence: a row that is not there is a gap, and counted there. Here only cells of stored rows are looked at.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.model import Dataset, Kind
from abri_pipeline.warehouse.tables import sql_table

# Requirement 3.5: technical and macro 95 %, on-chain 40 %, the feature table 80 %.
TARGETS: Mapping[str, float] = {
    "technical_indicators": 0.95,
    "macro_observations": 0.95,
    "onchain_metrics": 0.40,
    "features": 0.80,
}


def non_null_shares(
    connection: Connection, start: date, end: date, targets: Mapping[str, float] = TARGETS
) -> pd.DataFrame:
    """Each dataset's stored rows of a window: dataset, rows, cells, filled, share, target, kept.

    Target and kept are null where no target is set; share is NaN where there is no row.
    """
    rows = []
    for dataset in DATASETS:
        stored, cells, held = _filled(connection, dataset, start, end)
        share, target = held / cells if cells else np.nan, targets.get(dataset.name, np.nan)
        kept = None if np.isnan(target) or not cells else share >= target
        rows.append((dataset.name, stored, cells, held, share, target, kept))
    table = pd.DataFrame(rows, columns=["dataset", "rows", "cells", "filled", "share", "target", "kept"])
    return table.astype({"share": "float64", "target": "float64", "kept": object})


def _filled(connection: Connection, dataset: Dataset, start: date, end: date) -> tuple[int, int, int]:
    """Rows, cells of their figures, and how many of these hold a value; texts say nothing about completeness."""
    table = sql_table(dataset)
    values = [f.name for f in dataset if f.kind in (Kind.NUMBER, Kind.COUNT) and f.name not in dataset.key]
    day = table.c[dataset.observed]
    counts = [sa.func.count(), *(sa.func.count(table.c[name]) for name in values)]
    rows, *filled = connection.execute(sa.select(*counts).where(day >= start, day <= end)).one()
    return rows, rows * len(values), sum(filled)
