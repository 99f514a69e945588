"""Ranges of sessions: how coverage and gaps are written down and read back."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

Range = tuple[date, date]


def ranges(days: Iterable[date], calendar: Sequence[date]) -> list[Range]:
    """Group days into the fewest ranges; two days are neighbours where the calendar has none between them.

    Days that the calendar does not hold are left out.
    """
    found: list[Range] = []
    last = -2
    for day in sorted(set(days)):
        at = bisect_left(calendar, day)
        if at == len(calendar) or calendar[at] != day:
            continue
        found[-1:] = [(found[-1][0], day)] if at == last + 1 else [*found[-1:], (day, day)]
        last = at
    return found


def days_in(spans: Iterable[Range], calendar: Sequence[date]) -> Iterator[date]:
    """Every calendar day inside one of the ranges."""
    for start, end in spans:
        yield from calendar[bisect_left(calendar, start) : bisect_right(calendar, end)]
