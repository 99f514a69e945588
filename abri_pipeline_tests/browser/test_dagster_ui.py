"""The shipped UI, driven by clicks: lineage, an asset's page, a launched range, a bad payload."""

import sqlite3
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from abri_pipeline.contracts.abri import COMPONENTS
from abri_pipeline.contracts.catalog import DATASETS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline_tests.browser.screen import LOADED, Screen
from abri_pipeline_tests.browser.shipped import Platform

pytestmark = pytest.mark.browser

ASSETS = (*(dataset.name for dataset in DATASETS), "completeness")
RANGE = ("2025-10-20", "2026-01-12")  # the 13 weeks that are closed on Monday evening, 2026-01-19
BAD_DAY, BAD_SYMBOL = date(2025, 9, 10), "NVDA"
BAD_WEEK = "2025-09-08"
RUN_STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
BACKFILL_STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id)
                     { ... on PartitionBackfill { status runs(limit: 9) { status } } } }"""


def test_lineage_shows_every_asset_and_group(screen: Screen) -> None:
    screen.lineage(*ASSETS, *sorted({dataset.group for dataset in DATASETS}))
    screen.shot("1_lineage")
    assert screen.complaints == []


def test_an_asset_page_shows_its_contract(screen: Screen) -> None:
    screen.open(f"/assets/{BARS.name}")
    screen.reads(BARS.title, BARS.meaning, f"One row is {BARS.grain}", "Owners", "data", "Python")
    for field in BARS:
        expect(screen.page.get_by_text(field.name, exact=True).first).to_be_attached(timeout=LOADED)
        expect(screen.page.get_by_text(field.meaning).first).to_be_attached()
    screen.shot("2_asset")
    screen.open(f"/assets/{BARS.name}?view=checks")
    screen.reads("contract", "complete", "fresh", "continuous")
    screen.shot("3_checks_before")
    assert screen.complaints == []


def test_a_range_of_13_weeks_is_launched_by_clicks(screen: Screen, shipped: Platform) -> None:
    backfill = screen.launch(*RANGE, weeks=13, shot="4_launch_13_weeks")
    assert screen.finished() == "Succeeded"
    expect(screen.page.get_by_text("100% completed")).to_have_count(len(ASSETS), timeout=LOADED)
    screen.shot("5_backfill")
    said = shipped.ask(BACKFILL_STATUS, id=backfill)["partitionBackfillOrError"]
    assert said == {"status": "COMPLETED_SUCCESS", "runs": [{"status": "SUCCESS"}]}
    for name in (BARS.name, "abri_history", "completeness"):
        assert materialised(shipped, name) == {RANGE}
        screen.open(f"/assets/{name}?view=partitions&partition={RANGE[1]}")
        screen.reads("Materialized (13)", "Failed (0)", "View all historical events (1)", "synthetic: invented")
        if name == "abri_history":
            screen.reads("ABRI spec-1.1", *COMPONENTS)
        screen.shot(f"6_partitions_{name}")
    screen.lineage(*ASSETS)
    screen.shot("7_lineage_green")
    assert screen.complaints == []


def test_a_bad_payload_is_a_failed_check_and_stops_nothing(screen: Screen, shipped: Platform) -> None:
    with shipped.fault(upstream="yahoo", kind="corrupt", match=BAD_SYMBOL, value=BAD_DAY.isoformat()):
        run = screen.launch(BAD_WEEK, BAD_WEEK, weeks=1, shot="8_launch_bad_week")
        assert screen.finished() == "Failure"  # a negative volume: the symbol's load is quarantined, and named
    screen.shot("9_bad_run")
    assert shipped.ask(RUN_STATUS, id=run)["runOrError"]["status"] == "FAILURE"
    screen.open(f"/assets/{BARS.name}?view=checks&checkDetail=contract")
    screen.reads("Failed", "rows of the newest payloads were rejected")
    screen.shot("10_failed_check")
    screen.page.get_by_role("row", name="rules").get_by_text("[Show Markdown]").click()
    expect(screen.page.get_by_role("dialog").get_by_role("cell", name="low <= high")).to_be_visible(timeout=LOADED)
    expect(screen.page.get_by_role("dialog").get_by_role("cell", name="volume >= 0")).to_be_visible()
    screen.shot("10_failed_check_rules")
    days = stored_days(shipped)
    assert not {BAD_DAY, BAD_DAY - timedelta(days=1)} & days  # the good bars beside it may not land either
    for name in ("market_metrics", "abri_history"):
        assert (BAD_WEEK, BAD_WEEK) in materialised(shipped, name)
    assert (BAD_WEEK, BAD_WEEK) not in materialised(shipped, "completeness")
    screen.open(f"/assets/{BARS.name}?view=partitions&partition={BAD_WEEK}")
    screen.reads("rejected rows", "gap table", BAD_SYMBOL, "rejected: yahoo's load was quarantined")
    screen.shot("11_bad_week")
    screen.open(f"/assets/completeness?view=events&partition={BAD_WEEK}")
    screen.reads(BAD_WEEK, BAD_SYMBOL)
    screen.shot("12_completeness_names_the_bar")
    assert screen.complaints == []


def materialised(shipped: Platform, name: str) -> set[tuple[str, str]]:
    """First and last week of each unbroken row of green partitions."""
    query = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode
               { assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"""
    ranges = shipped.ask(query, key={"path": [name]})["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
    return {(r["startKey"], r["endKey"]) for r in ranges if r["status"] == "MATERIALIZED"}


def stored_days(shipped: Platform) -> set[date]:
    """The days of which the warehouse holds the bad symbol's bar."""
    with sqlite3.connect(f"file:{shipped.home / 'abri.db'}?mode=ro", uri=True) as database:
        rows = database.execute(f"SELECT date FROM {BARS.name} WHERE symbol = ?", [BAD_SYMBOL]).fetchall()
    return {date.fromisoformat(str(day)[:10]) for (day,) in rows}
