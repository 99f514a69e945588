"""`abri backfill` against a sandbox: what it stores, how it ends, how it is interrupted."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

from abri_pipeline.sandbox.faults import Fault, Faults
from abri_pipeline_tests.cli.conftest import ABRI, WINDOW, Abri, environment, one_line


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(home / "abri.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def by_dataset(result: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {one["dataset"]: one for one in json.loads(result.stdout)["datasets"]}


def test_a_window_is_stored_once_and_shown_by_every_report(abri: Abri, home: Path, sandbox: str) -> None:
    first = abri("backfill", *WINDOW, "--json", ABRI_UPSTREAM_URL=sandbox)
    assert (first.returncode, first.stderr) == (0, "")
    assert by_dataset(first)["price_history_daily"]["inserted"] == 180  # 18 instruments x 10 sessions
    again = abri("backfill", *WINDOW, "--json", ABRI_UPSTREAM_URL=sandbox)
    assert again.returncode == 0
    assert all((d["calls"], d["inserted"], d["changed"]) == (0, 0, 0) for d in by_dataset(again).values())

    status = json.loads(abri("status", "--json").stdout)
    assert status["synthetic"]
    bars = next(d for d in status["datasets"] if d["dataset"] == "price_history_daily")
    assert (bars["rows"], bars["newest"], bars["lag"], bars["last_run"]["status"]) == (180, "2026-01-16", 0, "done")
    prints = json.loads(abri("report", "index", "--json").stdout)["prints"]
    assert [p["as_of"] for p in prints] == ["2026-01-09", "2026-01-16"]
    assert all(p["components"]["concentration"] is None and "concentration" in p["reason"] for p in prints)
    coverage = json.loads(abri("report", "coverage", "--json").stdout)["rows"]
    assert {(r["expected"], r["stored"], r["missing"]) for r in coverage} == {(10, 10, 0)}

    for command in (("status",), ("report", "index"), ("report", "coverage")):
        assert "SYNTHETIC" in abri(*command).stdout
    one_line(abri("backfill", *WINDOW), 1, "synthetic", "ABRI_UPSTREAM_URL")


def test_symbols_narrow_the_run_to_their_bars(abri: Abri, home: Path, sandbox: str) -> None:
    result = abri("backfill", *WINDOW, "--symbols", "nvda,MSFT", "--json", ABRI_UPSTREAM_URL=sandbox)
    assert result.returncode == 0
    assert by_dataset(result).keys() == {"price_history_daily"}
    assert rows(home, "SELECT symbol, count(*) FROM price_history_daily GROUP BY 1") == [("MSFT", 10), ("NVDA", 10)]


def test_a_failed_symbol_is_named_and_the_rest_is_stored(abri: Abri, home: Path, sandbox: str, faults: Faults) -> None:
    faults.switches += [Fault("yahoo", "html", match="NVDA"), Fault("yahoo", "status", "404", match="TSLA")]
    result = abri("backfill", *WINDOW, ABRI_UPSTREAM_URL=sandbox)
    one_line(result, 3, "price_history_daily: NVDA")
    assert "TSLA" in result.stdout
    assert "explained: absent" in result.stdout
    assert rows(home, "SELECT count(DISTINCT symbol) FROM price_history_daily") == [(16,)]
    faults.switches.clear()
    mended = abri("backfill", *WINDOW, "--json", ABRI_UPSTREAM_URL=sandbox)
    assert mended.returncode == 0
    assert by_dataset(mended)["price_history_daily"]["inserted"] == 10  # TSLA waits a day before it is asked again


def test_a_run_in_which_nothing_worked_is_a_failure(abri: Abri, sandbox: str, faults: Faults) -> None:
    faults.switches += [Fault(name, "html") for name in ("yahoo", "fredgraph", "sec", "reference")]
    one_line(abri("backfill", *WINDOW, ABRI_UPSTREAM_URL=sandbox), 1, "nothing could be fetched", "stays")


def test_an_end_ahead_is_cut_at_today_and_said(abri: Abri, sandbox: str) -> None:
    window = ("--start", "2026-01-12", "--end", "2026-03-31")
    result = abri("backfill", *window, "--symbols", "SPY", "--json", ABRI_UPSTREAM_URL=sandbox)
    document = json.loads(result.stdout)
    assert result.returncode == 0
    assert document["window"]["end"] == "2026-01-20"
    assert any("cut at today" in note for note in document["notes"])


def test_o1_sigterm_stops_at_once_closes_the_books_and_a_rerun_converges(
    abri: Abri, home: Path, sandbox: str, faults: Faults
) -> None:
    faults.switches.append(Fault("yahoo", "delay", "20", match="chart"))
    command = [*ABRI, "backfill", *WINDOW, "--symbols", "NVDA,SPY"]
    settings = environment(home, ABRI_UPSTREAM_URL=sandbox)
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for_run(home)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert time.monotonic() - began < 10
    assert process.returncode == 1
    assert "interrupted" in said
    assert "Traceback" not in said
    assert rows(home, "SELECT status FROM backfill_runs") == [("interrupted",)]
    runs = sqlite3.connect(home / "dagster" / "history" / "runs.db")
    assert runs.execute("SELECT status FROM runs").fetchall() == [("CANCELED",)]
    runs.close()
    faults.switches.clear()
    again = abri("backfill", *WINDOW, "--symbols", "NVDA,SPY", "--json", ABRI_UPSTREAM_URL=sandbox)
    assert again.returncode == 0
    assert by_dataset(again)["price_history_daily"]["inserted"] == 20


def test_r2_a_killed_command_is_closed_by_the_next_one(abri: Abri, home: Path, sandbox: str, faults: Faults) -> None:
    faults.switches.append(Fault("yahoo", "delay", "20", match="chart"))
    command = [*ABRI, "backfill", *WINDOW, "--symbols", "NVDA,SPY"]
    settings = environment(home, ABRI_UPSTREAM_URL=sandbox)
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for_run(home)
        process.kill()
    faults.switches.clear()
    again = abri("backfill", *WINDOW, "--symbols", "NVDA,SPY", "--json", ABRI_UPSTREAM_URL=sandbox)
    assert again.returncode == 0
    assert by_dataset(again)["price_history_daily"]["inserted"] == 20
    assert sorted(rows(home, "SELECT status FROM backfill_runs")) == [("done",), ("interrupted",)]
    runs = sqlite3.connect(home / "dagster" / "history" / "runs.db")
    assert sorted(runs.execute("SELECT status FROM runs").fetchall()) == [("CANCELED",), ("SUCCESS",)]
    runs.close()


def _wait_for_run(home: Path) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if (home / "dagster" / "history" / "runs.db").exists():
            try:
                if rows(home, "SELECT 1 FROM backfill_runs"):
                    return
            except sqlite3.OperationalError:
                pass  # the table is not there yet
        time.sleep(0.1)
    raise AssertionError("the run never started")
