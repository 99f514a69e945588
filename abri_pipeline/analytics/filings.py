"""From SEC facts to discrete fiscal quarters, point in time.

A company's facts are replayed filing by filing. Each filing that first gives a quarter, or changes one of its figures,
makes one row that holds **every** figure of that quarter as known at that filing. Nothing filed later can change an
earlier row. A figure that cannot be derived is missing (NaN), never 0.

Who the companies are and how they tag is in `filings_companies`; how quarters are told from cumulative windows is in
`filings_quarters`.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from abri_pipeline.analytics.filings_companies import COMPANIES, Company
from abri_pipeline.analytics.filings_quarters import Fact, Figures, Ledger

__all__ = ["COLUMNS", "COMPANIES", "FORMS", "calendar_quarter", "hyperscaler_metrics", "source_url"]

FORMS = frozenset({"10-K", "10-Q", "10-K/A", "10-Q/A"})

INPUT_COLUMNS = ("accession", "tag", "unit", "start", "end", "value", "form", "filed_on", "accepted_at")
COLUMNS = (
    "ticker",
    "fiscal_period",
    "filed_on",
    "period_end",
    "calendar_quarter",
    "capex",
    "operating_cf",
    "capex_ocf_ratio",
    "total_debt",
    "total_equity",
    "depreciation",
    "receivables",
    "revenue",
    "days_sales_outstanding",
    "adj_debt_equity",
    "accession",
    "source_url",
    "accepted_at",
)

MONEY = ("capex", "operating_cf", "total_debt", "total_equity", "depreciation", "receivables", "revenue")
_RATIOS = ("capex_ocf_ratio", "days_sales_outstanding", "adj_debt_equity")
_NAMED = frozenset({"ticker", "fiscal_period", "calendar_quarter", "source_url"})
_MILLION = 1e6


def hyperscaler_metrics(ticker: str, facts: pd.DataFrame) -> pd.DataFrame:
    """Discrete fiscal quarters of one company, one row a quarter and vintage.

    Args:
        ticker: one of `COMPANIES`.
        facts: one row a fact: accession, tag (with or without `us-gaap:`), unit, start (null, or equal to the end,
            for an instant), end, value (in its unit), form, filed_on, accepted_at (UTC, null where unknown). Other
            companies' facts must not be among them; other tags, units and forms may be and are left out.

    Returns:
        `COLUMNS`, sorted and unique by (ticker, fiscal_period, filed_on). Money in USD millions; the ratios are plain
        numbers, `days_sales_outstanding` days; filed_on and period_end are midnights without zone; accepted_at is the
        row's filing's. Empty, with the same columns, where no quarter is known.

    Raises:
        ValueError: the ticker is not a declared company, or a column is missing.

    Source: SEC EDGAR companyfacts; the formulas are those of the methodology, section C.
    """
    if ticker not in COMPANIES:
        raise ValueError(f"{ticker!r} is no declared filer; declared are {', '.join(sorted(COMPANIES))}")
    if missing := [name for name in INPUT_COLUMNS if name not in facts.columns]:
        raise ValueError(f"facts lack the columns {', '.join(missing)}")
    company = COMPANIES[ticker]
    return _framed(ticker, company, list(_vintages(company, _usable(company, facts))))


def calendar_quarter(period_end: date) -> str:
    """Calendar quarter that a fiscal quarter is filed under, such as `2024Q1`: its end shifted back 45 days."""
    middle = period_end - timedelta(days=45)
    return f"{middle.year}Q{(middle.month - 1) // 3 + 1}"


def source_url(cik: int, accession: str) -> str:
    """EDGAR folder of a filing."""
    return f"https://www.sec.gov/Archives/edgar/data/{cik}/{accession.replace('-', '')}/"


def _usable(company: Company, facts: pd.DataFrame) -> pd.DataFrame:
    """Facts the company's figures are read from, in the order the world received them."""
    tag = facts["tag"].str.removeprefix("us-gaap:")
    kept = tag.isin(company.tags) & facts["form"].isin(FORMS) & (facts["unit"] == "USD") & facts["value"].notna()
    usable = facts.loc[kept, list(INPUT_COLUMNS)].assign(tag=tag[kept])
    for name in ("start", "end", "filed_on"):
        usable[name] = pd.to_datetime(usable[name]).astype("datetime64[s]")
    usable["accepted_at"] = pd.to_datetime(usable["accepted_at"], utc=True)
    usable["start"] = usable["start"].mask(usable["start"] == usable["end"])
    return usable.sort_values(["filed_on", "accepted_at", "accession", "tag", "end", "start"], na_position="last")


def _vintages(company: Company, facts: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of new and changed quarters, filing by filing."""
    ledger = Ledger(company)
    last: dict[date, tuple[float | None, ...]] = {}
    for (filed_on, accession, accepted_at), said in groupby(_records(facts), key=itemgetter(0, 1, 2)):
        for end in sorted(ledger.learn(fact for *_, fact in said)):
            figures = ledger.figures(end)
            if figures is None:
                continue
            row = _row(figures)
            if (shown := tuple(row.values())) == last.get(end):
                continue
            last[end] = shown
            yield {
                "filed_on": filed_on,
                "accession": accession,
                "accepted_at": accepted_at,
                "period_end": end,
                **row,
            }


def _records(facts: pd.DataFrame) -> Iterator[tuple[date, str, datetime | None, Fact]]:
    """Facts as plain values, each behind its filing; an unknown instant is None because NaT equals nothing."""
    columns = zip(
        facts["filed_on"].dt.date,
        facts["accession"],
        facts["accepted_at"].astype(object).where(facts["accepted_at"].notna(), None),
        facts["tag"],
        facts["start"].dt.date.where(facts["start"].notna(), None),
        facts["end"].dt.date,
        facts["value"].astype(float),
        strict=True,
    )
    for filed_on, accession, accepted_at, tag, start, end, value in columns:
        yield filed_on, accession, accepted_at, Fact(tag, start, end, value)


def _row(figures: Figures) -> dict[str, float | None]:
    """The columns of one vintage: money in USD millions, and the ratios that need more than the row's own columns."""
    row = {name: _millions(figures[name]) for name in MONEY}
    capex, cash, equity = row["capex"], row["operating_cf"], row["total_equity"]
    row["capex_ocf_ratio"] = _ratio(capex, cash)
    row["days_sales_outstanding"] = _times(_ratio(row["receivables"], row["revenue"]), figures["days"])
    burden = [figures[name] for name in ("total_debt", "operating_lease", "finance_lease")]
    row["adj_debt_equity"] = _ratio(_millions(_sum(burden)), equity)
    return row


def _millions(value: float | None) -> float | None:
    return None if value is None else value / _MILLION


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _times(factor: float | None, days: float | None) -> float | None:
    return None if factor is None or days is None else factor * days


def _sum(parts: list[float | None]) -> float | None:
    """Sum of the parts; None where one of them is missing."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _framed(ticker: str, company: Company, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows with their names and types, one a quarter and filing day: the day's last filing speaks for the day."""
    frame = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in _NAMED])
    ends = frame["period_end"].tolist()
    frame["ticker"] = pd.Series([ticker] * len(frame), dtype="str")
    frame["fiscal_period"] = pd.Series([company.calendar.period_ending(end) for end in ends], dtype="str")
    frame["calendar_quarter"] = pd.Series([calendar_quarter(end) for end in ends], dtype="str")
    frame["source_url"] = pd.Series([source_url(company.cik, name) for name in frame["accession"]], dtype="str")
    for name in ("filed_on", "period_end"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    frame["accepted_at"] = pd.to_datetime(frame["accepted_at"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.astype(dict.fromkeys((*MONEY, *_RATIOS), "float64") | {"accession": "str"})
    key = ["ticker", "fiscal_period", "filed_on"]
    return frame.drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)[list(COLUMNS)]
