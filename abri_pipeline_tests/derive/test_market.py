"""Metrics stored bit by bit in pieces are the metrics of one whole computation."""

from datetime import date

import numpy as np
import pandas as pd

from abri_pipeline.calendars import weeks
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.market import METRICS, WEIGHTS
from abri_pipeline.contracts.model import RECORDED_AT
from abri_pipeline.derive import market
from abri_pipeline.warehouse.engine import begin
from abri_pipeline_tests.derive.conftest import WINDOW, rows

# A session at every place where a look-back could be too short: around quarter ends, after holidays, mid-quarter.
STARTS = (
    "2022-06-30", "2022-07-01", "2022-09-30", "2022-10-03", "2022-10-04", "2022-12-30", "2023-01-03", "2023-01-04",
    "2023-02-15", "2023-03-31", "2023-04-03", "2023-04-10", "2023-05-30", "2023-06-30",
)  # fmt: skip


def whole(copies):
    engine = copies()
    market.derive(engine, WINDOW.start, WINDOW.end)
    return rows(engine, METRICS)


def test_week_by_week_is_the_same_bits_as_at_once(copies):
    engine = copies()
    for key in weeks.weeks(WINDOW.start, date(2022, 10, 7)):
        first, last = weeks.week_span(key)
        market.derive(engine, max(first, WINDOW.start), last)
    expected = whole(copies)
    expected = expected[expected["date"] <= "2022-10-07"]
    pd.testing.assert_frame_equal(rows(engine, METRICS), expected, check_exact=True)


def test_in_any_order_too(copies):
    engine = copies()
    for key in reversed(weeks.weeks(date(2023, 3, 1), date(2023, 5, 31))):
        market.derive(engine, *weeks.week_span(key))
    expected = whole(copies)
    first = pd.Timestamp(weeks.week_key(date(2023, 3, 1)))
    expected = expected[expected["date"].between(first, "2023-06-04")].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows(engine, METRICS), expected, check_exact=True)


def test_one_session_alone_looks_back_far_enough(copies):
    engine = copies()
    for day in map(date.fromisoformat, STARTS):
        market.derive(engine, day, day)
    expected = whole(copies)
    expected = expected[expected["date"].isin(pd.to_datetime(STARTS))].reset_index(drop=True)
    assert len(expected) == len(STARTS)
    assert expected["mag7_weight"].notna().sum() == len(STARTS) - 2  # no bar is stored at the first anchor
    pd.testing.assert_frame_equal(rows(engine, METRICS), expected, check_exact=True)


def test_a_second_derivation_changes_nothing(engine):
    first = market.derive(engine, WINDOW.start, WINDOW.end)
    again = market.derive(engine, WINDOW.start, WINDOW.end)
    assert first.inserted == first.rows == len(sessions(WINDOW.start, WINDOW.end))
    assert (again.inserted, again.changed) == (0, 0)


def test_a_correlation_needs_sixty_sessions_of_returns(engine):
    market.derive(engine, WINDOW.start, WINDOW.end)
    found = rows(engine, METRICS)
    days = sessions(WINDOW.start, WINDOW.end)
    assert found["nvda_spy_corr"].first_valid_index() == 60
    assert found["date"].dt.date.tolist() == list(days)


def test_a_missing_price_makes_a_missing_weight_and_not_a_lower_one(engine):
    day = date(2023, 5, 17)
    with begin(engine) as connection:
        connection.exec_driver_sql("DELETE FROM price_history_daily WHERE symbol = 'AAPL' AND date = ?", (str(day),))
    market.derive(engine, day, day)
    found = rows(engine, METRICS).iloc[0]
    assert np.isnan(found["mag7_weight"])
    assert not np.isnan(found["nvda_spy_corr"])


def test_a_withdrawn_weight_is_not_read(engine):
    with begin(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {WEIGHTS.name} SET withdrawn_at = '2023-07-01T00:00:00.000000Z'")
    market.derive(engine, date(2023, 6, 1), date(2023, 6, 30))
    assert rows(engine, METRICS)["mag7_weight"].isna().all()


def test_a_changed_price_changes_the_rows_that_it_reaches_and_no_other(engine):
    market.derive(engine, WINDOW.start, WINDOW.end)
    before = rows(engine, METRICS)
    day = "2023-03-15"
    with begin(engine) as connection:
        connection.exec_driver_sql(
            f"UPDATE {BARS.name} SET close = close * 1.001, high = high * 1.002 WHERE symbol = 'NVDA' AND date = ?",
            (day,),
        )
    derived = market.derive(engine, WINDOW.start, WINDOW.end)
    after = rows(engine, METRICS)
    moved = before["date"][(before["nvda_spy_corr"] != after["nvda_spy_corr"]) & after["nvda_spy_corr"].notna()]
    reach = [d for d in before["date"] if d >= pd.Timestamp(day)][:61]  # the return into the day and the one out of it
    assert moved.tolist() == reach
    assert derived.changed == len(reach)


def test_a_split_of_stored_prices_moves_no_metric(engine):
    """Prices on another basis give the same returns but for their last bits, and those are no news."""
    market.derive(engine, WINDOW.start, WINDOW.end)
    before = rows(engine, METRICS)
    prices = ", ".join(f"{name} = round({name} / 3, 10)" for name in ("open", "high", "low", "close"))
    with begin(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {BARS.name} SET {prices} WHERE symbol = 'NVDA'")
    assert market.derive(engine, WINDOW.start, WINDOW.end).changed == 0
    pd.testing.assert_frame_equal(rows(engine, METRICS), before, check_exact=True)


def test_a_row_keeps_the_instant_of_its_first_storing(engine, move):
    market.derive(engine, WINDOW.start, WINDOW.end)
    before = rows(engine, METRICS, without=())[RECORDED_AT.name]
    move("2023-07-06T12:00:00Z")
    market.derive(engine, WINDOW.start, WINDOW.end)
    assert rows(engine, METRICS, without=())[RECORDED_AT.name].equals(before)
