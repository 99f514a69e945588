"""What is known of a company's fiscal quarters, filing by filing.

Cash flows are filed cumulatively: three, six, nine and twelve months from the start of the fiscal year. A discrete
quarter is either filed as such or is the difference between two windows with the **same start** whose ends lie 80 to
100 days apart. `Ledger` takes filings in the order the world received them and holds, after each, the figures of each
quarter as known then.

Two rules keep vintages apart:

* A difference is taken when the filing of its **longer** window arrives, from both windows as known at that moment.
  A later filing that restates the shorter window alone (next year's 10-Q, which shows last year's nine months) leaves
  the difference alone until the longer one is filed again: META's 2023 nine months were restated on 2024-10-31 and
  its year on 2025-01-30; the new nine months under the old year would give a fourth quarter that never was.
* Revenue is filed by the quarter, so a quarter filed as such stands until it is filed as such anew: NVDA's 10-K of
  2018-02-28 put one quarter's revenue under the six months' dates, and the difference would be 293 instead of 2,230.
  Cash flows are filed cumulatively, so there the difference wins: NVDA once filed a second quarter of 201 as such and
  later moved 1 of it into the first, and only differences still add up to the year.

A window that starts anywhere but on the first day of the fiscal year is never a leg: trailing twelve months (AMZN)
are no fiscal year.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from abri_pipeline.analytics.filings_companies import BALANCES, FLOWS, Company, Total

FILED_BY_THE_QUARTER = frozenset({"revenue"})
SHORTEST_QUARTER, LONGEST_QUARTER = 80, 100  # days; 12 to 14 weeks with a few days of slack


Figures = dict[str, float | None]


class Fact(NamedTuple):
    """One fact of one filing. `start` is None for an instant; `value` is in USD."""

    tag: str
    start: date | None
    end: date
    value: float


@dataclass(frozen=True)
class Reading:
    """A quarter of one flow: its value in USD, its days, and whether it was filed as such."""

    value: float
    days: int
    as_such: bool


class Ledger:
    """The facts of one company as known so far.

    Args:
        company: whose fiscal calendar and tags apply.
    """

    def __init__(self, company: Company) -> None:
        self._company = company
        self._line_of = {tag: line for line in FLOWS for tag in company.flows[line]}
        self._windows: dict[tuple[str, date, date], float] = {}
        self._instants: dict[tuple[str, date], float] = {}
        self._ends: dict[tuple[str, date], set[date]] = defaultdict(set)
        self._readings: dict[str, dict[date, Reading]] = {line: {} for line in FLOWS}

    def learn(self, facts: Iterable[Fact]) -> set[date]:
        """Take one filing's facts in.

        Returns:
            The quarter ends on which the filing says something; their `figures` may have changed.
        """
        flows: dict[str, set[tuple[date, date]]] = defaultdict(set)
        touched: set[date] = set()
        for fact in facts:
            if fact.start is None:
                self._instants[fact.tag, fact.end] = fact.value
                touched.add(fact.end)
            elif (line := self._line_of.get(fact.tag)) and self._company.calendar.quarter_ending(fact.end):
                self._windows[fact.tag, fact.start, fact.end] = fact.value
                flows[line].add((fact.start, fact.end))
        for line, windows in flows.items():
            touched |= self._read(line, windows)
        return touched

    def figures(self, end: date) -> Figures | None:
        """Figures of the quarter that ends on `end`, in USD, and its `days` where revenue is known.

        Returns:
            None where no flow of that quarter is known: a balance sheet alone makes no quarter.
        """
        readings = {line: self._readings[line].get(end) for line in FLOWS}
        if not any(readings.values()):
            return None
        known: Figures = {line: None if reading is None else reading.value for line, reading in readings.items()}
        revenue = readings["revenue"]
        known["days"] = None if revenue is None else revenue.days
        for name in BALANCES:
            known[name] = self._balance(self._company.balances[name], end)
        return known

    def _read(self, line: str, windows: set[tuple[date, date]]) -> set[date]:
        """Take one filing's windows of one line; the quarter ends whose reading may have changed."""
        cumulative = {window for window in windows if self._from_year_start(*window)}
        for start, end in cumulative:
            self._ends[line, start].add(end)
        for start, end in cumulative:
            self._subtract(line, start, end)
            for later in self._ends[line, start]:  # a leg that was missing until now completes its successor
                known = self._readings[line].get(later)
                if _a_quarter(later - end) and (known is None or known.as_such):
                    self._subtract(line, start, later)
        for start, end in sorted(windows):
            days = (end - start).days + 1
            before = self._readings[line].get(end)
            if not SHORTEST_QUARTER <= days <= LONGEST_QUARTER:
                continue
            if before is None or before.as_such or line in FILED_BY_THE_QUARTER:
                self._readings[line][end] = Reading(self._window(line, start, end), days, as_such=True)
        return {end for _, end in windows} | {
            later for start, end in cumulative for later in self._ends[line, start] if _a_quarter(later - end)
        }

    def _subtract(self, line: str, start: date, end: date) -> None:
        """Read the quarter that ends on `end` as the window that ends there less the one a quarter before."""
        shorter = max((known for known in self._ends[line, start] if _a_quarter(end - known)), default=None)
        before = self._readings[line].get(end)
        if shorter is None or (before is not None and before.as_such and line in FILED_BY_THE_QUARTER):
            return
        value = self._window(line, start, end) - self._window(line, start, shorter)
        self._readings[line][end] = Reading(value, (end - shorter).days, as_such=False)

    def _window(self, line: str, start: date, end: date) -> float:
        """Latest filed value of a known window, under the line's most preferred tag."""
        known = (self._windows.get((tag, start, end)) for tag in self._company.flows[line])
        return next(value for value in known if value is not None)

    def _from_year_start(self, start: date, end: date) -> bool:
        quarter = self._company.calendar.quarter_ending(end)
        return quarter is not None and start == self._company.calendar.year_start(quarter[0])

    def _balance(self, ways: tuple[Total, ...], end: date) -> float | None:
        for way in ways:
            parts = [self._instants.get((tag, end)) for tag in way.parts]
            needed = [part for part in parts if part is not None]
            if len(needed) == len(parts):
                return sum(needed) + sum(self._first_known(group, end) for group in way.besides)
        return None

    def _first_known(self, tags: tuple[str, ...], end: date) -> float:
        """First known of `tags`; nothing to add where none is, because the sum's required parts are all there."""
        return next((self._instants[tag, end] for tag in tags if (tag, end) in self._instants), 0.0)


def _a_quarter(gap: timedelta) -> bool:
    return SHORTEST_QUARTER <= gap.days <= LONGEST_QUARTER
