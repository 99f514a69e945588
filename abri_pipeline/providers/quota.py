"""Quotas: a call is reserved before it is made, in the vendor's own unit, for every process at once.

Belongs here: when the next call is free under a limit. Does not belong here: what the limits are
(`providers.yaml`, read by `declared`) and where usage is kept (the warehouse gives a store).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from abri_pipeline.providers.declared import Limit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Use is counted in grains, this many to a window. A window over whole grains counts a little too much, never too
# little: no instant ever sees more calls behind it than the limit allows.
GRAINS = 50


def window(limit: Limit) -> timedelta:
    """Length of a limit's window."""
    return timedelta(seconds=limit.seconds)


def grain(limit: Limit, moment: datetime) -> datetime:
    """Start of the grain that holds the moment."""
    size = window(limit) / GRAINS
    return EPOCH + (moment - EPOCH) // size * size


def since(limit: Limit, moment: datetime) -> datetime:
    """Start of the oldest grain that the window ending at the moment touches."""
    return grain(limit, moment - window(limit))


def named(limit: Limit) -> str:
    """The limit's window in words, which also names it in the books: `minute`, `6 seconds`."""
    return limit.period if limit.every == 1 else f"{limit.every} {limit.period}s"


def free_at(limit: Limit, moment: datetime, used: Sequence[tuple[datetime, int]], cost: int) -> datetime | None:
    """From when `cost` more calls fit, given the use of each grain; None where they fit now.

    Raises:
        ValueError: the cost alone is more than the limit.
    """
    if cost > limit.amount:
        raise ValueError(f"one request costs {cost}, more than the whole limit of {limit.amount} a {named(limit)}")
    touched = sorted((start, n) for start, n in used if start >= since(limit, moment))
    over = sum(n for _, n in touched) + cost - limit.amount
    free: datetime | None = None
    for start, n in touched:
        if over <= 0:
            break
        over -= n
        free = start + window(limit) * (1 + 1 / GRAINS)
    return free


class QuotaSpent(Exception):
    """A provider's allowance is used up; `frees_at` says until when."""

    def __init__(self, provider: str, limit: Limit, frees_at: datetime) -> None:
        self.provider = provider
        self.limit = limit
        self.frees_at = frees_at
        super().__init__(
            f"{provider}: the quota of {limit.amount} {limit.unit}s a {named(limit)} is spent; "
            f"it frees at {frees_at:%Y-%m-%d %H:%M:%S} UTC"
        )


class UsageStore(Protocol):
    """Where use is kept, shared by all processes."""

    def reserve(self, provider: str, limits: Sequence[Limit], cost: int, moment: datetime) -> None:
        """Charge `cost` to every limit at once, or raise `QuotaSpent` and charge nothing."""
