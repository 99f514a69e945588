"""What must hold for any history of filings: no look-ahead, no order dependence, quarters that add up."""

from datetime import timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.analytics.filings import hyperscaler_metrics
from abri_pipeline.analytics.filings_companies import COMPANIES

TAGS = ("PaymentsToAcquireProductiveAssets", "PaymentsToAcquirePropertyPlantAndEquipment", "Revenues")
BALANCES = ("StockholdersEquity", "AccountsReceivableNetCurrent", "LongTermDebtNoncurrent", "DebtCurrent")
CALENDAR = COMPANIES["NVDA"].calendar
BOUNDS = [CALENDAR.year_end(2019)] + [CALENDAR.quarter_end(y, q) for y in (2020, 2021) for q in (1, 2, 3, 4)]

windows = st.tuples(st.integers(0, 7), st.integers(1, 8)).filter(lambda pair: pair[0] < pair[1])
flows = st.tuples(st.sampled_from(TAGS), windows, st.integers(1, 50))
instants = st.tuples(st.sampled_from(BALANCES), st.integers(1, 8).map(lambda n: (None, n)), st.integers(1, 50))
filings = st.tuples(st.integers(0, 60), st.lists(st.one_of(flows, flows, instants), min_size=1, max_size=12))
histories = st.lists(filings, min_size=1, max_size=8)


def frame(history) -> pd.DataFrame:
    """Facts of the filings, about ten days apart; some share a day."""
    rows = [
        {
            "accession": f"0001-{number:06}",
            "tag": tag,
            "unit": "USD",
            "start": pd.NaT if first is None else pd.Timestamp(BOUNDS[first] + timedelta(days=1)),
            "end": pd.Timestamp(BOUNDS[last]),
            "value": value * 1e6,
            "form": "10-Q",
            "filed_on": pd.Timestamp("2021-03-01") + pd.Timedelta(days=10 * (day // 5)),
            "accepted_at": pd.NaT,
        }
        for number, (day, facts) in enumerate(history)
        for tag, (first, last), value in facts
    ]
    return pd.DataFrame(rows).drop_duplicates(["accession", "tag", "start", "end"])


@settings(max_examples=30, deadline=None)
@given(histories, st.integers(0, 12))
def test_cutting_what_is_filed_later_changes_no_earlier_row(history, cut):
    facts = frame(history)
    day = pd.Timestamp("2021-03-01") + pd.Timedelta(days=10 * cut)
    whole = hyperscaler_metrics("NVDA", facts)
    known = hyperscaler_metrics("NVDA", facts[facts["filed_on"] <= day])
    pd.testing.assert_frame_equal(whole[whole["filed_on"] <= day].reset_index(drop=True), known)


@settings(max_examples=25, deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_does_not_matter(history, random):
    facts = frame(history)
    order = list(range(len(facts)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        hyperscaler_metrics("NVDA", facts.iloc[order]), hyperscaler_metrics("NVDA", facts), check_exact=True
    )


@settings(max_examples=30, deadline=None)
@given(histories)
def test_rows_are_keyed_dated_and_different(history):
    facts = frame(history)
    rows = hyperscaler_metrics("NVDA", facts)
    assert not rows.duplicated(["ticker", "fiscal_period", "filed_on"]).any()
    assert set(rows["filed_on"]) <= set(facts["filed_on"])
    filed = facts.set_index("accession")["filed_on"].to_dict()
    assert (rows["accession"].map(filed) == rows["filed_on"]).all()
    one_a_day = facts.groupby("filed_on")["accession"].nunique().max() == 1
    if one_a_day:  # two filings of one day may take a change back within the day
        figures = rows.drop(columns=["filed_on", "accession", "source_url", "accepted_at"])
        before = figures.groupby("fiscal_period").shift()
        same = (figures[before.columns].eq(before) | (figures[before.columns].isna() & before.isna())).all(axis=1)
        assert not same.any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 500), min_size=4, max_size=4), min_size=1, max_size=4))
def test_the_quarters_of_a_year_add_up_in_every_complete_vintage(vintages):
    """Each vintage files the year's four windows over months, as the next year's filings do; at its 10-K all agree."""
    parts = []
    for number, cumulative in enumerate(vintages):
        for quarter, value in enumerate(cumulative):
            parts.append((number * 20 + quarter * 5, [(TAGS[0], (0, quarter + 1), value)]))
    rows = hyperscaler_metrics("NVDA", frame(parts))
    for number, cumulative in enumerate(vintages):
        annual = pd.Timestamp("2021-03-01") + pd.Timedelta(days=10 * (number * 4 + 3))
        known = rows[rows["filed_on"] <= annual].groupby("fiscal_period")["capex"].last()
        assert list(known.index) == ["FY2020Q1", "FY2020Q2", "FY2020Q3", "FY2020Q4"]
        assert abs(known.sum() - cumulative[3]) < 1e-9
