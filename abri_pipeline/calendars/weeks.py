"""The weeks of the index: Monday to Sunday, each named by the ISO date of its Monday.

Belongs here: which session a week stands for and when its print may be made. Does not belong here:
Dagster's partitions, which are built from these keys elsewhere.
"""

from datetime import date, datetime, time, timedelta

from abri_pipeline.calendars import new_york, sessions
from abri_pipeline.calendars.sessions import CalendarError

FIRST_WEEK = "2018-01-01"
PRINT_AT = time(18, 0)  # methodology, "When": two hours after the close, official print and flash alike


def week_key(day: date) -> str:
    """The key of the week that holds `day`."""
    return (day - timedelta(days=day.weekday())).isoformat()


def monday(key: str) -> date:
    """The Monday that a key names.

    Raises:
        CalendarError: the key is not written as YYYY-MM-DD, or that date is no Monday.
    """
    try:
        day = date.fromisoformat(key)
    except ValueError as error:
        raise CalendarError(f"week {key!r} is no date; write it as 2026-01-12") from error
    if day.isoformat() != key:  # 20260112 and 2026-W03 parse too, but would be a second name for the week
        raise CalendarError(f"week {key!r} is not written as {day.isoformat()}")
    if day.weekday() != 0:
        raise CalendarError(f"week {key!r} is no Monday; the week of that day is {week_key(day)}")
    return day


def weeks(start: date, end: date) -> list[str]:
    """The keys of every week that shares a day with `start` to `end`, oldest first; empty where `end` is earlier."""
    first = monday(week_key(start))
    count = (end - first).days // 7 + 1 if end >= start else 0
    return [(first + timedelta(weeks=index)).isoformat() for index in range(count)]


def week_span(key: str) -> tuple[date, date]:
    """The week's Monday and Sunday."""
    first = monday(key)
    return first, first + timedelta(days=6)


def as_of(key: str) -> date:
    """The week's last NYSE session: 2022-04-14 in Good Friday's week of 2022-04-11.

    Raises:
        CalendarError: the exchange did not trade in that week.
    """
    days = sessions.sessions(*week_span(key))
    if not days:
        raise CalendarError(f"week {key} holds no NYSE session")
    return days[-1]


def knowledge_at(key: str) -> datetime:
    """K of the official print, UTC: 18:00 New York on the following Monday, holiday or not."""
    return new_york.instant(monday(key) + timedelta(weeks=1), PRINT_AT)


def closed(key: str, now: datetime) -> bool:
    """Whether the week's official print may be made at `now`, an instant with an offset."""
    return knowledge_at(key) <= now


def last_closed(now: datetime) -> str:
    """The newest week whose official print may be made at `now`, an instant with an offset."""
    last = week_key(new_york.day_of(now) - timedelta(weeks=1))
    return last if closed(last, now) else week_key(monday(last) - timedelta(weeks=1))


def flash_knowledge_at(session: date) -> datetime:
    """K of a daily flash, UTC: 18:00 New York on the session's own day."""
    return new_york.instant(session, PRINT_AT)
