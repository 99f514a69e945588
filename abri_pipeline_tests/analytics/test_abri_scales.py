"""The published formulas, by hand and as properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.analytics.abri import load_method
from abri_pipeline.analytics.abri.scales import SCALES, LogRatio

METHOD = load_method("spec-1.1")
SCALE = {part.indicators[0].name: part.indicators[0].scale for part in METHOD.components}
FALLING = {"h100_price"}
VALUES = st.floats(-50, 50)
RATIOS = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("indicator", "value", "score"),
    [
        ("mag7_weight", 0.40, 0), ("mag7_weight", 0.45, 25), ("mag7_weight", 0.60, 100),
        ("mag7_weight", 0.349, 0), ("mag7_weight", 0.70, 100),
        ("nvda_spy_corr", 0.50, 0), ("nvda_spy_corr", 0.725, 50), ("nvda_spy_corr", 0.95, 100),
        ("nvda_spy_corr", -0.3, 0), ("nvda_spy_corr", 1.0, 100),
        ("hy_ig_diff_percentile", 0.0, 0), ("hy_ig_diff_percentile", 0.37, 37), ("hy_ig_diff_percentile", 1.0, 100),
        ("h100_price", 8.0, 0), ("h100_price", 2.0, 80), ("h100_price", 0.5, 100), ("h100_price", 12.29, 0),
        ("h100_price", 0.2, 100),
        ("avg_capex_ocf", 0.40, 0), ("avg_capex_ocf", 0.65, 62.5), ("avg_capex_ocf", 0.80, 100),
        ("avg_capex_ocf", 0.1, 0), ("avg_capex_ocf", 1.4, 100),
        ("ai_capex_revenue_ratio", 1, 50), ("ai_capex_revenue_ratio", 3, 100), ("ai_capex_revenue_ratio", 1 / 3, 0),
        ("ai_capex_revenue_ratio", math.sqrt(3), 75), ("ai_capex_revenue_ratio", 9, 100),
        ("ai_capex_revenue_ratio", 0.01, 0),
        ("deal_growth", 0.0, 50), ("deal_growth", 1.0, 100), ("deal_growth", -0.5, 25), ("deal_growth", -1.0, 0),
        ("deal_growth", 4.0, 100),
    ],
)  # fmt: skip
def test_published_formula(indicator, value, score):
    assert SCALE[indicator].score(value) == pytest.approx(score, abs=1e-9)


@given(indicator=st.sampled_from(sorted(set(SCALE) - {"ai_capex_revenue_ratio"})), one=VALUES, other=VALUES)
def test_scores_are_bounded_and_monotone(indicator, one, other):
    low, high = (SCALE[indicator].score(value) for value in sorted((one, other)))
    assert 0 <= low <= 100 and 0 <= high <= 100
    assert low >= high if indicator in FALLING else low <= high


@given(one=RATIOS, other=RATIOS)
def test_the_log_scale_is_bounded_and_monotone(one, other):
    low, high = (SCALE["ai_capex_revenue_ratio"].score(value) for value in sorted((one, other)))
    assert 0 <= low <= high <= 100


def test_a_log_scale_has_no_answer_for_zero():
    with pytest.raises(ValueError, match="must be positive"):
        LogRatio(1, 3).score(0.0)


def test_a_clipped_score_is_never_a_negative_zero():
    assert all(math.copysign(1, SCALE[name].score(1e-9 if "ratio" in name else -9.0)) == 1 for name in SCALE)


def test_every_kind_is_in_use():
    assert {type(scale) for scale in SCALE.values()} == set(SCALES.values())
