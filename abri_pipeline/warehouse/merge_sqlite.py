"""Merging a frame into a SQLite table: one upsert a row that writes only what is new or different."""

from collections.abc import Mapping

from sqlalchemy import Connection

from abri_pipeline.contracts.model import Table
from abri_pipeline.warehouse.cells import Cells
from abri_pipeline.warehouse.literals import literals


def merge(connection: Connection, table: Table, columns: Mapping[str, Cells], update: bool) -> tuple[int, int]:
    """Write the cells; returns the numbers of rows inserted and changed.

    SQLite counts an inserted and an updated row alike. It numbers new rows upwards from the largest `rowid`, and
    the caller's transaction holds the only write lock, so the growth of that number is the count of new rows.
    """
    rows = list(zip(*(literals(cells) for cells in columns.values()), strict=True))
    before = _last(connection, table)
    written = connection.exec_driver_sql(_statement(table, update), rows).rowcount
    inserted = _last(connection, table) - before if written else 0
    return inserted, written - inserted


def _last(connection: Connection, table: Table) -> int:
    return int(connection.exec_driver_sql(f'SELECT coalesce(max(rowid), 0) FROM "{table.name}"').scalar_one())


def _statement(table: Table, update: bool) -> str:
    names, key = _names(table.columns), _names(table.key)
    places = ", ".join("?" * len(table.columns))
    insert = f'INSERT INTO "{table.name}" ({names}) VALUES ({places}) ON CONFLICT ({key}) DO '
    if not update or not table.values:
        return insert + "NOTHING"
    rest = [name for name in table.columns if name not in table.key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    differs = " OR ".join(f'"{name}" IS NOT excluded."{name}"' for name in table.values)
    return f"{insert}UPDATE SET {changes} WHERE {differs}"


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
