"""No look-ahead, no dependence on row order, and the second implementation on random markets."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.analytics.abri import Inputs, WeeklyScorer, load_method
from abri_pipeline_tests.analytics import abri_brute_force as brute
from abri_pipeline_tests.analytics.abri_samples import NAMES, OBSERVED, random_inputs

METHOD = load_method("spec-1.1")
FIRST = date(2021, 1, 4)
DAYS = st.integers(0, 900).map(lambda n: FIRST + timedelta(days=n))
MARKETS = {seed: random_inputs(seed) for seed in range(3)}
SCORERS = {seed: WeeklyScorer(market) for seed, market in MARKETS.items()}


def each_frame(given_inputs, change):
    return Inputs(**{name: change(getattr(given_inputs, name), OBSERVED[name]) for name in NAMES})


@settings(max_examples=25, deadline=None)
@given(seed=st.sampled_from(sorted(MARKETS)), as_of=DAYS, lag=st.integers(0, 60))
def test_the_future_never_changes_a_print(seed, as_of, lag):
    known = brute.mondays_instant(as_of + timedelta(days=lag))
    whole = SCORERS[seed].print_at(METHOD, as_of, known)

    def past(frame, observed):
        return frame[(frame[observed] <= as_of) & (frame["available_at"] <= known)]

    def and_another_future(frame, observed):
        rng = np.random.default_rng(seed + 99)
        later = frame.assign(**{observed: frame[observed] + timedelta(days=1200)})
        unknown = frame.assign(available_at=frame["available_at"] + pd.Timedelta(days=3000))
        return pd.concat([past(frame, observed), later, unknown]).sample(frac=1, random_state=rng)

    assert WeeklyScorer(each_frame(MARKETS[seed], past)).print_at(METHOD, as_of, known) == whole
    assert WeeklyScorer(each_frame(MARKETS[seed], and_another_future)).print_at(METHOD, as_of, known) == whole


@pytest.mark.parametrize("seed", sorted(MARKETS))
def test_the_second_implementation_agrees(seed):
    rng = np.random.default_rng(seed)
    seen = dict.fromkeys(brute.WEIGHTS, 0)
    for offset in rng.choice(np.arange(200, 930), 25, replace=False):
        as_of = FIRST + timedelta(days=int(offset))
        known = brute.mondays_instant(as_of)
        found = SCORERS[seed].print_at(METHOD, as_of, known).result
        expected = brute.scores(MARKETS[seed], as_of, known)
        for name, value in expected.items():
            assert found.components[name] == (None if value is None else pytest.approx(value, abs=1e-9)), name
            seen[name] += value not in (None, 0.0, 100.0)
        status, value = brute.composite(expected)
        assert (found.status, found.composite) == (status, None if value is None else pytest.approx(value, abs=1e-9))
    # A comparison of absences would prove nothing.
    assert all(seen.values())


def test_the_random_markets_reach_every_component_and_both_ends_of_coverage():
    found = [
        scorer.print_at(METHOD, FIRST + timedelta(days=n), brute.mondays_instant(FIRST + timedelta(days=n))).result
        for scorer in SCORERS.values()
        for n in range(0, 900, 10)
    ]
    for name in brute.WEIGHTS:
        assert any(one.components[name] is not None for one in found), name
        assert any(one.components[name] is None for one in found), name


def test_row_order_and_column_types_change_no_bit():
    as_of = date(2022, 11, 4)
    known = brute.mondays_instant(as_of)
    expected = SCORERS[0].print_at(METHOD, as_of, known)

    def as_text(frame, observed):
        text = frame.assign(available_at=[instant.isoformat() for instant in frame["available_at"]])
        return text.assign(**{observed: frame[observed].astype(str)}).iloc[::-1]

    def as_stamps(frame, observed):
        stamps = frame.assign(available_at=[instant.replace(tzinfo=None) for instant in frame["available_at"]])
        return stamps.assign(**{observed: pd.to_datetime(frame[observed])}).sample(frac=1, random_state=4)

    for change in (as_text, as_stamps):
        assert WeeklyScorer(each_frame(MARKETS[0], change)).print_at(METHOD, as_of, known) == expected


def test_a_replay_gives_the_same_bits_and_the_zone_of_k_does_not_matter():
    as_of = date(2022, 11, 4)
    known = datetime(2022, 11, 7, 23, tzinfo=UTC)
    new_york = known.astimezone(tz=pd.Timestamp("2022-11-07", tz="America/New_York").tz)
    first = SCORERS[1].print_at(METHOD, as_of, known)
    again = WeeklyScorer(random_inputs(1)).print_at(METHOD, as_of, new_york)
    assert (again.input_digest, again.result) == (first.input_digest, first.result)
