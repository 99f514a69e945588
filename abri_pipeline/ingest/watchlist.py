"""The watchlist: which instruments are followed, since when, under which tickers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.universe import WATCHLIST
from abri_pipeline.ingest.desk import Window
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import upsert


class UnknownSymbol(LookupError):
    """A symbol that nobody follows; the message names it and how to mend it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One followed instrument with the dates that bound what can be expected of it."""

    instrument_id: str
    symbol: str
    listed_on: date | None
    delisted_on: date | None

    def clip(self, window: Window) -> Window | None:
        """The part of a window in which the instrument was listed; None where there is none."""
        start = max(window.start, self.listed_on or window.start)
        end = min(window.end, self.delisted_on or window.end)
        return Window(start, end) if start <= end else None


def seed(engine: Engine) -> None:
    """Write the default watchlist into a database that has none yet."""
    with begin(engine) as connection:
        if not frame(connection, operations.INSTRUMENTS, columns=["instrument_id"]).empty:
            return
        upsert(connection, operations.INSTRUMENTS, _instruments())
        upsert(connection, operations.INSTRUMENT_SYMBOLS, _symbols())


def followed(connection: Connection, symbols: Sequence[str] = ()) -> list[Listed]:
    """The active instruments, in the order of their tickers; only `symbols` where any are named.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist.
    """
    rows = frame(connection, operations.INSTRUMENTS, where=[("active", "=", True)]).sort_values("symbol")
    listed = [Listed(r.instrument_id, r.symbol, _day(r.listed_on), _day(r.delisted_on)) for r in records(rows)]
    if not symbols:
        return listed
    known = {one.symbol: one for one in listed}
    if unknown := sorted(set(symbols) - set(known)):
        raise UnknownSymbol(f"{', '.join(unknown)} is not on the watchlist; followed are {', '.join(known)}")
    return [known[s] for s in sorted(set(symbols))]


def _day(value: pd.Timestamp | None) -> date | None:
    return None if value is None or pd.isna(value) else value.date()


def _instruments() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "instrument_id": i.instrument_id,
                "symbol": i.symbol,
                "name": i.name,
                "asset_class": i.asset_class,
                "exchange_calendar": "XNYS",
                "listed_on": i.listed_on,
                "active": True,
                "timeframes": "1d",
                "groups": ",".join(i.groups),
            }
            for i in WATCHLIST
        ]
    )


def _symbols() -> pd.DataFrame:
    rows: list[tuple[str, str, date, date | None]] = []
    for i in WATCHLIST:
        rows += [(i.instrument_id, old, first, last) for old, first, last in i.renamed]
        since = date.fromordinal(i.renamed[-1][2].toordinal() + 1) if i.renamed else (i.listed_on or date(1970, 1, 1))
        rows.append((i.instrument_id, i.symbol, since, None))
    return pd.DataFrame(rows, columns=["instrument_id", "symbol", "valid_from", "valid_to"])
