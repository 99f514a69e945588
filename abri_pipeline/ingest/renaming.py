"""A new ticker for an old instrument: the identity stays, the label changes, and the history follows it.

Tables are keyed by the current ticker, so every stored row that is about the instrument gets the new one, all in
one transaction. Records of what was asked and found under the old name (audit, choices, revisions, rejected rows,
filled orders) stay as they were written: `instrument_symbols` says who that was.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine

from abri_pipeline.calendars import clock, new_york
from abri_pipeline.calendars.sessions import is_session
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.catalog import DATASETS, TABLES
from abri_pipeline.contracts.model import Table
from abri_pipeline.contracts.universe import TIMEFRAMES
from abri_pipeline.ingest import watchlist
from abri_pipeline.ingest.instruments import WatchlistFault, row_of
from abri_pipeline.ingest.ticker import canonical
from abri_pipeline.ingest.watchlist import BEFORE_ALL, Carried, UnknownSymbol, carried
from abri_pipeline.providers.bars import STEPS
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lease
from abri_pipeline.warehouse.tables import sql_table
from abri_pipeline.warehouse.upsert import upsert

_AS_WRITTEN = {operations.REJECTED.name, operations.FEEDBACK.name, operations.INSTRUMENTS.name,
               operations.INSTRUMENT_SYMBOLS.name}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a rename did: rows that got the new ticker, by table."""

    instrument_id: str
    old: str
    new: str
    on: date
    rows: dict[str, int]


def rename(engine: Engine, old: str, new: str, on: date) -> Renamed:
    """Give an instrument a new ticker from a day on.

    Args:
        engine: the warehouse.
        old: the ticker it goes by today.
        new: its new one.
        on: the first day under the new one: a session for what trades by the exchange's calendar, not after today.

    Raises:
        BadSymbol: a text is no ticker.
        UnknownSymbol: no instrument goes by `old`.
        WatchlistFault: `new` is another instrument's, or the day cannot be right. Nothing was changed.
    """
    before, after = canonical(old), canonical(new)
    watchlist.seed(engine)
    with ExitStack() as leases:
        for timeframe in STEPS:  # a load that is under way ends first, and the next one finds the new name
            leases.enter_context(unit_lease(engine, f"{timeframe}:{before}"))
        return _rename(engine, before, after, on)


def _rename(engine: Engine, before: str, after: str, on: date) -> Renamed:
    with begin(engine) as connection:
        stored = row_of(connection, before)
        if stored is None:
            raise UnknownSymbol(f"{before} is not on the watchlist, so it cannot be renamed; see `abri watch list`")
        label = _label(connection, stored["instrument_id"], before)
        _refuse(connection, label, after, on, by_sessions=stored["exchange_calendar"] == "XNYS")
        closed = {**_row(label), "valid_to": on - timedelta(days=1)}
        opened = _row(Carried(label.instrument_id, after, on, None))
        upsert(connection, operations.INSTRUMENT_SYMBOLS, pd.DataFrame([closed, opened]))
        upsert(connection, operations.INSTRUMENTS, pd.DataFrame([stored | {"symbol": after}]))
        moved = {table.name: _relabel(connection, table, before, after) for table in labelled()}
    return Renamed(label.instrument_id, before, after, on, {name: rows for name, rows in moved.items() if rows})


def labelled() -> Iterator[Table]:
    """The tables whose rows are labelled with the instrument's current ticker."""
    return (t for t in TABLES if "symbol" in t.columns and not t.append_only and t.name not in _AS_WRITTEN)


def _label(connection: Connection, instrument_id: str, symbol: str) -> Carried:
    """The label that an instrument goes by today."""
    own = [c for c in carried(connection) if c.instrument_id == instrument_id and c.symbol == symbol]
    return own[-1] if own else Carried(instrument_id, symbol, BEFORE_ALL, None)


def _row(label: Carried) -> dict[str, object]:
    return {
        "instrument_id": label.instrument_id,
        "symbol": label.symbol,
        "valid_from": label.first,
        "valid_to": label.last,
    }


def _refuse(connection: Connection, label: Carried, new: str, on: date, *, by_sessions: bool) -> None:
    today = new_york.day_of(clock.now())
    if new == label.symbol:
        raise WatchlistFault(f"{new} is its ticker already")
    if on <= label.first:
        raise WatchlistFault(f"{label.symbol} is its ticker since {label.first}; the new one comes after that day")
    if on > today:
        raise WatchlistFault(f"{on} lies ahead (today is {today}); rename it on the day, loads use the name of today")
    if by_sessions and not is_session(on):
        raise WatchlistFault(f"the exchange does not trade on {on}; give the first session under {new}")
    if row_of(connection, new) is not None:
        raise WatchlistFault(f"{new} is another instrument's ticker; see `abri watch list --all`")
    for other in carried(connection):
        if other.symbol == new and other.instrument_id != label.instrument_id and (other.last or on) >= on:
            raise WatchlistFault(
                f"{new} was {other.instrument_id} until {other.last}; the new one comes after that day"
            )


def _relabel(connection: Connection, table: Table, old: str, new: str) -> int:
    """Rows that got the new ticker. Books of other series and of filings may hold the same word: theirs stay."""
    rows = sql_table(table)
    own: list[ColumnElement[bool]] = [rows.c.symbol == old]
    if "timeframe" in table.columns:
        bars = [d.name for d in DATASETS if "symbol" in d.columns]
        own.append(rows.c.timeframe.in_([*TIMEFRAMES, *bars]))
    return int(connection.execute(rows.update().where(*own).values(symbol=new)).rowcount)
