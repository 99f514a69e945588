"""Companyfacts and submissions of the synthetic companies, in data.sec.gov's shape.

Belongs here: which filing states which fact. Does not belong here: the amounts (`synthetic_companies`).

A 10-Q gives cash flows **cumulatively** from the start of the fiscal year, revenue for the quarter and
cumulatively, balances at its end and at the last year end, each with the year before beside it; a 10-K gives
three years. Amazon adds trailing-twelve-month cash flows, and Meta restates one year of capital expenditure
in the next year's filings, so that a difference across vintages is wrong. Leases start in 2019.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np

from abri_pipeline.calendars import new_york, publication
from abri_pipeline.sandbox import synthetic_shares
from abri_pipeline.sandbox.synthetic_companies import BY_CIK, Company, Quarter, quarters, tag
from abri_pipeline.sandbox.synthetic_world import LAST_DAY, stream

FIRST_FILED = date(2016, 1, 1)
_FLOWS = ("cash", "capex", "depreciation")
_BALANCES = ("receivables", "equity", "debt", "debt_current")
_LEASES = ("lease", "lease_current")
_FINANCE_LEASES = ("finance_lease", "finance_lease_current")
_LEASES_SINCE = date(2019, 1, 1)
_RESTATEMENT = 1.04  # restated capital expenditure over the original

Fact = dict[str, Any]


@dataclass(frozen=True)
class Filing:
    """One periodic report of a company, about the quarter at position `at` of its `quarters`."""

    accession: str
    form: str
    filed: date
    accepted: datetime
    quarter: Quarter
    at: int


@cache
def filings(cik: int) -> tuple[Filing, ...]:
    """The 10-Qs and 10-Ks that a company files from 2016 to 2026, oldest first."""
    company = BY_CIK[cik]
    lags = stream(f"{company.ticker} lags").integers(24, 33, 64).tolist()
    found: list[Filing] = []
    numbers: dict[int, int] = {}
    for at, quarter in enumerate(quarters(company.ticker)):
        form = "10-K" if quarter.number == 4 else "10-Q"
        lag = lags[at] + (6 if form == "10-K" else 0)
        filed = publication.next_business_day(quarter.end + timedelta(days=lag - 1))
        if not FIRST_FILED <= filed <= LAST_DAY:
            continue
        numbers[filed.year] = numbers.get(filed.year, 0) + 7
        accession = f"{cik:010d}-{filed.year % 100:02d}-{numbers[filed.year]:06d}"
        accepted = new_york.instant(filed, time(16, 4 + lag % 20, 11 + at % 40))
        found.append(Filing(accession, form, filed, accepted, quarter, at))
    return tuple(found)


@cache
def companyfacts(cik: int) -> dict[str, Any] | None:
    """The companyfacts JSON of a company with every fact ever filed, None where the CIK is unknown.

    Shape: cik, entityName, facts / taxonomy / tag / units / unit / rows of start (durations only), end, val,
    accn, fy, fp, form, filed and on the newest statement of a calendar-like period `frame`. Amounts are
    whole USD. The object is shared: copy before changing it.
    """
    if cik not in BY_CIK:
        return None
    company = BY_CIK[cik]
    money: dict[str, list[Fact]] = {}
    shares: list[Fact] = []
    for filing in filings(cik):
        for name, start, end, value in _statements(company, filing):
            money.setdefault(name, []).append(_fact(filing, start, end, value))
        if company.ticker != "GOOGL":  # its two classes are dimensioned facts, which companyfacts leave out
            count_day = filing.filed - timedelta(days=7)
            count = synthetic_shares.outstanding(company.ticker, count_day)
            if count is not None:
                shares.append(_fact(filing, None, count_day, count))
    gaap = {name: _concept(name, "USD", rows) for name, rows in sorted(money.items())}
    facts: dict[str, Any] = {"us-gaap": gaap}
    if shares:
        name = "EntityCommonStockSharesOutstanding"
        facts = {"dei": {name: _concept(name, "shares", shares)}, **facts}
    return {"cik": cik, "entityName": f"{company.name} (synthetic)", "facts": facts}


@cache
def submissions(cik: int) -> dict[str, Any] | None:
    """The submissions JSON of a company, newest filing first, None where the CIK is unknown.

    Each report comes with the 8-K of its earnings release, accepted minutes before it. `acceptanceDateTime` is UTC.
    """
    if cik not in BY_CIK:
        return None
    company = BY_CIK[cik]
    rows: list[dict[str, Any]] = []
    for filing in filings(cik):
        head, year, number = filing.accession.split("-")
        release = f"{head}-{year}-{int(number) - 1:06d}"
        early = filing.accepted - timedelta(minutes=3)
        rows.append(_row(company, release, "8-K", filing.filed, filing.filed, early))
        rows.append(_row(company, filing.accession, filing.form, filing.filed, filing.quarter.end,
                         filing.accepted))  # fmt: skip
    rows.reverse()
    return {
        "cik": f"{cik:010d}",
        "entityType": "operating",
        "name": f"{company.name} (synthetic)",
        "tickers": [company.ticker],
        "exchanges": ["Nasdaq"],
        "description": "Synthetic filer of a synthetic market",
        "category": "Large accelerated filer",
        "fiscalYearEnd": company.fiscal_year_end,
        "formerNames": [],
        "filings": {"recent": {name: [row[name] for row in rows] for name in rows[0]}, "files": []},
    }


def _row(
    company: Company, accession: str, form: str, filed: date, reported: date, accepted: datetime
) -> dict[str, Any]:
    document = f"{company.ticker.lower()}-{reported:%Y%m%d}.htm"
    return {
        "accessionNumber": accession,
        "filingDate": filed.isoformat(),
        "reportDate": reported.isoformat(),
        "acceptanceDateTime": f"{accepted.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        "act": "34",
        "form": form,
        "fileNumber": "000-00000",
        "filmNumber": accession.replace("-", "")[-9:],
        "items": "2.02,9.01" if form == "8-K" else "",
        "core_type": "XBRL",
        "size": 1_000_000,
        "isXBRL": 1,
        "isInlineXBRL": int(filed >= date(2019, 7, 1)),
        "primaryDocument": document,
        "primaryDocDescription": form,
    }


Statement = tuple[str, date | None, date, int]
"""(tag, start or None for an instant, end, value)."""


def _statements(company: Company, filing: Filing) -> Iterator[Statement]:
    """Every amount that one filing states, in the order of its pages."""
    history = quarters(company.ticker)
    years_back = 2 if filing.form == "10-K" else 1
    for concept in ("revenue", *_FLOWS):
        name = tag(company, concept, filing.form, filing.filed)
        for back in range(years_back, -1, -1):
            at = filing.at - 4 * back
            if at - history[at].number + 1 < 0 or at < 0:
                continue
            yield from _windows(company, filing, concept, name, history, at)
    for concept in _stated_balances(company, filing):
        name = tag(company, concept, filing.form, filing.filed)
        year_end_at = filing.at - filing.quarter.number if filing.form == "10-Q" else filing.at - 4
        for at in (year_end_at, filing.at):
            if at >= 0 and _carried(company, concept, history[at].end):
                yield name, None, history[at].end, history[at].figures[concept]


def _windows(
    company: Company, filing: Filing, concept: str, name: str, history: tuple[Quarter, ...], at: int
) -> Iterator[Statement]:
    """The windows in which one concept is stated for the quarter at `at`: own, cumulative, trailing."""
    quarter = history[at]

    def total(first: int) -> int:
        return sum(_amount(company, filing, concept, each) for each in history[first : at + 1])

    if concept == "revenue" and 1 < quarter.number < 4:
        yield name, quarter.start, quarter.end, total(at)
    yield name, quarter.year_start, quarter.end, total(at - quarter.number + 1)
    if company.trailing_windows and concept in ("cash", "capex") and quarter.number < 4 and at >= 3:
        yield name, history[at - 3].start, quarter.end, total(at - 3)


def _amount(company: Company, filing: Filing, concept: str, quarter: Quarter) -> int:
    """A quarter's amount as this filing knows it: Meta's later filings restate one year of capex."""
    amount = quarter.figures[concept]
    later = company.restated_year == quarter.fiscal_year < filing.quarter.fiscal_year
    if concept == "capex" and later:
        return round(amount * _RESTATEMENT / 1e6) * 1_000_000
    return amount


def _stated_balances(company: Company, filing: Filing) -> tuple[str, ...]:
    leases: tuple[str, ...] = ()
    if filing.quarter.end >= _LEASES_SINCE:
        leases = _LEASES + (_FINANCE_LEASES if company.finance_leases else ())
    return _BALANCES + leases


def _carried(company: Company, concept: str, day: date) -> bool:
    """Whether the company has the balance at all on a day: no debt before its first bond, no old leases."""
    if concept in ("debt", "debt_current"):
        return company.no_debt_before is None or day >= company.no_debt_before
    return concept not in _LEASES + _FINANCE_LEASES or day >= _LEASES_SINCE


def _fact(filing: Filing, start: date | None, end: date, value: int) -> Fact:
    """A row; `fy` and `fp` describe the filing and not the period, as on the real wire."""
    period = {"end": end.isoformat()} if start is None else {"start": start.isoformat(), "end": end.isoformat()}
    number = filing.quarter.number
    return {
        **period,
        "val": value,
        "accn": filing.accession,
        "fy": filing.quarter.fiscal_year,
        "fp": "FY" if number == 4 else f"Q{number}",
        "form": filing.form,
        "filed": filing.filed.isoformat(),
    }


def _concept(name: str, unit: str, rows: list[Fact]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (row["end"], row.get("start", ""), row["filed"]))
    newest = {(row.get("start"), row["end"]): row for row in ordered}
    for (start, end), row in newest.items():
        if frame := _calendar_frame(start, end):
            row["frame"] = frame
    return {"label": name, "description": "Synthetic fact of a synthetic market", "units": {unit: ordered}}


def _calendar_frame(start: str | None, end: str) -> str | None:
    """The calendar period that a window resembles: by its middle, a quarter or a year; none for the rest."""
    last = np.datetime64(end)
    if start is None:
        month = (last - np.timedelta64(45, "D")).astype("datetime64[M]").astype(object)
        return f"CY{month.year}Q{(month.month - 1) // 3 + 1}I"
    days = int((last - np.datetime64(start)).astype(int)) + 1
    middle = (last - np.timedelta64(days // 2, "D")).astype("datetime64[M]").astype(object)
    if 80 <= days <= 100:
        return f"CY{middle.year}Q{(middle.month - 1) // 3 + 1}"
    return f"CY{middle.year}" if 350 <= days <= 380 else None
