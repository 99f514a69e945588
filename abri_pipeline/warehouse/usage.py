"""Quota usage in the database: one short transaction reserves a call for all processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts.operations import QUOTA
from abri_pipeline.providers.declared import Limit
from abri_pipeline.providers.quota import QuotaSpent, free_at, grain, named, since, window
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lock
from abri_pipeline.warehouse.tables import metadata

# Windows that are kept behind the newest one: a process whose clock lags may still need them.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is used in the window that ends now, what is left, and from when one more call fits.

    `frees_at` is None where one fits now. A polite limit is kept by the transport and not counted: none of it is used.
    """

    limit: Limit
    used: int
    left: int
    frees_at: datetime | None


class Usage:
    """A `UsageStore` over `quota_usage`. Any number of threads and processes may share one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = metadata.tables[QUOTA.name]

    def reserve(self, provider: str, limits: Sequence[Limit], cost: int, moment: datetime) -> None:
        """Charge every limit at once; a kill leaves the charge, never a call without one.

        Raises:
            QuotaSpent: a limit is used up; nothing was charged.
        """
        with begin(self._engine) as connection:
            unit_lock(connection, f"quota:{provider}")
            for limit in limits:
                free = free_at(limit, moment, self._used(connection, provider, limit, moment), cost)
                if free is not None:
                    raise QuotaSpent(provider, limit, free)
            for limit in limits:
                self._charge(connection, provider, limit, cost, moment)

    def standing(self, provider: str, limits: Sequence[Limit], moment: datetime) -> list[Standing]:
        """Each limit as it stands; nothing is charged."""
        found = []
        with self._engine.connect() as connection:
            for limit in limits:
                spent = self._used(connection, provider, limit, moment)
                used = sum(count for start, count in spent if start >= since(limit, moment))
                frees = free_at(limit, moment, spent, 1)
                found.append(Standing(limit, used, max(0, limit.amount - used), frees))
        return found

    def _used(
        self, connection: Connection, provider: str, limit: Limit, moment: datetime
    ) -> list[tuple[datetime, int]]:
        book = self._table.c
        query = sa.select(book.window_start, book.used).where(
            book.provider == provider, book.unit == named(limit), book.window_start >= since(limit, moment)
        )
        return [(row.window_start.astimezone(UTC), row.used) for row in connection.execute(query)]

    def _charge(self, connection: Connection, provider: str, limit: Limit, cost: int, moment: datetime) -> None:
        book = self._table
        own = (book.c.provider == provider, book.c.unit == named(limit))
        start = grain(limit, moment)
        raised = book.update().where(*own, book.c.window_start == start).values(used=book.c.used + cost)
        if not connection.execute(raised).rowcount:
            old = since(limit, moment - KEPT * window(limit))
            connection.execute(sa.delete(book).where(*own, book.c.window_start < old))
            row = {
                "provider": provider,
                "unit": named(limit),
                "window_start": start,
                "used": cost,
                "limit": limit.amount,
            }
            connection.execute(book.insert().values(row))
