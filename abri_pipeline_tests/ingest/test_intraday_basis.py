"""Intraday bars that no provider reaches any more, brought to today's split basis."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest
from sqlalchemy import Engine

from abri_pipeline.calendars.sessions import opens_at
from abri_pipeline.contracts import equity
from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.contracts.model import Table
from abri_pipeline.ingest.intraday_basis import rebase
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

DAYS = [date(2024, 6, 6), date(2024, 6, 7), date(2024, 6, 10), date(2024, 6, 11)]
PROVENANCE = {"source_provider": "yahoo", "raw_hash": "a" * 64, "pulled_at": datetime(2024, 6, 12, tzinfo=UTC)}


def plant(engine: Engine, table: Table, rows: list[dict[str, object]]) -> None:
    with begin(engine) as connection:
        upsert(connection, table, pd.DataFrame([{"symbol": "NVDA", **row, **PROVENANCE} for row in rows]))


def market(engine: Engine, splits: dict[date, float], applied: list[float]) -> None:
    """Daily closes of 100 on today's basis; hourly bars that still lack `applied` of each day's splits."""
    named = {"instrument_id": "XNYS:NVDA"}
    plant(engine, equity.BARS, [{**named, "date": day, "close": 100.0, "bar_status": "final"} for day in DAYS])
    plant(engine, equity.ACTIONS, [{"date": day, "action": "split", "value": value} for day, value in splits.items()])
    hours = []
    for day, lacks in zip(DAYS, applied, strict=True):
        prices = {"open": 99 * lacks, "high": 102 * lacks, "low": 98 * lacks, "close": 100.5 * lacks}
        bell = {"timeframe": "1h", "datetime": opens_at(day), "date": day, "volume": round(600 / lacks)}
        hours.append({**named, **prices, **bell})
    plant(engine, BARS, hours)


def closes(engine: Engine) -> list[float]:
    with engine.connect() as connection:
        return [round(float(close), 9) for close in frame(connection, BARS)["close"]]


def test_bars_before_a_split_are_brought_to_its_basis_once(warehouse: Engine):
    market(warehouse, {DAYS[2]: 10.0}, [10.0, 1.0, 1.0, 1.0])  # the second day was fetched again after the split
    assert rebase(warehouse, "NVDA", ("1h", "4h")) == 1
    assert closes(warehouse) == [100.5] * 4
    with warehouse.connect() as connection:
        assert frame(connection, BARS)["volume"].tolist() == [600] * 4
    assert rebase(warehouse, "NVDA", ("1h", "4h")) == 0


def test_only_the_splits_since_the_fetch_are_applied(warehouse: Engine):
    market(warehouse, {DAYS[1]: 4.0, DAYS[3]: 10.0}, [40.0, 10.0, 10.0, 1.0])
    assert rebase(warehouse, "NVDA", ("1h",)) == 3
    assert closes(warehouse) == [100.5] * 4


def test_a_spin_off_is_told_from_an_ordinary_difference_of_closes(warehouse: Engine):
    market(warehouse, {DAYS[2]: 1.175}, [1.175, 1.0, 1.0, 1.0])
    assert rebase(warehouse, "NVDA", ("1h",)) == 1


@pytest.mark.parametrize("splits", [{}, {DAYS[0]: 10.0}], ids=["none", "older than every bar"])
def test_without_a_later_split_nothing_is_touched(warehouse: Engine, splits: dict[date, float]):
    market(warehouse, splits, [10.0, 1.0, 1.0, 1.0])
    assert rebase(warehouse, "NVDA", ("1h",)) == 0
    assert closes(warehouse)[0] == 1005.0
