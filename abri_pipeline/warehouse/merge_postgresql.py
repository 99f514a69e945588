"""Merging a frame into a PostgreSQL table: stage it, then insert only what is new or different.

A bare `DO UPDATE` writes a new version of every row it meets; the join leaves unchanged rows untouched, and
`ON CONFLICT` is there only for a row that somebody else inserted between the join and the insert.
Measured in `docs/decisions/0002-warehouse-upsert.md`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from abri_pipeline.contracts.model import Kind, Table
from abri_pipeline.warehouse.cells import Cells
from abri_pipeline.warehouse.copy_binary import stream
from abri_pipeline.warehouse.literals import literals
from abri_pipeline.warehouse.partitions import make_room
from abri_pipeline.warehouse.tables import PARTITIONED

if TYPE_CHECKING:
    import psycopg

SMALL = 200  # rows; below this, a temporary table costs more than it saves
LOOKUP = 50_000  # rows; below this, index lookups beat reading the whole table, which a planner without statistics does
_BY_LOOKUP = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
_BY_SCAN = {"work_mem": "256MB"}  # the default 4 MB spills a million-row join to disk
_ARRAYS = {
    Kind.DATE: "date[]",
    Kind.INSTANT: "timestamptz[]",
    Kind.TEXT: "text[]",
    Kind.DOCUMENT: "text[]",
    Kind.NUMBER: "float8[]",
    Kind.COUNT: "int8[]",
    Kind.FLAG: "bool[]",
}


def merge(connection: Connection, table: Table, columns: Mapping[str, Cells], update: bool) -> tuple[int, int]:
    """Write the cells; returns the numbers of rows inserted and changed."""
    make_room(connection, table, columns)
    if len(columns[table.key[0]]) < SMALL:
        arrays = tuple(literals(cells) for cells in columns.values())
        return _run(connection, _delta(table, _unnest(table), update), arrays)
    stage = f'"stage_{table.name}"'
    # Without the table's constraints: a row that breaks one is refused by the table itself, under its own name.
    connection.exec_driver_sql(f'CREATE TEMP TABLE {stage} ON COMMIT DROP AS TABLE "{table.name}" WITH NO DATA')
    # SQLAlchemy leaves the driver's type open; on PostgreSQL it is psycopg.
    raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # see above
    with raw.cursor() as cursor, cursor.copy(_copy(table, stage)) as copy:
        for piece in stream(list(columns.values())):
            copy.write(piece)
    with _planned(connection, _BY_LOOKUP if len(columns[table.key[0]]) < LOOKUP else _BY_SCAN):
        counts = _run(connection, _delta(table, stage, update))
    connection.exec_driver_sql(f"DROP TABLE {stage}")  # the same table may be written again in this transaction
    return counts


@contextmanager
def _planned(connection: Connection, settings: Mapping[str, str]) -> Iterator[None]:
    """Planner settings for one statement of the caller's transaction."""
    connection.exec_driver_sql("; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items()))
    yield  # after an error the transaction is lost and its settings with it
    connection.exec_driver_sql("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in settings))


def _run(connection: Connection, statement: str, parameters: tuple[list[Any], ...] = ()) -> tuple[int, int]:
    inserted, changed = connection.exec_driver_sql(statement, parameters or None).one()
    return int(inserted), int(changed)


def _copy(table: Table, stage: str) -> str:
    return f"COPY {stage} ({_names(table.columns)}) FROM STDIN (FORMAT BINARY)"


def _names(columns: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in columns)


def _unnest(table: Table) -> str:
    arrays = ", ".join(f"%s::{_ARRAYS[field.kind]}" for field in table)
    return f"(SELECT * FROM unnest({arrays}) AS u({_names(table.columns)}))"


def _delta(table: Table, source: str, update: bool) -> str:
    """Insert the rows of the source that are new or different, and count them apart.

    `xmax` is 0 in a row this statement inserted, and set in one it updated. Rows are written in the order of
    their key, so that two writers meeting on the same rows wait for each other in turn instead of locking up.
    """
    changing = bool(update and table.values)
    joined = " AND ".join(f'o."{name}" = s."{name}"' for name in table.key)
    differs = f"ROW({_names(table.values, 'o.')}) IS DISTINCT FROM ROW({_names(table.values, 's.')})"
    rest = tuple(name for name in table.columns if name not in table.key)
    conflict = (
        f"({_names(table.key)}) DO UPDATE SET "
        + ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
        + f" WHERE ROW({_names(table.values, 't.')}) IS DISTINCT FROM ROW({_names(table.values, 'excluded.')})"
    )
    found = (
        f'FROM {source} AS s LEFT JOIN "{table.name}" AS o ON {joined} '
        f'WHERE o."{table.key[0]}" IS NULL{" OR " + differs if changing else ""} '
        f"ORDER BY {_names(table.key, 's.')} "
    )
    insert = f'INSERT INTO "{table.name}" AS t ({_names(table.columns)}) SELECT '
    conflict = f"ON CONFLICT {conflict if changing else 'DO NOTHING'} RETURNING"
    if table.name in PARTITIONED:  # which has no `xmax` to return: what was known before the write is counted instead
        return (
            f"WITH picked AS MATERIALIZED (SELECT {_names(table.columns, 's.')}, "
            f'o."{table.key[0]}" IS NOT NULL AS known {found}), '
            f"written AS ({insert}{_names(table.columns)} FROM picked {conflict} 1), "
            "old AS (SELECT count(*) AS n FROM picked WHERE known) "
            "SELECT (SELECT count(*) FROM written) - old.n, old.n FROM old"
        )
    return (
        f"WITH written AS ({insert}{_names(table.columns, 's.')} {found}{conflict} xmax = 0 AS inserted) "
        "SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written"
    )
