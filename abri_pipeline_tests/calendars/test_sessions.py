"""Sessions against the exchange's own notices, the recorded market, and the host's time zone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.calendars import sessions as nyse

WINDOW = (date(2021, 1, 19), date(2026, 1, 16))
# NYSE, "Holidays and Trading Hours" and the trader notice on the national day of mourning.
CLOSED_2025 = ["01-01", "01-09", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01", "11-27", "12-25"]
HALF_DAYS = {
    2021: ["11-26"],
    2022: ["11-25"],
    2023: ["07-03", "11-24"],
    2024: ["07-03", "11-29", "12-24"],
    2025: ["07-03", "11-28", "12-24"],
}

days = st.dates(date(2017, 1, 1), date(2027, 12, 31))
seconds = st.integers(0, 10 * 366 * 86_400)
instants = seconds.map(lambda elapsed: datetime(2017, 6, 1, tzinfo=UTC) + timedelta(seconds=elapsed))


def test_the_canonical_window_holds_1256_sessions():
    found = nyse.sessions(*WINDOW)
    assert len(found) == 1256
    assert (found[0], found[-1]) == WINDOW


def test_the_weekdays_without_trading_in_2025_are_the_announced_ones():
    weekdays = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = [day for day in weekdays if day.weekday() < 5 and not nyse.is_session(day)]
    assert [day.isoformat()[5:] for day in closed] == CLOSED_2025


def test_half_days_of_the_window_close_at_13_new_york():
    found = [day for day in nyse.sessions(*WINDOW) if nyse.is_half_day(day)]
    assert [day.isoformat() for day in found] == [f"{year}-{day}" for year in HALF_DAYS for day in HALF_DAYS[year]]
    assert {(nyse.closes_at(day) - nyse.opens_at(day)) for day in found} == {timedelta(hours=3.5)}


def test_hours_follow_new_york_over_the_clock_change(host_zone):
    assert nyse.closes_at(date(2025, 3, 7)) == datetime(2025, 3, 7, 21, 0, tzinfo=UTC)
    assert nyse.closes_at(date(2025, 3, 10)) == datetime(2025, 3, 10, 20, 0, tzinfo=UTC)
    assert nyse.opens_at(date(2025, 11, 3)) == datetime(2025, 11, 3, 14, 30, tzinfo=UTC)
    assert nyse.final_at(date(2025, 3, 7)) == datetime(2025, 3, 8, 11, 0, tzinfo=UTC)
    assert nyse.final_at(date(2025, 3, 10)) == datetime(2025, 3, 11, 10, 0, tzinfo=UTC)
    assert len(nyse.sessions(*WINDOW)) == 1256
    assert nyse.last_closed(datetime(2026, 1, 20, 2, tzinfo=UTC)) == date(2026, 1, 16)


def test_a_session_counts_as_closed_from_the_bell_on():
    bell = nyse.closes_at(date(2025, 12, 24))
    assert nyse.last_closed(bell) == date(2025, 12, 24)
    assert nyse.last_closed(bell - timedelta(microseconds=1)) == date(2025, 12, 23)


@pytest.mark.parametrize(
    ("newest", "lag"), [(date(2026, 1, 16), 0), (date(2026, 1, 18), 0), (date(2026, 1, 15), 1), (date(2026, 1, 9), 5)]
)
def test_lag_counts_sessions_not_days(newest, lag):
    assert nyse.session_lag(newest, datetime(2026, 1, 20, 2, tzinfo=UTC)) == lag


def test_a_newer_date_than_now_is_no_negative_lag():
    assert nyse.session_lag(date(2026, 2, 2), datetime(2026, 1, 20, 2, tzinfo=UTC)) == 0


def test_a_day_without_trading_is_named_not_answered():
    with pytest.raises(nyse.NotASession, match="2025-01-09"):
        nyse.closes_at(date(2025, 1, 9))
    with pytest.raises(nyse.NotASession, match="2026-01-19"):
        nyse.close_instants([date(2026, 1, 16), date(2026, 1, 19)])


def test_outside_the_calendar_is_an_error_not_an_empty_answer():
    with pytest.raises(nyse.CalendarError, match="1995-12-29"):
        nyse.sessions(date(1995, 12, 29), date(2020, 1, 1))
    with pytest.raises(nyse.CalendarError, match="2100-01-04"):
        nyse.is_session(date(2100, 1, 4))


def test_a_later_decade_is_built_when_asked():
    assert nyse.is_session(date(2031, 12, 31))
    assert len(nyse.sessions(date(2030, 12, 30), date(2031, 1, 3))) == 4


def test_an_instant_without_offset_is_refused():
    with pytest.raises(ValueError, match="no offset"):
        nyse.last_closed(datetime(2026, 1, 20, 2))  # noqa: DTZ001 - the naive instant is the point


@given(days, days)
def test_a_range_is_its_days_one_by_one(start, end):
    end = min(end, start + timedelta(days=40))
    span = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert list(nyse.sessions(start, end)) == [day for day in span if nyse.is_session(day)]


@given(instants)
def test_the_last_closed_session_has_no_closed_successor(now):
    newest = nyse.last_closed(now)
    following = next(day for n in range(1, 8) if nyse.is_session(day := newest + timedelta(days=n)))
    assert nyse.closes_at(newest) <= now < nyse.closes_at(following)
    assert nyse.session_lag(newest, now) == 0


@given(days, instants)
def test_lag_is_the_number_of_sessions_closed_since(newest, now):
    closed = [day for day in nyse.sessions(newest + timedelta(days=1), date(2028, 1, 31)) if nyse.closes_at(day) <= now]
    assert nyse.session_lag(newest, now) == len(closed)


@given(st.lists(days.filter(nyse.is_session), max_size=20))
@settings(max_examples=40)
def test_many_closings_are_the_single_ones_in_order(chosen):
    assert nyse.close_instants(chosen) == [nyse.closes_at(day) for day in chosen]


@given(days.filter(nyse.is_session))
def test_a_bar_is_final_after_its_close_and_before_the_next_open(session):
    following = next(day for n in range(1, 8) if nyse.is_session(day := session + timedelta(days=n)))
    assert nyse.opens_at(session) < nyse.closes_at(session) < nyse.final_at(session) < nyse.opens_at(following)


@pytest.mark.realdata
def test_the_recorded_index_fund_traded_on_exactly_these_days(shared: Path):
    lines = (shared / "data/equity_daily/SPY.csv").read_text().splitlines()[1:]
    traded = tuple(date.fromisoformat(line[:10]) for line in lines)
    assert nyse.sessions(date(2018, 1, 1), date(2026, 1, 16)) == traded
