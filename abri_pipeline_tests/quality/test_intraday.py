"""Intraday bars against the session."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.quality import score
from abri_pipeline.quality.intraday import counts, enough, expected_bars, hours

WHOLE, HALF = date(2025, 11, 26), date(2025, 11, 28)


@pytest.mark.parametrize(
    ("timeframe", "whole", "half"),
    [("1m", 390, 210), ("5m", 78, 42), ("15m", 26, 14), ("30m", 13, 7), ("1h", 7, 4), ("4h", 2, 1)],
)
def test_a_session_has_so_many_bars(timeframe: str, whole: int, half: int):
    assert (expected_bars(timeframe, WHOLE), expected_bars(timeframe, HALF)) == (whole, half)


@pytest.mark.parametrize(("timeframe", "spare"), [("1m", 39), ("5m", 7), ("15m", 2), ("30m", 1), ("1h", 1), ("4h", 0)])
def test_a_feed_may_pass_over_a_tenth_of_a_session(timeframe: str, spare: int):
    wanted = expected_bars(timeframe, WHOLE)
    assert [enough(timeframe, WHOLE, n) for n in (wanted, wanted - spare, wanted - spare - 1, 0)] == [
        True, True, False, False
    ]  # fmt: skip


def test_bells_follow_new_yorks_clocks():
    told = hours([date(2025, 3, 7), date(2025, 3, 10), date(2025, 10, 31), date(2025, 11, 3), HALF])
    assert [f"{t:%H:%M}" for t in told["opens_at"]] == ["14:30", "13:30", "13:30", "14:30", "14:30"]
    assert [f"{t:%H:%M}" for t in told["closes_at"]] == ["21:00", "20:00", "20:00", "21:00", "18:00"]


def bars(**changed: object) -> pd.DataFrame:
    """Seven good bars, the first of which is changed."""
    made = pd.DataFrame({"open": [10.0] * 7, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100})
    for name, value in changed.items():
        made[name] = made[name].astype(object)
        made.loc[0, name] = value
    return made.assign(date=pd.Timestamp(WHOLE)).astype({"volume": "Int64"})


BROKEN = {
    "nulls": {"open": np.nan},
    "negative_price": {"low": -1.0},
    "zero_price": {"low": 0.0},
    "negative_volume": {"volume": -1},
    "envelope": {"high": 10.2},
    "unit_flip": {"open": 1000.0, "high": 1100.0, "low": 900.0, "close": 1050.0},
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_fault_is_counted_once_and_by_its_name(rule: str):
    found = counts(bars(**BROKEN[rule]), 7)
    assert found == {"rows": 7, "expected": 7, "cells": 35, rule: 1}
    assert score.score(found) < score.score(counts(bars(), 7)) == 1.0


def test_a_negative_price_refuses_the_load():
    assert score.refusals(counts(bars(low=-1.0), 7)) == ("1 rows with a negative price", "score 0.500 is below 0.6")


def test_no_bar_at_all_is_all_missing():
    assert counts(bars().iloc[:0], 7) == {"expected": 7, "missing": 7}
