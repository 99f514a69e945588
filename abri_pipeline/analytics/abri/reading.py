"""What an indicator reads at one date: its value with its age and origin, or why there is none."""

import math
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One indicator as known at one instant.

    `value` is None where it is missing; `reason` then says why in plain words. `observed_on` is the newest
    observation of a series or a window; where figures of several firms make one value it is the oldest of
    their quarters, because a value is as old as its oldest part. `available_at` is the newest instant of all
    rows used: only then was the whole knowable. `note` holds what a reader should know about a value.

    Raises:
        ValueError: a missing value without reason, a value with one, or a value that is not finite.
    """

    indicator: str
    value: float | None
    unit: str
    observed_on: date | None
    available_at: datetime | None
    source: str
    reason: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"the reading of {self.indicator} is missing and must say why")
        if self.value is not None and self.reason:
            raise ValueError(f"the reading of {self.indicator} has a value and a reason for having none")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"the reading of {self.indicator} is {self.value}; only finite values are scored")

    def document(self) -> dict[str, str | float | None]:
        """The reading as plain JSON values, dates and instants in ISO 8601."""
        return {
            "value": self.value,
            "unit": self.unit,
            "observed_on": self.observed_on.isoformat() if self.observed_on else None,
            "available_at": self.available_at.isoformat() if self.available_at else None,
            "source": self.source,
            "reason": self.reason,
            "note": self.note,
        }
