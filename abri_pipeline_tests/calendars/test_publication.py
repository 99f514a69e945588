"""Publication rules against the publishers' own dates; a rule may be late, never early."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.calendars import fred_releases, new_york, publication

days = st.dates(date(2010, 1, 1), date(2027, 12, 31))
series = st.sampled_from(sorted(fred_releases.RELEASES))

# bls.gov, schedule of the Employment Situation: month observed, day released at 08:30.
EMPLOYMENT = """2018-11 2018-12-07, 2018-12 2019-01-04, 2019-12 2020-01-10, 2020-06 2020-07-02, 2020-12 2021-01-08,
2021-03 2021-04-02, 2021-09 2021-10-08, 2022-03 2022-04-01, 2022-06 2022-07-08, 2023-02 2023-03-10, 2023-03 2023-04-07,
2023-08 2023-09-01, 2024-02 2024-03-08, 2024-10 2024-11-01, 2024-12 2025-01-10, 2025-06 2025-07-03, 2025-09 2025-11-20,
2025-11 2025-12-16, 2025-12 2026-01-09"""
# bls.gov, schedule of the Consumer Price Index; its rule is the 15th, so days late are allowed, days early are not.
PRICES = """2018-01 2018-02-14, 2019-12 2020-01-14, 2020-04 2020-05-12, 2021-12 2022-01-12, 2022-05 2022-06-10,
2023-01 2023-02-14, 2024-08 2024-09-11, 2024-12 2025-01-15, 2025-09 2025-10-24, 2025-11 2025-12-18,
2025-12 2026-01-13"""
# bea.gov, advance (after a lapse: initial) estimates of GDP: first day of the quarter, day released.
PRODUCT = """2018-01 2018-04-27, 2018-10 2019-02-28, 2019-01 2019-04-26, 2020-01 2020-04-29, 2020-10 2021-01-28,
2022-01 2022-04-28, 2024-07 2024-10-30, 2025-01 2025-04-30, 2025-04 2025-07-30, 2025-07 2025-12-23"""


def pairs(text: str) -> list[tuple[date, date]]:
    """(first day of the period observed, day released) of each entry."""
    entries = [entry.split() for entry in text.replace("\n", " ").split(",")]
    return [(date.fromisoformat(f"{month}-01"), date.fromisoformat(day)) for month, day in entries]


def released_on(series_id: str, observed: date) -> date:
    return new_york.day_of(publication.fred_published_at(series_id, observed))


@pytest.mark.parametrize(("month", "released"), pairs(EMPLOYMENT))
def test_unemployment_comes_with_the_employment_situation(month, released):
    assert publication.fred_published_at("UNRATE", month) == new_york.instant(released, time(8, 30))


@pytest.mark.parametrize(
    ("series_id", "text", "slack"), [("CPIAUCSL", PRICES, 7), ("GDPC1", PRODUCT, 6), ("A191RO1Q156NBEA", PRODUCT, 6)]
)
def test_prices_and_product_are_never_read_early_and_at_most_days_late(series_id, text, slack):
    for period, released in pairs(text):
        assert timedelta(0) <= released_on(series_id, period) - released <= timedelta(days=slack), period


def test_spreads_come_on_the_next_business_day_at_17(host_zone):
    at = publication.fred_published_at
    assert at("BAMLH0A0HYM2", date(2025, 7, 3)) == datetime(2025, 7, 7, 21, tzinfo=UTC)
    assert at("BAMLH0A0HYM2", date(2021, 1, 31)) == datetime(2021, 2, 1, 22, tzinfo=UTC)  # a Sunday's month end
    assert at("DGS10", date(2026, 1, 16)) == datetime(2026, 1, 20, 22, tzinfo=UTC)  # Monday was a holiday
    assert publication.end_of_day(date(2024, 7, 1)) == datetime(2024, 7, 2, 3, 59, 59, tzinfo=UTC)
    assert publication.filing_available_at(date(2024, 8, 28), None) == datetime(2024, 8, 28, 21, 30, tzinfo=UTC)


def test_weekly_series_follow_their_publishers():
    friday = date(2026, 1, 9)
    assert released_on("NFCI", friday) == date(2026, 1, 14)
    assert released_on("STLFSI4", friday) == date(2026, 1, 15)
    assert {released_on("DTWEXBGS", date(2026, 1, day)) for day in range(5, 12)} == {date(2026, 1, 12)}
    assert released_on("DTWEXBGS", date(2026, 1, 14)) == date(2026, 1, 20)  # Monday was a holiday
    assert released_on("DCOILWTICO", date(2026, 1, 5)) == date(2026, 1, 8)
    assert released_on("DCOILWTICO", date(2026, 1, 6)) == date(2026, 1, 15)
    assert released_on("FEDFUNDS", date(2025, 12, 1)) == date(2026, 1, 2)


def test_a_series_without_a_rule_is_refused():
    with pytest.raises(publication.UnknownSeries, match="DFF10"):
        publication.fred_published_instants("DFF10", [date(2024, 1, 2)])


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2021, 6, 17), date(2021, 6, 21)),  # Juneteenth's first year, a Saturday kept on Friday
        (date(2021, 6, 18), date(2021, 6, 21)),
        (date(2021, 12, 30), date(2022, 1, 3)),  # New Year 2022 was kept on the Friday before
        (date(2023, 11, 9), date(2023, 11, 13)),  # Veterans Day: the exchange trades, the government does not
        (date(2024, 2, 17), date(2024, 2, 20)),
    ],
)
def test_business_days_are_the_federal_governments(day, following):
    assert publication.next_business_day(day) == following


@given(series, st.lists(days, max_size=30))
def test_many_instants_are_the_single_ones_in_order(series_id, chosen):
    many = publication.fred_published_instants(series_id, chosen)
    assert many == [publication.fred_published_at(series_id, day) for day in chosen]
    assert all(moment.tzinfo is UTC for moment in many)


@given(series, days)
def test_nothing_is_published_on_or_before_its_day_nor_on_a_weekend(series_id, day):
    released = released_on(series_id, day)
    assert released > day
    assert released.weekday() < 5
    assert (released - day).days < 160


@given(st.sampled_from(sorted(s for s, rule in fred_releases.RELEASES.items() if not rule.exceptions)), days)
def test_a_later_observation_is_not_published_earlier(series_id, day):
    first, second = publication.fred_published_instants(series_id, [day, day + timedelta(days=1)])
    assert first <= second


def test_a_filing_counts_from_its_acceptance():
    accepted = datetime(2024, 8, 28, 16, 36, 55, tzinfo=new_york.ZONE)
    assert publication.filing_available_at(date(2024, 8, 28), accepted) == datetime(2024, 8, 28, 20, 36, 55, tzinfo=UTC)
    with pytest.raises(ValueError, match="no offset"):
        publication.filing_available_at(date(2024, 8, 28), accepted.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("precision", "last_day"),
    [("day", 3), ("month", 29), ("approx", 29), ("day-unsourced", 29), ("", 29), ("Day?", 29)],
)
def test_a_deal_known_to_the_month_counts_from_its_end(precision, last_day):
    known = publication.deal_available_at(date(2024, 2, 3), precision)
    assert known == publication.end_of_day(date(2024, 2, last_day))


@given(days, st.text(max_size=12))
def test_no_deal_is_known_before_the_end_of_its_day(day, precision):
    known = publication.deal_available_at(day, precision)
    assert publication.end_of_day(day) <= known <= publication.end_of_day(day + timedelta(days=30))


@pytest.mark.realdata
def test_the_recorded_weekend_month_ends_are_published_on_the_business_day_after(shared: Path):
    lines = (shared / "data/fred/BAMLH0A0HYM2.csv").read_text().splitlines()[1:]
    observed = [date.fromisoformat(line.split(",")[0]) for line in lines if line >= "2018"]
    weekend = [day for day in observed if day.weekday() >= 5]
    published = [new_york.day_of(at) for at in publication.fred_published_instants("BAMLH0A0HYM2", weekend)]
    assert len(weekend) == 27
    assert all(1 <= (out - day).days <= 4 for out, day in zip(published, weekend, strict=True))
    assert published == [publication.next_business_day(day) for day in weekend]
