"""What must be stored, as a plain dictionary: each day that was served and accepted, and each day that is missing.

It knows nothing of plans, coverage or transactions; it reads off the wire which days were served, and takes them over
when the load said that they were stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from abri_pipeline.calendars.sessions import final_at
from abri_pipeline.ingest.desk import Window
from abri_pipeline_tests.reliability.truth import Cells
from abri_pipeline_tests.reliability.wire import Call

NEXT_TRY = timedelta(hours=24)  # a day that was asked for in vain is not asked for again before


@dataclass
class Instrument:
    """One instrument: `kept` is the ticker of its history at the vendor, `ticker` the one it goes by.

    `unread` are days whose bar the vendor has corrected since it was read; `reopened` are to be read again because
    their payload was lost.
    """

    kept: str
    ticker: str
    stored: dict[date, Cells] = field(default_factory=dict)
    early: set[date] = field(default_factory=set)
    missing: set[date] = field(default_factory=set)
    waiting: dict[date, datetime] = field(default_factory=dict)
    unread: set[date] = field(default_factory=set)
    reopened: set[date] = field(default_factory=set)

    def wanted(self, expected: Iterable[date], again: Iterable[date], now: datetime) -> set[date]:
        """The days of a load that somebody must be asked for."""
        days, asleep = set(expected), {d for d, until in self.waiting.items() if until > now} - self.reopened
        due = {d for d in self.early if final_at(d) <= now}
        return (days - (self.stored.keys() - self.reopened) - asleep) | (days & due) | (days & set(again))

    def landed(self, calls: Sequence[Call], vendor: dict[date, Cells], now: datetime) -> None:
        """The days that were served are stored; all others stand on the same basis as they do."""
        served = {d for call in calls for d in vendor if call.start <= d <= call.end}
        self.unread -= served
        self.reopened -= {d for call in calls for d in self.reopened if call.start <= d <= call.end}
        for day in served | self.stored.keys():
            if day in vendor and day not in self.unread:
                self.stored[day] = vendor[day]
        for day in served:
            (self.early.add if final_at(day) > now else self.early.discard)(day)

    def booked(self, window: Window, expected: Sequence[date], wanted: set[date], now: datetime, failed: bool) -> None:
        """What is missing after a load of a window."""
        lacking = set(expected) - self.stored.keys()
        inside = {d for d in self.missing if window.start <= d <= window.end}
        self.missing = ((self.missing - inside) | lacking) - self.stored.keys()
        if not failed:
            self.waiting |= dict.fromkeys(lacking & wanted, now + NEXT_TRY)
        self.waiting = {d: until for d, until in self.waiting.items() if d not in self.stored and until > now}
