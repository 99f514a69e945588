"""Market metrics of a window, from stored bars and anchor weights."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.analytics.market import BASKET, INDEX, WEIGHT_LINES, market_metrics
from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import close_instants, closed_sessions
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.market import METRICS, WEIGHTS
from abri_pipeline.derive.result import Derived, store
from abri_pipeline.warehouse.reads import frame

# Reaches back over a whole quarter to the anchor before, and over the 60 returns of a correlation.
LOOK_BACK = timedelta(days=200)
SYMBOLS = sorted({*BASKET, *WEIGHT_LINES, INDEX})


def derive(engine: Engine, start: date, end: date) -> Derived:
    """Compute and store the metrics of every closed session from `start` to `end`."""
    days = [d for d in closed_sessions(clock.now()) if start - LOOK_BACK <= d <= end]
    with engine.connect() as connection:
        bars = frame(
            connection,
            BARS,
            columns=["symbol", "date", "close"],
            where=[("symbol", "in", SYMBOLS), ("date", ">=", start - LOOK_BACK), ("date", "<=", end)],
        )
        anchors = frame(connection, WEIGHTS, where=[("withdrawn_at", "is", None)])
    sessions = pd.DatetimeIndex(days, name="date")
    closes_at = pd.Series(pd.to_datetime(close_instants(days), utc=True), index=sessions)
    closes = bars.pivot(index="date", columns="symbol", values="close").reindex(columns=SYMBOLS)
    metrics = market_metrics(closes, anchors, closes_at).reset_index()
    rows = metrics.assign(leveraged_etf_aum=np.nan, available_at=closes_at.to_numpy(), recorded_at=clock.now())
    known = rows[["mag7_weight", "tech_weight", "nvda_spy_corr", "mag7_spy_corr"]].notna().any(axis=1)
    return store(engine, METRICS, rows[known & (rows["date"] >= pd.Timestamp(start))])
