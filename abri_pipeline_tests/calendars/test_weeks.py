"""ABRI weeks: keys, the session a week stands for, and the instant of its print."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.calendars import new_york, sessions, weeks

days = st.dates(date(2018, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize(
    ("key", "session"),
    [
        ("2022-04-11", date(2022, 4, 14)),  # Good Friday
        ("2021-12-27", date(2021, 12, 31)),
        ("2025-01-06", date(2025, 1, 10)),  # the day of mourning was the Thursday
        ("2026-01-12", date(2026, 1, 16)),
    ],
)
def test_a_week_stands_for_its_last_session(key, session):
    assert weeks.as_of(key) == session


def test_the_print_is_made_on_monday_at_18_holiday_or_not(host_zone):
    assert weeks.knowledge_at("2026-01-12") == datetime(2026, 1, 19, 23, tzinfo=UTC)  # Martin Luther King's day
    assert weeks.knowledge_at("2025-03-03") == datetime(2025, 3, 10, 22, tzinfo=UTC)  # summer time since the day before
    assert weeks.flash_knowledge_at(date(2025, 11, 3)) == datetime(2025, 11, 3, 23, tzinfo=UTC)


def test_a_week_closes_with_its_print():
    moment = weeks.knowledge_at("2026-01-12")
    assert weeks.closed("2026-01-12", moment)
    assert not weeks.closed("2026-01-12", moment - timedelta(microseconds=1))


def test_the_window_of_the_first_prints_holds_211_weeks():
    keys = weeks.weeks(date(2022, 1, 7), date(2026, 1, 16))
    assert len(keys) == 211
    assert (weeks.as_of(keys[0]), weeks.as_of(keys[-1])) == (date(2022, 1, 7), date(2026, 1, 16))


@pytest.mark.parametrize("key", ["2026-01-13", "20260112", "2026-W03", "soon", ""])
def test_a_key_that_is_no_monday_is_refused(key):
    with pytest.raises(sessions.CalendarError, match="week"):
        weeks.monday(key)


def test_an_end_before_the_start_holds_no_week():
    assert weeks.weeks(date(2024, 5, 10), date(2024, 5, 9)) == []
    assert weeks.weeks(date(2024, 5, 12), date(2024, 5, 13)) == ["2024-05-06", "2024-05-13"]


@given(days)
def test_a_day_lies_in_the_week_that_names_it(day):
    monday, sunday = weeks.week_span(weeks.week_key(day))
    assert monday <= day <= sunday
    assert (monday.weekday(), sunday.weekday()) == (0, 6)


@given(days, st.integers(0, 400))
def test_weeks_cover_every_day_once(start, length):
    end = start + timedelta(days=length)
    span = {weeks.week_key(start + timedelta(days=n)) for n in range(length + 1)}
    assert weeks.weeks(start, end) == sorted(span)


@given(days)
def test_a_print_is_made_after_its_session_at_18_new_york(day):
    key = weeks.week_key(day)
    moment = weeks.knowledge_at(key)
    local = moment.astimezone(new_york.ZONE)
    assert (local.weekday(), local.time()) == (0, time(18))
    assert sessions.closes_at(weeks.as_of(key)) < weeks.flash_knowledge_at(weeks.as_of(key)) < moment
