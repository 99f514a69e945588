"""Cloud and data-centre revenue of the synthetic companies, in the recorded table's layout.

Belongs here: segments as shares of each company's own reported revenue, so that filings and segments agree.
Does not belong here: estimates of AI revenue. In this world Microsoft publishes Azure in dollars.
"""

import numpy as np
import pandas as pd

from abri_pipeline.sandbox import synthetic_filings
from abri_pipeline.sandbox.synthetic_companies import BY_TICKER
from abri_pipeline.sandbox.synthetic_world import LABEL, Days, between

# (company, segment, share of the company's revenue)
_SEGMENTS = (
    ("AMZN", "AWS", {"2016-01-01": 0.105, "2021-01-01": 0.130, "2026-12-31": 0.190}),
    ("GOOGL", "Google Cloud", {"2016-01-01": 0.030, "2021-01-01": 0.075, "2026-12-31": 0.150}),
    ("MSFT", "Azure", {"2016-01-01": 0.060, "2021-01-01": 0.200, "2026-12-31": 0.330}),
    ("NVDA", "Data Center", {"2016-01-01": 0.150, "2021-01-01": 0.420, "2023-01-01": 0.560,
                             "2024-06-01": 0.820, "2026-12-31": 0.880}),
)  # fmt: skip


def segment_revenue() -> pd.DataFrame:
    """One row a segment and fiscal quarter that its company files by the end of the world, USD millions.

    The layout states no day of publication, so the wires date a row from its quarter's end. All cells are text.
    """
    rows = [row for ticker, segment, share in _SEGMENTS for row in _rows(ticker, segment, share)]
    return pd.DataFrame(rows)


def _rows(ticker: str, segment: str, share: dict[str, float]) -> list[dict[str, str]]:
    filings = synthetic_filings.filings(BY_TICKER[ticker].cik)
    ends: Days = np.array([filing.quarter.end for filing in filings], dtype="datetime64[D]")
    return [
        {
            "ticker": ticker,
            "fiscal_period": f"FY{filing.quarter.fiscal_year}Q{filing.quarter.number}",
            "period_end": filing.quarter.end.isoformat(),
            "segment": segment,
            "revenue_usd_millions": str(round(filing.quarter.figures["revenue"] / 1e6 * part)),
            "source": LABEL,
            "evidence": LABEL,
            "note": "synthetic market, not the company's figure",
        }
        for filing, part in zip(filings, between(ends, share).tolist(), strict=True)
    ]
