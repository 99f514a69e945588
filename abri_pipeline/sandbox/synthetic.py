"""The synthetic market: an invented, self-consistent world behind the same wires as the real one.

Belongs here: the facade that answers a sandbox's questions. Does not belong here: any number.

**It is no forecast, and no copy.** Symbols, listing dates, companies' CIKs, fiscal calendars and tags are
the real ones, so that the platform runs as in production; every price, spread, filing, deal and weight is
drawn from a seeded model. The label `synthetic` goes wherever the data is shown.

The model, from the inside out:

- *Factors.* A market and an AI factor return every weekday from 2012 to 2026: fat-tailed noise whose
  volatility wanders and jumps in named episodes (a sudden stop in 2020, a rate shock in 2022, doubt about
  AI in 2025, a funding squeeze in 2026), around a drift that each episode sets (`synthetic_world`).
- *Equities.* A log return is beta x market + loading x AI + own noise. SPY is the market factor; GOOG follows
  GOOGL; TQQQ, SOXL and TECL return three times a day's move. Dividends leave the price on the ex-date and
  adj_close follows Yahoo's rule. Half days trade less (`synthetic_equities`).
- *Coins.* A coin's log return follows the market and a tide of its own that all coins share, every day of the
  week (`synthetic_crypto`).
- *Credit and macro.* Log spreads fall when the market rises and are lifted by turbulence; weekly stress
  indices read the spreads; the economy follows way-points (`synthetic_credit`, `synthetic_macro`).
- *Companies.* Revenue grows on a trend and a boom, cash flow is a share of it, capital expenditure a rising
  share of cash flow; filings state them cumulatively, with comparatives, one restatement and Amazon's
  trailing windows (`synthetic_companies`, `synthetic_filings`).
- *Reference.* Index weights are share counts times these prices over SPY; segments are shares of the filed
  revenue; GPU rents fall as clouds join; deals swell when the AI factor has risen.

It holds everything it knows up to 2026-12-31 and is the same whatever the clock says: the wires cut it at
now. Each table is built when first asked for and kept for the life of the process; all of it takes well
under a second and nothing is stored on disk.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd

from abri_pipeline.sandbox import synthetic_crypto, synthetic_deals, synthetic_filings, synthetic_gpu, synthetic_macro
from abri_pipeline.sandbox import synthetic_equities as equities
from abri_pipeline.sandbox import synthetic_instruments as instruments
from abri_pipeline.sandbox import synthetic_segments as segments
from abri_pipeline.sandbox import synthetic_weights as index
from abri_pipeline.sandbox.synthetic_world import LABEL

_REFERENCE: dict[str, Callable[[], pd.DataFrame]] = {
    "weights": index.weights,
    "gpu_prices": synthetic_gpu.gpu_prices,
    "deals": synthetic_deals.deals,
    "segment_revenue": segments.segment_revenue,
}


class SyntheticMarket:
    """A `Market` that exists only in this process. None means that this world has no such thing.

    What it hands out is shared and must not be changed in place.
    """

    label = LABEL

    def bars(self, symbol: str) -> pd.DataFrame | None:
        """Daily bars from the listing, or 2018-01-02, to 2026-12-31; split-adjusted as of the end."""
        return equities.bars(symbol) if symbol in instruments.SYMBOLS else None

    def intraday(self, symbol: str, interval: str) -> pd.DataFrame | None:
        """None: the model's clock ticks once a day, and bars between would be decoration."""
        return None

    def crypto(self, pair: str, timeframe: str) -> pd.DataFrame | None:
        """Daily bars of a few pairs, every UTC day from 2018 to 2026; no hours, as with `intraday`."""
        return synthetic_crypto.bars(pair) if timeframe == "1d" else None

    def fred(self, series_id: str) -> pd.DataFrame | None:
        """A series from 2012 to 2026: observed_on and value, text as on the wire, `.` where missing."""
        return synthetic_macro.fred(series_id)

    def companyfacts(self, cik: int) -> dict[str, Any] | None:
        """Every fact filed from 2016 to 2026 by MSFT, GOOGL, AMZN, META, NVDA and ORCL, in whole USD."""
        return synthetic_filings.companyfacts(cik)

    def submissions(self, cik: int) -> dict[str, Any] | None:
        """The same companies' 10-Ks, 10-Qs and earnings 8-Ks, columnar, newest first."""
        return synthetic_filings.submissions(cik)

    def reference(self, name: str) -> pd.DataFrame | None:
        """`weights`, `gpu_prices`, `deals` or `segment_revenue`, all cells text as in a CSV."""
        return _reference(name) if name in _REFERENCE else None


@cache
def _reference(name: str) -> pd.DataFrame:
    return _REFERENCE[name]()
