"""Rows that a contract allows, made from the contract alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from abri_pipeline.contracts.model import Field, Kind, Table

DAY = date(2024, 2, 29)
MOMENT = datetime(2024, 3, 10, 6, 59, 59, 123456, tzinfo=UTC)  # an hour before New York's clocks change


def value(field: Field, number: int) -> Any:
    """An allowed value; key fields differ by number, and all dates of one row are one day."""
    if field.kind is Kind.DATE:
        return DAY + timedelta(days=number)
    if field.kind is Kind.INSTANT:
        return MOMENT + timedelta(hours=number, microseconds=number)
    if field.kind is Kind.NUMBER:
        return within(field)
    if field.kind is Kind.COUNT:
        return int(field.low or 0) + 2**53 + 1  # a float would lose its last digit
    if field.kind is Kind.FLAG:
        return number % 2 == 0
    if field.choices:
        return field.choices[0]
    return f"{field.name} {number} — ”quoted' %s %(x)s; ünï\n"


def within(field: Field) -> float:
    low = field.above if field.above is not None else field.low
    if low is not None and field.high is not None:
        return low + (field.high - low) / 3
    return (low if low is not None else (field.high or 0.0) - 2.0) + 1.1


def rows(table: Table, count: int = 3, *, nulls: bool = False) -> pd.DataFrame:
    """Some rows with distinct keys; with `nulls`, everything that may be null is."""
    return pd.DataFrame(
        [
            {f.name: None if nulls and not required(table, f) else value(f, number) for f in table}
            for number in range(count)
        ],
        columns=list(table.columns),
    ).astype({f.name: object for f in table})


def required(table: Table, field: Field) -> bool:
    return field.required or field.name in table.key


def other(field: Field) -> Any:
    """A second allowed value, different from every `value`."""
    if field.kind is Kind.DATE:
        return DAY + timedelta(days=5000)
    if field.kind is Kind.INSTANT:
        return MOMENT + timedelta(days=5000)
    if field.kind is Kind.NUMBER:
        return within(field) * 1.0000000001
    if field.kind is Kind.COUNT:
        return int(field.low or 0) + 7
    if field.kind is Kind.FLAG:
        return None if not field.required else True
    return field.choices[-1] if field.choices else "another"
