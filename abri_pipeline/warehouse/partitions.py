"""The pieces of a table that PostgreSQL keeps by range of time: one a year, made before the first row of it.

A piece is built beside the table and then attached, which lets readers and writers of the table go on; making it in
place would lock them out, and two loads that have read the table already would wait for each other for ever.
Measured on 1,000,000 bars of two years (2 cores): see `docs/decisions/0008-intraday-partitions.md`.
"""

import re
from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Table
from abri_pipeline.warehouse.cells import Cells
from abri_pipeline.warehouse.locks import unit_lock
from abri_pipeline.warehouse.tables import PARTITIONED

_PIECE = re.compile(rf"({'|'.join(PARTITIONED)})_y\d{{4}}")


def make_room(connection: Connection, table: Table, columns: Mapping[str, Cells]) -> None:
    """Make the pieces that the cells need and that are not there yet, in the caller's transaction."""
    by = PARTITIONED.get(table.name)
    if by is None or not len(columns[by]):
        return
    wanted = _years(columns[by])
    if not (missing := wanted - _there(connection, table)):
        return
    unit_lock(connection, f"partitions of {table.name}")  # two loads meet here, and the second finds it done
    for year in sorted(missing - _there(connection, table)):
        piece = f'"{table.name}_y{year:04d}"'
        connection.exec_driver_sql(f'CREATE TABLE {piece} (LIKE "{table.name}" INCLUDING ALL)')
        connection.exec_driver_sql(
            f'ALTER TABLE "{table.name}" ATTACH PARTITION {piece} '
            f"FOR VALUES FROM ('{year:04d}-01-01 00:00:00+00') TO ('{year + 1:04d}-01-01 00:00:00+00')"
        )


def is_piece(name: str) -> bool:
    """Whether a table of the database is a piece of another one, and so declared by no contract."""
    return _PIECE.fullmatch(name) is not None


def declared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a name of the database is for the contracts to declare: what Alembic asks before it compares."""
    return kind != "table" or name is None or not is_piece(name)


def _years(cells: Cells) -> set[int]:
    """The UTC years of an instant column."""
    moments = cells.distinct.astype("datetime64[us]").astype("datetime64[Y]")
    return {int(year) + 1970 for year in np.unique(moments).astype(np.int64)}


def _there(connection: Connection, table: Table) -> set[int]:
    query = (
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = to_regclass(%s)"
    )
    names = connection.exec_driver_sql(query, (f'"{table.name}"',)).scalars()
    return {int(name[-4:]) for name in names}
