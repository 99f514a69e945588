"""The watchlist: which instruments are followed, since when, under which tickers.

Belongs here: reading it, and its first seed. Does not belong here: changing it (instruments, renaming).
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.contracts import operations
from abri_pipeline.contracts.universe import WATCHLIST
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.ticker import BadSymbol, canonical
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.upsert import upsert

EQUITIES = ("equity", "etf")  # what trades by the exchange's calendar
BEFORE_ALL = date(1970, 1, 1)  # first day of a ticker that is older than the platform


class UnknownSymbol(LookupError):
    """A symbol that nobody follows; the message names it and how to mend it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One followed instrument with the dates that bound what can be expected of it."""

    instrument_id: str
    symbol: str
    listed_on: date | None
    delisted_on: date | None
    asset_class: str = "equity"
    timeframes: tuple[str, ...] = ("1d",)

    def clip(self, window: Window) -> Window | None:
        """The part of a window in which the instrument was listed; None where there is none."""
        start = max(window.start, self.listed_on or window.start)
        end = min(window.end, self.delisted_on or window.end)
        return Window(start, end) if start <= end else None


@dataclass(frozen=True, slots=True)
class Carried:
    """A ticker that an instrument carried from its first to its last day; `last` is None while it does."""

    instrument_id: str
    symbol: str
    first: date
    last: date | None

    def on(self, day: date) -> bool:
        """Whether the instrument went by this ticker on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


def seed(engine: Engine) -> None:
    """Write the default watchlist into a database that has none yet."""
    with begin(engine) as connection:
        if not frame(connection, operations.INSTRUMENTS, columns=["instrument_id"]).empty:
            return
        upsert(connection, operations.INSTRUMENTS, _instruments())
        upsert(connection, operations.INSTRUMENT_SYMBOLS, _symbols())


def followed(connection: Connection, symbols: Sequence[str] = (), classes: Collection[str] = EQUITIES) -> list[Listed]:
    """The active instruments of some asset classes, in the order of their tickers; only `symbols` where any are named.

    Raises:
        UnknownSymbol: a named symbol is not on the watchlist; one that was renamed is told with its new ticker.
    """
    where = [("active", "=", True), ("asset_class", "in", tuple(classes))]
    rows = frame(connection, operations.INSTRUMENTS, where=where).sort_values("symbol")
    listed = [
        Listed(
            r.instrument_id, r.symbol, as_day(r.listed_on), as_day(r.delisted_on), r.asset_class, words(r.timeframes)
        )
        for r in records(rows)
    ]
    if not symbols:
        return listed
    known = {one.symbol: one for one in listed}
    named = sorted({_spelled(s) for s in symbols})
    if unknown := [s for s in named if s not in known]:
        told = "; ".join([f"followed are {', '.join(known)}", *_renamed(connection, unknown)])
        raise UnknownSymbol(f"{', '.join(unknown)} is not on the watchlist; {told}")
    return [known[s] for s in named]


def carried(connection: Connection) -> list[Carried]:
    """Every ticker that any instrument ever carried, oldest first."""
    rows = frame(connection, operations.INSTRUMENT_SYMBOLS).sort_values(["valid_from", "instrument_id"])
    return [Carried(r.instrument_id, r.symbol, r.valid_from.date(), as_day(r.valid_to)) for r in records(rows)]


def as_day(value: pd.Timestamp | None) -> date | None:
    """A stored day, or None."""
    return None if value is None or pd.isna(value) else value.date()


def words(joined: str) -> tuple[str, ...]:
    """A comma-separated field in its parts."""
    return tuple(part for part in joined.split(",") if part)


def _spelled(symbol: str) -> str:
    """The house's spelling; what has none stays as it is, to be named as unknown."""
    with suppress(BadSymbol):
        return canonical(symbol)
    return symbol


def _renamed(connection: Connection, symbols: Sequence[str]) -> list[str]:
    """For each symbol that an instrument once carried, under which one it goes now."""
    current = {r.instrument_id: r.symbol for r in records(frame(connection, operations.INSTRUMENTS))}
    return [
        f"{old.symbol} is {current[old.instrument_id]} since {old.last + timedelta(days=1)}"
        for old in carried(connection)
        if old.symbol in symbols and old.last is not None
    ]


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
        since = i.renamed[-1][2] + timedelta(days=1) if i.renamed else (i.listed_on or BEFORE_ALL)
        rows.append((i.instrument_id, i.symbol, since, None))
    return pd.DataFrame(rows, columns=["instrument_id", "symbol", "valid_from", "valid_to"])
