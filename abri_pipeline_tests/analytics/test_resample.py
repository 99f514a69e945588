"""Longer bars out of shorter ones."""

from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from abri_pipeline.analytics.resample import resample, weekly

MINUTE = timedelta(minutes=1)
FIVE, HOUR, FOUR_HOURS = 5 * MINUTE, 60 * MINUTE, 240 * MINUTE
# Winter time, a half day, and the first session of summer time: opening bells at 14:30 and 13:30 UTC.
HOURS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2024-11-27", "2024-11-29", "2025-03-10"]),
        "opens_at": pd.to_datetime(["2024-11-27 14:30", "2024-11-29 14:30", "2025-03-10 13:30"], utc=True),
        "closes_at": pd.to_datetime(["2024-11-27 21:00", "2024-11-29 18:00", "2025-03-10 20:00"], utc=True),
    }
)
LATER = datetime(2025, 4, 1, tzinfo=UTC)
LEAST = 1e-9  # any part at all


def minutes(seed: int = 0, share: float = 1.0) -> pd.DataFrame:
    """A random walk by the minute over the three sessions, of which a share of the bars is there."""
    draw = np.random.default_rng(seed)
    spans = zip(HOURS["opens_at"], HOURS["closes_at"], strict=True)
    starts = pd.DatetimeIndex(np.concatenate([pd.date_range(a, b, freq="1min", inclusive="left") for a, b in spans]))
    last = 100 * np.exp(np.cumsum(draw.normal(0, 1e-3, len(starts))))
    first = np.append(100.0, last[:-1])
    bars = pd.DataFrame(
        {
            "datetime": starts.tz_localize("UTC") if starts.tz is None else starts,
            "open": first,
            "high": np.maximum(first, last) * 1.001,
            "low": np.minimum(first, last) * 0.999,
            "close": last,
            "volume": pd.array(draw.integers(0, 10_000, len(starts)), dtype="Int64"),
        }
    )
    return bars[draw.random(len(bars)) < share].reset_index(drop=True)


def starts(frame: pd.DataFrame) -> list[str]:
    return [f"{moment:%m-%d %H:%M}" for moment in frame["datetime"].dt.tz_convert("America/New_York")]


def test_four_hours_are_anchored_to_the_bell_and_end_with_the_session():
    made = resample(minutes(), HOURS, MINUTE, FOUR_HOURS, LATER)
    assert starts(made) == ["11-27 09:30", "11-27 13:30", "11-29 09:30", "03-10 09:30", "03-10 13:30"]
    assert made["parts"].tolist() == made["expected"].tolist() == [240, 150, 210, 240, 150]
    assert [f"{day:%Y-%m-%d}" for day in made["date"]] == [
        "2024-11-27", "2024-11-27", "2024-11-29", "2025-03-10", "2025-03-10"
    ]  # fmt: skip


def test_a_bar_that_is_not_over_is_not_built():
    at = datetime(2025, 3, 10, 17, 29, 59, tzinfo=UTC)  # a second before half past one in New York
    assert starts(resample(minutes(), HOURS, MINUTE, FOUR_HOURS, at))[-1] == "11-29 09:30"
    assert starts(resample(minutes(), HOURS, MINUTE, FOUR_HOURS, at + timedelta(seconds=1)))[-1] == "03-10 09:30"


@pytest.mark.parametrize(("dropped", "built"), [(24, True), (25, False)])
def test_a_tenth_of_the_parts_may_be_missing_and_no_more(dropped: int, built: bool):
    bars = minutes().drop(index=range(10, 10 + dropped))
    made = resample(bars, HOURS, MINUTE, FOUR_HOURS, LATER)
    assert (starts(made)[0] == "11-27 09:30") is built
    assert made["parts"].iloc[0] == (216 if built else 150)


def test_of_four_hourly_parts_all_are_needed():
    hourly = resample(minutes(), HOURS, MINUTE, HOUR, LATER)
    assert len(hourly) == 7 + 4 + 7
    assert len(resample(hourly, HOURS, HOUR, FOUR_HOURS, LATER)) == 5
    assert starts(resample(hourly.drop(index=3), HOURS, HOUR, FOUR_HOURS, LATER))[0] == "11-27 13:30"


def test_bars_outside_of_the_session_are_no_part_of_it():
    bars = minutes()
    early, late = bars.iloc[[0]], bars.iloc[[599]]
    early = early.assign(datetime=early["datetime"] - MINUTE, low=0.01)
    late = late.assign(datetime=HOURS["closes_at"].iloc[1] + MINUTE, high=1e6)
    made = resample(pd.concat([bars, early, late], ignore_index=True), HOURS, MINUTE, FOUR_HOURS, LATER)
    pd.testing.assert_frame_equal(made, resample(bars, HOURS, MINUTE, FOUR_HOURS, LATER))


def test_what_one_part_lacks_the_bar_lacks():
    bars = minutes()
    bars.loc[0, "open"], bars.loc[5, "high"], bars.loc[240, "volume"] = np.nan, np.nan, pd.NA
    made = resample(bars, HOURS, MINUTE, FOUR_HOURS, LATER)
    assert made["open"].isna().tolist() == made["high"].isna().tolist() == [True, False, False, False, False]
    assert made["volume"].isna().tolist() == [False, True, False, False, False]
    assert made["low"].notna().all()


def test_nothing_makes_nothing():
    none = minutes().iloc[:0]
    assert resample(none, HOURS, MINUTE, FIVE, LATER).empty
    assert resample(minutes(), HOURS.iloc[:0], MINUTE, FIVE, LATER).empty


def test_a_length_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="no multiple"):
        resample(minutes(), HOURS, FIVE, timedelta(minutes=12), LATER)


seeds, shares = st.integers(0, 2**32), st.floats(0.02, 1.0)
lengths = st.sampled_from([1, 5, 15, 30, 60, 240])


@settings(max_examples=40, deadline=None)
@given(seeds, shares)
def test_the_same_length_gives_the_same_bars(seed: int, share: float):
    bars = minutes(seed, share)
    made = resample(bars, HOURS, MINUTE, MINUTE, LATER)
    pd.testing.assert_frame_equal(made[bars.columns], bars, check_dtype=False)


@settings(max_examples=40, deadline=None)
@given(seeds, shares, lengths)
def test_no_share_and_no_extreme_is_lost(seed: int, share: float, length: int):
    bars = minutes(seed, share)
    made = resample(bars, HOURS, MINUTE, length * MINUTE, LATER, LEAST)
    assert made["volume"].sum() == bars["volume"].sum()
    assert made["parts"].sum() == len(bars)
    assert (made["parts"] <= made["expected"]).all()
    assert (made["high"].max(), made["low"].min()) == (bars["high"].max(), bars["low"].min())
    envelope = made[["open", "close"]]
    assert (made["low"] <= envelope.min(axis=1)).all() and (envelope.max(axis=1) <= made["high"]).all()


@settings(max_examples=40, deadline=None)
@given(seeds, shares, st.sampled_from([(5, 15), (5, 30), (15, 60), (30, 240), (60, 240)]))
def test_two_steps_make_the_same_bars_as_one(seed: int, share: float, steps: tuple[int, int]):
    bars, (between, length) = minutes(seed, share), steps
    once = resample(bars, HOURS, MINUTE, length * MINUTE, LATER, LEAST)
    middle = resample(bars, HOURS, MINUTE, between * MINUTE, LATER, LEAST)
    twice = resample(middle, HOURS, between * MINUTE, length * MINUTE, LATER, LEAST)
    same = ["datetime", "date", "open", "high", "low", "close", "volume"]
    pd.testing.assert_frame_equal(once[same], twice[same])


def test_weeks_begin_on_monday_and_the_last_one_is_cut_until_it_is_over():
    days = pd.to_datetime(["2024-12-30", "2024-12-31", "2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07"])
    close = np.arange(6.0) + 10
    daily = pd.DataFrame(
        {"date": days, "open": close - 1, "high": close + 2, "low": close - 2, "close": close, "adj_close": close / 2}
    ).assign(volume=pd.array([1, 2, 3, 4, 5, 6], dtype="Int64"))
    made = weekly(daily, date(2025, 1, 11))
    assert made.to_dict("records") == [
        {
            "date": pd.Timestamp("2024-12-30"),
            "open": 9.0,
            "high": 15.0,
            "low": 8.0,
            "close": 13.0,
            "adj_close": 6.5,
            "volume": 10,
            "sessions": 4,
        }
    ]
    assert len(weekly(daily, date(2025, 1, 12))) == 2
