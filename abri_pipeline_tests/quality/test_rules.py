"""Each rule of a load: what must be counted and flagged, and what must be left alone."""

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.quality.rules import assess
from abri_pipeline_tests.quality.market import calm

BARS = calm()
DAYS = list(BARS["date"].dt.date)


def planted(column: str, value: float, at: int = 30) -> pd.DataFrame:
    bars = BARS.copy()
    bars.loc[at, column] = value
    return bars


def test_a_sound_load_has_no_flag_and_scores_1():
    found = assess(BARS, expected={"CALM": DAYS})
    assert found.flags.empty
    assert found.checks("CALM") == {"rows": 60, "expected": 60, "cells": 300}
    assert (found.score("CALM"), found.verdict("CALM")) == (1.0, "accepted")


@pytest.mark.parametrize(
    ("column", "value", "rule", "verdict"),
    [
        ("low", -1.0, "negative_price", "rejected"),
        ("close", -36.98, "negative_price", "rejected"),
        ("open", 0.0, "zero_price", "accepted"),
        ("volume", -1.0, "negative_volume", "rejected"),
        ("high", 1.0, "envelope", "accepted"),
        ("low", 1e6, "envelope", "accepted"),
        ("close", np.nan, "nulls", "accepted"),
        ("open", np.inf, "nulls", "accepted"),
        ("volume", np.nan, "nulls", "accepted"),
    ],
)
def test_v2_one_impossible_cell_is_counted_and_its_row_named(column, value, rule, verdict):
    found = assess(planted(column, value), expected={"CALM": DAYS})
    assert [(f.rule, f.position, f.date) for f in found.flags.itertuples()] == [(rule, 30, BARS["date"][30])]
    assert found.checks("CALM")[rule] == 1
    assert found.score("CALM") < 1
    assert found.verdict("CALM") == verdict


def test_a_high_below_its_close_by_the_rounding_of_the_wire_is_the_same_price():
    bars = planted("high", float(np.float32(BARS[["open", "close"]].iloc[30].max())))
    assert assess(bars).flags.empty


def test_sessions_are_counted_against_the_calendar():
    holes = BARS.drop(index=[10, 11, 40])
    assert assess(holes, expected={"CALM": DAYS}).checks("CALM")["missing"] == 3
    assert assess(holes, expected={"CALM": 60}).checks("CALM")["missing"] == 3
    assert "missing" not in assess(holes).checks("CALM")


def test_a_symbol_that_sent_nothing_is_missing_in_full():
    found = assess(BARS, expected={"CALM": DAYS, "GONE": DAYS})
    assert found.checks("GONE") == {"expected": 60, "missing": 60}
    assert found.score("GONE") == 0.6


def test_a_day_the_exchange_was_closed_is_named():
    found = assess(BARS, expected={"CALM": [day for day in DAYS if day != DAYS[12]]})
    assert list(found.flags["rule"]) == ["off_calendar"]
    assert "missing" not in found.checks("CALM")


def test_the_second_of_two_rows_of_a_day_is_the_duplicate():
    found = assess(pd.concat([BARS, BARS.iloc[[30]]], ignore_index=True), expected={"CALM": DAYS})
    assert [(f.rule, f.position) for f in found.flags.itertuples()] == [("duplicate", 60)]


@pytest.mark.parametrize(("nulls", "verdict"), [(15, "accepted"), (16, "rejected")])
def test_exactly_5_percent_of_nulls_pass(nulls, verdict):
    bars = BARS.copy()
    bars.loc[: nulls - 1, "open"] = np.nan  # of 300 required cells
    found = assess(bars, expected={"CALM": DAYS})
    assert found.checks("CALM")["nulls"] == nulls
    assert found.verdict("CALM") == verdict


@pytest.mark.parametrize(("length", "flagged"), [(1, 0), (2, 0), (3, 3), (6, 6)])
def test_a_run_of_three_sessions_without_a_trade_is_dead(length, flagged):
    bars = BARS.copy()
    bars.loc[20 : 19 + length, "volume"] = 0
    assert (assess(bars).flags["rule"] == "zero_volume").sum() == flagged


def test_an_instrument_without_volume_is_not_blamed_where_none_is_required():
    bars = BARS.assign(volume=0)
    assert assess(bars, required=["open", "high", "low", "close"]).flags.empty


def test_symbols_do_not_touch_each_other_and_rows_may_come_in_any_order():
    other = calm("OTHER", start=9.0, seed=8)
    other.loc[30, "low"] = -1.0
    mixed = pd.concat([BARS, other]).sample(frac=1, random_state=1).reset_index(drop=True)
    found = assess(mixed)
    assert found.verdict("CALM") == "accepted"
    assert found.verdict("OTHER") == "rejected"
    assert list(mixed.loc[found.flags["position"], "low"]) == [-1.0]


def test_one_call_for_many_symbols_says_what_a_call_for_each_says():
    many = pd.concat([calm(f"S{n}", seed=n, start=10.0 + n) for n in range(8)], ignore_index=True)
    many.loc[[70, 200, 333], "close"] *= 100
    whole = assess(many)
    for symbol, own in many.groupby("symbol"):
        assert assess(own).checks(symbol) == whole.checks(symbol)


def test_earlier_bars_give_the_past_and_are_not_judged():
    earlier = BARS.iloc[:50].copy()
    earlier.loc[10, "low"] = -1.0
    found = assess(BARS.iloc[45:].reset_index(drop=True), earlier=earlier)
    assert found.checks("CALM") == {"rows": 15, "expected": 15, "cells": 75}
    assert found.flags.empty


def test_an_empty_load_is_no_error():
    found = assess(BARS.iloc[:0], expected={"CALM": DAYS})
    assert found.checks("CALM") == {"expected": 60, "missing": 60}
    assert found.flags.empty
