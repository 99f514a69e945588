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
# A split re-bases every stored close, which moves the last bits of the returns between them. A figure that moved by
# less than this is the same figure: else each split would correct years of prints for nothing.
ROUNDING = 1e-12
FIGURES = ["mag7_weight", "nvda_spy_corr", "mag7_spy_corr"]
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
    return store(engine, METRICS, _settled(engine, rows[known & (rows["date"] >= pd.Timestamp(start))]))


def _settled(engine: Engine, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the stored figures where the new ones differ from them by rounding alone."""
    if rows.empty:
        return rows
    where = [("date", ">=", rows["date"].min().date()), ("date", "<=", rows["date"].max().date())]
    with engine.connect() as connection:
        stored = frame(connection, METRICS, columns=["date", *FIGURES], where=where).set_index("date")
    before = stored.reindex(pd.DatetimeIndex(rows["date"])).to_numpy()
    now = rows[FIGURES].to_numpy()
    return rows.assign(**dict(zip(FIGURES, np.where(np.abs(now - before) < ROUNDING, before, now).T, strict=True)))
