"""Changing the watchlist: an instrument is added, its facts are corrected, or it is followed no longer.

Belongs here: what `abri watch add` and `remove` do to the books. Does not belong here: new tickers of old
instruments (renaming), fetching (a run does that). Nothing stored is ever deleted.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine

from abri_pipeline.calendars import clock
from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.universe import TIMEFRAMES
from abri_pipeline.ingest import watchlist
from abri_pipeline.ingest.desk import Window
from abri_pipeline.ingest.ticker import canonical
from abri_pipeline.ingest.watchlist import BEFORE_ALL, Listed, UnknownSymbol, as_day, carried
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.reads import frame, records
from abri_pipeline.warehouse.tables import metadata
from abri_pipeline.warehouse.upsert import upsert

CALENDARS = {"equity": "XNYS", "etf": "XNYS", "crypto": "24/7"}
NOT_LISTED = "not listed on these days"


class WatchlistFault(ValueError):
    """A change of the watchlist that contradicts itself or what is stored; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What somebody says of an instrument; None leaves it as it is (or as is usual, for a new one)."""

    name: str | None = None
    asset_class: str | None = None
    listed_on: date | None = None
    delisted_on: date | None = None
    groups: tuple[str, ...] | None = None
    timeframes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.asset_class is not None and self.asset_class not in CALENDARS:
            raise WatchlistFault(f"asset class {self.asset_class!r} is none of {', '.join(CALENDARS)}")
        if strange := [t for t in self.timeframes or () if t not in TIMEFRAMES]:
            raise WatchlistFault(f"timeframe {strange[0]!r} is none of {', '.join(TIMEFRAMES)}")
        if self.timeframes == ():
            raise WatchlistFault(f"no timeframe is named; give some of {', '.join(TIMEFRAMES)}")
        for group in self.groups or ():
            if not (group.isascii() and group.islower() and group.replace("_", "").isalnum()):
                raise WatchlistFault(f"group {group!r} is not written in small letters, digits and _, as ai_pure_play")
        if self.name is not None and not (0 < len(self.name.strip()) <= 120 and self.name.isprintable()):
            raise WatchlistFault("the name is empty, longer than 120 characters, or holds control characters")

    def cells(self) -> dict[str, Any]:
        """The columns of `instruments` that are said."""
        said: dict[str, Any] = {
            "name": self.name.strip() if self.name else None,
            "asset_class": self.asset_class,
            "exchange_calendar": CALENDARS[self.asset_class] if self.asset_class else None,
            "listed_on": self.listed_on,
            "delisted_on": self.delisted_on,
            "groups": None if self.groups is None else ",".join(dict.fromkeys(self.groups)),
            "timeframes": ",".join(t for t in TIMEFRAMES if t in self.timeframes) if self.timeframes else None,
        }
        return {column: value for column, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Change:
    """What was done: `added`, `reactivated`, `changed`, `unchanged` or `removed`, and which facts changed."""

    symbol: str
    instrument_id: str
    did: str
    facts: tuple[str, ...] = ()


def add(engine: Engine, symbol: str, facts: Facts) -> Change:
    """Follow an instrument from now on, or correct the facts of one that is followed.

    One that was removed is followed again, with its history.

    Raises:
        BadSymbol: the text is no ticker.
        WatchlistFault: the ticker is another instrument's, or the facts contradict each other.
    """
    ticker = canonical(symbol)
    watchlist.seed(engine)
    with begin(engine) as connection:
        stored = row_of(connection, ticker)
        return _create(connection, ticker, facts) if stored is None else _correct(connection, stored, facts)


def remove(engine: Engine, symbol: str) -> Change:
    """Follow an instrument no longer; its history stays.

    Raises:
        BadSymbol: the text is no ticker.
        UnknownSymbol: nobody follows it.
    """
    ticker = canonical(symbol)
    watchlist.seed(engine)
    with begin(engine) as connection:
        stored = row_of(connection, ticker)
        if stored is None:
            raise UnknownSymbol(f"{ticker} was never on the watchlist; see `abri watch list`")
        if not stored["active"]:
            return Change(ticker, stored["instrument_id"], "unchanged")
        upsert(connection, operations.INSTRUMENTS, pd.DataFrame([stored | {"active": False}]))
        return Change(ticker, stored["instrument_id"], "removed", ("active",))


def row_of(connection: Connection, symbol: str) -> dict[str, Any] | None:
    """The instrument, followed or not, that goes by a ticker today, as a row; None where none does."""
    rows = frame(connection, operations.INSTRUMENTS, where=[("symbol", "=", symbol)])
    if rows.empty:
        return None
    row: dict[str, Any] = {str(k): v for k, v in rows.astype(object).where(rows.notna(), None).iloc[0].items()}
    return row | {"listed_on": as_day(row["listed_on"]), "delisted_on": as_day(row["delisted_on"])}


def _create(connection: Connection, symbol: str, facts: Facts) -> Change:
    since = facts.listed_on or BEFORE_ALL
    for other in carried(connection):
        if other.symbol == symbol and other.last is not None and other.last >= since:
            raise WatchlistFault(
                f"{symbol} was another instrument's ticker until {other.last} ({other.instrument_id}, whose history "
                f"is kept under its newest one); if another security has it now, say since when with --listed-on"
            )
    usual: dict[str, Any] = {"name": symbol, "groups": "", "timeframes": "1d", "active": True, "added_at": clock.now()}
    row = usual | Facts(asset_class="equity").cells() | facts.cells()
    row |= {"instrument_id": _identity(connection, symbol, since, row["exchange_calendar"]), "symbol": symbol}
    _listing(row)
    upsert(connection, operations.INSTRUMENTS, pd.DataFrame([row]))
    named = {"instrument_id": row["instrument_id"], "symbol": symbol, "valid_from": since}
    upsert(connection, operations.INSTRUMENT_SYMBOLS, pd.DataFrame([named]))
    return Change(symbol, row["instrument_id"], "added")


def _identity(connection: Connection, symbol: str, since: date, calendar: str) -> str:
    """Market and the ticker of the day it was first followed; a ticker's second holder is told by its first day."""
    market = calendar if calendar == "XNYS" else "CRYPTO"
    taken = set(frame(connection, operations.INSTRUMENTS, columns=["instrument_id"])["instrument_id"])
    plain = f"{market}:{symbol}"
    return plain if plain not in taken else f"{plain}@{since}"


def _correct(connection: Connection, stored: dict[str, Any], facts: Facts) -> Change:
    symbol, said = stored["symbol"], facts.cells()
    gone = stored["delisted_on"]
    if gone and facts.listed_on and facts.listed_on > gone:
        raise WatchlistFault(
            f"{symbol} is an instrument that was delisted on {gone}, and its history is stored under that ticker; "
            f"to follow its new holder, first give the old one another: `abri watch rename {symbol} NAME --on DATE`"
        )
    if CALENDARS[stored["asset_class"]] != said.get("exchange_calendar", stored["exchange_calendar"]):
        raise WatchlistFault(f"{symbol} is stored as {stored['asset_class']}; a coin and a share are two instruments")
    row = stored | said | {"active": True}
    _listing(row)
    changed = tuple(name for name, value in said.items() if stored[name] != value)
    if stored["active"] and not changed:
        return Change(symbol, stored["instrument_id"], "unchanged")
    if not stored["active"]:
        row["added_at"] = clock.now()
    upsert(connection, operations.INSTRUMENTS, pd.DataFrame([row]))
    if {"listed_on", "delisted_on"} & set(changed):
        _relist(connection, row)
    return Change(symbol, stored["instrument_id"], "changed" if stored["active"] else "reactivated", changed)


def _listing(row: dict[str, Any]) -> None:
    first, last = row.get("listed_on"), row.get("delisted_on")
    if first and last and last < first:
        raise WatchlistFault(f"{row['symbol']} would be delisted on {last}, before it is listed on {first}")


def _relist(connection: Connection, row: dict[str, Any]) -> None:
    """Nothing is expected outside the listing: open gaps are cut to it, and those wholly outside are closed."""
    listed = Listed(row["instrument_id"], row["symbol"], row["listed_on"], row["delisted_on"])
    book = metadata.tables[operations.GAPS.name]
    bars = ("timeframe", "in", TIMEFRAMES)
    where = [("symbol", "=", listed.symbol), ("state", "!=", "filled"), bars]
    for gap in records(frame(connection, operations.GAPS, where=where)):
        window = Window(gap.gap_start.date(), gap.gap_end.date())
        kept = listed.clip(window)
        days = sessions(kept.start, kept.end) if kept else ()
        if kept == window:
            continue
        one = book.update().where(
            book.c.symbol == listed.symbol, book.c.timeframe == gap.timeframe, book.c.gap_start == window.start
        )
        cut: dict[str, Any] = (
            {"gap_start": days[0], "gap_end": days[-1], "sessions": len(days)}
            if days
            else {"state": "filled", "reason": NOT_LISTED}
        )
        connection.execute(one.values(**cut, updated_at=clock.now()))
