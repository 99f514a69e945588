"""A process killed at any moment of a load: what it left is whole, and the next run converges in one pass.

`ABRI_KILLS` sets how many seeded kills there are over the two databases; `make kills` runs 200.
"""

import os
import signal
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import closed_sessions
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import AUDIT, RUNS
from abri_pipeline.ingest import equity, rebuild
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.journal import Journal
from abri_pipeline_tests.reliability.stage import STEPS, Stage, dying_at, dying_before_statement, seeded
from abri_pipeline_tests.reliability.truth import assert_equals_vendor

KILLS = int(os.environ.get("ABRI_KILLS", "24")) // 2  # on each database
JULY = Window(date(2024, 7, 1), date(2024, 7, 26))
THREE = ("NVDA", "QQQ", "SPY")
EX_DATE = date(2024, 7, 16)
STATEMENTS = 90  # about as many as a load of three symbols sends


def no_history(stage: Stage) -> None:
    """Nothing is stored yet."""


def history_before(stage: Stage) -> None:
    """June is stored: the window widens it."""
    stage.load(Window(date(2024, 6, 3), date(2024, 6, 28)), THREE)


def dividend_since(stage: Stage) -> None:
    """June is stored on the basis before a dividend: it is read again in full."""
    history_before(stage)
    stage.market.dividends = {(symbol, EX_DATE): 1.5 for symbol in THREE}


def corrected_since(stage: Stage) -> None:
    """All of it is stored, and the vendor has corrected a final bar."""
    stage.load(Window(date(2024, 6, 3), JULY.end), THREE)
    stage.market.corrections = {(symbol, date(2024, 7, 10)): (0.0, 7) for symbol in THREE}


BEFORE = (no_history, history_before, dividend_since, corrected_since)


def run(stage: Stage, engine: Engine | None = None, **more: object) -> equity.Load:
    """The load that is killed, and the one after it."""
    # Corrections only show where the newest sessions are read again.
    desk = stage.desk(engine=engine, reread=20, **more)
    return equity.load(desk, JULY, THREE)


def kill(stage: Stage, step: str | None, nth: int) -> None:
    """One load in a child that dies at the nth reaching of a step, or before its nth statement."""

    def work(engine: Engine) -> None:
        if step is None:
            dying_before_statement(engine, nth)
        run(stage, engine, job="killed", **({"at": dying_at(step, nth)} if step else {}))

    code = stage.forked(work)
    if step is None and code == 0:
        return  # the load sent fewer statements than that
    assert code == -signal.SIGKILL, (stage.home / "child.txt").read_text()


def check_what_it_left(stage: Stage) -> None:
    """Each symbol is stored with its audit or not at all, nothing is half; the journal agrees with the table."""
    assert stage.unresolved() == []
    days = closed_sessions(clock.now())
    booked = stage.rows(AUDIT)
    for symbol in THREE:
        stored = set(stage.stored(symbol))
        assert stage.have(symbol, days) <= stored
        if "killed" in set(booked[booked["symbol"] == symbol]["job_id"]):
            assert {d for d in days if JULY.start <= d <= JULY.end} <= stored
    lines = Journal(stage.home, "killed")
    lines.catch_up(stage.engine)
    told = Counter(str(record["audit_id"]) for record in lines.read())
    assert told == Counter(booked[booked["job_id"] == "killed"]["audit_id"])
    assert rebuild.oracle(stage.engine, stage.archive) == []


def check_convergence(stage: Stage, most: int) -> None:
    """One more run stores all of it with at most one repeated call a symbol, and the one after it asks nobody."""
    before = stage.wire.asked()
    again = run(stage)
    assert again.failed == []
    assert "running" not in set(stage.rows(RUNS)["status"])  # the killed run is seen as interrupted
    after = stage.wire.asked()
    assert all(after[symbol] - before[symbol] <= most for symbol in THREE)
    assert_equals_vendor(stage, THREE, JULY)
    assert stage.unresolved() == []
    counted = stage.rows(BARS)
    assert equity.load(stage.desk(), JULY, THREE).calls == 0
    assert stage.rows(BARS).equals(counted)
    assert rebuild.oracle(stage.engine, stage.archive) == []


@pytest.mark.parametrize("number", range(KILLS))
def test_r2_a_seeded_kill_at_any_step_converges_in_one_pass(stage, move, number):
    dice = seeded(number)
    move("2024-07-13T12:00:00Z")
    prepare = BEFORE[number % len(BEFORE)]
    if prepare is corrected_since:
        move("2024-08-01T12:00:00Z")
    prepare(stage)
    move("2024-08-01T12:00:00Z")
    step = STEPS[number // 2 % len(STEPS)] if number % 2 else None
    kill(stage, step, dice.randint(1, len(THREE)) if step else dice.randint(1, STATEMENTS))
    check_what_it_left(stage)
    # A dividend takes two requests a symbol, each of which may have been under way.
    check_convergence(stage, most=2 if prepare is dividend_since else 1)


@pytest.mark.parametrize("step", STEPS)
def test_r2_each_named_step_leaves_all_of_a_symbol_or_nothing(stage, step):
    window, one = JULY, ("NVDA",)

    def work(engine: Engine) -> None:
        equity.load(stage.desk(engine=engine, job="killed", at=dying_at(step)), window, one)

    assert stage.forked(work) == -signal.SIGKILL
    whole = step == "commit"
    assert bool(stage.stored("NVDA")) == whole
    assert stage.rows(AUDIT)["job_id"].tolist() == (["killed"] if whole else [])
    load = stage.load(window, one)
    assert load.failed == []
    assert stage.wire.asked()["NVDA"] == (1 if whole else 2)
    assert_equals_vendor(stage, one, window)


def test_r3_what_was_committed_before_dagster_heard_of_it_is_not_fetched_again(stage):
    """The event is written after the load returns: killed after the commit, no event can have told of the rows."""

    def work(engine: Engine) -> None:
        equity.load(stage.desk(engine=engine, job="killed", at=dying_at("commit")), JULY, ("NVDA",))

    assert stage.forked(work) == -signal.SIGKILL
    load = stage.load(JULY, ("NVDA",))
    assert load.calls == 0
    assert [r.outcome for r in load.results] == ["unchanged"]
    assert_equals_vendor(stage, ("NVDA",), JULY)
