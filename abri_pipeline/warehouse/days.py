"""Which days are stored of each symbol, read as fast as the database can say it.

Belongs here: the one aggregate that hands over a symbol's days as one packed value, so that three hundred thousand
rows cross the driver as a few hundred. Does not belong here: what those days mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Table
from abri_pipeline.warehouse.tables import sql_table

_NOTHING: sa.ColumnElement[bytes] = sa.literal_column("''::bytea")
_POSTGRES_EPOCH = (date(2000, 1, 1) - date(1970, 1, 1)).days
_THOUSANDS, _TENS = np.array([1000, 100, 10, 1]), np.array([10, 1])


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The stored (symbol, day) pairs of a table: `symbols[code[i]]` has a row on `day[i]` (datetime64[D])."""

    symbols: tuple[str, ...]
    code: npt.NDArray[np.int64]
    day: npt.NDArray[np.datetime64]


def stored_days(
    connection: Connection, table: Table, start: date, end: date, symbols: Sequence[str] = (), by: str = "date"
) -> StoredDays:
    """Every stored day of every symbol from `start` to `end`, both included.

    Args:
        connection: any connection of the warehouse.
        table: a table keyed by `symbol` and a date.
        start, end: the window.
        symbols: only these, where any are named.
        by: the column that holds the day.

    Measured with 314,000 bars: 0.09 s on either database, against 0.3 s row by row.
    """
    source = sql_table(table)
    postgres = connection.dialect.name == "postgresql"
    # SQLite's plus sign keeps its planner on the key, which groups by symbol as it stands; by the index of the
    # date it would read the rows in another order and sort them all.
    day = source.c[by] if postgres else sa.literal_column(f'+"{by}"', type_=source.c[by].type)
    packed = sa.func.string_agg(sa.func.date_send(day), _NOTHING) if postgres else sa.func.group_concat(day, "")
    query = sa.select(source.c.symbol, packed).where(day.between(start, end)).group_by(source.c.symbol)
    if symbols:
        query = query.where(source.c.symbol.in_(list(symbols)))
    rows = connection.execute(query).all()
    unpacked = [_from_postgres(row[1]) if postgres else _from_text(row[1]) for row in rows]
    code = np.repeat(np.arange(len(rows)), [len(days) for days in unpacked])
    days = np.concatenate(unpacked) if unpacked else np.empty(0, dtype="datetime64[D]")
    return StoredDays(tuple(str(row[0]) for row in rows), code, days)


def _from_postgres(packed: bytes) -> npt.NDArray[np.datetime64]:
    """PostgreSQL's own wire format of a date: days since 2000, four bytes, the highest first."""
    return (np.frombuffer(packed, dtype=">i4").astype(np.int64) + _POSTGRES_EPOCH).astype("datetime64[D]")


def _from_text(packed: str) -> npt.NDArray[np.datetime64]:
    """ISO dates one after the other, with nothing between them."""
    letters = np.frombuffer(packed.encode("ascii"), dtype=np.uint8).reshape(-1, len("2026-01-16"))
    digits = letters.astype(np.int64) - ord("0")
    year, month, day = digits[:, :4] @ _THOUSANDS, digits[:, 5:7] @ _TENS, digits[:, 8:] @ _TENS
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    found: npt.NDArray[np.datetime64] = months.astype("datetime64[D]") + (day - 1)
    return found
