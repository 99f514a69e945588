"""One row of a book, written without a frame: an audit record costs a tenth of a merge of one row."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from abri_pipeline.contracts.model import Table
from abri_pipeline.warehouse.tables import sql_table


def record(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Write one row inside the caller's transaction; a row of the same key is replaced, unless it is append-only.

    Columns that the row leaves out are null.

    Raises:
        KeyError: the row names a column that the contract does not declare.
        sqlalchemy.exc.IntegrityError: a bound, choice or required field of the contract is broken, or an append-only
            row is there already.
    """
    if unknown := set(row) - set(table.columns):
        raise KeyError(f"{table.name} does not declare {sorted(unknown)}")
    whole = {name: _plain(row.get(name)) for name in table.columns}
    connection.execute(_statement(table, connection.dialect.name), whole)


def _plain(value: Any) -> Any:
    """A value as the drivers know it: no scalar of numpy, and null for what is no number."""
    known = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(known, float) and known != known else known


@lru_cache(maxsize=64)
def _statement(table: Table, dialect: str) -> Insert:
    build = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = build(sql_table(table))
    if table.append_only:
        return insert
    rest = {name: insert.excluded[name] for name in table.columns if name not in table.key}
    return insert.on_conflict_do_update(index_elements=list(table.key), set_=rest)
