"""What goes wrong stays where it is: the others are stored, the books say what is missing and why."""

import json
from datetime import date

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest.watchlist import UnknownSymbol
from abri_pipeline.quality.score import score

JUNE = ("2024-06-17", "2024-06-28")
THREE = ("NVDA", "QQQ", "SPY")


def audit(bench, job):
    return bench.rows(operations.AUDIT, job_id=job).set_index("symbol")


def test_a_failed_symbol_stops_nobody_and_is_fetched_alone_the_next_time(any_bench):
    bench = any_bench
    bench.fault("yahoo", "status", value="503", match="/QQQ?")
    load = bench.bars(*JUNE, *THREE)
    assert {r.unit: r.outcome for r in load.results} == {"NVDA": "stored", "QQQ": "transient", "SPY": "stored"}
    assert set(bench.rows(BARS)["symbol"]) == {"NVDA", "SPY"}
    run = bench.rows(operations.RUNS).iloc[0]
    assert (run["status"], run["symbols_failed"], run["symbols_done"]) == ("partial", "QQQ", 2)
    assert bench.gaps("QQQ") == [("2024-06-17", "2024-06-28", "missing", "failed")]
    bench.faults.switches.clear()
    again = bench.bars(*JUNE, *THREE)
    assert (again.calls, again.total("inserted")) == (1, 9)
    assert bench.gaps("QQQ") == []
    assert bench.rows(operations.RUNS, run_id="job2:price_history_daily")["status"].tolist() == ["done"]


def test_a_load_in_which_everything_failed_is_failed(bench):
    bench.fault("yahoo", "status", value="500")
    bench.bars(*JUNE, *THREE)
    assert bench.rows(operations.RUNS)["status"].tolist() == ["failed"]
    assert bench.rows(BARS).empty


def test_a_symbol_nobody_knows_is_a_gap_with_its_reason_and_waits(bench):
    bench.market.unknown = {"PATH"}
    load = bench.bars(*JUNE, "PATH", "SPY")
    assert {r.unit: r.outcome for r in load.results} == {"PATH": "absent", "SPY": "stored"}
    assert load.failed == []  # nothing to repair: the run is done
    assert bench.rows(operations.RUNS)["status"].tolist() == ["done"]
    gap = bench.rows(operations.GAPS, symbol="PATH").iloc[0]
    assert (gap["state"], gap["cause"], gap["sessions"], gap["attempts"]) == ("missing", "absent", 9, 1)
    assert "does not know PATH" in gap["reason"]
    assert bench.bars(*JUNE, "PATH").calls == 0
    bench.move("2024-08-02T12:00:00Z")
    assert bench.bars(*JUNE, "PATH").calls == 1
    assert bench.rows(operations.GAPS, symbol="PATH")["attempts"].tolist() == [2]


def test_a_symbol_off_the_watchlist_is_named(bench):
    with pytest.raises(UnknownSymbol, match="NOPE is not on the watchlist"):
        bench.bars(*JUNE, "NOPE")


@pytest.mark.parametrize(
    ("fault", "outcome", "kept"),
    [
        ({"kind": "truncate"}, "malformed", True),
        ({"kind": "truncate", "value": "0"}, "malformed", True),
        ({"kind": "empty"}, "malformed", True),
        # a web page is no payload of the wire: the transport turns it away, and its words stand in the audit
        ({"kind": "html"}, "refused", False),
    ],
)
def test_a_payload_that_is_no_chart_stores_no_row(bench, fault, outcome, kept):
    bench.fault("yahoo", fault.pop("kind"), **fault)
    load = bench.bars(*JUNE)
    assert [r.outcome for r in load.results] == [outcome]
    assert bench.rows(BARS).empty
    assert bench.rows(ACTIONS).empty
    booked = audit(bench, "job1").loc["NVDA"]
    assert (booked["outcome"], booked["rows"]) == (outcome, 0)
    assert booked["error"]
    assert len(list(bench.archive)) == int(kept)
    if kept:
        assert booked["raw_hash"] in bench.archive
    assert bench.gaps("NVDA") == [("2024-06-17", "2024-06-28", "missing", "failed")]
    bench.faults.switches.clear()
    assert bench.bars(*JUNE).total("inserted") == 9


def test_a_load_with_an_impossible_bar_is_quarantined_with_its_reasons(any_bench):
    bench = any_bench
    bench.fault("yahoo", "corrupt", value="2024-06-20")
    load = bench.bars(*JUNE)
    result = load.results[0]
    assert (result.outcome, result.rows, result.inserted, result.rejected) == ("malformed", 9, 0, 9)
    assert bench.rows(BARS).empty  # a negative volume: nothing of the load is believed
    refused = bench.rows(operations.REJECTED)
    whole = refused["rule"].str.startswith("quarantined: ")
    assert "negative volume" in refused[whole]["reason"].iloc[0]
    refused = refused[~whole]
    assert set(refused["rule"]) == {"low <= high", "low <= open", "low <= close", "volume >= 0"}
    assert set(refused["observed_on"].dt.date) == {date(2024, 6, 20)}
    assert refused["reason"].str.len().min() > 0
    assert refused["payload_hash"].iloc[0] in bench.archive
    assert bench.gaps("NVDA") == [("2024-06-17", "2024-06-28", "missing", "rejected")]
    verdict = bench.rows(operations.QUALITY, symbol="NVDA", timeframe="1d").iloc[0]
    assert (verdict["rows"], verdict["expected"], verdict["rejected"]) == (9, 9, 1)
    assert verdict["verdict"] == "rejected"
    assert verdict["score"] == score(json.loads(verdict["checks"]))


def test_a_bar_without_a_close_is_rejected(bench):
    bench.market.odd = {("NVDA", date(2024, 6, 18)): {"close": float("nan")}}
    bench.bars(*JUNE)
    assert bench.rows(operations.REJECTED)["rule"].tolist() == ["close is required"]
    assert bench.gaps("NVDA") == [("2024-06-18", "2024-06-18", "missing", "rejected")]


def test_a_bar_on_a_day_without_trading_is_rejected_and_is_no_gap(bench):
    bench.market.weekends = {("NVDA", date(2024, 6, 19)), ("NVDA", date(2024, 6, 22))}  # Juneteenth, a Saturday
    load = bench.bars(*JUNE)
    assert (load.total("inserted"), load.total("rejected")) == (9, 2)
    assert bench.rows(operations.REJECTED)["rule"].tolist() == ["date is a session"] * 2
    assert bench.gaps("NVDA") == []


def test_a_mended_bar_fills_its_gap(bench):
    bench.market.odd = {("NVDA", date(2024, 6, 20)): {"close": float("nan")}}
    assert bench.bars(*JUNE).total("inserted") == 8
    bench.market.odd = {}
    bench.move("2024-08-02T12:00:00Z")
    assert bench.bars(*JUNE).total("inserted") == 1
    assert bench.gaps("NVDA") == []
    assert bench.rows(operations.GAPS)["state"].tolist() == ["filled"]
    assert not bench.rows(operations.REJECTED).empty  # what was rejected stays told


def test_an_empty_success_is_missing_and_not_verified(bench):
    bench.market.holes = {("NVDA", day.date()) for day in bench.market.bars("NVDA")["date"] if str(day) >= "2024-06-17"}
    load = bench.bars(*JUNE)
    assert [r.outcome for r in load.results] == ["empty"]
    assert bench.gaps("NVDA") == [("2024-06-17", "2024-06-28", "missing", "hole")]
    assert set(bench.rows(operations.COVERAGE)["state"]) == {"missing"}


def test_a_replay_changes_nothing(any_bench):
    bench = any_bench
    bench.market.dividends = {("NVDA", date(2024, 6, 20)): 1.5}
    bench.bars(*JUNE, *THREE)
    before = {t: bench.rows(t) for t in (BARS, ACTIONS)}
    bench.move("2024-08-05T12:00:00Z")
    load = bench.bars(*JUNE, *THREE, full_refresh=True)
    assert (load.calls, load.total("inserted"), load.total("changed")) == (3, 0, 0)
    assert {r.outcome for r in load.results} == {"unchanged"}
    for table, rows in before.items():
        assert bench.rows(table).equals(rows)


def test_every_row_says_which_archived_payload_it_is_from(bench):
    bench.bars(*JUNE, *THREE)
    rows = bench.rows(BARS)
    for digest in set(rows["raw_hash"]):
        assert bench.archive.get(digest)  # proven by computing the hash again
    assert set(rows["source_provider"]) == {"yahoo"}
