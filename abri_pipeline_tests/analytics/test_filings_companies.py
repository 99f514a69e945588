"""The declared companies: fiscal calendars against dates their filings bear, and balances added up from their tags."""

import itertools
from datetime import date

import pandas as pd
import pytest

from abri_pipeline.analytics.filings import calendar_quarter, hyperscaler_metrics
from abri_pipeline.analytics.filings_companies import BALANCES, COMPANIES, FLOWS

FLOW = "NetCashProvidedByUsedInOperatingActivities"


@pytest.mark.parametrize(
    ("ticker", "end", "period", "quarter"),
    [
        ("NVDA", date(2025, 1, 26), "FY2025Q4", "2024Q4"),
        ("NVDA", date(2024, 4, 28), "FY2025Q1", "2024Q1"),
        ("NVDA", date(2021, 1, 31), "FY2021Q4", "2020Q4"),  # 53 weeks
        ("NVDA", date(2021, 5, 2), "FY2022Q1", "2021Q1"),
        ("NVDA", date(2020, 10, 25), "FY2021Q3", "2020Q3"),
        ("MSFT", date(2024, 6, 30), "FY2024Q4", "2024Q2"),
        ("MSFT", date(2023, 9, 30), "FY2024Q1", "2023Q3"),
        ("ORCL", date(2024, 5, 31), "FY2024Q4", "2024Q2"),
        ("ORCL", date(2024, 2, 29), "FY2024Q3", "2024Q1"),
        ("ORCL", date(2023, 8, 31), "FY2024Q1", "2023Q3"),
        ("AMZN", date(2024, 12, 31), "FY2024Q4", "2024Q4"),
        ("GOOGL", date(2024, 3, 31), "FY2024Q1", "2024Q1"),
    ],
)
def test_a_period_is_named_by_its_end(ticker, end, period, quarter):
    assert COMPANIES[ticker].calendar.period_ending(end) == period
    assert calendar_quarter(end) == quarter


@pytest.mark.parametrize("ticker", COMPANIES)
def test_quarters_tile_the_years(ticker):
    calendar = COMPANIES[ticker].calendar
    ends = [calendar.quarter_end(year, number) for year in range(2000, 2060) for number in (1, 2, 3, 4)]
    lengths = {(late - early).days for early, late in itertools.pairwise(ends)}
    assert min(lengths) >= 89
    assert max(lengths) <= 98
    assert [calendar.quarter_ending(end) for end in ends[:5]] == [(2000, n) for n in (1, 2, 3, 4)] + [(2001, 1)]


def test_a_day_inside_a_quarter_ends_none():
    with pytest.raises(ValueError, match="no fiscal quarter ends on 2019-01-28"):
        COMPANIES["NVDA"].calendar.period_ending(date(2019, 1, 28))


def test_years_of_53_weeks():
    calendar = COMPANIES["NVDA"].calendar
    days = {year: (calendar.year_end(year) - calendar.year_end(year - 1)).days for year in range(2010, 2030)}
    assert [year for year, length in days.items() if length == 371] == [2010, 2016, 2021, 2027]
    assert set(days.values()) == {364, 371}


@pytest.mark.parametrize("ticker", COMPANIES)
def test_every_company_declares_every_figure(ticker):
    company = COMPANIES[ticker]
    assert set(company.flows) == set(FLOWS)
    assert set(company.balances) == set(BALANCES)
    assert all(":" not in tag for tag in company.tags)
    lease_tags = {tag for tag in company.tags if "OperatingLease" in tag or "FinanceLease" in tag}
    debt_tags = {tag for way in company.balances["total_debt"] for tag in way.parts}
    assert not lease_tags & debt_tags


def balance_sheet(ticker: str, **millions: float) -> pd.Series:
    """One quarter's row from its balance-sheet facts, beside the one flow that makes the quarter."""
    calendar = COMPANIES[ticker].calendar
    end = calendar.quarter_end(2024, 1)
    facts = [(FLOW, calendar.year_start(2024), 100.0), *((tag, None, value) for tag, value in millions.items())]
    frame = pd.DataFrame(
        {
            "accession": "0001-24-000001",
            "tag": [tag for tag, *_ in facts],
            "unit": "USD",
            "start": pd.to_datetime([start for _, start, _ in facts]),
            "end": pd.Timestamp(end),
            "value": [value * 1e6 for *_, value in facts],
            "form": "10-Q",
            "filed_on": pd.Timestamp(end) + pd.Timedelta(days=30),
            "accepted_at": pd.NaT,
        }
    )
    rows = hyperscaler_metrics(ticker, frame)
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("ticker", "tags", "debt"),
    [
        ("MSFT", {"LongTermDebtNoncurrent": 40, "LongTermDebtCurrent": 3, "CommercialPaper": 7}, 50),
        ("MSFT", {"LongTermDebtNoncurrent": 40, "LongTermDebtCurrent": 3, "ShortTermBorrowings": 7}, 50),
        ("AMZN", {"LongTermDebtNoncurrent": 40}, 40),
        ("META", {"LongTermDebtNoncurrent": 40, "CommercialPaper": 7}, 47),
        # DebtCurrent is all debt due within a year, commercial paper included.
        ("AMZN", {"LongTermDebtNoncurrent": 40, "DebtCurrent": 10, "CommercialPaper": 7}, 50),
        ("GOOGL", {"LongTermDebtAndCapitalLeaseObligations": 12, "LongTermDebtCurrent": 1}, 13),
        ("NVDA", {"LongTermDebt": 10_947, "LongTermDebtNoncurrent": 10_947}, 10_947),
        ("NVDA", {"LongTermDebt": 6_961, "LongTermDebtNoncurrent": 5_963, "DebtCurrent": 998}, 6_961),
        ("NVDA", {"LongTermDebt": 1_982, "ConvertibleDebtCurrent": 1_011, "ConvertibleDebt": 1_011}, 2_993),
        ("NVDA", {"LongTermDebt": 1_413, "ConvertibleDebtCurrent": 1_413, "ConvertibleDebtNoncurrent": 0}, 1_413),
        ("ORCL", {"LongTermNotesPayable": 76_264, "NotesPayableCurrent": 10_605}, 86_869),
    ],
)
def test_total_debt_adds_the_tags_up_once(ticker, tags, debt):
    assert balance_sheet(ticker, **tags)["total_debt"] == debt


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"CommercialPaper": 7},
        {"LongTermDebtCurrent": 3},
        {"OperatingLeaseLiability": 9, "FinanceLeaseLiability": 9},
    ],
)
def test_without_its_long_term_part_debt_is_missing(tags):
    assert pd.isna(balance_sheet("META", **tags)["total_debt"])


PARTS = {
    "LongTermDebtNoncurrent": 40,
    "StockholdersEquity": 200,
    "OperatingLeaseLiabilityCurrent": 2,
    "OperatingLeaseLiabilityNoncurrent": 18,
    "FinanceLeaseLiability": 40,
}


def test_adjusted_debt_to_equity_adds_both_kinds_of_lease():
    row = balance_sheet("META", **PARTS)
    assert row["total_debt"] == 40
    assert row["adj_debt_equity"] == pytest.approx(0.5)


@pytest.mark.parametrize("part", PARTS)
def test_adjusted_debt_to_equity_is_missing_without_one_part(part):
    row = balance_sheet("META", **{tag: value for tag, value in PARTS.items() if tag != part})
    assert pd.isna(row["adj_debt_equity"])


def test_a_ratio_over_nothing_is_missing():
    assert pd.isna(balance_sheet("META", **{**PARTS, "StockholdersEquity": 0})["adj_debt_equity"])
