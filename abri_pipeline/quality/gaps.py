"""Gaps: which expected observations are not stored, and why, as ranges with a cause.

Pure arithmetic over days; the books of `ingest` write the result down.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from abri_pipeline.contracts.operations import EXPLAINED
from abri_pipeline.quality.ranges import Range, days_in, ranges


@dataclass(frozen=True, slots=True, order=True)
class Why:
    """Why a day is missing: `cause` is one of the contract's causes, `reason` says it in words.

    `given_up` where it was asked for often enough, of everybody who can be asked, to stop asking.
    """

    cause: str
    reason: str
    given_up: bool = False

    @property
    def state(self) -> str:
        """A day that the source itself passes over is verified empty; every other is missing, or unfillable."""
        if self.given_up:
            return "unfillable"
        return "verified_empty" if self.cause == "skipped" else "missing"

    @property
    def explained(self) -> bool:
        """Whether the gap needs no repair for its week to count as complete."""
        return self.cause in EXPLAINED


@dataclass(frozen=True, slots=True)
class Gap:
    """Neighbouring missing days with one reason."""

    start: date
    end: date
    sessions: int
    why: Why


def merge(
    known: Iterable[Gap],
    window: Range,
    found: Mapping[date, Why],
    calendar: Sequence[date],
    stored: Collection[date] = frozenset(),
) -> list[Gap]:
    """The gaps of a unit after a load of `window`: `found` rules inside it, `known` stays outside.

    A request may reach further than its window: days that are `stored` are no gap wherever they lie.

    Returns them by day, neighbours with the same reason as one gap.
    """
    start, end = window
    outside = {d: g.why for g in known for d in days_in([(g.start, g.end)], calendar) if not start <= d <= end}
    days = {d: why for d, why in outside.items() if d not in stored}
    days.update(found)
    by_why: dict[Why, list[date]] = {}
    for day, why in days.items():
        by_why.setdefault(why, []).append(day)
    gaps = [
        Gap(first, last, sum(1 for _ in days_in([(first, last)], calendar)), why)
        for why, members in by_why.items()
        for first, last in ranges(members, calendar)
    ]
    return sorted(gaps, key=lambda g: (g.start, g.why))
