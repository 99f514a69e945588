"""Each indicator by hand: its value, its age, its source, and why it is missing."""

from datetime import date, timedelta

import pandas as pd
import pytest

from abri_pipeline.analytics.abri import InputError, Reading, readings
from abri_pipeline_tests.analytics.abri_samples import GROUP, at, changed, inputs

AS_OF, KNOWN = date(2025, 1, 10), at("2025-01-13", 23)


def read(indicator, given, as_of=AS_OF, known=KNOWN):
    return readings(given, as_of, known)[indicator]


def test_nothing_known_is_seven_reasons_and_no_number():
    found = readings(inputs(), AS_OF, KNOWN)
    assert all(reading.value is None and reading.reason for reading in found.values())
    assert len(found) == 8  # seven scored, and the basket's correlation for the crowded flag


def test_market_takes_the_newest_known_value_and_its_age():
    given = inputs(market=[
        ("2025-01-08", 0.31, 0.6, 0.8, at("2025-01-08")),
        ("2025-01-09", 0.32, None, 0.9, at("2025-01-09")),
        ("2025-01-10", 0.33, 0.7, 0.9, at("2025-01-14")),  # known too late
        ("2025-01-13", 0.34, 0.7, 0.9, at("2025-01-13")),  # after as_of
    ])  # fmt: skip
    weight = read("mag7_weight", given)
    assert (weight.value, weight.observed_on) == (0.32, date(2025, 1, 9))
    assert weight.available_at == at("2025-01-09")
    assert read("nvda_spy_corr", given).value == 0.6


def test_a_row_is_known_from_its_instant_on():
    given = inputs(market=[("2025-01-10", 0.31, 0.6, 0.8, KNOWN)])
    assert read("mag7_weight", given).value == 0.31
    assert read("mag7_weight", given, known=KNOWN - timedelta(microseconds=1)).value is None


@pytest.mark.parametrize(("age", "value"), [(8, 0.31), (9, None)])
def test_a_market_value_grows_too_old(age, value):
    day = AS_OF - timedelta(days=age)
    assert read("mag7_weight", inputs(market=[(day, 0.31, 0.6, 0.8, at(day))])).value == value


def spreads(values, last=AS_OF):
    days = [day.date() for day in pd.bdate_range(end=last, periods=len(values))]
    return [(day, value, None, at(day + timedelta(days=1))) for day, value in zip(days, values, strict=True)]


@pytest.mark.parametrize(("today", "rank"), [(100.0, 1.0), (-1.0, 1 / 300), (50.0, 150 / 300), (10.0, 34 / 300)])
def test_credit_rank_counts_today_and_ties(today, rank):
    # 299 days: 149 at or below 49, 150 above 50.
    history = [float(n) % 50 for n in range(149)] + [60.0] * 150
    assert read("hy_ig_diff_percentile", inputs(credit=spreads([*history, today]))).value == pytest.approx(rank)


def test_credit_scores_no_weekend_and_no_substitute():
    rows = spreads([200.0] * 300)
    saturday = (date(2024, 11, 30), 900.0, None, at("2024-12-02"))
    stand_in = (date(2025, 1, 10), 900.0, "BAA10Y", at("2025-01-11"))
    plain = read("hy_ig_diff_percentile", inputs(credit=rows[:-1]))
    assert read("hy_ig_diff_percentile", inputs(credit=[*rows[:-1], saturday, stand_in])) == plain
    assert plain.observed_on == date(2025, 1, 9)


def test_credit_forgets_what_is_older_than_five_years():
    old = [(date(2019, 12, 2), 50.0, None, at("2019-12-03"))]
    rows = spreads([100.0] * 299 + [99.0])
    assert read("hy_ig_diff_percentile", inputs(credit=old + rows)).value == pytest.approx(1 / 300)


def test_credit_needs_a_year_and_a_fresh_value():
    short = read("hy_ig_diff_percentile", inputs(credit=spreads([200.0] * 200)))
    assert short.value is None and "less than 1 year back" in short.reason
    stale = read("hy_ig_diff_percentile", inputs(credit=spreads([200.0] * 300, date(2024, 12, 27))))
    assert stale.value is None and "no HY - BBB spread of a weekday from 2024-12-31" in stale.reason


def quote(day, price, source="lambda", model="H100-80GB", kind="on_demand", known=None):
    return (day, model, source, kind, "", price, known or at(day))


def test_gpu_takes_the_median_of_the_latest_week_with_a_quote():
    given = inputs(gpu=[
        quote("2024-12-22", 9.0),  # the Sunday before: another ISO week
        quote("2024-12-23", 2.0), quote("2024-12-29", 3.0), quote("2024-12-24", 12.0, "aws"),
        quote("2024-12-30", 0.9, kind="spot"), quote("2024-12-30", 0.8, model="A100-80GB"),
        quote("2025-01-06", 1.5, known=at("2025-01-14")),
    ])  # fmt: skip
    price = read("h100_price", given)
    assert (price.value, price.observed_on) == (3.0, date(2024, 12, 29))
    assert price.note == "median of 3 quotes by 2 sources in 2024-W52"


def test_gpu_reads_a_corrected_quote_once():
    given = inputs(gpu=[quote("2025-01-06", 8.0), quote("2025-01-06", 2.0, known=at("2025-01-08"))])
    assert read("h100_price", given).value == 2.0
    assert read("h100_price", given, known=at("2025-01-07")).value == 8.0


def filed(ticker, quarter, end, on, capex=50.0, cash=100.0):
    return (ticker, quarter, on, end, capex, cash, at(on))


Q3 = [filed(ticker, "FY2024Q3", "2024-09-30", "2024-10-30", 10.0 * n) for n, ticker in enumerate(GROUP, 4)]


def test_capex_is_the_mean_over_all_four():
    found = read("avg_capex_ocf", inputs(filings=Q3))
    assert found.value == pytest.approx((0.4 + 0.5 + 0.6 + 0.7) / 4)
    assert found.observed_on == date(2024, 9, 30)
    assert found.source.startswith("hyperscaler_metrics: MSFT FY2024Q3 filed 2024-10-30, GOOGL")


def test_a_mean_is_as_old_as_its_oldest_quarter_and_known_with_its_last_filing():
    newer = filed("META", "FY2024Q4", "2024-12-31", "2025-01-09", 70.0)
    found = read("avg_capex_ocf", inputs(filings=[*Q3, newer]))
    assert (found.observed_on, found.available_at) == (date(2024, 9, 30), at("2025-01-09"))


def test_capex_names_the_firms_that_lack_a_quarter():
    found = read("avg_capex_ocf", inputs(filings=[Q3[0], Q3[3]]))
    assert found.value is None
    assert found.reason == (
        "no 2-firm mean is taken (4 firms are needed): GOOGL and AMZN have no filed quarter known by 2025-01-13"
    )


def test_a_restatement_replaces_its_own_quarter_only():
    older = filed("MSFT", "FY2024Q2", "2024-06-30", "2024-12-01", 99.0)
    assert read("avg_capex_ocf", inputs(filings=[*Q3, older])).value == pytest.approx(0.55)
    same = filed("MSFT", "FY2024Q3", "2024-09-30", "2024-12-01", 80.0)
    assert read("avg_capex_ocf", inputs(filings=[same, *Q3])).value == pytest.approx((0.8 + 0.5 + 0.6 + 0.7) / 4)
    assert read("avg_capex_ocf", inputs(filings=[same, *Q3]), known=at("2024-11-30")).value == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("capex", "cash", "fault"),
    [(None, 100.0, "no capex that could be derived"), (50.0, None, "no operating cash flow that could be derived"),
     (50.0, -2790.0, "an operating cash flow of -2,790, on which no ratio stands")],
)  # fmt: skip
def test_an_unusable_latest_quarter_is_not_covered_by_an_older_one(capex, cash, fault):
    newest = filed("AMZN", "FY2024Q4", "2024-12-31", "2025-01-08", capex, cash)
    found = read("avg_capex_ocf", inputs(filings=[*Q3, newest]))
    assert found.value is None and f"AMZN FY2024Q4 filed 2025-01-08 has {fault}" in found.reason


def test_nothing_dated_before_its_filing_day_is_read():
    early = ("MSFT", "FY2024Q4", "2025-02-01", "2024-12-31", 90.0, 100.0, at("2024-12-31"))
    assert read("avg_capex_ocf", inputs(filings=[*Q3, early])).value == pytest.approx(0.55)


def sold(ticker, segment, revenue, end="2024-09-30", quarter="FY2024Q3"):
    return (ticker, quarter, end, segment, revenue, at("2024-10-30"))


SOLD = [sold("MSFT", "Azure", 20_000.0), sold("GOOGL", "Google Cloud", 12_000.0), sold("AMZN", "AWS", 28_000.0),
        sold("NVDA", "Data Center", 30_000.0)]  # fmt: skip


def test_revenue_gap_by_hand():
    # AI capex .60 x (40 + 50 + 60 + 70) = 132; AI revenue .20 x 20 + .25 x 12 + .15 x 28 + 30 = 41.2 thousand.
    found = read("ai_capex_revenue_ratio", inputs(filings=Q3, segments=SOLD))
    assert found.value == pytest.approx(132 / 41_200)
    assert "AI capex 132 over AI revenue 41,200 USD millions, mid case" in found.note


def test_intelligent_cloud_never_stands_in_for_azure():
    others = [*SOLD[1:], sold("MSFT", "Intelligent Cloud", 24_000.0)]
    found = read("ai_capex_revenue_ratio", inputs(filings=Q3, segments=others))
    assert found.value is None and "Azure revenue of MSFT; nothing stands in" in found.reason


def test_a_segment_named_twice_in_a_quarter_counts_once():
    twice = [*SOLD, sold("NVDA", "Data Center (market platform)", 31_000.0)]
    found = read("ai_capex_revenue_ratio", inputs(filings=Q3, segments=twice))
    assert found.value == pytest.approx(132 / 41_200)


def deal(day, amount, scored=True):
    return (day, amount, scored, at(day))


def test_deal_windows_are_calendar_months_open_below():
    given = inputs(deals=[
        deal("2024-01-10", 999.0),  # exactly a year back: outside
        deal("2024-01-11", 60.0), deal("2024-07-10", 40.0),
        deal("2024-07-11", 120.0), deal("2025-01-10", 30.0), deal("2025-01-11", 999.0),
        deal("2024-10-01", None), deal("2024-10-02", 500.0, scored=False),
    ])  # fmt: skip
    found = read("deal_growth", given)
    assert found.value == pytest.approx(0.5)
    assert found.note == "150 USD millions after 100; 1 ruled out, 1 without an amount"


def test_no_deal_before_is_missing_not_zero():
    found = read("deal_growth", inputs(deals=[deal("2024-12-01", 100.0), deal("2024-03-01", None)]))
    assert found.value is None and "no deal volume from 2024-01-10" in found.reason


def test_a_frame_of_the_wrong_shape_is_refused_by_column():
    with pytest.raises(InputError, match="gpu_prices has no column variant"):
        readings(changed(inputs(), gpu=pd.DataFrame([quote("2025-01-06", 1.0)]).set_axis(
            ["observed_on", "gpu_model", "source", "price_kind", "flavour", "price_per_gpu_hour", "available_at"],
            axis=1)), AS_OF, KNOWN)  # fmt: skip
    with pytest.raises(InputError, match=r"deals\.announced_date holds a value that is not a date"):
        readings(inputs(deals=[("soon", 1.0, True, KNOWN)]), AS_OF, KNOWN)
    with pytest.raises(InputError, match=r"deals\.amount_usd_millions holds a value that is no number"):
        readings(inputs(deals=[("2025-01-01", "many", True, KNOWN)]), AS_OF, KNOWN)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        readings(inputs(), AS_OF, KNOWN.replace(tzinfo=None))


@pytest.mark.parametrize(("value", "reason"), [(None, None), (1.0, "why"), (float("nan"), None), (float("inf"), None)])
def test_a_reading_is_a_finite_value_or_a_reason(value, reason):
    with pytest.raises(ValueError, match="the reading of x"):
        Reading("x", value, "", None, None, "", reason)
