"""The pandera schema of a contract: the same bounds as the database's CHECK constraints."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from abri_pipeline.contracts.model import Field, Kind, Table

if TYPE_CHECKING:
    import pandera.pandas as pa

DTYPES: dict[Kind, Any] = {
    Kind.DATE: "datetime64[ns]",
    Kind.INSTANT: "datetime64[ns, UTC]",
    Kind.TEXT: "object",
    Kind.NUMBER: "float64",
    Kind.COUNT: "Int64",
    Kind.FLAG: "boolean",
    Kind.DOCUMENT: "object",
}


def conform(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with exactly the contract's columns and types; what it lacks is null.

    Raises:
        KeyError: the frame holds a column that the contract does not declare.
    """
    if unknown := set(frame.columns) - set(table.columns):
        raise KeyError(f"{table.name} does not declare {sorted(unknown)}")
    return pd.DataFrame({f.name: _column(f, frame) for f in table}, index=frame.index)


def _column(field: Field, frame: pd.DataFrame) -> pd.Series:
    if field.name not in frame:
        empty: pd.Series = pd.Series(None, index=frame.index, dtype=DTYPES[field.kind])
        return empty
    values = frame[field.name]
    if field.kind is Kind.DATE:
        values = pd.to_datetime(values)
    elif field.kind is Kind.INSTANT:
        values = pd.to_datetime(values, utc=True)
    elif field.kind is Kind.COUNT:
        values = pd.to_numeric(values).round()
    elif field.kind is Kind.NUMBER:
        values = pd.to_numeric(values)
    elif field.kind in (Kind.TEXT, Kind.DOCUMENT):
        values = values.astype("object").where(values.notna(), None)
    typed: pd.Series = values.astype(DTYPES[field.kind])
    return typed


@lru_cache(maxsize=64)
def schema(table: Table) -> "pa.DataFrameSchema":
    """One pandera schema a contract; each check is named by the rule it stands for."""
    import pandera.pandas as pa

    def at_most(low: str, high: str) -> "pa.Check":
        return pa.Check(lambda f: ~(f[low] > f[high]).fillna(False), error=f"{low} <= {high}")

    return pa.DataFrameSchema(
        {f.name: pa.Column(nullable=not _required(table, f), checks=_checks(f)) for f in table},
        checks=[at_most(low, high) for low, high in table.orders],
        strict=True,
    )


def _required(table: Table, field: Field) -> bool:
    return field.required or field.name in table.key


def _checks(field: Field) -> "list[pa.Check]":
    import pandera.pandas as pa

    checks: list[pa.Check] = []
    if field.kind is Kind.NUMBER:
        checks.append(pa.Check(lambda s: ~np.isinf(s), error="finite"))
    if field.low is not None:
        checks.append(pa.Check.ge(field.low, error=f"{field.name} >= {field.low:g}"))
    if field.above is not None:
        checks.append(pa.Check.gt(field.above, error=f"{field.name} > {field.above:g}"))
    if field.high is not None:
        checks.append(pa.Check.le(field.high, error=f"{field.name} <= {field.high:g}"))
    if field.choices:
        checks.append(pa.Check.isin(list(field.choices), error=f"{field.name} is known"))
    return checks


def sound(table: Table, rows: pd.DataFrame) -> bool:
    """Whether no row breaks any bound of the contract: the quick answer for the many loads that have no fault.

    What is not sound goes to pandera, which names row and rule; a test holds the two to one verdict.
    """
    return all(_holds(table, field, rows[field.name]) for field in table) and not any(
        (rows[low] > rows[high]).fillna(False).any() for low, high in table.orders
    )


def _holds(table: Table, field: Field, values: pd.Series) -> bool:
    there = values.notna()
    if _required(table, field) and not there.all():
        return False
    if field.choices and not values[there].isin(field.choices).all():
        return False
    if field.kind not in (Kind.NUMBER, Kind.COUNT):
        return True
    known = values[there].to_numpy(dtype="float64")
    return not known.size or bool(
        np.isfinite(known).all()
        and (field.low is None or known.min() >= field.low)
        and (field.above is None or known.min() > field.above)
        and (field.high is None or known.max() <= field.high)
    )
