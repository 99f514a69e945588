"""Spreads: four series make one row a date; what FRED forgets is kept."""

from datetime import date

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline_tests.ingest.small_market import spread_series

WINDOW = ("2024-06-03", "2024-07-31")


@pytest.fixture
def spreads(any_bench):
    any_bench.market.series = spread_series(date(2019, 6, 3), date(2024, 7, 31))
    return any_bench


def test_a_row_a_date_in_basis_points(spreads):
    spreads.spreads(*WINDOW)
    row = spreads.rows(SPREADS, date=date(2019, 6, 3)).iloc[0]
    assert row[["hy_oas", "ig_bbb_oas", "hy_ig_diff", "baa10y"]].tolist() == [300.0, 100.0, 200.0, 150.0]
    assert row["treasury_10y"] == 4.0
    assert row["substitute"] is None
    # published one business day late
    assert str(row["available_at"]) == "2019-06-04 21:00:00+00:00"
    assert spreads.rows(SPREADS)["date"].max().date() == date(2024, 7, 30)


def test_a_weekend_month_end_is_stored(spreads):
    for name in spreads.market.series:
        spreads.market.series[name][date(2024, 6, 30)] = "2.00"  # a Sunday
    spreads.spreads(*WINDOW)
    assert len(spreads.rows(SPREADS, date=date(2024, 6, 30))) == 1


def test_what_the_vendor_no_longer_serves_is_kept(spreads):
    spreads.spreads(*WINDOW)
    before = spreads.rows(SPREADS)
    spreads.fault("fredgraph", "shrink")
    spreads.move("2024-08-01T20:00:00Z")
    load = spreads.spreads(*WINDOW)
    assert load.calls == 4
    after = spreads.rows(SPREADS)
    columns = ["date", "hy_oas", "ig_bbb_oas", "hy_ig_diff", "substitute"]
    assert after[after["date"].isin(before["date"])][columns].reset_index(drop=True).equals(before[columns])


def test_without_an_archive_the_substitute_is_flagged(spreads):
    spreads.fault("fredgraph", "shrink")
    spreads.spreads(*WINDOW)
    old = spreads.rows(SPREADS, date=date(2019, 6, 3)).iloc[0]
    assert (old["substitute"], old["baa10y"]) == ("BAA10Y", 150.0)
    assert old[["hy_oas", "ig_bbb_oas", "hy_ig_diff"]].isna().all()


def test_one_series_that_fails_leaves_the_others_and_is_repaired(spreads):
    spreads.fault("fredgraph", "status", value="503", match="BAMLC0A4CBBB")
    load = spreads.spreads(*WINDOW)
    assert [r.unit for r in load.failed] == ["BAMLC0A4CBBB"]
    rows = spreads.rows(SPREADS)
    assert rows["hy_oas"].notna().all()
    assert rows["ig_bbb_oas"].isna().all()
    assert set(rows["substitute"]) == {"BAA10Y"}
    assert [g[2:] for g in spreads.gaps("FRED spreads")] == [("missing", "failed")]
    assert spreads.rows(operations.RUNS)["status"].tolist() == ["partial"]
    spreads.faults.switches.clear()
    again = spreads.spreads(*WINDOW)
    assert again.calls == 4  # nothing counted as read
    mended = spreads.rows(SPREADS)
    assert mended["hy_ig_diff"].notna().all()
    assert mended["substitute"].isna().all()
    assert spreads.gaps("FRED spreads") == []


def test_a_failing_series_does_not_blank_what_is_stored(spreads):
    spreads.spreads(*WINDOW)
    before = spreads.rows(SPREADS)
    spreads.move("2024-08-01T20:00:00Z")
    spreads.fault("fredgraph", "status", value="503", match="BAMLC0A4CBBB")
    spreads.spreads(*WINDOW)
    after = spreads.rows(SPREADS)
    assert after[after["date"].isin(before["date"])]["ig_bbb_oas"].tolist() == before["ig_bbb_oas"].tolist()


def test_when_every_series_fails_the_window_is_a_gap(spreads):
    spreads.fault("fredgraph", "status", value="503")
    load = spreads.spreads(*WINDOW)
    assert len(load.failed) == 4
    assert spreads.gaps("FRED spreads") == [("2024-06-03", "2024-07-30", "missing", "failed")]
    assert spreads.rows(operations.RUNS)["status"].tolist() == ["failed"]


def test_a_day_that_fred_passes_over_is_verified_empty(spreads):
    for name in spreads.market.series:
        spreads.market.series[name][date(2024, 7, 3)] = "."
    spreads.spreads(*WINDOW)
    assert spreads.gaps("FRED spreads") == [("2024-07-03", "2024-07-03", "verified_empty", "skipped")]


def test_a_replay_changes_nothing_and_a_fresh_read_is_not_repeated(spreads):
    spreads.spreads(*WINDOW)
    before = spreads.rows(SPREADS)
    assert spreads.spreads(*WINDOW).calls == 0
    load = spreads.spreads(*WINDOW, full_refresh=True)
    assert (load.calls, load.total("inserted"), load.total("changed")) == (4, 0, 0)
    assert spreads.rows(SPREADS).equals(before)


@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_a_body_that_is_no_series_stores_nothing_of_it(spreads, kind):
    spreads.fault("fredgraph", kind, match="DGS10", **({"value": "300"} if kind == "truncate" else {}))
    load = spreads.spreads(*WINDOW)
    assert [r.unit for r in load.failed] == ["DGS10"]
    assert spreads.rows(SPREADS)["treasury_10y"].isna().all()
    assert spreads.rows(SPREADS)["hy_ig_diff"].notna().all()
