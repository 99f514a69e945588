"""The tables of the warehouse, derived from the contracts: types, keys and the CHECKs that mirror every bound.

Belongs here: the translation. Does not belong here: any table's own columns (they are declared in `contracts`).
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.contracts.model import Dataset, Field, Kind, Table
from abri_pipeline.warehouse.types import TYPES

LONGEST_NAME = 63  # PostgreSQL cuts longer identifiers silently
FINITE = 1e308  # PostgreSQL sorts NaN above every number, so one range refuses NaN and both infinities
# Daily bars are revised in place after each dividend; room in the page keeps a new version beside the old one.
FILLFACTOR = {"price_history_daily": 90}
# Split by range of this column on PostgreSQL; `partitions` makes the pieces. SQLite has none.
PARTITIONED = {"price_history_intraday": "datetime"}


def field_rules(field: Field) -> Iterator[tuple[str, str]]:
    """Name and SQL condition of each bound of one field; a null passes them all."""
    column = f'"{field.name}"'
    if field.kind is Kind.NUMBER:
        yield "finite", f"{column} BETWEEN {-FINITE:.0e} AND {FINITE:.0e}"
    if field.low is not None:
        yield "low", f"{column} >= {field.low!r}"
    if field.above is not None:
        yield "above", f"{column} > {field.above!r}"
    if field.high is not None:
        yield "high", f"{column} <= {field.high!r}"
    if field.choices:
        allowed = ", ".join("'" + choice.replace("'", "''") + "'" for choice in field.choices)
        yield "choice", f"{column} IN ({allowed})"


def table_rules(table: Table) -> Iterator[tuple[str, str]]:
    """Full name (`ck_<table>_<column>_<rule>`) and SQL condition of every CHECK of a table.

    Raises:
        ValueError: a name is longer than PostgreSQL keeps.
    """
    rules = [(f"{field.name}_{rule}", condition) for field in table for rule, condition in field_rules(field)]
    rules += [(f"{low}_to_{high}", f'"{low}" <= "{high}"') for low, high in table.orders]
    for rule, condition in rules:
        name = f"ck_{table.name}_{rule}"
        if len(name) > LONGEST_NAME:
            raise ValueError(f"the name {name!r} is longer than {LONGEST_NAME} characters")
        yield name, condition


def _observed_index(table: Table) -> Iterator[sa.Index]:
    """An index on the observed date, unless the key starts with it already."""
    if isinstance(table, Dataset) and table.key[0] != table.observed:
        yield sa.Index(f"ix_{table.name}_{table.observed}", table.observed)


def derive(table: Table, metadata: sa.MetaData) -> sa.Table:
    """The SQL table of one contract."""
    columns = [
        sa.Column(field.name, TYPES[field.kind], nullable=not (field.required or field.name in table.key))
        for field in table
    ]
    key = sa.PrimaryKeyConstraint(*table.key, name=f"pk_{table.name}")
    checks = [sa.CheckConstraint(condition, name=name) for name, condition in table_rules(table)]
    options: dict[str, Any] = {}
    if table.name in FILLFACTOR:
        options["postgresql_with"] = {"fillfactor": FILLFACTOR[table.name]}
    if table.name in PARTITIONED:
        options["postgresql_partition_by"] = f'RANGE ("{PARTITIONED[table.name]}")'
    return sa.Table(table.name, metadata, *columns, key, *checks, *_observed_index(table), **options)


def _all() -> sa.MetaData:
    metadata = sa.MetaData()
    for table in TABLES:
        derive(table, metadata)
    return metadata


metadata = _all()


def sql_table(table: Table) -> sa.Table:
    """The SQL table of a contract of the catalogue."""
    return metadata.tables[table.name]
