"""Every declared table is asked the same questions on both databases."""

from collections.abc import Callable
from datetime import UTC
from functools import cache

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.contracts.model import Field, Kind, Table
from abri_pipeline.warehouse.cells import FrameError
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import Outcome, upsert
from abri_pipeline_tests.warehouse import samples

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def tables_with(wanted: Callable[[Table], object]) -> pytest.MarkDecorator:
    """Only the tables that a question concerns; there must be some."""
    found = [table for table in TABLES if wanted(table)]
    assert found
    return pytest.mark.parametrize("table", found, ids=lambda table: table.name)


def optional_numbers(table: Table) -> dict[str, float]:
    return {f.name: float("nan") for f in table if f.kind is Kind.NUMBER and not samples.required(table, f)}


def same(stored: pd.DataFrame, given: pd.DataFrame, table: Table) -> None:
    """Cell by cell, as Python values: nothing may be lost on the way."""
    given = given.sort_values(list(table.key), ignore_index=True)
    assert list(stored.columns) == list(table.columns)
    assert len(stored) == len(given)
    for field in table:
        for got, want in zip(stored[field.name], given[field.name], strict=True):
            if want is None:
                assert pd.isna(got), field.name
            elif field.kind is Kind.DATE:
                assert got.date() == want, field.name
            elif field.kind is Kind.INSTANT:
                assert got.to_pydatetime() == want.astimezone(UTC), field.name
            else:
                assert got == want, field.name


@every_table
@pytest.mark.parametrize("nulls", [False, True], ids=["filled", "nulls"])
def test_what_is_written_is_read(connection: Connection, table: Table, nulls: bool):
    given = samples.rows(table, nulls=nulls)
    assert upsert(connection, table, given) == Outcome(inserted=3)
    same(frame(connection, table), given, table)


@every_table
def test_a_replay_changes_nothing(connection: Connection, table: Table):
    given = samples.rows(table, 4)
    upsert(connection, table, given)
    before = versions(connection, table)
    again = given.assign(**{name: given[name].iloc[0] for name in table.columns if name in bookkeeping(table)})
    assert upsert(connection, table, again) == Outcome(unchanged=4)
    assert versions(connection, table) == before
    same(frame(connection, table), given, table)  # the first provenance stays


@every_table
def test_one_changed_cell_changes_one_row(connection: Connection, table: Table):
    given = samples.rows(table, 4)
    upsert(connection, table, given)
    for name in table.values:
        changed = given.copy()
        ordered = {column for pair in table.orders for column in pair}
        for column in (ordered if name in ordered else {name}) & set(table.values):
            changed.at[1, column] = samples.other(table[column])
        if changed.at[1, name] == given.at[1, name]:
            continue  # only one value is allowed there
        if table.append_only:
            assert upsert(connection, table, changed) == Outcome(unchanged=4), name
            continue
        assert upsert(connection, table, changed) == Outcome(changed=1, unchanged=3), name
        given = changed
    same(frame(connection, table), given, table)


@every_table
def test_without_update_a_stored_row_stays(connection: Connection, table: Table):
    given = samples.rows(table, 4)
    upsert(connection, table, given[:3])
    different = given.assign(**{n: None for n in table.values if not table[n].required})
    assert upsert(connection, table, different, update=False) == Outcome(inserted=1, unchanged=3)
    same(frame(connection, table)[:3], given[:3], table)


@every_table
def test_a_repeated_key_is_refused(connection: Connection, table: Table):
    twice = pd.concat([samples.rows(table, 3), samples.rows(table, 1)], ignore_index=True)
    with pytest.raises(FrameError, match="row 3 of the frame repeats a key"):
        upsert(connection, table, twice)
    assert frame(connection, table).empty


@every_table
def test_a_missing_required_cell_is_refused(connection: Connection, table: Table):
    for field in table:
        if samples.required(table, field):
            error = FrameError if field.name in table.key else IntegrityError
            refused(connection, table, field, None, error)


@every_table
def test_every_bound_is_a_check(connection: Connection, table: Table):
    for field in table:
        if field.low is not None:
            refused(connection, table, field, whole(field, field.low - 1), IntegrityError)
        if field.above is not None:
            refused(connection, table, field, whole(field, field.above), IntegrityError)
        if field.high is not None:
            refused(connection, table, field, whole(field, field.high + 1), IntegrityError)
        if field.choices:
            refused(connection, table, field, "none of them", IntegrityError)
        if field.kind is Kind.NUMBER:
            refused(connection, table, field, float("inf"), IntegrityError)
            refused(connection, table, field, float("-inf"), IntegrityError)


@tables_with(lambda table: table.orders)
def test_every_order_is_a_check(connection: Connection, table: Table):
    for low, high in table.orders:
        row = samples.rows(table, 1)
        row.at[0, high], row.at[0, low] = row.at[0, low], samples.other(table[low])
        with pytest.raises(IntegrityError), connection.begin_nested():
            upsert(connection, table, row)


@tables_with(optional_numbers)
def test_nan_is_null(connection: Connection, table: Table):
    numbers = optional_numbers(table)
    upsert(connection, table, samples.rows(table, 1).assign(**numbers))
    for name in numbers:
        assert frame(connection, table, where=[(name, "is", None)]).shape[0] == 1


@tables_with(lambda table: table.append_only)
def test_append_only_tables_refuse_changes_by_hand(connection: Connection, table: Table):
    upsert(connection, table, samples.rows(table, 2))
    for statement in (f'UPDATE "{table.name}" SET recorded_at = NULL', f'DELETE FROM "{table.name}"'):
        with pytest.raises(IntegrityError, match="append-only"), connection.begin_nested():
            connection.exec_driver_sql(statement)


def refused(connection: Connection, table: Table, field: Field, value: object, error: type[Exception]) -> None:
    with pytest.raises(error), connection.begin_nested():
        upsert(connection, table, good_row(table).assign(**{field.name: pd.Series([value], dtype=object)}))


@cache
def good_row(table: Table) -> pd.DataFrame:
    return samples.rows(table, 1)


def whole(field: Field, bound: float) -> float | int:
    return int(bound) if field.kind is Kind.COUNT else bound


def bookkeeping(table: Table) -> set[str]:
    return set(table.columns) - set(table.key) - set(table.values)


def versions(connection: Connection, table: Table) -> list[tuple[object, ...]]:
    """Where PostgreSQL keeps each row version; SQLite keeps no versions."""
    if connection.dialect.name == "sqlite":
        return []
    return [tuple(row) for row in connection.execute(sa.text(f'SELECT ctid, xmin FROM "{table.name}" ORDER BY ctid'))]
