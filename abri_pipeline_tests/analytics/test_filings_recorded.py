"""NVDA, MSFT and META as they really filed (SEC companyfacts), against figures of their own reports."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from abri_pipeline.analytics.filings import COMPANIES, FORMS, hyperscaler_metrics

pytestmark = pytest.mark.realdata

Recorded = Callable[[str], pd.DataFrame]


def read_facts(path: Path) -> pd.DataFrame:
    """Un-dimensioned us-gaap facts of a companyfacts body."""
    rows = [
        (fact["accn"], tag, unit, fact.get("start"), fact["end"], fact["val"], fact["form"], fact["filed"])
        for tag, body in json.loads(path.read_text())["facts"]["us-gaap"].items()
        for unit, facts in body["units"].items()
        for fact in facts
    ]
    frame = pd.DataFrame(
        rows, columns=["accession", "tag", "unit", "start", "end", "value", "form", "filed_on"]
    ).assign(accepted_at=pd.NaT)
    for name in ("start", "end", "filed_on"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


@pytest.fixture(scope="module")
def facts(shared: Path) -> Recorded:
    folder = shared / "data" / "sec" / "companyfacts"
    known = {ticker: read_facts(folder / f"CIK{COMPANIES[ticker].cik:010}.json") for ticker in ("NVDA", "MSFT", "META")}
    return known.__getitem__


@pytest.fixture(scope="module")
def rows(facts: Recorded) -> Recorded:
    known = {ticker: hyperscaler_metrics(ticker, facts(ticker)) for ticker in ("NVDA", "MSFT", "META")}
    return known.__getitem__


def latest(rows: pd.DataFrame, as_of: str = "2026-12-31") -> pd.DataFrame:
    return rows[rows["filed_on"] <= as_of].groupby("fiscal_period").last(skipna=False)


def four(year: int) -> list[str]:
    return [f"FY{year}Q{number}" for number in (1, 2, 3, 4)]


def test_nvda_capex_as_in_its_filings(rows):
    capex = latest(rows("NVDA"))["capex"]
    assert capex[four(2025)].tolist() == [369, 977, 813, 1_077]
    assert capex[four(2025)].sum() == 3_236
    assert capex["FY2023Q4"] == 1_833 - 1_324
    assert capex["FY2021Q3"] == 845 - 372


def test_nvda_quarters_without_facts_are_missing(rows):
    capex = latest(rows("NVDA"))["capex"]
    missing = ["FY2020Q4", "FY2021Q4", "FY2023Q1", "FY2023Q2", "FY2023Q3"]
    assert capex[missing].isna().all()
    since = capex[capex.index >= "FY2020Q1"]
    assert sorted(since[since.isna()].index) == missing


def test_msft_and_meta_years(rows):
    assert latest(rows("MSFT"))["capex"][four(2024)].sum() == 44_477
    meta = latest(rows("META"))["capex"]
    assert meta[four(2024)].sum() == 37_256
    assert meta[four(2023)].tolist() == [6_823, 6_134, 6_496, 7_592]


def test_meta_restatement_never_mixes_vintages(rows):
    """7,665 as first filed, 7,592 restated; 7,444 and 7,813 each take one side from the other vintage."""
    fourth = rows("META").query("fiscal_period == 'FY2023Q4'").set_index("filed_on")["capex"]
    assert fourth.to_dict() == {pd.Timestamp("2024-02-02"): 7_665, pd.Timestamp("2025-01-30"): 7_592}
    assert latest(rows("META"), "2024-12-31").loc["FY2023Q4", "capex"] == 7_665


@pytest.mark.parametrize("ticker", ["NVDA", "MSFT", "META"])
@pytest.mark.parametrize("figure", ["capex", "operating_cf"])
def test_quarters_add_up_to_the_year_of_the_same_vintage(ticker, figure, facts, rows):
    """At every annual filing whose four quarters are known, they sum to that filing's own year."""
    company = COMPANIES[ticker]
    recorded = facts(ticker)
    annual = recorded[recorded["tag"].isin(company.flows[figure]) & recorded["form"].isin(FORMS)]
    checked = 0
    for fact in annual.itertuples():
        year = fact.end.year
        if (fact.start.date(), fact.end.date()) != (company.calendar.year_start(year), company.calendar.year_end(year)):
            continue
        known = latest(rows(ticker), fact.filed_on.isoformat())[figure].reindex(four(year))
        if known.notna().all():
            assert known.sum() == pytest.approx(fact.value / 1e6, abs=1e-6), (year, fact.filed_on)
            checked += 1
    assert checked >= {"NVDA": 4, "MSFT": 6, "META": 6}[ticker]


@pytest.mark.parametrize("ticker", ["NVDA", "MSFT", "META"])
def test_nothing_is_visible_before_its_filing_day(ticker, facts, rows):
    own = rows(ticker)
    assert (own["filed_on"] > own["period_end"]).all()
    filed = facts(ticker).drop_duplicates("accession").set_index("accession")["filed_on"]
    assert (own["accession"].map(filed) == own["filed_on"]).all()
    for day in pd.date_range("2023-06-01", "2026-06-01", periods=7):
        known = facts(ticker)[facts(ticker)["filed_on"] <= day]
        then = own[own["filed_on"] <= day].reset_index(drop=True)
        pd.testing.assert_frame_equal(hyperscaler_metrics(ticker, known), then)


@pytest.mark.parametrize("ticker", ["NVDA", "MSFT", "META"])
def test_each_row_is_told_by_the_facts_known_on_its_day(ticker, facts, rows):
    """An independent reading of capex: the latest filing of each window up to the day, one subtraction."""
    company, recorded = COMPANIES[ticker], facts(ticker)
    capex = recorded[recorded["tag"].isin(company.flows["capex"]) & recorded["form"].isin(FORMS)].sort_values(
        "filed_on"
    )
    for row in rows(ticker).dropna(subset="capex").itertuples():
        known = capex[capex["filed_on"] <= row.filed_on]
        windows = known.groupby(["start", "end"])["value"].last().div(1e6).reset_index()
        year, number = int(row.fiscal_period[2:6]), int(row.fiscal_period[-1])
        ends = windows[windows["start"] == pd.Timestamp(company.calendar.year_start(year))].set_index("end")["value"]
        before = pd.Timestamp(company.calendar.quarter_end(year, number - 1)) if number > 1 else None
        told = [ends[row.period_end] - ends[before]] if before in ends.index and row.period_end in ends.index else []
        lengths = (windows["end"] - windows["start"]).dt.days
        alone = windows[(windows["end"] == row.period_end) & (lengths < 100)]["value"]
        assert any(abs(row.capex - value) < 1e-6 for value in [*told, *alone]), row


def test_every_quarter_end_nvda_filed_is_of_its_calendar(facts):
    """Cash-flow windows start and end on days of the declared calendar, but for two starts of 2009 (its first XBRL)."""
    calendar = COMPANIES["NVDA"].calendar
    recorded = facts("NVDA")
    cash = recorded[(recorded["tag"] == "NetCashProvidedByUsedInOperatingActivities") & recorded["form"].isin(FORMS)]
    ends = {end.date() for end in cash["end"]}
    starts = {start.date() for start in cash["start"]}
    assert all(calendar.quarter_ending(end) for end in ends)
    slips = {start for start in starts if not calendar.quarter_ending(start - timedelta(days=1))}
    assert slips == {date(2008, 1, 25), date(2009, 1, 25)}
    assert {date(2021, 1, 31), date(2020, 1, 26), date(2025, 1, 26)} <= ends


def test_nvda_balances_and_days_of_sales(rows):
    """From the 10-Q of 2025-11-19 and the 10-K of 2021-02-26 (14 weeks of revenue: 16,675 - 11,672)."""
    known = latest(rows("NVDA"))
    assert known.loc["FY2026Q3", ["total_debt", "total_equity", "receivables"]].tolist() == [8_467, 118_897, 33_391]
    assert known.loc["FY2026Q3", "days_sales_outstanding"] == pytest.approx(33_391 / 57_006 * 91)
    assert known.loc["FY2021Q4", "revenue"] == 5_003
    assert known.loc["FY2021Q4", "days_sales_outstanding"] == pytest.approx(2_429 / 5_003 * 98)
    assert known["adj_debt_equity"].isna().all()  # it files no finance lease, and absence is no zero


def test_figures_are_never_a_placeholder(rows):
    for ticker in ("NVDA", "MSFT", "META"):
        own = rows(ticker)
        assert not (own[["capex", "operating_cf", "depreciation", "revenue", "receivables"]] == 0).to_numpy().any()
        assert own["source_url"].str.fullmatch(r"https://www\.sec\.gov/Archives/edgar/data/\d+/\d{18}/").all()
