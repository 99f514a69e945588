"""Audit records of one frozen instant keep the order in which they were written."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from abri_pipeline.contracts.operations import AUDIT
from abri_pipeline.ingest import books
from abri_pipeline.ingest.delivery import nothing
from abri_pipeline.ingest.desk import UnitResult
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame


def test_ids_grow_with_every_record(warehouse: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ABRI_NOW", datetime(2026, 1, 20, 2, tzinfo=UTC).isoformat())
    for number in range(12):  # past ten, where a text without leading zeros would sort wrongly
        with begin(warehouse) as connection:
            sent = nothing(f"S{number:02d}", "1d", "yahoo", None)
            books.audit(connection, "job", "price_history_daily", sent, UnitResult(sent.unit, "empty"))
    with warehouse.connect() as connection:
        stored = frame(connection, AUDIT)  # ordered by its key, the id
    assert list(stored["symbol"]) == [f"S{number:02d}" for number in range(12)]
    assert stored["recorded_at"].nunique() == 1
