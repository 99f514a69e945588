"""Schedules, ticked at explicit times: which week each tick asks for, and when it asks for none."""

from datetime import date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from abri_pipeline.calendars import weeks
from abri_pipeline.defs.schedules import SCHEDULES, after_close, after_week

pytestmark = [
    # Dagster 1.13 reads pydantic's old `__fields__` wherever a resource or a run configuration is made,
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning"),
    # and calls single-run policies beta, once for each asset.
    pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`"),
]

NEW_YORK = ZoneInfo("America/New_York")
# From nyse.com/markets/hours-calendars; 2025-01-09 was the day of mourning for President Carter.
HOLIDAYS = {
    2025: {
        "2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17", "2025-04-18", "2025-05-26", "2025-06-19",
        "2025-07-04", "2025-09-01", "2025-11-27", "2025-12-25",
    },
    2026: {
        "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25", "2026-06-19", "2026-07-03",
        "2026-09-07", "2026-11-26", "2026-12-25",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def running_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABRI_NOW", raising=False)


def evening(day: str) -> datetime:
    """18:30 on New York's clocks."""
    return datetime.combine(date.fromisoformat(day), time(18, 30), tzinfo=NEW_YORK)


def ticks(schedule: dg.ScheduleDefinition, year: int) -> list[datetime]:
    """The instants of a year at which the daemon ticks, by its own reading of the cron line."""
    start = datetime(year, 1, 1, tzinfo=NEW_YORK)
    times = schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    return list(takewhile(lambda moment: moment.astimezone(NEW_YORK).year == year, times))


def ask(schedule: dg.ScheduleDefinition, moment: datetime) -> dg.RunRequest | dg.SkipReason:
    return schedule(dg.build_schedule_context(scheduled_execution_time=moment))


def asked_week(schedule: dg.ScheduleDefinition, day: str) -> str | None:
    answer = ask(schedule, evening(day))
    return answer.partition_key if isinstance(answer, dg.RunRequest) else None


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_of_evenings_asks_for_the_week_of_each_session_and_for_nothing_on_holidays(year: int) -> None:
    skipped, keys = set(), []
    for moment in ticks(after_close, year):
        local = moment.astimezone(NEW_YORK)
        assert (local.hour, local.minute) == (18, 30)  # on both sides of both clock changes
        answer = ask(after_close, moment)
        if isinstance(answer, dg.SkipReason):
            skipped.add(local.date().isoformat())
            continue
        iso = local.date().isocalendar()
        assert answer.partition_key == date.fromisocalendar(iso.year, iso.week, 1).isoformat()
        keys.append(answer.run_key)
    assert skipped == HOLIDAYS[year]
    assert len(set(keys)) == len(keys) == 250 + (year == 2026)


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_of_mondays_asks_for_each_closed_week_once(year: int) -> None:
    moments = ticks(after_week, year)
    answers = [ask(after_week, moment) for moment in moments]
    assert all((m.astimezone(NEW_YORK).weekday(), m.astimezone(NEW_YORK).hour) == (0, 18) for m in moments)
    assert [a.partition_key for a in answers] == [
        (m.astimezone(NEW_YORK).date() - timedelta(days=7)).isoformat() for m in moments
    ]
    assert len({a.run_key for a in answers}) == len(answers) == 52
    for moment, answer in zip(moments, answers, strict=True):
        assert weeks.closed(answer.partition_key, moment)
        assert not weeks.closed(weeks.week_key(moment.date()), moment)


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ("2025-01-08", "2025-01-06"),
        ("2025-01-09", None),  # closed for one day, unannounced a fortnight before
        ("2025-01-10", "2025-01-06"),
        ("2025-03-07", "2025-03-03"),  # Friday and Monday around the clock change of 2025-03-09
        ("2025-03-10", "2025-03-10"),
        ("2025-10-31", "2025-10-27"),  # and of 2025-11-02
        ("2025-11-03", "2025-11-03"),
        ("2026-03-06", "2026-03-02"),
        ("2026-03-09", "2026-03-09"),
        ("2026-10-30", "2026-10-26"),
        ("2026-11-02", "2026-11-02"),
        ("2025-04-17", "2025-04-14"),
        ("2025-04-18", None),  # Good Friday
        ("2025-06-19", None),  # Juneteenth
        ("2025-11-27", None),  # Thanksgiving
        ("2025-11-28", "2025-11-24"),  # half day
        ("2025-12-24", "2025-12-22"),  # half day
        ("2025-12-31", "2025-12-29"),
        ("2026-01-01", None),
        ("2026-01-02", "2025-12-29"),  # one week, two years
        ("2026-01-19", None),  # Martin Luther King day
        ("2026-01-20", "2026-01-19"),
    ],
)
def test_an_evening_asks_for_its_own_week(day: str, week: str | None) -> None:
    assert asked_week(after_close, day) == week


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ("2026-01-19", "2026-01-12"),  # a holiday prints like any Monday
        ("2025-05-26", "2025-05-19"),
        ("2025-04-21", "2025-04-14"),  # after Good Friday
        ("2025-03-10", "2025-03-03"),  # the day after each clock change
        ("2025-11-03", "2025-10-27"),
        ("2026-03-09", "2026-03-02"),
        ("2026-11-02", "2026-10-26"),
        ("2025-01-06", "2024-12-30"),
        ("2026-01-05", "2025-12-29"),
    ],
)
def test_a_monday_asks_for_the_week_before(day: str, week: str) -> None:
    assert asked_week(after_week, day) == week


def test_a_tick_that_the_daemon_delivers_in_utc_is_read_in_new_york() -> None:
    friday = datetime.fromisoformat("2026-01-16T23:30:00+00:00")
    answer = ask(after_close, friday)
    assert (answer.run_key, answer.partition_key) == ("2026-01-16", "2026-01-12")


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_nothing_after_a_frozen_clock_is_asked_for(
    schedule: dg.ScheduleDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABRI_NOW", "2026-01-12T23:30:00Z")  # Monday 18:30 in New York, the very tick
    assert isinstance(ask(schedule, evening("2026-01-12")), dg.RunRequest)
    later = ask(schedule, evening("2026-01-12") + timedelta(minutes=1))
    assert isinstance(later, dg.SkipReason)
    assert "ABRI_NOW" in str(later.skip_message)
    assert "2026-01-12T23:30:00+00:00" in str(later.skip_message)


def test_schedules_are_off_until_somebody_switches_them_on() -> None:
    assert {s.default_status for s in SCHEDULES} == {dg.DefaultScheduleStatus.STOPPED}


@pytest.mark.parametrize(
    ("schedule", "day", "week"), [(after_close, "2026-01-16", "2026-01-12"), (after_week, "2026-01-19", "2026-01-12")]
)
def test_dagster_takes_the_request_for_a_run_of_the_whole_graph(
    schedule: dg.ScheduleDefinition, day: str, week: str
) -> None:
    from abri_pipeline.definitions import defs

    repository = defs.get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=evening(day), repository_def=repository)
    (request,) = repository.get_schedule_def(schedule.name).evaluate_tick(context).run_requests
    job = repository.get_job("whole_graph")
    assert request.tags["dagster/partition"] == week
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} >= {"abri_history", "completeness"}
    assert job.asset_layer.executable_asset_keys == repository.asset_graph.executable_asset_keys
    reread = dg.validate_run_config(job, request.run_config)["ops"]["equity"]["config"]["full_refresh"]
    assert reread is (schedule is after_week)
