"""Scores into a print: composite, status, level, blocks, contributions, digest."""

import math
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.analytics.abri import Reading, input_digest, load_method, parse_method, score
from abri_pipeline_tests.analytics.abri_brute_force import WEIGHTS, composite
from abri_pipeline_tests.analytics.abri_samples import at

METHOD = load_method("spec-1.1")
INDICATOR = {part.name: part.indicators[0].name for part in METHOD.components}
# One value a component with a score that is plain to see.
VALUES = {"concentration": 0.5, "correlation": 0.725, "credit_stress": 0.2, "gpu_deflation": 2.0,
          "capex_intensity": 0.6, "revenue_gap": 3.0, "deal_flow": 0.2}  # fmt: skip
SCORES = {"concentration": 50, "correlation": 50, "credit_stress": 20, "gpu_deflation": 80,
          "capex_intensity": 50, "revenue_gap": 100, "deal_flow": 60}  # fmt: skip


def reading(name, value, day=date(2025, 1, 10)):
    reason = f"no {name}" if value is None else None
    return Reading(name, value, "", day if reason is None else None, at(day) if reason is None else None, "s", reason)


def some(present, basket=0.9, **values):
    names = {INDICATOR[part]: (VALUES | values)[part] if part in present else None for part in INDICATOR}
    return {name: reading(name, value) for name, value in (names | {"mag7_spy_corr": basket}).items()}


def test_a_full_print_by_hand():
    found = score(METHOD, some(VALUES))
    # .15x50 + .10x50 + .15x20 + .15x80 + .15x50 + .10x100 + .20x60
    assert found.composite == pytest.approx(57.0, abs=1e-12)
    assert (found.status, found.level, found.coverage) == ("full", "Bubble", 1.0)
    assert found.vulnerability == pytest.approx((7.5 + 7.5 + 10 + 12) / 0.6)
    assert found.stress == pytest.approx((5 + 3 + 12) / 0.4)
    assert found.components == pytest.approx(SCORES)
    assert found.missing == {}


def test_a_missing_component_renormalises_the_rest_and_is_named():
    found = score(METHOD, some(set(VALUES) - {"capex_intensity", "revenue_gap"}))
    assert found.composite == pytest.approx((7.5 + 5 + 3 + 12 + 12) / 0.75)
    assert found.components["capex_intensity"] is None
    assert found.missing == {"capex_intensity": "no avg_capex_ocf", "revenue_gap": "no ai_capex_revenue_ratio"}
    assert (found.status, found.level) == ("official_partial", "Bubble")
    assert set(found.contributions) == set(VALUES) - {"capex_intensity", "revenue_gap"}


@pytest.mark.parametrize(
    ("present", "status"),
    [
        (("concentration", "credit_stress", "gpu_deflation", "capex_intensity"), "official_partial"),  # exactly .60
        (("correlation", "credit_stress", "gpu_deflation", "deal_flow"), "official_partial"),  # .60 in other bits
        (("concentration", "capex_intensity", "revenue_gap", "deal_flow"), "indicative"),  # .60, one block only
        (("concentration", "credit_stress", "gpu_deflation", "correlation"), "indicative"),  # .55
        (("concentration", "deal_flow"), "indicative"),  # exactly .35
        (("concentration", "credit_stress"), "none"),  # .30
        (("deal_flow",), "none"),
        ((), "none"),
    ],
)
def test_status_rules(present, status):
    found = score(METHOD, some(present))
    assert found.status == status
    assert (found.composite is None) == (status == "none")
    assert (found.level is None) == (status != "official_partial")


def test_every_combination_of_missing_components_agrees_with_the_second_implementation():
    for count in range(8):
        for present in combinations(VALUES, count):
            found = score(METHOD, some(present))
            status, value = composite({name: float(SCORES[name]) if name in present else None for name in WEIGHTS})
            assert found.status == status
            assert found.composite == (None if value is None else pytest.approx(value, abs=1e-9))


VALUE = st.none() | st.floats(0.01, 20)


@given(values=st.fixed_dictionaries(dict.fromkeys(VALUES, VALUE)))
def test_a_print_is_bounded_and_its_contributions_sum_to_it(values):
    present = [name for name, value in values.items() if value is not None]
    found = score(METHOD, some(present, **values))
    assert {name for name, value in found.components.items() if value is not None} == set(present)
    for value in (*found.components.values(), found.composite, found.vulnerability, found.stress):
        assert value is None or 0 <= value <= 100
    if found.composite is not None:
        assert abs(math.fsum(found.contributions.values()) - found.composite) <= 1e-12


@given(values=st.fixed_dictionaries(dict.fromkeys(VALUES, st.floats(0.01, 20))), worse=st.floats(0, 5))
def test_more_stress_never_lowers_the_composite(values, worse):
    for name in VALUES:
        step = -min(worse, values[name] - 0.005) if name == "gpu_deflation" else worse
        after = values | {name: values[name] + step}
        before = score(METHOD, some(VALUES, **values)).composite
        assert score(METHOD, some(VALUES, **after)).composite >= before - 1e-12


@pytest.mark.parametrize(
    ("nvda", "basket", "crowded"), [(0.86, 0.86, True), (0.85, 0.99, False), (0.99, 0.85, False), (0.9, None, None)]
)
def test_the_trade_is_crowded_when_both_correlations_are_above(nvda, basket, crowded):
    assert score(METHOD, some(VALUES, basket, correlation=nvda)).crowded is crowded


def test_the_digest_names_what_went_in():
    base = some(VALUES)
    day, known = date(2025, 1, 10), at("2025-01-13")
    digest = input_digest(METHOD, base, day, known)
    assert digest == input_digest(METHOD, dict(reversed(base.items())), day, known)
    moved = base | {"h100_price": reading("h100_price", math.nextafter(2.0, 3))}
    aged = base | {"h100_price": reading("h100_price", 2.0, date(2025, 1, 9))}
    others = [input_digest(METHOD, moved, day, known), input_digest(METHOD, aged, day, known),
              input_digest(METHOD, base, date(2025, 1, 9), known),
              input_digest(METHOD, base, day, at("2025-01-13", 22))]  # fmt: skip
    assert len({digest, *others}) == 5 and len(digest) == 64


def test_the_digest_does_not_hang_on_wording():
    short, long = some(()), some(())
    long["h100_price"] = Reading("h100_price", None, "", None, None, "s", "a better sentence")
    day, known = date(2025, 1, 10), at("2025-01-13")
    assert input_digest(METHOD, short, day, known) == input_digest(METHOD, long, day, known)


THIRD = """
method: third
title: two indicators in one component, and one component a block
measures:
  nvda_spy_corr: {max_age_days: 8}
  mag7_spy_corr: {max_age_days: 8}
  mag7_weight: {max_age_days: 8}
components:
  concentration:
    weight: 0.5
    block: vulnerability
    indicators: {mag7_weight: {weight: 1, scale: {kind: linear, zero_at: 0, hundred_at: 1}}}
  correlation:
    weight: 0.5
    block: stress
    indicators:
      nvda_spy_corr: {weight: 0.4, scale: {kind: linear, zero_at: 0, hundred_at: 1}}
      mag7_spy_corr: {weight: 0.6, scale: {kind: linear, zero_at: 0, hundred_at: 1}}
component_floor: 0.5
levels: {Normal: 0, Elevated: 20, Bubble: 40, Extreme: 60}
status:
  official_partial: {coverage: 0.5, components: 1, every_block: false}
  indicative: {coverage: 0.1, components: 1, every_block: false}
crowded: {indicators: [nvda_spy_corr, mag7_spy_corr], above: 0.5}
alerts: {abri_composite: {watches: composite, breach: above, warning: 20, critical: 30}}
"""


@pytest.mark.parametrize(
    ("nvda", "basket", "correlation"), [(0.5, 1.0, 80), (None, 1.0, 100), (0.5, None, None), (None, None, None)]
)
def test_another_method_needs_no_code(nvda, basket, correlation):
    values = {"mag7_weight": 0.3, "nvda_spy_corr": nvda, "mag7_spy_corr": basket}
    found = score(parse_method(THIRD, "third.yaml"), {name: reading(name, v) for name, v in values.items()})
    assert found.components["correlation"] == (None if correlation is None else pytest.approx(correlation))
    assert found.composite == pytest.approx(30 if correlation is None else (30 + correlation) / 2)
    assert found.level == ("Elevated" if correlation is None else "Bubble" if correlation == 80 else "Extreme")
