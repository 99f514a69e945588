"""Gap detection against a plain set difference: nothing false, nothing missed."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from abri_pipeline.calendars.sessions import is_half_day, sessions
from abri_pipeline.contracts import operations
from abri_pipeline.quality.completeness import expected_bars, week_verdicts
from abri_pipeline.quality.gap_scan import Scan, expectation, market_wide, marks, owners, runs, scan
from abri_pipeline.warehouse.days import StoredDays
from abri_pipeline_tests.quality.planting import WEEK, bars, gap, instruments, plant, row

# Thanksgiving and its half day, Christmas Eve, Christmas, New Year, the day of mourning 2025-01-09, a long weekend.
CALENDAR = sessions(date(2024, 11, 25), date(2025, 1, 24))
EVERY_DAY = [CALENDAR[0] + timedelta(days=i) for i in range((CALENDAR[-1] - CALENDAR[0]).days + 1)]
SYMBOLS = ["AA", "BB", "CC"]
Bound = date | None
LISTING = st.tuples(st.none() | st.sampled_from(EVERY_DAY), st.none() | st.sampled_from(EVERY_DAY))
PAIRS = st.sets(st.tuples(st.sampled_from([*SYMBOLS, "ZZ"]), st.sampled_from(EVERY_DAY)), max_size=120)


def found_by(listings: Mapping[str, tuple[Bound, Bound]], stored: set[tuple[str, date]]) -> set[tuple[str, date]]:
    """The gaps as the matrix finds them."""
    axis = np.array(CALENDAR, dtype="datetime64[D]")
    listed = pd.DataFrame(
        {
            "symbol": list(listings),
            "listed_on": pd.to_datetime([first for first, _ in listings.values()]),
            "delisted_on": pd.to_datetime([last for _, last in listings.values()]),
        }
    )
    names = sorted(listings)
    pairs = sorted(stored)
    held = sorted({symbol for symbol, _ in pairs})
    code = np.array([held.index(symbol) for symbol, _ in pairs], dtype=np.int64)
    days = np.array([day for _, day in pairs], dtype="datetime64[D]")
    have = marks(StoredDays(tuple(held), code, days), names, axis)
    absent = expectation(listed, names, axis) & ~have
    return {(names[r], CALENDAR[c]) for r, c in np.argwhere(absent).tolist()}


@given(st.fixed_dictionaries(dict.fromkeys(SYMBOLS, LISTING)), PAIRS)
@settings(max_examples=200)
def test_what_is_found_is_the_plain_set_difference(
    listings: dict[str, tuple[Bound, Bound]], stored: set[tuple[str, date]]
):
    expected = {
        (symbol, day)
        for symbol, (first, last) in listings.items()
        for day in CALENDAR
        if (first is None or first <= day) and (last is None or day <= last)
    }
    assert found_by(listings, stored) == expected - stored


@given(st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8), max_size=4))
def test_runs_are_the_unbroken_stretches_of_one_label(labels: list[list[int]]):
    table = np.array(labels, dtype=np.int64).reshape(len(labels), 8)
    again = np.zeros_like(table)
    for at, first, last, label in runs(table):
        assert (again[at, first : last + 1] == 0).all()
        again[at, first : last + 1] = label
        assert first == 0 or table[at, first - 1] != label
        assert last == 7 or table[at, last + 1] != label
    assert (again == table).all()


def missing(found: Scan) -> set[tuple[str, date]]:
    return {(found.symbols[r], found.days[c]) for r, c in np.argwhere(found.missing).tolist()}


def test_c2_c5_closures_half_days_and_listings_in_either_database(warehouse: Engine):
    assert not {date(2025, 1, 9), date(2024, 12, 25), date(2025, 1, 20)} & set(CALENDAR)
    half = [day for day in CALENDAR if is_half_day(day)]
    assert half == [date(2024, 11, 29), date(2024, 12, 24)]
    instruments(warehouse, "FULL", "HOLE")
    instruments(warehouse, "IPO", listed_on=date(2024, 12, 24))
    instruments(warehouse, "GONE", delisted_on=date(2024, 12, 24))
    bars(warehouse, "FULL", CALENDAR)
    bars(warehouse, "HOLE", [day for day in CALENDAR if day not in (half[1], CALENDAR[-1])])
    bars(warehouse, "IPO", CALENDAR[CALENDAR.index(half[1]) + 1 :])  # its first session is a half day, and lacks
    bars(warehouse, "GONE", CALENDAR[: CALENDAR.index(half[1])])  # so does its last
    with warehouse.connect() as connection:
        found = scan(connection, CALENDAR)
        assert missing(found) == {("HOLE", half[1]), ("HOLE", CALENDAR[-1]), ("IPO", half[1]), ("GONE", half[1])}
        assert missing(scan(connection, CALENDAR, ["HOLE"])) == {("HOLE", half[1]), ("HOLE", CALENDAR[-1])}
        assert missing(scan(connection, [])) == set()
        wanted = expected_bars(connection, CALENDAR)
    assert len(wanted) == found.expected.sum()
    assert set(wanted[wanted["symbol"] == "IPO"]["date"].dt.date) == {d for d in CALENDAR if d >= half[1]}


def test_neither_crypto_nor_what_nobody_follows_is_expected_on_sessions(engine: Engine):
    instruments(engine, "BTC", asset_class="crypto")
    plant(engine, operations.INSTRUMENTS, row(operations.INSTRUMENTS, symbol="OLD", active=False))
    bars(engine, "STRAY", WEEK)
    with engine.connect() as connection:
        assert scan(connection, WEEK).symbols == ()


def test_an_open_gap_of_the_books_explains_only_where_the_source_does(engine: Engine):
    instruments(engine, "AA", "BB")
    gap(engine, "AA", "1d", WEEK[:2], "absent")
    gap(engine, "AA", "1d", WEEK[3:4], "hole")
    gap(engine, "BB", "1d", WEEK, "absent", state="filled")
    gap(engine, "BB", "1h", WEEK, "absent")
    with engine.connect() as connection:
        found = scan(connection, WEEK)
    assert found.explained.tolist() == [[True, True, False, False, False], [False] * 5]
    assert found.unexplained.sum() == 8


def test_a_gap_reaches_over_the_days_of_the_calendar_only():
    book = pd.DataFrame(
        {"symbol": ["AA", "ZZ"], "gap_start": pd.to_datetime(["2025-01-04", "2025-01-02"]),
         "gap_end": pd.to_datetime(["2025-01-09", "2025-01-31"])}
    )  # fmt: skip
    axis = np.array(CALENDAR, dtype="datetime64[D]")
    held = [CALENDAR[c] for c in np.flatnonzero(owners(book, SYMBOLS, axis)[0] == 0)]
    assert held == [date(2025, 1, 6), date(2025, 1, 7), date(2025, 1, 8)]


@pytest.mark.parametrize(("symbols", "missed", "wide"), [(10, 8, True), (10, 7, False), (5, 4, True), (4, 4, False)])
def test_c3_four_in_five_make_a_market_wide_miss(engine: Engine, symbols: int, missed: int, wide: bool):
    names = [f"S{number}" for number in range(symbols)]
    instruments(engine, *names)
    for number, name in enumerate(names):
        bars(engine, name, [day for day in WEEK if not (number < missed and day in WEEK[1:3])])
    with engine.connect() as connection:
        told = market_wide(scan(connection, WEEK))
    assert [(one.start, one.end, one.sessions, one.symbols, one.expected) for one in told] == (
        [(WEEK[1], WEEK[2], 2, missed, symbols)] if wide else []
    )


def test_what_the_source_explains_counts_neither_for_nor_against_a_market_wide_miss(engine: Engine):
    names = [f"S{number}" for number in range(10)]
    instruments(engine, *names)
    for name in names[:5]:  # unknown to the source
        gap(engine, name, "1d", WEEK, "absent")
    for name in names[5:]:
        bars(engine, name, WEEK[:4])
    with engine.connect() as connection:
        [one] = market_wide(scan(connection, WEEK))
    assert (one.symbols, one.expected) == (5, 5)
    assert one.text.startswith(f"market-wide: 5 of 5 instruments miss {WEEK[4]};")


def test_c3_a_market_wide_miss_is_one_line_of_its_week(engine: Engine):
    names = [f"S{number}" for number in range(20)]
    instruments(engine, *names)
    for name in names:
        bars(engine, name, [d for d in WEEK if d != WEEK[2] and (name, d) != ("S3", WEEK[4])])
    [verdict] = week_verdicts(engine, ["2026-01-12"]).values()
    told = [line for line in verdict.missing if "no row" not in line]
    assert told == [f"S3 {WEEK[4]}: never asked for", f"20 of 20 instruments miss {WEEK[2]}: market-wide"]
    assert (verdict.expected, verdict.stored, verdict.explained) == (100, 79, 0)
    assert not verdict.complete
