"""The datasets that feed the index, as frames and as tables ready for as-of reads."""

from dataclasses import dataclass

import pandas as pd

from abri_pipeline.analytics.abri.asof import AsOfTable
from abri_pipeline.analytics.abri.credit import without_substitutes
from abri_pipeline.analytics.abri.deals import with_rulings


@dataclass(frozen=True, slots=True)
class Inputs:
    """One frame a dataset, every version of every row; further columns are welcome and ignored.

    Dates may be dates, timestamps or ISO text; instants without a zone are UTC. A frame without rows means
    that nothing is known of that dataset, and may lack its columns too.

    - market (market_metrics): date, mag7_weight (fraction), nvda_spy_corr, mag7_spy_corr, available_at
    - credit (credit_spreads): date, hy_ig_diff (basis points), available_at; optional substitute
    - gpu (gpu_prices): observed_on, gpu_model, source, price_kind, variant, price_per_gpu_hour (USD),
      available_at
    - filings (hyperscaler_metrics): ticker, fiscal_period, filed_on, period_end, capex, operating_cf (USD
      millions), available_at
    - segments (segment_revenue): ticker, fiscal_period, period_end, segment, revenue (USD millions),
      available_at
    - deals (deals): announced_date, amount_usd_millions (may be null), available_at; optional scored
    """

    market: pd.DataFrame
    credit: pd.DataFrame
    gpu: pd.DataFrame
    filings: pd.DataFrame
    segments: pd.DataFrame
    deals: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Tables:
    """The same datasets sorted once."""

    market: AsOfTable
    credit: AsOfTable
    gpu: AsOfTable
    filings: AsOfTable
    segments: AsOfTable
    deals: AsOfTable

    @classmethod
    def sorted_from(cls, inputs: Inputs) -> "Tables":
        """Convert and sort every frame.

        Raises:
            InputError: a frame lacks a column or holds a value of the wrong kind; frame and column are named.
        """
        return cls(
            market=AsOfTable(
                inputs.market, name="market_metrics", observed="date",
                numbers=("mag7_weight", "nvda_spy_corr", "mag7_spy_corr"),
            ),
            credit=AsOfTable(
                without_substitutes(inputs.credit), name="credit_spreads", observed="date",
                texts=("substitute",), numbers=("hy_ig_diff",),
            ),
            gpu=AsOfTable(
                inputs.gpu, name="gpu_prices", observed="observed_on",
                texts=("gpu_model", "source", "price_kind", "variant"), numbers=("price_per_gpu_hour",),
            ),
            filings=AsOfTable(
                inputs.filings, name="hyperscaler_metrics", observed="period_end", days=("filed_on",),
                texts=("ticker", "fiscal_period"), numbers=("capex", "operating_cf"),
            ),
            segments=AsOfTable(
                inputs.segments, name="segment_revenue", observed="period_end",
                texts=("ticker", "fiscal_period", "segment"), numbers=("revenue",),
            ),
            deals=AsOfTable(
                with_rulings(inputs.deals), name="deals", observed="announced_date",
                texts=("scored",), numbers=("amount_usd_millions",),
            ),
        )  # fmt: skip
