"""The bench runs, and its floors do the work they stand for. Sizes are tiny and no time is judged."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from abri_pipeline.definitions import defs
from abri_pipeline_tests.bench import __main__ as bench
from abri_pipeline_tests.bench import bars_upsert, market_metrics, rooms
from abri_pipeline_tests.bench.empty_graph import emptied
from abri_pipeline_tests.bench.figure import Figure, Floor

pytestmark = [
    # Dagster 1.13 reads pydantic's old `__fields__` wherever a run configuration is made,
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning"),
    # and calls single-run policies beta, once for each asset.
    pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`"),
]
START, END = date(2025, 12, 29), date(2026, 1, 16)


def test_the_empty_graph_is_the_same_graph() -> None:
    real, empty = defs.resolve_asset_graph(), emptied(defs).resolve_asset_graph()
    assert empty.asset_check_keys == real.asset_check_keys
    assert empty.get_all_asset_keys() == real.get_all_asset_keys()
    for key in real.get_all_asset_keys():
        ours, theirs = empty.get(key), real.get(key)
        assert ours.parent_keys == theirs.parent_keys
        assert ours.partitions_def == theirs.partitions_def
        assert ours.backfill_policy == theirs.backfill_policy


def test_the_empty_graph_reports_every_week_of_every_asset() -> None:
    tags = {"dagster/asset_partition_range_start": "2025-12-29", "dagster/asset_partition_range_end": "2026-01-12"}
    with dg.DagsterInstance.ephemeral() as instance:
        job = emptied(defs).resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=instance, tags=tags)
        weeks = Counter(e.asset_key for e in done.all_events if e.is_step_materialization)
    assert done.success
    assert weeks == dict.fromkeys(defs.resolve_asset_graph().get_all_asset_keys(), 3)
    evaluations = done.get_asset_check_evaluations()
    assert {e.asset_check_key for e in evaluations} == defs.resolve_asset_graph().asset_check_keys


def test_the_plain_fetch_stores_what_the_market_serves(tmp_path: Path) -> None:
    with rooms.served(None) as market:
        span = [START.isoformat(), END.isoformat()]
        found = rooms.child("plain_fetch", span, rooms.environment(tmp_path, market.url))
        asked = Counter(line.split("/")[1] for line in market.requests())
    rows = found["rows"]
    assert rows["price_history_daily"] == 18 * 14, "eighteen instruments on the fourteen sessions of three weeks"
    assert {"corporate_actions", "filings", "weights", "gpu_prices", "segment_revenue", "deals"} <= set(rows)
    assert rows["credit_spreads"] > 2_000
    assert rows["filing_facts"] > 1_000
    assert asked == {"yahoo": 18, "fredgraph": 4, "sec": 10, "reference": 4}


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(rooms.ChildFailed, match="ABRI_UPSTREAM_URL"):
        rooms.child("plain_fetch", ["2026-01-12", "2026-01-16"], rooms.environment(tmp_path))


def test_no_setting_of_this_machine_reaches_a_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    monkeypatch.setenv("ABRI_DAGSTER_DATABASE_URL", "postgresql://somewhere/else")
    env = rooms.environment(tmp_path)
    assert "DATABASE_URL" not in env
    assert "ABRI_DAGSTER_DATABASE_URL" not in env
    assert env["ABRI_HOME"] == str(tmp_path)


def test_invented_inputs_are_of_the_size_that_is_printed() -> None:
    closes, anchors, closes_at = market_metrics.invented()
    assert closes.shape == (1256, 16)
    assert len(closes_at) == 1256
    assert anchors["weight"].between(0, 1).all()
    frame = bars_upsert.bars(3, 10)
    assert len(frame) == 30
    assert not frame.duplicated(["symbol", "date"]).any()


@pytest.mark.postgres
def test_the_upsert_figure_stores_its_bars_and_writes_none_again(empty_postgres: str) -> None:
    figure = bars_upsert.measure_at(empty_postgres, runs=2, frame=bars_upsert.bars(symbols=4, days=25))
    assert figure.what.startswith("100 unchanged bars")
    assert len(figure.samples) == len(figure.floors[0].samples) == 2


def test_a_figure_is_kept_or_missed_by_its_median_and_its_ratio() -> None:
    def figure(target: float, ratio: float, more: bool = False) -> Figure:
        floors = [Floor("a", [2.0, 2.0, 2.0]), Floor("b", [2.0, 3.0, 4.0])]
        return Figure("n", "w", "s", [9.0, 6.0, 5.0], target, more, floors, ratio)

    assert figure(6.0, 1.2).ratio == 1.2, "the median of the rounds 9/4, 6/5 and 5/6"
    assert figure(6.0, 1.2).kept
    assert not figure(5.9, 1.2).kept
    assert not figure(6.0, 1.1).kept
    assert figure(6.0, 1.2, more=True).kept
    assert not figure(6.1, 1.2, more=True).kept
    assert "MISSED" in "\n".join(figure(5.9, 1.2).lines())


def test_the_command_prints_each_figure_and_writes_the_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["--only", "market-metrics", "--runs", "2", "--json", str(tmp_path / "figures.json")]) == 0
    printed = capsys.readouterr().out
    assert "market metrics of 1256 sessions x 16 symbols" in printed
    assert "target <= 15.00" in printed
    [document] = json.loads((tmp_path / "figures.json").read_text())
    assert len(document["samples"]) == 2
