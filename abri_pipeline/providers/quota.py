"""Quotas: a call is reserved before it is made, in the vendor's own unit, for every process at once.

Belongs here: what a limit is and when the next call is free. Does not belong here: where usage is kept (the
warehouse gives a store) and what the limits are (`providers.yaml`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# Length of each vendor unit, and the grain in which its use is counted. A window that slides over whole grains
# counts a little too much, never too little: no instant ever sees more calls than the limit behind it.
UNITS = {
    "second": (timedelta(seconds=1), timedelta(milliseconds=50)),
    "minute": (timedelta(minutes=1), timedelta(seconds=1)),
    "hour": (timedelta(hours=1), timedelta(minutes=1)),
    "day": (timedelta(days=1), timedelta(minutes=15)),
    "month": (timedelta(days=31), timedelta(hours=12)),
}
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls (or weight) in any window of one unit."""

    calls: int
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"no such unit of a limit: {self.unit!r}; known are {', '.join(UNITS)}")
        if self.calls < 1:
            raise ValueError(f"a limit of {self.calls} calls a {self.unit} allows none; disable the provider instead")

    def grain(self, moment: datetime) -> datetime:
        """Start of the grain that holds the moment."""
        size = UNITS[self.unit][1]
        return EPOCH + (moment - EPOCH) // size * size

    def since(self, moment: datetime) -> datetime:
        """Start of the oldest grain that the window ending at the moment touches."""
        return self.grain(moment - UNITS[self.unit][0])

    def free_at(self, moment: datetime, used: Sequence[tuple[datetime, int]], cost: int) -> datetime | None:
        """From when `cost` more calls fit, given the use of each grain; None where they fit now.

        Raises:
            ValueError: the cost alone is more than the limit.
        """
        if cost > self.calls:
            raise ValueError(f"one call costs {cost}, more than the whole limit of {self.calls} a {self.unit}")
        length, size = UNITS[self.unit]
        touched = sorted((start, n) for start, n in used if start >= self.since(moment))
        over = sum(n for _, n in touched) + cost - self.calls
        free: datetime | None = None
        for start, n in touched:
            if over <= 0:
                break
            over -= n
            free = start + size + length
        return free


class QuotaSpent(Exception):
    """A provider's allowance is used up; `frees_at` says until when."""

    def __init__(self, provider: str, limit: Limit, frees_at: datetime) -> None:
        self.provider = provider
        self.limit = limit
        self.frees_at = frees_at
        super().__init__(
            f"{provider}: the quota of {limit.calls} calls a {limit.unit} is spent; "
            f"it frees at {frees_at:%Y-%m-%d %H:%M:%S} UTC"
        )


class UsageStore(Protocol):
    """Where use is kept, shared by all processes."""

    def reserve(self, provider: str, limits: Sequence[Limit], cost: int, moment: datetime) -> None:
        """Charge `cost` to every limit at once, or raise `QuotaSpent` and charge nothing."""
