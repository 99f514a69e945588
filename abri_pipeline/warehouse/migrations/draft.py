"""Draws the SQL of the first revision from the contracts. For developers, and only until that revision is released.

Run it with `python -m abri_pipeline.warehouse.migrations.draft` after a contract changed.
"""

import re

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from abri_pipeline.warehouse import guards, views
from abri_pipeline.warehouse.migrations import HERE
from abri_pipeline.warehouse.tables import metadata

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy left its constructor untyped
}
_HEAD = "-- The first schema on {}: drawn from the contracts by migrations/draft.py, frozen once released.\n"


def script(name: str) -> str:
    """The whole schema for one database, statements apart by a blank line."""
    statements = [*_tables(DIALECTS[name]), *views.statements(name), *guards.statements(name)]
    return _HEAD.format(name) + "\n\n".join(statements) + "\n"


def _tables(dialect: sa.Dialect) -> list[str]:
    """Tables in the order of the catalogue, each with its indexes."""
    found = []
    for table in metadata.tables.values():
        found.append(_text(CreateTable(table), dialect))
        found += [_text(CreateIndex(index), dialect) for index in sorted(table.indexes, key=lambda i: str(i.name))]
    return found


def _text(element: sa.schema.ExecutableDDLElement, dialect: sa.Dialect) -> str:
    lines = (line.rstrip() for line in str(element.compile(dialect=dialect)).splitlines())
    return re.sub(r"^\t", "    ", "\n".join(line for line in lines if line), flags=re.MULTILINE)


def main() -> None:
    """Write both files."""
    for name in DIALECTS:
        (HERE / "initial" / f"{name}.sql").write_text(script(name), encoding="utf-8")


if __name__ == "__main__":
    main()
