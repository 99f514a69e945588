"""Runs: who works on one, whether they still live, and what is seen of one that was killed."""

import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from abri_pipeline.calendars import clock
from abri_pipeline.contracts import operations
from abri_pipeline.ingest import equity, runs, watchlist
from abri_pipeline.ingest.desk import Load, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline_tests.postgres import engine_at

JUNE = Window(date(2024, 6, 17), date(2024, 6, 28))


def row(bench, job: str) -> pd.Series:
    return bench.rows(operations.RUNS, run_id=f"{job}:price_history_daily").iloc[0]


def test_a_run_tells_its_owner_its_symbols_and_signs_of_life(any_bench):
    bench = any_bench
    before = pd.Timestamp(clock.wall())
    with bench.desk() as desk:
        equity.load(desk, JUNE, ("NVDA", "SPY"))
    told = row(bench, "job1")
    assert told["owner"].endswith(f":{os.getpid()}")
    assert told["symbols"] == "NVDA,SPY"
    assert before <= told["heartbeat_at"] <= pd.Timestamp(clock.wall())  # real time, whatever ABRI_NOW says
    assert (told["status"], told["symbols_done"]) == ("done", 2)


def test_a_run_under_way_is_left_alone(bench):
    with bench.desk() as desk, runs.booked(desk, Load("price_history_daily"), JUNE, 3):
        assert runs.orphans(bench.engine) == []
        assert runs.sweep(bench.engine) == []
        assert row(bench, "job1")["status"] == "running"
    assert row(bench, "job1")["status"] == "done"


def test_signs_of_life_are_no_oftener_than_every_ten_seconds(bench):
    load = Load("price_history_daily")
    with bench.desk() as desk, runs.booked(desk, load, JUNE, 3):
        runs.beat(desk, load)
        first = row(bench, "job1")["heartbeat_at"]
        runs.beat(desk, load)
        assert row(bench, "job1")["heartbeat_at"] == first
        load.beaten_at -= timedelta(seconds=11)
        runs.beat(desk, load)
        assert row(bench, "job1")["heartbeat_at"] > first


def test_a_load_that_raises_is_seen_as_interrupted(bench):
    booked = Load("price_history_daily")
    with bench.desk() as desk, pytest.raises(ZeroDivisionError), runs.booked(desk, booked, JUNE, 3):
        _ = 1 // 0
    assert runs.orphans(bench.engine) == ["job1:price_history_daily"]
    assert runs.sweep(bench.engine) == ["job1:price_history_daily"]
    assert row(bench, "job1")["status"] == "interrupted"


def test_a_killed_run_is_interrupted_to_the_next_one_which_goes_on_from_there(any_bench, warehouse_url):
    bench = any_bench
    watchlist.seed(bench.engine)

    def mortal_load(desk) -> None:
        def die_at_the_second(step: str) -> None:
            if step == "fetch" and next(iter(desk.archive), None):  # the first one was archived
                os.kill(os.getpid(), signal.SIGKILL)

        with Transport(desk.settings) as transport:
            mortal = replace(
                desk, engine=engine_at(warehouse_url), transport=transport, job_id="killed", at=die_at_the_second
            )
            equity.load(replace(mortal, fetchers=1), JUNE, ("NVDA", "SPY"))

    with bench.desk() as desk:
        child = multiprocessing.get_context("fork").Process(target=mortal_load, args=(desk,))
        child.start()
        child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert row(bench, "killed")["status"] == "running"
    again = bench.bars("2024-06-17", "2024-06-28", "NVDA", "SPY")
    assert row(bench, "killed")["status"] == "interrupted"
    assert again.calls == 1  # the first symbol was stored
    assert again.failed == []
