"""Method files: what ships, and what is refused by file and field."""

import math
from importlib.resources import files

import pytest

from abri_pipeline.analytics.abri import MethodError, available_methods, load_method, parse_method

TEXT = files("abri_pipeline.analytics.abri").joinpath("methods", "spec-1.1.yaml").read_text("utf-8")


def test_spec_1_1_holds_the_published_weights_and_blocks():
    method = load_method("spec-1.1")
    assert {part.name: (part.weight, part.block) for part in method.components} == {
        "concentration": (0.15, "vulnerability"),
        "correlation": (0.10, "stress"),
        "credit_stress": (0.15, "stress"),
        "gpu_deflation": (0.15, "stress"),
        "capex_intensity": (0.15, "vulnerability"),
        "revenue_gap": (0.10, "vulnerability"),
        "deal_flow": (0.20, "vulnerability"),
    }
    assert math.fsum(part.weight for part in method.components) == pytest.approx(1, abs=1e-15)


def test_spec_1_1_is_frozen():
    # A published file never changes: if this digest moves, the change belongs in a method with a new name.
    digest = load_method("spec-1.1").digest
    assert digest == "58fbbf6de29e2471d2b95bd4877ac324bbfdb09ba7f4a410b08e45ca736a1dea"


def test_spec_1_1_holds_the_published_alert_lines():
    lines = {alert.metric: (alert.breach, alert.warning, alert.critical) for alert in load_method("spec-1.1").alerts}
    assert lines == {
        "abri_composite": ("above", 50, 70),
        "mag7_weight": ("above", 0.50, 0.55),
        "nvda_spy_corr": ("above", 0.85, 0.90),
        "hy_ig_diff": ("above", 0.75, 0.90),
        "h100_price": ("below", 1.50, 0.75),
        "avg_capex_ocf": ("above", 0.65, 0.75),
    }


@pytest.mark.parametrize(
    ("composite", "level"),
    [(0, "Normal"), (29.999, "Normal"), (30, "Elevated"), (50, "Bubble"), (69.999, "Bubble"), (70, "Extreme"),
     (100, "Extreme")],
)  # fmt: skip
def test_a_level_holds_its_lower_cut(composite, level):
    assert load_method("spec-1.1").level(composite) == level


def test_the_digest_is_of_the_content_not_of_the_layout():
    shipped = load_method("spec-1.1").digest
    plain = "\n".join(line for line in TEXT.splitlines() if not line.lstrip().startswith("#"))
    assert parse_method(plain.replace("Elevated: 30,", "Elevated:   30.0,"), "x.yaml").digest == shipped
    assert parse_method(TEXT.replace("zero_at: 8.00", "zero_at: 8.01"), "x.yaml").digest != shipped


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    weight: 0.20\n", "    weight: 0.25\n", "components have weights that sum to 1.05"),
        ("weight: 1, scale: {kind: percentile_rank}", "weight: 0.9, scale: {kind: percentile_rank}",
         "components.credit_stress.indicators have weights that sum to 0.9"),
        ("    block: stress", "    block: strain", "components.correlation.block is 'strain'"),
        ("kind: growth", "kind: knots", "components.deal_flow.indicators.deal_growth.scale.kind is 'knots'"),
        ("hundred_at: 0.60", "hundred_at: 0.40", "mag7_weight.scale.hundred_at equals zero_at"),
        ("hundred_at: 0.60", "hundred_at: sixty", "mag7_weight.scale.hundred_at must be a number, not 'sixty'"),
        ("hundred_at: 0.60", "hundred_at: .nan", "mag7_weight.scale.hundred_at must be a number"),
        ("hundred_at: 0.60", "hunderd_at: 0.60", "mag7_weight.scale.hundred_at is missing"),
        ("hundred_at: 0.60", "hundred_at: 0.60, top: 1", "mag7_weight.scale.top is not a known field"),
        ("  deal_growth: {window_months: 6}", "  deal_pace: {window_months: 6}",
         "measures.deal_pace is not a known indicator"),
        ("  deal_growth: {window_months: 6}", "", "deal_flow.indicators.deal_growth is not measured"),
        ("  deal_flow:\n", "  deal_flaw:\n", "components.deal_flaw is not a known component"),
        ("window_months: 6", "window_months: 0", "measures.deal_growth.window_months must be a whole number"),
        ("Elevated: 30", "Elevated: 50", "levels.Bubble starts at 50, not above"),
        ("Normal: 0,", "Normal: 5,", "levels.Normal must start at 0"),
        ("Extreme: 70", "Extreme: 70, Doom: 90", "levels.Doom is not a known field"),
        ("warning: 0.50, critical: 0.55", "warning: 0.50, critical: 0.45", "alerts.mag7_weight.critical is 0.45"),
        ("warning: 1.50, critical: 0.75", "warning: 1.50, critical: 1.75", "alerts.h100_price.critical is 1.75"),
        ("watches: mag7_weight", "watches: mag8_weight", "alerts.mag7_weight.watches is 'mag8_weight'"),
        ("{low: 0.50, mid: 0.60, high: 0.70", "{low: 0.50, mid: 0.80, high: 0.70", "capex_share.mid must lie between"),
        ("segments: [AWS], low", "segments: [], low", "revenue.AMZN.segments are named exactly where"),
        ("minimum_years: 1", "minimum_years: 6", "measures.hy_ig_diff_percentile.minimum_years is longer"),
        ("coverage: 0.60", "coverage: 1.60", "status.official_partial.coverage is 1.6"),
        ("coverage: 0.35", "coverage: 0.65", "status.indicative.coverage asks for more"),
        ("every_block: true", "every_block: 'yes'", "status.official_partial.every_block must be true or false"),
        ("[nvda_spy_corr, mag7_spy_corr]", "[nvda_spy_corr, qqq_corr]", "crowded.indicators name 'qqq_corr'"),
        ("component_floor: 0.5", "component_floor: 0.5\ncomponent_floor: 0.1", "'component_floor' is written twice"),
        ("component_floor: 0.5", "", "component_floor is missing"),
        ("component_floor: 0.5", "component_floor: 0.5\nseed: 7", "seed is not a known field"),
        ("levels: {", "levels: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_file_and_field(old, new, complaint):
    assert old in TEXT
    with pytest.raises(MethodError) as refused:
        parse_method(TEXT.replace(old, new, 1), "mine.yaml")
    assert str(refused.value).startswith("mine.yaml: ")
    assert complaint in str(refused.value)


def test_a_file_that_is_no_mapping_is_refused():
    with pytest.raises(MethodError, match=r"mine\.yaml: the file must be a mapping of fields, not list"):
        parse_method("- weights\n", "mine.yaml")


def test_an_unknown_method_is_refused_with_the_known_ones():
    assert "spec-1.1" in available_methods()
    with pytest.raises(MethodError, match=r"no method 'spec-9'; known are .*spec-1\.1"):
        load_method("spec-9")
