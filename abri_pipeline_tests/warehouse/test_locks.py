"""The lock of a unit of work."""

import pytest
from sqlalchemy import Engine

from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import lock_number, unit_lock


def held(engine: Engine, name: str) -> bool:
    with begin(engine) as connection:
        got = connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (lock_number(name),)).scalar_one()
        return not got


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
def test_a_name_is_held_to_the_end_of_the_transaction(warehouse: Engine):
    with begin(warehouse) as connection:
        unit_lock(connection, "NVDA 1d")
        assert held(warehouse, "NVDA 1d")
        assert not held(warehouse, "AMD 1d")
    assert not held(warehouse, "NVDA 1d")


def test_a_number_is_the_same_in_every_process_and_fits_64_bits():
    assert lock_number("NVDA 1d") == 5209655004359220737  # another number would let two versions write at once
    assert len({lock_number(f"S{number} 1d") for number in range(2000)}) == 2000
    assert all(-(2**63) <= lock_number(str(number)) < 2**63 for number in range(2000))
