"""The lock of a unit of work, and the lease of one that spans transactions."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import discard, held, lock_number, unit_lease, unit_lock
from abri_pipeline_tests.postgres import engine_at


def locked(engine: Engine, name: str) -> bool:
    with begin(engine) as connection:
        got = connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (lock_number(name),)).scalar_one()
        return not got


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
def test_a_name_is_held_to_the_end_of_the_transaction(warehouse: Engine):
    with begin(warehouse) as connection:
        unit_lock(connection, "NVDA 1d")
        assert locked(warehouse, "NVDA 1d")
        assert not locked(warehouse, "AMD 1d")
    assert not locked(warehouse, "NVDA 1d")


def test_a_number_is_the_same_in_every_process_and_fits_64_bits():
    assert lock_number("NVDA 1d") == 5209655004359220737  # another number would let two versions write at once
    assert len({lock_number(f"S{number} 1d") for number in range(2000)}) == 2000
    assert all(-(2**63) <= lock_number(str(number)) < 2**63 for number in range(2000))


def test_a_lease_is_seen_while_it_is_held_and_gone_with_its_block(warehouse: Engine):
    assert not held(warehouse, "run:1")
    with unit_lease(warehouse, "run:1"):
        assert held(warehouse, "run:1")
        assert held(warehouse, "run:1")  # asking takes nothing away
        assert not held(warehouse, "run:2")
    assert not held(warehouse, "run:1")


def test_a_lease_goes_with_the_process_that_is_killed(warehouse: Engine, warehouse_url: str):
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def hold_for_ever() -> None:
        with unit_lease(engine_at(warehouse_url), "run:1"):
            theirs.send("held")
            signal.pause()

    child = context.Process(target=hold_for_ever)
    child.start()
    assert ours.poll(30)
    assert held(warehouse, "run:1")
    os.kill(child.pid, signal.SIGKILL)
    child.join(10)
    with unit_lease(warehouse, "run:1"):  # waits until the server has noticed, and no longer
        pass
    assert not held(warehouse, "run:1")


def test_asking_makes_nothing_and_a_discarded_lease_leaves_nothing(sqlite_template: Path, tmp_path: Path):
    engine = engine_at(f"sqlite:///{tmp_path / 'abri.db'}")
    assert not held(engine, "run:1")
    assert not (tmp_path / "abri.db.locks").exists()
    with unit_lease(engine, "run:1"):
        pass
    discard(engine, "run:1")
    discard(engine, "run:1")
    assert list((tmp_path / "abri.db.locks").iterdir()) == []
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
def test_a_lease_whose_server_connection_died_ends_without_an_error(warehouse: Engine):
    ends = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with unit_lease(warehouse, "run:1"), warehouse.connect() as other:
        other.exec_driver_sql(ends)
    assert not held(warehouse, "run:1")
