"""Curated tables: the published copy replaces the packaged one; what it no longer holds is withdrawn, not deleted."""

from datetime import date

import pandas as pd
import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.deals import DEALS
from abri_pipeline.contracts.market import WEIGHTS
from abri_pipeline.ingest import reference
from abri_pipeline.ingest.desk import Window

WINDOW = Window(date(2024, 6, 3), date(2024, 7, 31))
LINES = ("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "GOOG", "TSLA", "IT_sector_asof", "IT_sector_gics2023")


def weights(*quarters, **percent):
    rows = [
        {"effective_date": day, "available_at": day, **{line: percent.get(line, "2.5") for line in LINES}}
        for day in quarters
    ]
    return pd.DataFrame(rows, columns=["effective_date", "available_at", *LINES])


def deal(company, amount="100", day="2024-06-10", precision="day"):
    cells = ("announced_date", "company", "amount_usd_millions", "structure_type", "counterparty", "is_circular")
    said = dict(zip(cells, (day, company, amount, "equity", "somebody", "false"), strict=True))
    return {**said, "circularity_reason": "", "source_url": "", "notes": "", "date_precision": precision}


def load(bench, table, full_refresh=False):
    with bench.desk(full_refresh) as desk:
        return reference.load(desk, table, WINDOW)


def later(bench):
    bench.move("2024-08-02T12:00:00Z")


def test_the_packaged_table_stands_where_nobody_publishes_one(bench):
    loaded = load(bench, reference.WEIGHTS_TABLE)
    assert loaded.results[0].outcome == "stored"
    rows = bench.rows(WEIGHTS)
    assert set(rows["source_provider"]) == {"packaged"}
    assert rows["raw_hash"].iloc[0] in bench.archive


def test_a_published_copy_replaces_the_packaged_one(bench):
    load(bench, reference.WEIGHTS_TABLE)
    packaged = len(bench.rows(WEIGHTS))
    bench.market.tables["weights"] = weights("2024-06-28", NVDA="6.6")
    later(bench)
    loaded = load(bench, reference.WEIGHTS_TABLE)
    rows = bench.rows(WEIGHTS)
    standing = rows[rows["withdrawn_at"].isna()]
    assert set(standing["effective_date"].dt.date) == {date(2024, 6, 28)}
    assert standing.set_index("line").loc["NVDA", "weight"] == pytest.approx(0.066)
    assert len(rows) == packaged  # the copy's quarter is in the package too: nothing was deleted, nothing added
    assert loaded.results[0].changed == packaged


def test_a_row_that_comes_back_is_no_longer_withdrawn(bench):
    bench.market.tables["weights"] = weights("2024-03-28", "2024-06-28")
    load(bench, reference.WEIGHTS_TABLE)
    bench.market.tables["weights"] = weights("2024-06-28")
    later(bench)
    load(bench, reference.WEIGHTS_TABLE)
    assert bench.rows(WEIGHTS)["withdrawn_at"].notna().sum() == len(LINES)
    bench.market.tables["weights"] = weights("2024-03-28", "2024-06-28")
    bench.move("2024-08-03T12:00:00Z")
    load(bench, reference.WEIGHTS_TABLE)
    assert bench.rows(WEIGHTS)["withdrawn_at"].isna().all()


def test_a_broken_row_of_a_newer_copy_neither_lands_nor_withdraws_the_good_one(bench):
    bench.market.tables["weights"] = weights("2024-06-28")
    load(bench, reference.WEIGHTS_TABLE)
    bench.market.tables["weights"] = weights("2024-06-28", NVDA="660")  # a fraction of 6.6
    later(bench)
    loaded = load(bench, reference.WEIGHTS_TABLE)
    assert loaded.total("rejected") == 1
    stands = bench.rows(WEIGHTS, line="NVDA").iloc[0]
    assert stands["weight"] == 0.025
    assert pd.isna(stands["withdrawn_at"])
    assert bench.rows(operations.REJECTED)["rule"].tolist() == ["weight <= 1"]


def test_an_empty_copy_withdraws_nothing(bench):
    bench.market.tables["weights"] = weights("2024-06-28")
    load(bench, reference.WEIGHTS_TABLE)
    bench.market.tables["weights"] = weights()
    later(bench)
    loaded = load(bench, reference.WEIGHTS_TABLE)
    assert loaded.results[0].outcome == "empty"
    assert bench.rows(WEIGHTS)["withdrawn_at"].isna().all()


@pytest.mark.parametrize("kind", ["html", "truncate", "status"])
def test_a_copy_that_cannot_be_read_leaves_the_stored_one(bench, kind):
    bench.market.tables["weights"] = weights("2024-06-28")
    load(bench, reference.WEIGHTS_TABLE)
    before = bench.rows(WEIGHTS)
    later(bench)
    value = {"truncate": "40", "status": "503"}.get(kind)
    bench.fault("reference", kind, **({"value": value} if value else {}))
    loaded = load(bench, reference.WEIGHTS_TABLE)
    assert [r.failed for r in loaded.results] == [True]
    assert bench.rows(WEIGHTS).equals(before)
    assert bench.rows(operations.RUNS, run_id="job2:index_weights")["status"].tolist() == ["failed"]


def test_deals_count_from_the_day_the_world_could_know_them(bench):
    bench.market.tables["deals"] = pd.DataFrame([deal("Day"), deal("Month", precision="month")])
    load(bench, reference.DEALS_TABLE)
    known = bench.rows(DEALS).set_index("company")["available_at"].astype(str)
    assert known["Day"] == "2024-06-11 03:59:59+00:00"
    assert known["Month"] == "2024-07-01 03:59:59+00:00"


def test_a_ruled_deal_and_one_without_an_amount_are_kept_but_not_scored(bench):
    ruled = "AI Infrastructure Partnership (BlackRock/GIP, MGX, Microsoft, NVIDIA)"
    bench.move("2024-10-01T12:00:00Z")
    bench.market.tables["deals"] = pd.DataFrame(
        [deal("Plain"), deal("Unknown", amount=""), deal(ruled, amount="30000", day="2024-09-17")]
    )
    load(bench, reference.DEALS_TABLE)
    rows = bench.rows(DEALS).set_index("company")
    assert rows["scored"].to_dict() == {"Plain": True, "Unknown": False, ruled: False}
    assert rows.loc["Plain", "ruling"] is None
    assert rows.loc[ruled, "ruling"].startswith("target: ")
    assert pd.isna(rows.loc["Unknown", "amount_usd_millions"])


def test_a_ruling_does_not_double_a_deal(bench):
    bench.market.tables.clear()
    load(bench, reference.DEALS_TABLE)
    assert bench.rows(operations.REJECTED).empty  # a second row of one key would have been rejected here
    assert bench.rows(operations.RUNS)["status"].tolist() == ["done"]


def test_a_replay_changes_nothing(bench):
    bench.market.tables["deals"] = pd.DataFrame([deal("Day")])
    load(bench, reference.DEALS_TABLE)
    before = bench.rows(DEALS)
    assert load(bench, reference.DEALS_TABLE).calls == 0
    later(bench)
    loaded = load(bench, reference.DEALS_TABLE, full_refresh=True)
    assert (loaded.total("inserted"), loaded.total("changed")) == (0, 0)
    assert bench.rows(DEALS).equals(before)
