"""Market metrics of five years of sixteen symbols."""

import time
from datetime import UTC, date, datetime
from statistics import median

import numpy as np
import pandas as pd

from abri_pipeline.analytics.market import HELD_LINES, WEIGHT_LINES, market_metrics
from abri_pipeline.calendars.sessions import close_instants, sessions
from abri_pipeline.contracts.universe import WATCHLIST
from abri_pipeline_tests.bench.figure import Figure

SESSIONS, SYMBOLS, MOST_MS = 1256, 16, 15.0


def measure(runs: int) -> Figure:
    """Calls on one invented market, after one that warms up."""
    closes, anchors, closes_at = invented()
    market_metrics(closes, anchors, closes_at)
    samples, worked = [], []
    for _ in range(runs):
        began, busy = time.perf_counter(), time.process_time()
        market_metrics(closes, anchors, closes_at)
        samples.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    what = f"market metrics of {len(closes)} sessions x {closes.shape[1]} symbols"
    notes = [f"processor time {median(worked):.1f} ms: the rest is waiting for a core"]
    return Figure(name="market-metrics", what=what, unit="ms", samples=samples, target=MOST_MS, notes=notes)


def invented() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Closes by session and symbol, quarter-end anchors, and closing instants."""
    days = sessions(date(2021, 1, 19), date(2026, 1, 16))[:SESSIONS]
    symbols = [one.symbol for one in WATCHLIST if one.symbol not in ("CRWV", "PATH")][:SYMBOLS]
    index = pd.DatetimeIndex(days, name="date")
    steps = np.random.default_rng(7).normal(0.0004, 0.02, (len(days), len(symbols)))
    closes = pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), index=index, columns=symbols)
    quarters = pd.date_range("2020-12-31", days[-1], freq="QE")
    lines = [*WEIGHT_LINES, *HELD_LINES.values()]
    anchors = pd.DataFrame(
        {
            "effective_date": quarters.repeat(len(lines)),
            "line": lines * len(quarters),
            "weight": 0.04,
            "available_at": [datetime(q.year, q.month, q.day, 22, tzinfo=UTC) for q in quarters.repeat(len(lines))],
        }
    )
    return closes, anchors, pd.Series(pd.to_datetime(close_instants(days), utc=True), index=index)
