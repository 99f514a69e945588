"""The days a person asks for, checked before anything starts."""

from dataclasses import dataclass
from datetime import date, timedelta

from abri_pipeline.calendars import clock
from abri_pipeline.cli.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Asked:
    """Days asked for, both ends included, with what was done to them on the way."""

    start: date
    end: date
    notes: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The weeks that hold them: a launch is whole weeks."""
        from abri_pipeline.calendars import weeks

        return weeks.weeks(self.start, self.end)


def asked(start: str | None, end: str | None, days: int | None) -> Asked:
    """The window of `--start --end`, or of `--days` up to today, cut at today.

    Raises:
        UsageFault: no window, two windows, no date, or days on which nothing can have happened.
    """
    today = clock.now().date()
    if days is not None and start is not None:
        raise UsageFault("give --start or --days, not both")
    if days is not None and days < 1:
        raise UsageFault(f"--days {days} is no window; give 1 or more")
    if days is None and start is None:
        raise UsageFault("no window; give --start 2021-01-19 --end 2026-01-16, or --days 30")
    last = day("--end", end) if end is not None else today
    if days is not None and days > last.toordinal():
        raise UsageFault(f"--days {days} reaches back before any calendar; give fewer, such as --days 30")
    first = day("--start", start) if start is not None else last - timedelta(days=(days or 1) - 1)
    if end is not None and last < first:
        raise UsageFault(f"the window ends on {last}, before it starts on {first}; swap --start and --end")
    if first > today:
        raise UsageFault(f"the window starts on {first}, after today ({today}); start it today or earlier")
    notes = (f"--end {last} lies ahead: cut at today, {today}",) if last > today else ()
    return _traded(Asked(first, min(last, today), notes))


def day(option: str, text: str) -> date:
    """A date as typed.

    Raises:
        UsageFault: it is not written as YYYY-MM-DD, or no such day exists.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise UsageFault(f"{option} {text!r} is no date; write it as 2026-01-16")
    return found


def bounds(start: str | None, end: str | None) -> tuple[date | None, date | None]:
    """The days of a report's `--start` and `--end`, either of which may be left out.

    Raises:
        UsageFault: one is no date.
    """
    return day("--start", start) if start else None, day("--end", end) if end else None


def _traded(window: Asked) -> Asked:
    """The window, once the exchange is sure to have traded in it."""
    # The calendar loads pandas; a mistyped date must be told before that.
    from abri_pipeline.calendars.sessions import PLATFORM_START, closed_sessions, sessions

    if window.start < PLATFORM_START:
        raise UsageFault(f"the window starts on {window.start}, and history is kept from {PLATFORM_START}; start there")
    days = sessions(window.start, window.end)
    if not days:
        raise UsageFault(
            f"the exchange did not trade from {window.start} to {window.end} (weekend or holiday); "
            "give a window that holds a trading day"
        )
    if days[0] > closed_sessions(clock.now())[-1]:
        raise UsageFault(f"the session of {days[0]} has not closed yet; run again after the close, or start earlier")
    return window
