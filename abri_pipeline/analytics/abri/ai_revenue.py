"""Revenue gap: what the hyperscalers invest in AI against what AI earns, both estimated as ranges."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np

from abri_pipeline.analytics.abri.asof import AsOfTable
from abri_pipeline.analytics.abri.filings import latest_quarter
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

INDICATOR = "ai_capex_revenue_ratio"
UNIT = "ratio"
SOURCE = "hyperscaler_metrics, segment_revenue"
Case = Literal["low", "mid", "high"]


@dataclass(frozen=True, slots=True)
class Range:
    """A share as low, mid and high, fractions of 1, with the written method behind it."""

    low: float
    mid: float
    high: float
    basis: str

    @classmethod
    def read(cls, section: Section) -> "Range":
        """From the fields `low`, `mid`, `high` and `basis`."""
        low, mid, high = (section.number(name, low=0, high=1) for name in ("low", "mid", "high"))
        if not low <= mid <= high:
            raise section.error("mid", f"must lie between low and high, not {low}, {mid}, {high}")
        return cls(low, mid, high, section.text("basis"))

    def of(self, case: Case) -> float:
        """The share in one case."""
        return {"low": self.low, "mid": self.mid, "high": self.high}[case]


@dataclass(frozen=True, slots=True)
class RevenueShare:
    """A seller's AI revenue: a share of one segment, which may be named in several ways over the years.

    No segment with a share of 0 is a statement of the method (the seller's AI revenue is minimal).
    """

    seller: str
    segments: tuple[str, ...]
    share: Range

    @classmethod
    def read(cls, seller: str, section: Section) -> "RevenueShare":
        """From the fields `segments`, `low`, `mid`, `high` and `basis`."""
        segments = section.names("segments", empty=True)
        share = Range.read(section)
        section.close()
        if bool(segments) != (share.high > 0):
            raise section.error("segments", "are named exactly where the share is above 0")
        return cls(seller, segments, share)


@dataclass(frozen=True, slots=True)
class RevenueGap:
    """Which firms invest, which share of it is for AI, who earns it, and the case that is scored."""

    case: Case
    capex_firms: tuple[str, ...]
    capex_share: Range
    sellers: tuple[RevenueShare, ...]

    @classmethod
    def read(cls, section: Section) -> "RevenueGap":
        """From the fields `case`, `capex_firms`, `capex_share` and `revenue`."""
        cases: dict[str, Case] = {"low": "low", "mid": "mid", "high": "high"}
        share = section.section("capex_share")
        settings = cls(
            cases[section.text("case", tuple(cases))],
            section.names("capex_firms"),
            Range.read(share),
            tuple(RevenueShare.read(seller, part) for seller, part in section.section("revenue").sections()),
        )
        share.close()
        return settings


@dataclass(frozen=True, slots=True)
class _Part:
    """One addend of a sum: its amount in USD millions, age, and the row it comes from."""

    amount: float
    observed_on: date
    available_at: datetime
    cited: str


def ai_capex_revenue_ratio(
    filings: AsOfTable, segments: AsOfTable, settings: RevenueGap, as_of: date, knowledge_at: datetime
) -> Reading:
    """AI capex of the group over AI revenue of the sellers, latest known quarter of each.

    AI capex is a share of total capex, AI revenue a share of each seller's segment. Every input is needed;
    what lacks is named, and no other segment stands in for it.
    """
    # A seller without segments is minimal by the method's own words: a statement, not a missing value.
    sellers = [seller for seller in settings.sellers if seller.segments]
    invested_by = {f"capex of {firm}": _capex(filings, firm, as_of, knowledge_at) for firm in settings.capex_firms}
    capex = [part for part in invested_by.values() if part]
    earned_by = {
        f"{seller.segments[0]} revenue of {seller.seller}": _segment(
            segments, seller, settings.case, as_of, knowledge_at
        )
        for seller in sellers
    }
    revenue = [part for part in earned_by.values() if part]
    lacking = [name for name, part in (invested_by | earned_by).items() if part is None]
    if lacking:
        return _missing(f"not known by {knowledge_at.date()}: {', '.join(lacking)}; nothing stands in for it")
    invested = math.fsum(part.amount for part in capex) * settings.capex_share.of(settings.case)
    earned = math.fsum(part.amount for part in revenue)
    if invested <= 0 or earned <= 0:
        return _missing(f"AI capex of {invested:,.0f} over AI revenue of {earned:,.0f} makes no ratio")
    parts = [*capex, *revenue]
    return Reading(
        INDICATOR,
        invested / earned,
        UNIT,
        min(part.observed_on for part in parts),
        max(part.available_at for part in parts),
        f"{SOURCE}: " + ", ".join(part.cited for part in parts),
        note=f"AI capex {invested:,.0f} over AI revenue {earned:,.0f} USD millions, {settings.case} case",
    )


def _missing(reason: str) -> Reading:
    return Reading(INDICATOR, None, UNIT, None, None, SOURCE, reason)


def _capex(table: AsOfTable, firm: str, as_of: date, knowledge_at: datetime) -> _Part | None:
    quarter = latest_quarter(table, firm, as_of, knowledge_at)
    if quarter is None or quarter.capex is None:
        return None
    return _Part(quarter.capex, quarter.period_end, table.available_at([quarter.row]), quarter.cited())


def _segment(table: AsOfTable, seller: RevenueShare, case: Case, as_of: date, knowledge_at: datetime) -> _Part | None:
    """The seller's AI revenue of the latest quarter known; where two names carry it, the first one listed."""
    rows = table.where(table.known(as_of, knowledge_at), "ticker", seller.seller)
    rows = table.where(rows, "segment", *seller.segments)
    rows = rows[~np.isnan(table.number("revenue", rows))]
    if len(rows) == 0:
        return None
    quarter = rows[table.observed[rows] == table.observed[rows[-1]]]
    named = next(found for name in seller.segments if len(found := table.where(quarter, "segment", name)))
    row = int(named[-1])
    revenue = float(table.number("revenue", named)[-1])
    cited = f"{seller.seller} {table.text('segment', row)} {table.text('fiscal_period', row)}"
    return _Part(revenue * seller.share.of(case), table.day(row), table.available_at([row]), cited)
