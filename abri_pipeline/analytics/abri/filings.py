"""Capex intensity: what the hyperscalers invest out of the cash they earn, as filed."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from abri_pipeline.analytics.abri.asof import AsOfTable
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

INDICATOR = "avg_capex_ocf"
UNIT = "ratio"


@dataclass(frozen=True, slots=True)
class CapexGroup:
    """The firms whose mean is taken; all of them are needed."""

    firms: tuple[str, ...]

    @classmethod
    def read(cls, section: Section) -> "CapexGroup":
        """From the field `firms`, a list of tickers."""
        return cls(section.names("firms"))


@dataclass(frozen=True, slots=True)
class FiledQuarter:
    """A firm's latest quarter as its latest known filing has it; money in USD millions, None where unknown."""

    ticker: str
    fiscal_period: str
    period_end: date
    filed_on: date
    capex: float | None
    operating_cf: float | None
    row: int

    def cited(self) -> str:
        """The quarter and its filing, as sources are cited."""
        return f"{self.ticker} {self.fiscal_period} filed {self.filed_on}"


def latest_quarter(table: AsOfTable, ticker: str, as_of: date, knowledge_at: datetime) -> FiledQuarter | None:
    """The quarter with the newest period end known, in the version filed last; None where none is known.

    A restatement of an older quarter therefore never displaces a newer one, and one of the same quarter
    replaces it from its own filing date on. A figure that the latest quarter lacks stays missing: an older
    quarter's figure would pose as this one's.
    """
    rows = table.where(table.known(as_of, knowledge_at), "ticker", ticker)
    # A second lock beside available_at: nothing dated before its filing day may feed a score.
    filed_by = np.datetime64(knowledge_at.astimezone(UTC).date(), "D")
    rows = rows[table.days("filed_on", rows) <= filed_by]
    if len(rows) == 0:
        return None
    last = rows[-1:]
    capex, cash = (float(table.number(name, last)[0]) for name in ("capex", "operating_cf"))
    row = int(last[0])
    return FiledQuarter(
        ticker=ticker,
        fiscal_period=table.text("fiscal_period", row),
        period_end=table.day(row),
        filed_on=table.day(row, "filed_on"),
        capex=None if math.isnan(capex) else capex,
        operating_cf=None if math.isnan(cash) else cash,
        row=row,
    )


def avg_capex_ocf(table: AsOfTable, settings: CapexGroup, as_of: date, knowledge_at: datetime) -> Reading:
    """Mean over the group of capex / operating cash flow, each firm's latest quarter known.

    All firms are needed: a mean over fewer would move with its membership. Operating cash flow that is
    not positive makes no ratio (it would read as *low* intensity), so the firm is lacking then.
    """
    ratios, quarters, unfiled, unusable = [], [], [], []
    for firm in settings.firms:
        quarter = latest_quarter(table, firm, as_of, knowledge_at)
        if quarter is None:
            unfiled.append(firm)
        elif quarter.capex is None or quarter.operating_cf is None or quarter.operating_cf <= 0:
            unusable.append(f"{quarter.cited()} has {_fault(quarter)}")
        else:
            quarters.append(quarter)
            ratios.append(quarter.capex / quarter.operating_cf)
    if unfiled or unusable:
        reason = _reason(len(settings.firms), len(ratios), unfiled, unusable, knowledge_at)
        return Reading(INDICATOR, None, UNIT, None, None, "hyperscaler_metrics", reason)
    source = "hyperscaler_metrics: " + ", ".join(quarter.cited() for quarter in quarters)
    oldest = min(quarter.period_end for quarter in quarters)
    known_at = table.available_at(quarter.row for quarter in quarters)
    return Reading(INDICATOR, math.fsum(ratios) / len(ratios), UNIT, oldest, known_at, source)


def _fault(quarter: FiledQuarter) -> str:
    if quarter.capex is None:
        return "no capex that could be derived"
    if quarter.operating_cf is None:
        return "no operating cash flow that could be derived"
    return f"an operating cash flow of {quarter.operating_cf:,.0f}, on which no ratio stands"


def _reason(needed: int, there: int, unfiled: list[str], unusable: list[str], knowledge_at: datetime) -> str:
    """Why there is no mean, naming every firm that lacks a ratio."""
    mean = f"no {there}-firm mean is taken" if there else "no mean is taken"
    faults = list(unusable)
    if unfiled:
        have = "has" if len(unfiled) == 1 else "have"
        faults.insert(0, f"{_listed(unfiled)} {have} no filed quarter known by {knowledge_at.date()}")
    return f"{mean} ({needed} firms are needed): {'; '.join(faults)}"


def _listed(names: list[str]) -> str:
    """Names as a sentence has them: A; A and B; A, B and C."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
