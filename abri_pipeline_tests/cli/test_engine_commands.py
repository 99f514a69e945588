"""Sync, repair, the plan before a launch, and what is told of providers and jobs; as a person runs them."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from abri_pipeline.providers.registry import FILE
from abri_pipeline.sandbox.faults import Fault, Faults
from abri_pipeline_tests.cli.conftest import ABRI, WINDOW, Abri, environment, one_line

TWO = ("--symbols", "NVDA,SPY")


def change(home: Path, statement: str) -> None:
    connection = sqlite3.connect(home / "abri.db")
    with connection:
        connection.execute(statement)
    connection.close()


def own_registry(home: Path, *changes: tuple[str, str]) -> None:
    """A `providers.yaml` of the home's own: the packaged one with some words changed."""
    text = FILE.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    home.mkdir(exist_ok=True)
    (home / "providers.yaml").write_text(text, encoding="utf-8")


def test_the_plan_is_shown_before_anything_is_asked_or_stored(abri: Abri, home: Path) -> None:
    nowhere = {"ABRI_UPSTREAM_URL": "http://127.0.0.1:9"}
    shown = abri("backfill", "--start", "2026-01-05", "--end", "2026-03-31", "--dry-run", **nowhere)
    assert shown.returncode == 0
    assert "180 sessions to ask for" in shown.stdout  # 18 instruments x 10 sessions: the newest days are no sessions
    assert "cut at today" in shown.stderr
    assert not home.exists()
    document = json.loads(abri("backfill", *WINDOW, *TWO, "--dry-run", "--json", MASSIVE_API_KEY="k").stdout)
    assert [(s["symbol"], s["expected"], s["stored"], s["asked"]) for s in document["symbols"]] == [
        ("NVDA", 10, 0, 10),
        ("SPY", 10, 0, 10),
    ]
    providers = {one["provider"]: one for one in document["providers"]}
    assert list(providers) == ["yahoo", "massive"]
    assert {one["requests"] for one in providers.values()} == {2}
    assert providers["massive"]["limits"][0]["left"] == 5
    assert providers["massive"]["eta_seconds"] <= 2


def test_a_plan_beyond_a_quota_takes_its_windows_and_says_when_it_frees(abri: Abri, home: Path, sandbox: str) -> None:
    own_registry(
        home,
        ("enabled: true", "enabled: false"),
        ("{amount: 5, unit: call, period: minute, basis: documented}", "{amount: 1, unit: call, period: day}"),
    )
    settings = {"ABRI_UPSTREAM_URL": sandbox, "MASSIVE_API_KEY": "k"}
    malformed = abri("backfill", *WINDOW, *TWO, **settings)
    one_line(malformed, 1, "providers.yaml", "massive")
    own_registry(
        home,
        ("enabled: true", "enabled: false"),
        (
            "{amount: 5, unit: call, period: minute, basis: documented}",
            "{amount: 1, unit: call, period: day, basis: documented}",
        ),
    )
    plan = json.loads(abri("backfill", *WINDOW, *TWO, "--dry-run", "--json", **settings).stdout)
    assert plan["providers"][0]["eta_seconds"] == 86_400
    spent = abri("backfill", *WINDOW, *TWO, "--max-concurrent", "1", **settings)
    one_line(spent, 3, "price_history_daily", "massive", "quota of 1 calls a day is spent", "it frees at 20")
    stored = sqlite3.connect(home / "abri.db").execute("SELECT count(*) FROM price_history_daily").fetchone()
    assert stored == (10,)
    told = json.loads(abri("status", "--providers", "--json", **settings).stdout)["providers"]
    massive = next(one for one in told if one["provider"] == "massive")
    assert (massive["quota"][0]["used"], massive["quota"][0]["limit"]) == (1, 1)
    assert massive["quota"][0]["frees_at"]
    assert next(one for one in told if one["provider"] == "yahoo")["why_not"] == "switched off in providers.yaml"


def test_no_provider_at_all_is_partial_and_resumed_by_the_jobs_id(
    abri: Abri, home: Path, sandbox: str, faults: Faults
) -> None:
    faults.switches.append(Fault("yahoo", "html"))
    down = abri("backfill", *WINDOW, *TWO, "--json", ABRI_UPSTREAM_URL=sandbox)
    assert down.returncode == 3
    job = json.loads(down.stdout)["run_id"]
    told = json.loads(abri("status", "--job", job, "--json").stdout)
    assert told["resumable"]
    assert {one["symbol"]: one["outcome"] for one in told["symbols"]}.keys() == {"NVDA", "SPY"}
    assert all(one["error"] for one in told["symbols"])
    faults.switches.clear()
    mended = json.loads(abri("backfill", "--resume", job, "--json", ABRI_UPSTREAM_URL=sandbox).stdout)
    assert mended["code"] == 0
    assert [(d["dataset"], d["requested"], d["inserted"]) for d in mended["datasets"]] == [
        ("price_history_daily", 2, 20)
    ]
    one_line(abri("status", "--job", "nobody"), 2, "no job begins with 'nobody'", mended["run_id"])
    one_line(abri("backfill", "--resume", job, "--days", "3"), 2, "--resume")


def test_a_sync_reads_seven_sessions_again_and_a_repair_fills_a_hole(abri: Abri, home: Path, sandbox: str) -> None:
    upstream = {"ABRI_UPSTREAM_URL": sandbox}
    assert abri("sync", *TWO, "--json", **upstream).returncode == 0
    change(home, "UPDATE price_history_daily SET volume = volume + 1")
    again = json.loads(abri("sync", *TWO, "--json", **upstream).stdout)
    assert (
        again["datasets"][0]["changed"] == 20
    )  # two symbols: seven sessions, and the five before that are asked along
    assert again["window"]["start"] == "2026-01-08"
    change(home, "DELETE FROM price_history_daily WHERE symbol = 'SPY' AND date = '2026-01-14'")
    change(
        home,
        "INSERT INTO backfill_gaps (symbol, timeframe, gap_start, gap_end, sessions, state, attempts, cause, reason,"
        " updated_at) VALUES ('SPY', '1d', '2026-01-14', '2026-01-14', 1, 'missing', 1, 'hole', 'told by a test',"
        " '2026-01-15T00:00:00.000000Z')",
    )
    mended = json.loads(abri("repair", *TWO, "--json", **upstream).stdout)
    assert mended["sessions"] == {"filled": 1, "verified_empty": 0, "unfillable": 0, "missing": 0}
    nothing = abri("repair", **upstream)
    assert nothing.returncode == 0
    assert "nothing to repair" in nothing.stderr


def test_a_follower_launches_nothing_without_news_and_ends_on_sigterm(home: Path, sandbox: str) -> None:
    command = [*ABRI, "sync", *TWO, "--follow", "--every", "1", "--json"]
    settings = environment(home, ABRI_UPSTREAM_URL=sandbox)
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ends = time.monotonic() + 60
        while time.monotonic() < ends and _ended(home) != ["done"]:
            time.sleep(0.2)
        time.sleep(3.5)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=10)
    assert time.monotonic() - began < 10
    assert (process.returncode, said) == (0, "")
    told = json.loads(out)
    assert told["runs"] == 1
    assert told["polls"] >= 2
    assert told["last_runs"][0]["inserted"] == 20  # a launch is whole weeks


def _ended(home: Path) -> list[str]:
    try:
        connection = sqlite3.connect(f"file:{home / 'abri.db'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return [status for (status,) in connection.execute("SELECT status FROM backfill_runs")]
    except sqlite3.OperationalError:
        return []  # the table is not there yet
    finally:
        connection.close()


def test_what_makes_no_sense_is_told_in_one_line(abri: Abri) -> None:
    one_line(abri("backfill", *WINDOW, "--timeframes", "1d,2h"), 2, "2h is not kept", "1d, 1m")
    one_line(abri("backfill", *WINDOW, "--max-concurrent", "0"), 2, "--max-concurrent 0")
    one_line(abri("sync", "--follow", "--every", "0"), 2, "--every 0")
    one_line(abri("repair", "--attempts", "0"), 2, "--attempts 0")
    one_line(abri("status", "--job", "x"), 2, "nothing was loaded yet")


def test_a_killed_run_is_seen_by_status(abri: Abri, home: Path, sandbox: str, faults: Faults) -> None:
    faults.switches.append(Fault("yahoo", "delay", "30", match="chart"))
    command = [*ABRI, "backfill", *WINDOW, *TWO]
    settings = environment(home, ABRI_UPSTREAM_URL=sandbox)
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        ends = time.monotonic() + 60
        while time.monotonic() < ends and _ended(home) != ["running"]:
            time.sleep(0.1)
        assert "was killed" not in abri("status").stderr  # it works still
        process.kill()
    doctor = json.loads(abri("doctor", "--json").stdout)
    assert any(f["about"] == "runs" and "killed" in f["said"] for f in doctor["findings"])
    seen = abri("status")
    assert "was killed: interrupted" in seen.stderr
    assert _ended(home) == ["interrupted"]
