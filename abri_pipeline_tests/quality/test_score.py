"""The score: reproducible from stored counts, and never raised by a defect."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.quality.score import EVENTS, SHARES, refusals, score, verdict

RULES = [*SHARES, *EVENTS]
COUNTS = st.fixed_dictionaries(
    {"rows": st.integers(1, 2000), "expected": st.integers(0, 2000), "cells": st.integers(0, 10_000)}
    | {rule: st.integers(0, 40) for rule in RULES}
)


@settings(deadline=None)
@given(counts=COUNTS, rule=st.sampled_from(RULES), more=st.integers(1, 50))
def test_a_defect_more_never_raises_the_score(counts, rule, more):
    worse = counts | {rule: counts[rule] + more}
    if rule in ("duplicate", "off_calendar"):  # each is a row more as well
        worse["rows"] += more
    assert 0.0 <= score(worse) <= score(counts) <= 1.0
    if verdict(counts) == "rejected":
        assert verdict(worse) == "rejected"


@settings(deadline=None)
@given(counts=COUNTS)
def test_the_score_is_reproduced_from_the_stored_document_without_its_zeros(counts):
    stored = json.loads(json.dumps({name: n for name, n in counts.items() if n}, sort_keys=True))
    assert score(stored) == score(counts)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_counts(rule):
    sound = {"rows": 10, "expected": 10, "cells": 50}
    assert score(sound) == 1.0
    assert score(sound | {rule: 1}) < 1.0


@pytest.mark.parametrize("rule", ["negative_price", "negative_volume"])
def test_one_negative_cell_turns_any_load_away(rule):
    found = refusals({"rows": 100_000, "expected": 100_000, "cells": 500_000, rule: 1})
    assert found
    assert "negative" in found[0]


def test_a_score_of_exactly_0_6_passes_and_below_it_does_not():
    empty = {"expected": 10, "missing": 10}
    assert (score(empty), verdict(empty)) == (0.6, "accepted")
    worse = {"rows": 1, "expected": 10, "missing": 10, "quiet_gap": 1}
    assert "below 0.6" in refusals(worse)[0]


def test_a_hole_of_one_of_two_sessions_does_not_turn_the_other_away():
    assert verdict({"rows": 1, "expected": 2, "cells": 5, "missing": 1}) == "accepted"
