"""Stored intraday bars on today's split basis, where no provider could give them anew.

A provider adjusts what it sends for every split so far. Bars that it no longer reaches stay as they were sent, so a
later split is applied to them here. What was applied already shows in the bars themselves: the last close of a session
against the daily close, which is always re-based in full. So nothing is applied twice, whoever fetched what when.
"""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts import equity
from abri_pipeline.contracts.intraday import BARS
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import upsert

PRICES = ["open", "high", "low", "close"]
CLOSE = 0.05  # two closes of one session differ by far less, and every split and spin-off by more


def rebase(engine: Engine, symbol: str, timeframes: tuple[str, ...]) -> int:
    """Bring the stored bars of a symbol to the basis of its daily bars; returns how many changed."""
    with engine.connect() as connection:
        moved = _moved(connection, symbol, timeframes)
    if moved.empty:
        return 0
    with begin(engine) as connection:
        return upsert(connection, BARS, moved).changed


def _moved(connection: Connection, symbol: str, timeframes: tuple[str, ...]) -> pd.DataFrame:
    """The bars that lack a split, as they should be."""
    own = ("symbol", "=", symbol)
    splits = frame(connection, equity.ACTIONS, columns=["date", "value"], where=[own, ("action", "=", "split")])
    if splits.empty:
        return pd.DataFrame()
    before = ("date", "<", splits["date"].max())
    rows = frame(connection, BARS, where=[own, ("timeframe", "in", timeframes), before])
    if rows.empty:
        return rows
    span = [own, ("date", ">=", rows["date"].min()), before]
    daily = frame(connection, equity.BARS, columns=["date", "close"], where=span).set_index("date")["close"]
    ends = rows.groupby(["timeframe", "date"])["close"].last()  # rows come in the order of the key
    ratio = ends / daily.reindex(ends.index.get_level_values("date")).to_numpy()
    lacking = pd.Series([_lacking(at[1], r, splits) for at, r in ratio.items()], index=ends.index, name="lacking")
    factor = rows[["timeframe", "date"]].merge(lacking.reset_index(), on=["timeframe", "date"])["lacking"].to_numpy()
    volume = (rows["volume"].astype("Float64") * factor).round().astype("Int64")
    prices = {name: rows[name] / factor for name in PRICES}
    moved: pd.DataFrame = rows.assign(**prices, volume=volume)[factor != 1.0]
    return moved


def _lacking(day: pd.Timestamp, ratio: float, splits: pd.DataFrame) -> float:
    """The ratio of the newest splits after a day that its bars do not carry yet; 1 where they carry all of them."""
    later = splits.loc[splits["date"] > day, "value"].to_numpy(dtype=float)[::-1]
    fits = [float(f) for f in np.cumprod(later) if abs(np.log(ratio / f)) < CLOSE] if ratio == ratio else []
    return fits[0] if fits else 1.0
