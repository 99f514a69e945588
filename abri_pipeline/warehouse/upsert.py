"""The one way rows reach a table."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Table
from abri_pipeline.warehouse import merge_postgresql, merge_sqlite
from abri_pipeline.warehouse.cells import cells


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an upsert did, in rows; the three add up to the frame."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.inserted + other.inserted, self.changed + other.changed, self.unchanged + other.unchanged)


def upsert(connection: Connection, table: Table, frame: pd.DataFrame, *, update: bool = True) -> Outcome:
    """Write a frame into its table inside the caller's transaction.

    A row is *changed* only where one of `table.values` differs. An unchanged row is not touched at all: it keeps
    its first provenance and gets no new version. A changed one takes every column of the frame.

    Args:
        connection: inside `engine.begin(...)`.
        table: the contract.
        frame: columns of the contract by name; a column it lacks counts as null in every row.
        update: False leaves rows alone whose key is stored already. Append-only tables always do.

    Raises:
        FrameError: unknown column, wrong type, null or repeated key.
        sqlalchemy.exc.IntegrityError: a bound, choice, order or required field of the contract is broken.
    """
    columns = cells(table, frame)
    if frame.empty:
        return Outcome()
    merge = merge_postgresql.merge if connection.dialect.name == "postgresql" else merge_sqlite.merge
    inserted, changed = merge(connection, table, columns, update and not table.append_only)
    return Outcome(inserted, changed, len(frame) - inserted - changed)
