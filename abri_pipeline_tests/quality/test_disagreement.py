"""Two providers about one close: P9 of the fault matrix."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.quality.disagreement import Closes, compare

SPLITS = pd.DataFrame({"symbol": ["NVDA"], "date": [pd.Timestamp("2024-06-10")], "value": [10.0]})
DAYS = pd.to_datetime(["2024-06-06", "2024-06-07", "2024-06-10"])


def closes(source, values, through=None, symbol="NVDA"):
    return Closes(source, pd.DataFrame({"symbol": symbol, "date": DAYS[: len(values)], "close": values}), through)


@pytest.mark.parametrize(("other", "apart"), [(100.0, 0), (100.5, 0), (100.51, 1), (99.51, 0), (99.4, 1)])
def test_p9_more_than_half_a_percent_is_quarantined(other, apart):
    found = compare(closes("yahoo", [100.0]), closes("massive", [other]))
    assert found.compared == 1
    assert len(found.apart) == apart


def test_p9_both_values_and_both_sources_are_named():
    row = compare(closes("yahoo", [100.0, 50.0]), closes("massive", [100.0, 55.0])).apart.iloc[0]
    assert (row["first_source"], row["first_close"]) == ("yahoo", 50.0)
    assert (row["second_source"], row["second_close"]) == ("massive", 55.0)
    assert row["date"] == DAYS[1]
    assert row["difference"] == pytest.approx(0.1)
    assert row["reason"] == "yahoo says 50, massive says 55: 10.00% apart as traded, 0.5% is allowed"


def test_a_difference_of_basis_is_no_disagreement_where_the_split_is_known():
    adjusted = closes("yahoo", [121.0, 120.888, 121.79], date(2024, 6, 20))
    as_traded = closes("stooq", [1210.0, 1208.88, 121.79])
    fetched_before = closes("massive", [1210.0, 1208.88], date(2024, 6, 7))
    for other in (as_traded, fetched_before):
        assert compare(adjusted, other, SPLITS).apart.empty
        assert len(compare(adjusted, other).apart) == 2


def test_another_symbols_split_changes_nothing():
    found = compare(closes("a", [10.0], date(2025, 1, 1), "AMD"), closes("b", [10.0], symbol="AMD"), SPLITS)
    assert found.apart.empty


def test_what_only_one_has_is_not_compared():
    found = compare(closes("a", [1.0, np.nan, 0.0]), closes("b", [1.0, 2.0, 3.0]))
    assert found.compared == 1


@settings(deadline=None, max_examples=30)  # a frame a time: slow on a busy machine
@given(one=st.floats(0.01, 1e6), factor=st.floats(0.9, 1.1))
def test_who_is_first_makes_no_difference(one, factor):
    a, b = closes("a", [one]), closes("b", [one * factor])
    assert len(compare(a, b).apart) == len(compare(b, a).apart)
