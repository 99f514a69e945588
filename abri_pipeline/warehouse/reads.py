"""Reading rows back as frames, and the one as-of reader.

Belongs here: turning a contract's rows into typed columns. Does not belong here: any computation on them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Dataset, Field, Kind, Table
from abri_pipeline.warehouse.tables import sql_table

Condition = tuple[str, str, Any]
"""(column, operator, value): one of `= != < <= > >= in`, or `is` / `is not` with None."""

_FETCH = 2_000
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def frame(
    connection: Connection,
    table: Table,
    *,
    columns: Sequence[str] | None = None,
    where: Sequence[Condition] = (),
    order: bool = True,
) -> pd.DataFrame:
    """Rows of a table.

    Args:
        connection: any connection of the warehouse.
        table: the contract.
        columns: names wanted, in that order; all by default.
        where: conditions that must all hold; their values are bound, never written into the SQL.
        order: sort by the key.

    Returns:
        One column a field: DATE as datetime64[s] at midnight, INSTANT as datetime64[us, UTC], NUMBER as float64
        with NaN for null, COUNT as int64 (Int64 where something is null), FLAG as bool (boolean where something
        is null), TEXT and DOCUMENT as object with None for null.

    Raises:
        KeyError: the contract has no such column.
        ValueError: an operator that is none of those above.
    """
    names = list(columns) if columns is not None else list(table.columns)
    fields = [table[name] for name in names]
    source = sql_table(table)
    query = sa.select(*(_wire(connection, source, field) for field in fields)).where(
        *(_condition(source.c[table[name].name], operator, value) for name, operator, value in where)
    )
    if order:
        query = query.order_by(*(source.c[name] for name in table.key))
    cells = _columns(connection.execute(query), len(fields))
    return pd.DataFrame({f.name: _restore(f, values) for f, values in zip(fields, cells, strict=True)}, columns=names)


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame, one by one, their columns as attributes (of the types that `frame` restores)."""
    return iter(frame.itertuples(index=False))


def asof(
    connection: Connection,
    table: Table,
    as_of: date,
    knowledge_at: datetime,
    *,
    columns: Sequence[str] | None = None,
    where: Sequence[Condition] = (),
) -> pd.DataFrame:
    """Rows as known at one instant: observed by `as_of`, available by `knowledge_at`, not withdrawn since.

    A table without `available_at` is bounded by its observed date alone. Every vintage known by then is returned;
    which of two vintages of one observation counts is the reader's question, not the warehouse's.

    Raises:
        ValueError: `knowledge_at` has no offset.
    """
    if knowledge_at.tzinfo is None:
        raise ValueError("knowledge_at has no offset; give it in UTC")
    known: list[Condition] = []
    if isinstance(table, Dataset):
        known.append((table.observed, "<=", as_of))
    if "available_at" in table.columns:
        known.append(("available_at", "<=", knowledge_at))
    if "withdrawn_at" in table.columns:
        known.append(("withdrawn_at", "is", None))
    return frame(connection, table, columns=columns, where=[*known, *where])


def _columns(result: sa.CursorResult[Any], width: int) -> list[list[Any]]:
    """Fetch by columns, some rows at a time: turning all rows at once walks far through memory."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    while result.cursor is not None and (rows := result.cursor.fetchmany(_FETCH)):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    result.close()
    return columns


def _condition(column: sa.ColumnElement[Any], operator: str, value: Any) -> sa.ColumnElement[bool]:
    if operator == "in":
        return column.in_(list(value))
    if operator in {"is", "is not"} and value is None:
        return column.is_(None) if operator == "is" else column.is_not(None)
    if operator not in _COMPARE or value is None:
        raise ValueError(f"no condition {operator!r} with {value!r}; known: {' '.join(_COMPARE)} in, is (not) None")
    compared: sa.ColumnElement[bool] = _COMPARE[operator](column, value)
    return compared


def _wire(connection: Connection, source: sa.Table, field: Field) -> sa.ColumnElement[Any]:
    """The column as the driver hands it over fastest.

    PostgreSQL sends days and instants as integers, which psycopg reads many times faster than dates. SQLite's
    text passes untouched: a hundred thousand rows hold a few thousand different days, parsed once each below.
    """
    column = source.c[field.name]
    if connection.dialect.name == "postgresql" and field.kind is Kind.DATE:
        return sa.type_coerce(column - sa.literal_column("date '1970-01-01'"), sa.Integer).label(field.name)
    if connection.dialect.name == "postgresql" and field.kind is Kind.INSTANT:
        return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger).label(field.name)
    return sa.type_coerce(column, sa.types.NullType()).label(field.name)


def _restore(field: Field, values: list[Any]) -> pd.Series:
    if field.kind is Kind.DATE:
        return _moments(values, "D", "datetime64[s]")
    if field.kind is Kind.INSTANT:
        return pd.Series(pd.DatetimeIndex(_moments(values, "us", "datetime64[us]")).tz_localize(UTC))
    if field.kind is Kind.NUMBER:
        return pd.Series(np.array(values, dtype=np.float64))
    if field.kind is Kind.COUNT:
        return pd.Series(values, dtype="Int64" if None in values else "int64")
    if field.kind is Kind.FLAG:
        return pd.Series(values, dtype="boolean" if None in values else "bool")
    return pd.Series(values, dtype=object)


def _moments(values: list[Any], unit: str, dtype: str) -> pd.Series:
    """Days or microseconds since 1970, or their ISO text."""
    codes, distinct = pd.factorize(np.array(values, dtype=object))
    if len(distinct) and isinstance(distinct[0], str):
        parsed = np.array([text.removesuffix("Z") for text in distinct], dtype=f"datetime64[{unit}]")
    else:
        parsed = distinct.astype(np.int64).astype(f"datetime64[{unit}]")
    return pd.Series(np.append(parsed, np.datetime64("NaT"))[codes].astype(dtype))
