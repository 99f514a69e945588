"""Ranges and gaps as arithmetic over days, against plain sets and dicts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.operations import EXPLAINED, GAP_CAUSES
from abri_pipeline.quality.gaps import Gap, Why, merge
from abri_pipeline.quality.ranges import days_in, ranges

CALENDAR = sessions(date(2025, 12, 15), date(2026, 1, 23))  # Christmas, New Year and a long weekend
EVERY_DAY = [date.fromordinal(CALENDAR[0].toordinal() + i) for i in range(40)]
DAYS = st.sets(st.sampled_from(EVERY_DAY))
REASONS = [Why("hole", "not in the answer"), Why("absent", "unknown"), Why("hole", "another reason")]
FOUND = st.dictionaries(st.sampled_from(CALENDAR), st.sampled_from(REASONS))
WINDOW = st.tuples(st.sampled_from(CALENDAR), st.sampled_from(CALENDAR)).map(lambda pair: (min(pair), max(pair)))


@given(DAYS)
def test_ranges_keep_exactly_the_days_of_the_calendar(days: set[date]):
    assert set(days_in(ranges(days, CALENDAR), CALENDAR)) == days & set(CALENDAR)


@given(DAYS)
def test_ranges_are_the_fewest(days: set[date]):
    found = ranges(days, CALENDAR)
    held = days & set(CALENDAR)
    starts = [d for i, d in enumerate(CALENDAR) if d in held and (i == 0 or CALENDAR[i - 1] not in held)]
    assert [start for start, _ in found] == starts
    assert all(start <= end for start, end in found)


def test_a_weekend_and_a_holiday_part_nothing():
    days = [date(2025, 12, 24), date(2025, 12, 26), date(2025, 12, 29)]
    assert ranges(days, CALENDAR) == [(days[0], days[-1])]


def by_day(gaps: list[Gap]) -> dict[date, Why]:
    return {day: gap.why for gap in gaps for day in days_in([(gap.start, gap.end)], CALENDAR)}


@given(FOUND, FOUND, WINDOW)
def test_inside_the_window_what_was_found_rules_and_outside_what_was_known(
    known: dict[date, Why], found: dict[date, Why], window: tuple[date, date]
):
    start, end = window
    before = merge([], (CALENDAR[0], CALENDAR[-1]), known, CALENDAR)
    inside = {day: why for day, why in found.items() if start <= day <= end}
    after = merge(before, window, inside, CALENDAR)
    assert by_day(after) == {d: w for d, w in known.items() if not start <= d <= end} | inside
    assert sum(gap.sessions for gap in after) == len(by_day(after))  # no day in two gaps
    assert after == sorted(after, key=lambda g: (g.start, g.why))
    assert merge(after, window, inside, CALENDAR) == after


@given(FOUND)
def test_neighbours_with_one_reason_are_one_gap(found: dict[date, Why]):
    for gap in merge([], (CALENDAR[0], CALENDAR[-1]), found, CALENDAR):
        at = CALENDAR.index(gap.start)
        assert at == 0 or found.get(CALENDAR[at - 1]) != gap.why


def test_only_the_source_itself_explains_a_gap():
    assert {cause for cause in GAP_CAUSES if Why(cause, "").explained} == set(EXPLAINED)
    assert Why("skipped", "").state == "verified_empty"
    assert Why("absent", "").state == "missing"
