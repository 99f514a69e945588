"""R5: the audit as lines of JSON, whoever writes, whoever dies; R4 and S1 of what is written beside the database."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from abri_pipeline.contracts import operations
from abri_pipeline.ingest import equity, upkeep, watchlist
from abri_pipeline.ingest.desk import Desk
from abri_pipeline.ingest.journal import Journal, disagreements
from abri_pipeline.providers.transport import Transport
from abri_pipeline_tests.ingest.test_killed import JUNE, THREE, WINDOW
from abri_pipeline_tests.postgres import engine_at

WRITERS, LINES = 4, 150


def record(number, **more):
    return {"audit_id": f"{number:06d}", "job_id": "job", "symbol": "NVDA", "error": "x" * 300, **more}


def write_many(home, first):
    journal = Journal(home, "job")
    for number in range(first, first + LINES):
        journal.write(record(number))


def processes(target, *arguments):
    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=target, args=each) for each in arguments]
    for one in started:
        one.start()
    for one in started:
        one.join(60)
    return started


def test_r5_four_writers_leave_whole_lines_and_each_record_once(tmp_path):
    path = Journal(tmp_path, "job").path
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"audit_id": "torn by somebody ki')
    ended = processes(write_many, *((tmp_path, n * LINES) for n in range(WRITERS)))
    assert [one.exitcode for one in ended] == [0] * WRITERS
    lines = path.read_bytes().split(b"\n")
    assert lines[0].endswith(b"somebody ki")  # nothing was glued to it
    told = [json.loads(line)["audit_id"] for line in lines[1:] if line]
    assert sorted(told) == [f"{n:06d}" for n in range(WRITERS * LINES)]
    assert sorted(r["audit_id"] for r in Journal(tmp_path, "job").read()) == sorted(told)


@pytest.mark.parametrize("cut", [1, 40, 200, -1])
def test_r5_a_torn_last_line_is_passed_over_and_written_again(bench, cut):
    bench.bars(*JUNE, *THREE)
    journal = Journal(bench.settings.home, "job1")
    whole = journal.path.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    journal.path.write_bytes(whole[: -len(last) - 1] + last[:cut])
    assert len(list(journal.read())) == 2
    assert len(disagreements(bench.engine, bench.settings.home)) == 1
    assert journal.catch_up(bench.engine) == 1
    assert disagreements(bench.engine, bench.settings.home) == []
    assert journal.catch_up(bench.engine) == 0
    assert [line for line in journal.path.read_bytes().split(b"\n") if line][2] == last[:cut]


def killed_after_commit(url, desk, symbol):
    """A process that loads one symbol and dies between its commit and its line."""
    engine = engine_at(url)

    def die(step):
        if step == "commit":
            os.kill(os.getpid(), signal.SIGKILL)

    with Transport(desk.settings) as transport:
        mortal = Desk(engine, desk.archive, transport, desk.settings, "job", at=die)
        equity.load(mortal, WINDOW, [symbol])


def loads(url, desk, symbol):
    """A process that loads one symbol of the same job, and lives."""
    with Transport(desk.settings) as transport:
        equity.load(Desk(engine_at(url), desk.archive, transport, desk.settings, "job"), WINDOW, [symbol])


def test_r5_records_are_attempts_after_writers_and_a_death(any_bench, warehouse_url):
    bench = any_bench
    watchlist.seed(bench.engine)
    with bench.desk() as desk:
        bench.engine.dispose()
        (dead,) = processes(killed_after_commit, (warehouse_url, desk, "AAPL"))
        assert dead.exitcode == -signal.SIGKILL
        assert list(Journal(bench.settings.home, "job").read()) == []
        ended = processes(loads, *((warehouse_url, desk, symbol) for symbol in ("MSFT", *THREE)))
        assert [one.exitcode for one in ended] == [0] * 4
    attempts = bench.rows(operations.AUDIT)
    lines = list(Journal(bench.settings.home, "job").read())
    assert len(attempts) == 5
    assert sorted(line["audit_id"] for line in lines) == sorted(attempts["audit_id"])
    assert {line["symbol"] for line in lines} == {"AAPL", "MSFT", *THREE}
    assert disagreements(bench.engine, bench.settings.home) == []


def test_a_job_that_died_may_lack_lines_and_nobody_else(any_bench, warehouse_url):
    bench = any_bench
    watchlist.seed(bench.engine)
    with bench.desk() as desk:
        bench.engine.dispose()
        processes(killed_after_commit, (warehouse_url, desk, "AAPL"))
    assert disagreements(bench.engine, bench.settings.home) == []
    assert Journal(bench.settings.home, "job").catch_up(bench.engine) == 1
    assert len(list(Journal(bench.settings.home, "job").read())) == 1


# The bytes lie on the disk in part, under the temporary name, when the process dies.
TORN = """
import os, signal, sys, tempfile
from pathlib import Path
from abri_pipeline.warehouse.archive import Archive
point, root = sys.argv[1], Path(sys.argv[2])
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "while writing":
    real = os.fdopen
    class Half:
        def __init__(self, file): self.file = file
        def __enter__(self): return self
        def __exit__(self, *_): self.file.close()
        def write(self, data):
            self.file.write(data[: len(data) // 2]); self.file.flush(); die()
    os.fdopen = lambda *a: Half(real(*a))
elif point == "before the rename":
    Path.replace = die
else:
    synced = os.fsync
    os.fsync = lambda handle: die() if os.path.isdir(f"/proc/self/fd/{handle}") else synced(handle)
Archive(root).put(b"a payload that is long enough to be cut" * 50)
"""


@pytest.mark.parametrize(("point", "kept"), [("while writing", 0), ("before the rename", 0), ("after the rename", 1)])
def test_r4_a_kill_while_a_raw_file_is_written(bench, point, kept):
    bench.bars(*JUNE)
    before = set(bench.archive)
    ended = subprocess.run([sys.executable, "-c", TORN, point, str(bench.archive.root)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert bench.archive.verify() == []  # no file's bytes are other than its name says
    assert len(set(bench.archive) - before) == kept
    assert len(bench.archive.temporaries()) == 1 - kept
    orphans = upkeep.collect(bench.engine, bench.archive, upkeep.OLDER_THAN * 0)
    assert (len(orphans.objects), orphans.temporaries) == (kept, 1 - kept)
    assert set(bench.archive) == before
    assert upkeep.verify(bench.engine, bench.archive).lines() == []
