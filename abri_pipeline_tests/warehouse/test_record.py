"""A row of a book written without a frame reads back as one that was merged."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.exc import IntegrityError

from abri_pipeline.contracts.operations import AUDIT, QUALITY
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.record import record
from abri_pipeline.warehouse.upsert import upsert

JUDGED = {
    "symbol": "NVDA",
    "timeframe": "1d",
    "date": date(2024, 6, 20),
    "score": np.float64(0.5),
    "rows": np.int64(9),
    "expected": 9,
    "nulls": 0,
    "rejected": 1,
    "checks": "{}",
    "verdict": "accepted",
}
FETCHED = {
    "audit_id": "1",
    "job_id": "j",
    "symbol": "NVDA",
    "dataset": "price_history_daily",
    "provider": "yahoo",
    "attempt": 1,
    "outcome": "stored",
    "rows": 9,
    "unchanged": 0,
    "latency_ms": float("nan"),
    "recorded_at": datetime(2026, 1, 20, 2, tzinfo=UTC),
}


@pytest.mark.parametrize(("table", "row"), [(QUALITY, JUDGED), (AUDIT, FETCHED)])
def test_it_reads_back_as_a_merged_row(warehouse, table, row):
    with begin(warehouse) as connection:
        record(connection, table, row)
        recorded = frame(connection, table)
        connection.rollback()
    with begin(warehouse) as connection:
        upsert(connection, table, pd.DataFrame([row]))
        pd.testing.assert_frame_equal(recorded, frame(connection, table))


def test_the_same_key_is_replaced_and_an_append_only_row_is_not(warehouse):
    with begin(warehouse) as connection:
        record(connection, QUALITY, JUDGED)
        record(connection, QUALITY, {**JUDGED, "rejected": 2})
        assert frame(connection, QUALITY)["rejected"].tolist() == [2]
        record(connection, AUDIT, FETCHED)
    with pytest.raises(IntegrityError), begin(warehouse) as connection:
        record(connection, AUDIT, FETCHED)


def test_bounds_and_unknown_columns_are_refused(warehouse):
    with pytest.raises(IntegrityError), begin(warehouse) as connection:
        record(connection, QUALITY, {**JUDGED, "score": 1.5})
    with pytest.raises(KeyError, match="does not declare"), begin(warehouse) as connection:
        record(connection, QUALITY, {**JUDGED, "mood": "good"})
