"""Repair: who is asked for a gap once more, what a second silence proves, and when nobody is asked any longer."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.ingest import repair
from abri_pipeline.ingest.desk import Window
from abri_pipeline.settings import Settings
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert

JULY = ("2024-07-08", "2024-07-19")
HOLE = date(2024, 7, 10)
WINDOW = Window(date(2024, 7, 1), date(2024, 7, 31))


def second_provider(bench, yahoo_first: bool = True) -> None:
    """From now on Massive may be asked too, and Yahoo's record is by far the better one."""
    bench.settings = Settings({**bench.settings.values, "MASSIVE_API_KEY": "a-key"}, {})
    now = clock.wall()
    arm = {"dataset": "equity 1d", "learnt_at": now, "asked_at": now, "failures": 0, "open_until": None}
    good, bad = {"alpha": 400.0, "beta": 0.0}, {"alpha": 0.0, "beta": 400.0}
    rows = [{"provider": "yahoo", **arm, **good}, {"provider": "massive", **arm, **bad}]
    with begin(bench.engine) as connection:
        upsert(connection, operations.ARMS, pd.DataFrame(rows))


def mend(bench, *symbols, attempts=3):
    with bench.desk() as desk:
        return repair.load(desk, WINDOW, symbols, attempts)


def repairable(bench):
    with bench.engine.connect() as connection:
        return repair.repairable(connection, clock.now())


def providers(bench) -> list[str]:
    book = bench.rows(operations.AUDIT).sort_values("audit_id")
    return book["provider"].tolist()


def test_a_second_provider_fills_what_the_first_one_spoilt(bench):
    bench.fault("yahoo", "corrupt", value=str(HOLE))
    bench.bars(*JULY)
    assert bench.gaps("NVDA") == [(*JULY, "missing", "rejected")]  # a negative volume: nothing of the load may stand
    second_provider(bench)
    done = mend(bench)
    assert [(r.unit, r.outcome, r.inserted) for r in done.results] == [("NVDA", "stored", 10)]
    assert providers(bench) == ["yahoo", "yahoo", "massive"]
    assert bench.gaps("NVDA") == []
    assert bench.rows(BARS, symbol="NVDA")["source_provider"].tolist() == ["massive"] * 10
    assert mend(bench).results == []  # nothing is left to repair


def test_p5_an_empty_answer_is_proof_only_when_a_second_provider_agrees(any_bench):
    bench = any_bench
    bench.market.holes = {("NVDA", HOLE)}
    bench.bars(*JULY)
    mend(bench)
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "missing", "hole")]
    second_provider(bench)
    mend(bench)
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "verified_empty", "skipped")]
    told = bench.rows(operations.GAPS, symbol="NVDA")["reason"].tolist()
    assert told == ["massive and yahoo answered without the session"]
    bench.move("2024-08-03T12:00:00Z")  # a day's waiting is over, and what is proved stays proved
    assert bench.bars(*JULY).calls == 0
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "verified_empty", "skipped")]


def test_a_gap_is_given_up_after_its_attempts_and_stays_so_until_it_comes(bench):
    bench.market.holes = {("NVDA", HOLE)}
    bench.bars(*JULY)
    assert bench.rows(operations.GAPS, symbol="NVDA")["attempts"].tolist() == [1]
    assert mend(bench).calls == 1
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "missing", "hole")]
    assert mend(bench).calls == 1
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "unfillable", "hole")]
    gap = bench.rows(operations.GAPS, symbol="NVDA").iloc[0]
    assert gap["attempts"] == 3
    assert gap["reason"] == "given up after 3 attempts; the session is not in the answer of yahoo"
    assert mend(bench).calls == 0
    bench.move("2024-08-10T12:00:00Z")
    assert bench.bars(*JULY).calls == 0  # nobody asks for it any longer
    bench.bars("2024-07-08", "2024-08-08")  # and what is loaded around it leaves it as it was
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "unfillable", "hole")]
    bench.market.holes = set()
    bench.bars(*JULY, full_refresh=True)
    assert bench.gaps("NVDA") == []


def test_an_outage_is_no_reason_to_give_up(bench):
    bench.market.holes = {("NVDA", HOLE)}
    bench.bars(*JULY)
    second_provider(bench)
    bench.fault("massive", "status", value="503")
    for _ in range(4):
        result = mend(bench).results[0]
        assert not result.failed  # the first provider answered: the symbol's run is not red
        assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "missing", "hole")]
    bench.faults.switches.clear()
    with begin(bench.engine) as connection:
        connection.exec_driver_sql("UPDATE provider_arms SET open_until = NULL")
    mend(bench)
    assert bench.gaps("NVDA") == [(str(HOLE), str(HOLE), "verified_empty", "skipped")]


def test_an_unknown_symbol_is_asked_for_again_once_its_day_has_passed(bench):
    bench.market.unknown = {"NVDA"}
    bench.bars(*JULY)
    assert repairable(bench).days == {}
    bench.move("2024-08-02T13:00:00Z")
    assert set(repairable(bench).days) == {"NVDA"}
    bench.market.unknown = set()
    mend(bench)
    assert bench.gaps("NVDA") == []
    assert len(bench.rows(BARS, symbol="NVDA")) == 10


def test_c3_a_market_wide_miss_is_one_finding_and_no_repair(bench):
    five = ("AAPL", "MSFT", "NVDA", "QQQ", "SPY")
    bench.market.holes = {(symbol, HOLE) for symbol in five} | {("NVDA", date(2024, 7, 15))}
    bench.bars("2024-07-08", "2024-07-19", *five)
    with begin(bench.engine) as connection:  # the market is these five
        connection.exec_driver_sql(
            "UPDATE instruments SET active = 0 WHERE symbol NOT IN ('AAPL', 'MSFT', 'NVDA', 'QQQ', 'SPY')"
        )
    found = repairable(bench)
    assert [(one.start, one.end, one.symbols) for one in found.wide] == [(HOLE, HOLE, 5)]
    assert found.days == {"NVDA": (date(2024, 7, 15),)}
    assert mend(bench).calls == 1


@pytest.mark.parametrize("symbols", [(), ("NVDA",)])
def test_a_load_elsewhere_counts_no_attempt_for_a_gap_it_did_not_ask_for(bench, symbols):
    bench.market.holes = {("NVDA", HOLE)}
    bench.bars(*JULY)
    bench.bars("2024-07-22", "2024-07-26", *symbols)
    assert bench.rows(operations.GAPS, symbol="NVDA")["attempts"].tolist() == [1]


def test_a_symbol_that_fails_in_a_repair_is_named_and_stops_nobody_else(bench):
    bench.market.holes = {("NVDA", HOLE), ("SPY", HOLE)}
    bench.bars(*JULY, "NVDA", "SPY")
    bench.market.holes = set()
    bench.fault("yahoo", "html", match="NVDA")
    done = mend(bench)
    assert {r.unit: r.failed for r in done.results} == {"NVDA": True, "SPY": False}
    assert bench.gaps("SPY") == []
    run = bench.rows(operations.RUNS).iloc[-1]
    assert (run["status"], run["symbols_failed"]) == ("partial", "NVDA")


def test_the_newest_sessions_are_read_again_over_the_turn_of_the_week(bench):
    days = sessions(date(2024, 7, 15), date(2024, 7, 31))
    bench.bars(str(days[0]), str(days[-1]))
    bench.market.odd = {("NVDA", days[-7]): {"volume": 4321}, ("NVDA", days[-8]): {"volume": 4321}}
    with bench.desk() as desk:
        from abri_pipeline.ingest import equity

        equity.load(replace(desk, reread=7), Window(date(2024, 7, 29), date(2024, 7, 31)), ("NVDA",))
    volume = bench.rows(BARS, symbol="NVDA").set_index("date")["volume"]
    assert volume[pd.Timestamp(days[-7])] == 4321
    changed = bench.rows(operations.REVISIONS, symbol="NVDA")
    assert pd.Timestamp(days[-7]) in set(changed["date"])
