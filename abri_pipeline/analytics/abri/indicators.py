"""Every indicator the index can measure, by name.

A method file picks from these names and gives each its settings. A new indicator is one entry here and one
pure function beside it; a new method over known indicators needs no code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from abri_pipeline.analytics.abri import ai_revenue, credit, deals, filings, gpu, market
from abri_pipeline.analytics.abri.inputs import Tables
from abri_pipeline.analytics.abri.reading import Reading
from abri_pipeline.analytics.abri.section import Section

Measure = Callable[[Tables, date, datetime], Reading]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A known indicator: its unit, and how its settings in a method file make a measuring function."""

    name: str
    unit: str
    configure: Callable[[Section], Measure]


def _session_metric(column: str) -> Indicator:
    def configure(section: Section) -> Measure:
        settings = market.SessionMetric.read(section)
        return lambda tables, as_of, known: market.session_metric(column, tables.market, settings, as_of, known)

    return Indicator(column, market.UNITS[column], configure)


def _credit(section: Section) -> Measure:
    settings = credit.SpreadRank.read(section)
    return lambda tables, as_of, known: credit.hy_ig_diff_percentile(tables.credit, settings, as_of, known)


def _gpu(section: Section) -> Measure:
    settings = gpu.WeeklyPrice.read(section)
    return lambda tables, as_of, known: gpu.h100_price(tables.gpu, settings, as_of, known)


def _filings(section: Section) -> Measure:
    settings = filings.CapexGroup.read(section)
    return lambda tables, as_of, known: filings.avg_capex_ocf(tables.filings, settings, as_of, known)


def _ai_revenue(section: Section) -> Measure:
    settings = ai_revenue.RevenueGap.read(section)
    return lambda tables, as_of, known: ai_revenue.ai_capex_revenue_ratio(
        tables.filings, tables.segments, settings, as_of, known
    )


def _deals(section: Section) -> Measure:
    settings = deals.VolumeGrowth.read(section)
    return lambda tables, as_of, known: deals.deal_growth(tables.deals, settings, as_of, known)


KNOWN: dict[str, Indicator] = {
    indicator.name: indicator
    for indicator in (
        *(_session_metric(column) for column in market.UNITS),
        Indicator(credit.INDICATOR, credit.UNIT, _credit),
        Indicator(gpu.INDICATOR, gpu.UNIT, _gpu),
        Indicator(filings.INDICATOR, filings.UNIT, _filings),
        Indicator(ai_revenue.INDICATOR, ai_revenue.UNIT, _ai_revenue),
        Indicator(deals.INDICATOR, deals.UNIT, _deals),
    )
}
