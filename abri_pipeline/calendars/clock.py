"""The only reader of the wall clock. `ABRI_NOW` freezes it."""

import os
from datetime import UTC, datetime


class ClockError(ValueError):
    """`ABRI_NOW` is not an instant in UTC."""


def frozen() -> datetime | None:
    """The instant of `ABRI_NOW`, or None where the clock runs.

    Raises:
        ClockError: the setting is not ISO 8601 with an offset, such as `2026-01-20T02:00:00Z`.
    """
    text = os.environ.get("ABRI_NOW", "").strip()
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ClockError(f"ABRI_NOW={text!r} is not an instant; write it as 2026-01-20T02:00:00Z") from error
    if instant.tzinfo is None:
        raise ClockError(f"ABRI_NOW={text!r} has no offset; write it in UTC as 2026-01-20T02:00:00Z")
    return instant.astimezone(UTC)


def now() -> datetime:
    """This instant in UTC: the frozen one where `ABRI_NOW` is set."""
    return frozen() or datetime.now(UTC)


def wall() -> datetime:
    """The real instant in UTC, whatever `ABRI_NOW` says: for quotas and leases, which bind the real world."""
    return datetime.now(UTC)
