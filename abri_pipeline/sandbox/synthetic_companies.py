"""The reporting companies of the synthetic market: fiscal calendars, tags and business drivers.

Belongs here: parameters and calendars. Does not belong here: facts and filings (`synthetic_filings`).

CIKs, fiscal calendars and the choice of tags are the real ones (data.sec.gov, see each company's
companyfacts), because the platform's reading of them is what the sandbox exercises. Every amount is invented.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from abri_pipeline.sandbox.synthetic_world import stream

FIRST_FISCAL_YEAR = 2014
LAST_FISCAL_YEAR = 2027
_MILLION = 1_000_000

CAPEX_PPE = "PaymentsToAcquirePropertyPlantAndEquipment"
CAPEX_PRODUCTIVE = "PaymentsToAcquireProductiveAssets"
REVENUE = "RevenueFromContractWithCustomerExcludingAssessedTax"


@dataclass(frozen=True)
class Company:
    """A filer: money in USD millions a quarter, shares of revenue as fractions, growth a year (log).

    Each pair is (level before the boom, level after it); the change is centred on 2024.
    """

    ticker: str
    cik: int
    name: str
    fiscal_year_end: str  # MMDD as EDGAR writes it
    revenue: float  # a quarter at the start of 2018
    growth: float
    boom: float  # how many times the trend revenue grows on top of it
    cash: tuple[float, float]  # operating cash flow, share of revenue
    capex: tuple[float, float]  # share of operating cash flow
    debt: float  # quarters of revenue
    equity: float  # quarters of revenue
    year_end_lift: float = 0.0  # seasonality of the December quarter
    no_debt_before: date | None = None
    finance_leases: bool = True
    trailing_windows: bool = False  # also files trailing-twelve-month cash flows
    restated_year: int | None = None  # capex of this fiscal year is restated in the next year's filings


COMPANIES = (
    Company("MSFT", 789019, "MICROSOFT CORP", "0630", 27_500, 0.135, 1.05, (0.36, 0.44), (0.26, 0.62),
            1.6, 3.6),
    Company("GOOGL", 1652044, "ALPHABET INC", "1231", 29_500, 0.150, 1.00, (0.32, 0.37), (0.36, 0.66),
            0.25, 5.2, 0.08),
    Company("AMZN", 1018724, "AMAZON COM INC", "1231", 49_000, 0.155, 1.00, (0.13, 0.19), (0.44, 0.88),
            0.45, 1.3, 0.16, trailing_windows=True),
    Company("META", 1326801, "META PLATFORMS INC", "1231", 13_000, 0.165, 1.02, (0.47, 0.52), (0.30, 0.76),
            0.6, 5.0, 0.10, no_debt_before=date(2022, 8, 1), restated_year=2022),
    Company("NVDA", 1045810, "NVIDIA CORP", "0125", 2_900, 0.150, 3.20, (0.35, 0.50), (0.14, 0.06),
            0.5, 3.0, finance_leases=False),
    Company("ORCL", 1341439, "ORACLE CORP", "0531", 9_800, 0.045, 1.20, (0.36, 0.38), (0.13, 1.35),
            6.0, 1.1),
)  # fmt: skip

BY_CIK = {company.cik: company for company in COMPANIES}
BY_TICKER = {company.ticker: company for company in COMPANIES}


@dataclass(frozen=True)
class Quarter:
    """One fiscal quarter: its days, and its figures in whole USD by concept."""

    fiscal_year: int
    number: int
    year_start: date
    start: date
    end: date
    figures: dict[str, int]


def year_end(company: Company, fiscal_year: int) -> date:
    """The last day of a fiscal year: a month end, or NVDA's last Sunday of January."""
    if company.ticker == "NVDA":
        last = date(fiscal_year, 1, 31)
        return last - timedelta(days=(last.weekday() + 1) % 7)
    month = int(company.fiscal_year_end[:2])
    return _month_end(fiscal_year, month)


def _month_end(year: int, month: int) -> date:
    months = year * 12 + month  # the month after, counted from zero
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def _quarter_ends(company: Company, fiscal_year: int) -> list[date]:
    """Four ends: thirteen weeks each for NVDA (the odd week falls into the fourth), else month ends."""
    last = year_end(company, fiscal_year)
    if company.ticker == "NVDA":
        before = year_end(company, fiscal_year - 1)
        return [before + timedelta(days=91 * number) for number in (1, 2, 3)] + [last]
    months = last.year * 12 + last.month - 1
    return [_month_end((months - back) // 12, (months - back) % 12 + 1) for back in (9, 6, 3, 0)]


@cache
def quarters(ticker: str) -> tuple[Quarter, ...]:
    """Every fiscal quarter of a company from FIRST_FISCAL_YEAR on, oldest first."""
    company = BY_TICKER[ticker]
    noise = stream(f"{ticker} filings").normal(0.0, 1.0, (LAST_FISCAL_YEAR - FIRST_FISCAL_YEAR + 1, 4, 5))
    found = []
    for fiscal_year in range(FIRST_FISCAL_YEAR, LAST_FISCAL_YEAR + 1):
        year_start = year_end(company, fiscal_year - 1) + timedelta(days=1)
        start = year_start
        for number, end in enumerate(_quarter_ends(company, fiscal_year), start=1):
            luck = noise[fiscal_year - FIRST_FISCAL_YEAR, number - 1]
            figures = _figures(company, end, luck)
            found.append(Quarter(fiscal_year, number, year_start, start, end, figures))
            start = end + timedelta(days=1)
    return tuple(found)


def _figures(company: Company, end: date, luck: np.ndarray) -> dict[str, int]:
    """Whole millions, in USD: rounding first keeps every cumulative sum exact."""
    years = (end - date(2018, 1, 1)).days / 365.25
    boom = 1.0 / (1.0 + np.exp(-(years - 6.2) * 1.6))

    def now(pair: tuple[float, float]) -> float:
        return float(pair[0] + (pair[1] - pair[0]) * boom)

    revenue = company.revenue * np.exp(company.growth * years) * now((1.0, company.boom))
    revenue *= (1.0 + (company.year_end_lift if end.month == 12 else 0.0)) * np.exp(0.015 * luck[0])
    cash = revenue * now(company.cash) * np.exp(0.05 * luck[1])
    capex = cash * now(company.capex) * np.exp(0.05 * luck[2])
    debt = revenue * company.debt * np.exp(0.02 * luck[3])
    amounts = {
        "revenue": revenue,
        "cash": cash,
        "capex": capex,
        "depreciation": 0.055 * revenue + 0.35 * capex,
        "receivables": revenue * 0.58 * np.exp(0.03 * luck[4]),
        "equity": revenue * company.equity,
        "debt": debt * 0.9,
        "debt_current": debt * 0.1,
        "lease": 0.10 * revenue,
        "lease_current": 0.02 * revenue,
        "finance_lease": 0.06 * revenue,
        "finance_lease_current": 0.01 * revenue,
    }
    return {concept: round(float(amount)) * _MILLION for concept, amount in amounts.items()}


Tag = Callable[[str, date], str]
"""(form, filing day) -> tag: a filing tags its comparatives the way it tags its own period."""


def _always(tag: str) -> Tag:
    return lambda form, filed: tag


def _googl_debt(form: str, filed: date) -> str:
    merged = form == "10-Q" and date(2020, 9, 1) <= filed <= date(2024, 9, 30)
    return "LongTermDebtAndCapitalLeaseObligations" if merged else "LongTermDebtNoncurrent"


def _since(day: date, before: str, after: str) -> Tag:
    return lambda form, filed: after if filed >= day else before


_COMMON: dict[str, Tag] = {
    "revenue": _always(REVENUE),
    "cash": _always("NetCashProvidedByUsedInOperatingActivities"),
    "capex": _always(CAPEX_PPE),
    "depreciation": _always("Depreciation"),
    "receivables": _always("AccountsReceivableNetCurrent"),
    "equity": _always("StockholdersEquity"),
    "debt": _always("LongTermDebtNoncurrent"),
    "debt_current": _always("LongTermDebtCurrent"),
    "lease": _always("OperatingLeaseLiabilityNoncurrent"),
    "lease_current": _always("OperatingLeaseLiabilityCurrent"),
    "finance_lease": _always("FinanceLeaseLiabilityNoncurrent"),
    "finance_lease_current": _always("FinanceLeaseLiabilityCurrent"),
}

_OWN: dict[str, dict[str, Tag]] = {
    "GOOGL": {"revenue": _always("Revenues"), "debt": _googl_debt},
    "AMZN": {
        "capex": _always(CAPEX_PRODUCTIVE),
        "depreciation": _always("DepreciationDepletionAndAmortization"),
    },
    "META": {"depreciation": _always("DepreciationDepletionAndAmortization")},
    "NVDA": {
        "revenue": _always("Revenues"),
        "capex": _since(date(2019, 10, 1), CAPEX_PPE, CAPEX_PRODUCTIVE),
        "depreciation": _since(
            date(2019, 10, 1), "DepreciationAndAmortization", "DepreciationDepletionAndAmortization"
        ),
        "debt_current": _always("DebtCurrent"),
    },
    "ORCL": {"revenue": _always("Revenues"), "debt_current": _always("DebtCurrent")},
}


def tag(company: Company, concept: str, form: str, filed: date) -> str:
    """The us-gaap tag under which a company's filing gives a concept."""
    return {**_COMMON, **_OWN.get(company.ticker, {})}[concept](form, filed)
