"""A process killed in the middle of a publish leaves all of a symbol or nothing, and the next run converges."""

import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, event

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest import equity, watchlist
from abri_pipeline.ingest.desk import Desk, Window
from abri_pipeline.providers.transport import Transport
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline_tests.postgres import engine_at

JUNE = ("2024-06-17", "2024-06-28")
WINDOW = Window(*(date.fromisoformat(day) for day in JUNE))
THREE = ("NVDA", "QQQ", "SPY")
# Statement of the first symbol's transaction before which the process dies.
STATEMENTS = {"before its rows": BARS.name, "after its rows": operations.AUDIT.name, "amid its books": "coverage"}
POINTS = [*STATEMENTS, "before its commit", "after its commit", "with its payload archived"]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalArchive(Archive):
    """Keeps one payload and dies."""

    def put(self, body: bytes) -> str:
        super().put(body)
        die()
        raise AssertionError("unreachable")


def arm(engine: Engine, point: str) -> None:
    """Let the process die at a point of the first symbol's transaction."""
    booked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def before(_connection, _cursor, statement, *_rest):
        writes = "INSERT" in statement.upper()
        if writes and operations.AUDIT.name in statement:
            booked.append(statement)
        if writes and point in STATEMENTS and STATEMENTS[point] in statement:
            die()

    @event.listens_for(engine, "commit")
    def committing(_connection):
        if point == "before its commit" and booked:
            die()


def mortal_load(url: str, desk: Desk, point: str) -> None:
    """What the child process does; it never returns."""
    engine = engine_at(url)
    arm(engine, point)
    archive = MortalArchive(desk.archive.root) if point == "with its payload archived" else desk.archive

    def reported(*_progress: object) -> None:
        if point == "after its commit":
            die()

    with Transport(desk.settings) as transport:
        mortal = replace(desk, engine=engine, archive=archive, transport=transport, job_id="killed", progress=reported)
        equity.load(mortal, WINDOW, THREE)


def states(bench) -> dict[str, tuple[bool, bool, bool, bool]]:
    """For each symbol, whether there are rows of it in the bars, the audit, the coverage and the progress."""
    tables = (BARS, operations.AUDIT, operations.COVERAGE, operations.PROGRESS)
    seen = [set(bench.rows(table)["symbol"]) for table in tables]
    return {symbol: tuple(symbol in rows for rows in seen) for symbol in THREE}


@pytest.mark.parametrize("point", POINTS)
def test_the_next_run_converges(any_bench, warehouse_url, point):
    bench = any_bench
    watchlist.seed(bench.engine)
    with bench.desk() as desk:
        child = multiprocessing.get_context("fork").Process(target=mortal_load, args=(warehouse_url, desk, point))
        child.start()
        child.join(60)
    assert child.exitcode == -signal.SIGKILL
    whole = {symbol for symbol, found in states(bench).items() if found == (True,) * 4}
    nothing = {symbol for symbol, found in states(bench).items() if found == (False,) * 4}
    assert whole | nothing == set(THREE)
    assert bool(whole) == (point == "after its commit")  # symbols commit side by side

    again = bench.bars(*JUNE, *THREE)
    assert again.failed == []
    assert again.calls == len(nothing)
    bars = bench.rows(BARS)
    assert bars.groupby("symbol").size().to_dict() == dict.fromkeys(THREE, 9)
    assert bench.rows(ACTIONS).empty
    audit = bench.rows(operations.AUDIT)
    assert audit["rows"].tolist() == [9, 9, 9]  # one record a symbol: the killed attempts left none
    assert audit["outcome"].tolist() == ["stored"] * 3
    assert bench.rows(operations.GAPS).empty
    assert bench.archive.verify() == []
    assert set(bars["raw_hash"]) <= set(bench.archive)
    assert bench.rows(operations.RUNS).set_index("run_id")["status"].to_dict() == {
        "killed:price_history_daily": "interrupted",  # its lease went with it, which the next run saw
        "job2:price_history_daily": "done",
    }
    assert bench.bars(*JUNE, *THREE).calls == 0
