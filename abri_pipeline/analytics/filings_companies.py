"""The watched companies: who they are at the SEC, when their years end, how they tag their figures.

What belongs here: one declared row a company (`COMPANIES`), its fiscal calendar, the XBRL tags of each figure in order
of preference. What does not: any arithmetic on facts; that is `filings_quarters`.

All tags are of the us-gaap taxonomy, written without the prefix.

Sources: the companies' own facts at https://data.sec.gov/api/xbrl/companyfacts, fiscal year ends from the header of
their EDGAR filings (NVDA's last Sunday of January, MSFT 0630, ORCL 0531, the others 1231).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

FLOWS = ("capex", "operating_cf", "depreciation", "revenue")
BALANCES = ("total_debt", "total_equity", "receivables", "operating_lease", "finance_lease")


@dataclass(frozen=True)
class FiscalCalendar:
    """When a company's fiscal quarters end; a fiscal year is named after the calendar year it ends in.

    Args:
        month: month of the year end, 1..12.
        last_sunday: the year ends on the month's last Sunday instead of on its last day, so it has 52 or 53 weeks:
            three quarters of 13 weeks and a fourth of 13 or 14.
    """

    month: int
    last_sunday: bool = False

    def year_end(self, year: int) -> date:
        """Last day of the fiscal year `year`."""
        last_day = _month_end(year, self.month)
        return last_day - timedelta(days=last_day.isoweekday() % 7) if self.last_sunday else last_day

    def year_start(self, year: int) -> date:
        """First day of the fiscal year `year`."""
        return self.year_end(year - 1) + timedelta(days=1)

    def quarter_end(self, year: int, number: int) -> date:
        """Last day of quarter `number` (1..4) of the fiscal year `year`."""
        if number == 4:
            return self.year_end(year)
        if self.last_sunday:
            return self.year_end(year - 1) + timedelta(weeks=13 * number)
        months = (year - 1) * 12 + self.month - 1 + 3 * number
        return _month_end(months // 12, months % 12 + 1)

    def quarter_ending(self, end: date) -> tuple[int, int] | None:
        """Fiscal year and quarter (1..4) that end on `end`; None for any other day."""
        return _quarter_ending(self, end)

    def period_ending(self, end: date) -> str:
        """Name of the fiscal quarter that ends on `end`, such as `FY2025Q1`.

        Raises:
            ValueError: no fiscal quarter ends on that day.
        """
        quarter = self.quarter_ending(end)
        if quarter is None:
            raise ValueError(f"no fiscal quarter ends on {end.isoformat()}")
        return f"FY{quarter[0]}Q{quarter[1]}"


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


@lru_cache(maxsize=4096)
def _quarter_ending(calendar: FiscalCalendar, end: date) -> tuple[int, int] | None:
    year = end.year if end <= calendar.year_end(end.year) else end.year + 1
    number = next((n for n in (1, 2, 3, 4) if calendar.quarter_end(year, n) == end), None)
    return None if number is None else (year, number)


@dataclass(frozen=True)
class Total:
    """One way to add a balance-sheet figure up from its tags.

    Attributes:
        parts: tags that must all be known; without one of them this way does not apply.
        besides: groups of tags; of each group the first known one is added. Filers leave out the line of a short-term
            borrowing they do not have, so such a part is summed where it is reported and never required.
    """

    parts: tuple[str, ...]
    besides: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Company:
    """One filer.

    Attributes:
        cik: number at the SEC.
        calendar: its fiscal year.
        flows: figure of a period -> tags in order of preference. The tags of one figure are names the filer gave to
            the **same line** over the years, so a difference may span two of them.
        balances: figure of an instant -> ways to add it up, in order of preference.
    """

    cik: int
    calendar: FiscalCalendar
    flows: dict[str, tuple[str, ...]]
    balances: dict[str, tuple[Total, ...]]

    @property
    def tags(self) -> frozenset[str]:
        """Every tag the company's figures are read from."""
        names = {tag for line in self.flows.values() for tag in line}
        for ways in self.balances.values():
            for way in ways:
                names.update(way.parts, *way.besides)
        return frozenset(names)


_PPE = "PaymentsToAcquirePropertyPlantAndEquipment"
_PRODUCTIVE = "PaymentsToAcquireProductiveAssets"
_CONTRACTS = "RevenueFromContractWithCustomerExcludingAssessedTax"
_DDA = "DepreciationDepletionAndAmortization"
_SHORT = ("CommercialPaper", "ShortTermBorrowings")


def _flows(
    capex: tuple[str, ...], depreciation: tuple[str, ...], revenue: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    return {
        "capex": capex,
        "operating_cf": ("NetCashProvidedByUsedInOperatingActivities",),
        "depreciation": depreciation,
        "revenue": revenue,
    }


def _borrowings(noncurrent: str) -> tuple[Total, ...]:
    """Non-current debt, its current part, and short-term borrowings; leases are never among them."""
    return (
        Total((noncurrent, "LongTermDebtCurrent"), (_SHORT,)),
        Total((noncurrent, "DebtCurrent")),  # all debt due within a year: commercial paper is inside already
        Total((noncurrent,), (_SHORT,)),
    )


def _balances(total_debt: tuple[Total, ...]) -> dict[str, tuple[Total, ...]]:
    return {
        "total_debt": total_debt,
        "total_equity": (Total(("StockholdersEquity",)),),
        "receivables": (Total(("AccountsReceivableNetCurrent",)),),
        "operating_lease": (
            Total(("OperatingLeaseLiability",)),
            Total(("OperatingLeaseLiabilityCurrent", "OperatingLeaseLiabilityNoncurrent")),
        ),
        "finance_lease": (
            Total(("FinanceLeaseLiability",)),
            Total(("FinanceLeaseLiabilityCurrent", "FinanceLeaseLiabilityNoncurrent")),
        ),
    }


_STRAIGHT = _borrowings("LongTermDebtNoncurrent")
# Alphabet's 10-Qs of 2020-09..2024-09 tag long-term debt only this way; its few finance leases cannot be told apart.
_ALPHABET = _STRAIGHT + _borrowings("LongTermDebtAndCapitalLeaseObligations")
# NVIDIA's LongTermDebt is all notes, current part included. Its convertible notes stood beside it from 2016-10 to 2019;
# at the year ends of 2015 and 2016 they were the same debt, and told apart by their own two tags.
_NVIDIA = (
    *_STRAIGHT[:2],
    Total(("ConvertibleDebtCurrent", "ConvertibleDebtNoncurrent")),
    Total(("LongTermDebt",), (("ConvertibleDebtCurrent",), _SHORT)),
    Total(("ConvertibleDebt",)),
)
_ORACLE = (Total(("LongTermNotesPayable", "NotesPayableCurrent")), *_STRAIGHT)

_DECEMBER = FiscalCalendar(12)

COMPANIES: dict[str, Company] = {
    "MSFT": Company(
        789019, FiscalCalendar(6), _flows((_PPE,), ("Depreciation",), (_CONTRACTS, "Revenues")), _balances(_STRAIGHT)
    ),
    "GOOGL": Company(
        1652044, _DECEMBER, _flows((_PPE,), ("Depreciation",), ("Revenues", _CONTRACTS)), _balances(_ALPHABET)
    ),
    "AMZN": Company(
        1018724,
        _DECEMBER,
        _flows((_PRODUCTIVE, _PPE), (_DDA,), (_CONTRACTS, "Revenues", "SalesRevenueNet")),
        _balances(_STRAIGHT),
    ),
    "META": Company(1326801, _DECEMBER, _flows((_PPE,), (_DDA,), (_CONTRACTS, "Revenues")), _balances(_STRAIGHT)),
    "NVDA": Company(
        1045810,
        FiscalCalendar(1, last_sunday=True),
        _flows((_PRODUCTIVE, _PPE), (_DDA, "DepreciationAndAmortization"), ("Revenues", _CONTRACTS)),
        _balances(_NVIDIA),
    ),
    "ORCL": Company(
        1341439, FiscalCalendar(5), _flows((_PPE,), ("Depreciation",), ("Revenues", _CONTRACTS)), _balances(_ORACLE)
    ),
}
