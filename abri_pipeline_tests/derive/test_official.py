"""The official print of each week, as the UI shows it; asked of both databases."""

from datetime import date

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.calendars import weeks
from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import REJECTED
from abri_pipeline.derive import abri
from abri_pipeline.quality.weekly import weekly_reports
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.warehouse import samples

SUNDAY, MONDAY = date(2024, 3, 10), date(2024, 3, 11)


def test_prints_stand_under_their_week_and_a_replay_is_none(warehouse: Engine):
    one = samples.rows(HISTORY, 1)
    made = [
        one.assign(as_of=pd.Timestamp(SUNDAY), kind="live", method="spec-1.1", composite_score=41.5),
        one.assign(as_of=pd.Timestamp(MONDAY), kind="live", method="spec-1.1", composite_score=None, level=None),
        one.assign(as_of=pd.Timestamp(MONDAY), kind="live", method="calibrated-2.0", composite_score=12.0),
        one.assign(as_of=pd.Timestamp(2024, 3, 18), kind="replay"),
    ]
    with begin(warehouse) as connection:
        upsert(connection, HISTORY, pd.concat(made, ignore_index=True))
    found = abri.official(warehouse, ["2024-03-04", "2024-03-11", "2024-03-18"])
    assert {key: [(p["method"], p["composite_score"]) for p in prints] for key, prints in found.items()} == {
        "2024-03-04": [("spec-1.1", 41.5)],
        "2024-03-11": [("calibrated-2.0", 12.0), ("spec-1.1", None)],
    }
    assert list(abri.official(warehouse, ["2024-03-11"])) == ["2024-03-11"]


def test_a_row_that_broke_four_rules_in_two_payloads_is_one_rejected_row(warehouse: Engine):
    one = samples.rows(REJECTED, 1).assign(dataset=BARS.name, observed_on=pd.Timestamp(MONDAY), row="NVDA 2024-03-11")
    broken = [
        one.assign(payload_hash=payload, rule=rule)
        for payload in ("a" * 64, "b" * 64)
        for rule in ("low <= high", "low <= open", "low <= close", "volume >= 0")
    ]
    other = one.assign(row="AMD 2024-03-11", rule="volume >= 0")
    with begin(warehouse) as connection:
        upsert(connection, REJECTED, pd.concat([*broken, other], ignore_index=True))
    assert weekly_reports(warehouse, BARS, [weeks.week_key(MONDAY)])["2024-03-11"].rejected == 2
