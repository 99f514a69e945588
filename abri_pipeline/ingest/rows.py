"""Rows of bars and actions from one answer: pure but for the splits that are known already."""

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.calendars.sessions import closed_sessions, final_at
from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline.ingest.ask import Answer
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.watchlist import Listed
from abri_pipeline.warehouse.archive import Archive
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.tables import sql_table

PRICES = ["open", "high", "low", "close", "adj_close"]
# Two adjusted closes of one bar differ by rounding on the wire; a new dividend moves them by far more.
SAME_ADJUSTMENT = 1e-5


def bars(connection: Connection, listed: Listed, answer: Answer) -> pd.DataFrame:
    """Closed bars under the instrument's identity, split-adjusted, provisional or final as of the answer."""
    at = answer.delivery.pulled_at
    known = closed_sessions(at)
    days = pd.to_datetime(answer.bars["date"])
    closed = answer.bars[days <= pd.Timestamp(known[-1])]
    if answer.adjustment == "none":
        closed = _split_adjusted(connection, listed.symbol, closed)
    newest = {d for d in known[-3:] if final_at(d) > at}
    late = pd.to_datetime(closed["date"]).dt.date.isin(newest)
    status = late.map({True: "provisional", False: "final"})
    return closed.assign(symbol=listed.symbol, instrument_id=listed.instrument_id, bar_status=status)


def actions(listed: Listed, answer: Answer) -> pd.DataFrame | None:
    """Dividends and splits of the answer; None where its payload holds none by nature."""
    return None if answer.actions is None else answer.actions.assign(symbol=listed.symbol)


def _split_adjusted(connection: Connection, symbol: str, traded: pd.DataFrame) -> pd.DataFrame:
    """Prices and volume as traded, brought to today's shares by the splits we know of."""
    where = [("symbol", "=", symbol), ("action", "=", "split")]
    splits = frame(connection, ACTIONS, columns=["date", "value"], where=where)
    factor = np.ones(len(traded))
    days = pd.to_datetime(traded["date"]).to_numpy()
    for day, ratio in zip(splits["date"].to_numpy(), splits["value"], strict=True):
        factor[days < day] *= ratio
    prices = {name: traded[name] / factor for name in PRICES}
    volume = (traded["volume"].astype("Float64") * factor).round().astype("Int64")
    return traded.assign(**prices, volume=volume)


def rebased(connection: Connection, symbol: str, span: Window, answer: Answer) -> bool:
    """Whether a dividend or split has moved the adjustment of this provider's stored bars."""
    where = [
        ("symbol", "=", symbol),
        ("date", ">=", span.start),
        ("date", "<=", span.end),
        ("source_provider", "=", answer.delivery.provenance["source_provider"]),
    ]
    columns = ["date", "close", "adj_close"]
    stored = frame(connection, BARS, columns=columns, where=where)
    fetched = answer.bars.assign(date=pd.to_datetime(answer.bars["date"]))[columns]
    both = stored.merge(fetched, on="date", suffixes=("", "_now"))
    moved = [(both[f"{c}_now"] / both[c] - 1).abs().gt(SAME_ADJUSTMENT).any() for c in ("close", "adj_close")]
    return any(moved)


def vouch(connection: Connection, archive: Archive, symbol: str, accepted: pd.DataFrame, answer: Answer) -> None:
    """Rows whose own payload is lost and which this answer confirms are from now on this answer's.

    A row that is confirmed keeps the payload it first came from, so that a replay changes nothing; where the archive
    lost that one, the row would never resolve again.
    """
    told = answer.delivery.provenance
    bars = sql_table(BARS)
    own = (bars.c.symbol == symbol, bars.c.source_provider == told["source_provider"])
    hashes = connection.execute(sa.select(bars.c.raw_hash).where(*own).distinct()).scalars()
    lost = [digest for digest in hashes if digest not in archive]
    if lost:
        read = [day.date() for day in accepted["date"]]
        again = bars.update().where(*own, bars.c.raw_hash.in_(lost), bars.c.date.in_(read))
        connection.execute(again.values(raw_hash=told["raw_hash"], pulled_at=told["pulled_at"]))
