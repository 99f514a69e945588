"""How each kind of field is typed in both databases. Migrations use these too: add to this page, never change it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Dialect, Double, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from abri_pipeline.contracts.model import Kind


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` on PostgreSQL, `2026-01-20T02:00:00.000000Z` as text on SQLite.

    The text has one fixed width, so that comparing it as text compares the moments.
    A datetime without an offset is refused with a `ValueError`: nobody could say which moment it means.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """`timestamptz` where the database has it."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset; an instant is stored in UTC only")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database, always in UTC."""
        if value is None:
            return None
        return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


# Collation "C" orders text by code point, as SQLite does: both databases answer in one order, and faster.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.DATE: Date(),
    Kind.INSTANT: Instant(),
    Kind.TEXT: TEXT,
    Kind.DOCUMENT: TEXT,
    Kind.NUMBER: Double(),
    Kind.COUNT: BigInteger(),
    Kind.FLAG: Boolean(),
}
