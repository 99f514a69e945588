"""`abri watch`: which instruments are followed."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abri_pipeline.cli import house
from abri_pipeline.cli.errors import DONE
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.ingest.instruments import Change

commands = typer.Typer(help="Which instruments are followed.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")]
Symbol = Annotated[str, typer.Argument(help="ticker, as NVDA or BRK-B", metavar="SYMBOL", show_default=False)]
HISTORY = "its history is fetched by the sensor new_symbols where that is on, or by `abri backfill --symbols {}`"
COLUMNS = (
    "symbol", "name", "asset_class", "active", "listed_on", "delisted_on", "groups", "timeframes", "oldest_bar",
    "newest_bar", "formerly",
)  # fmt: skip
SAID = {
    "added": "{} is followed from now on; " + HISTORY,
    "reactivated": "{} is followed again, with the history that is stored; what it missed: " + HISTORY,
    "changed": "{}: {} changed",
    "unchanged": "{}: nothing to change",
    "removed": "{} is followed no longer; its history stays",
}


@commands.command()
def add(
    symbol: Symbol,
    name: Annotated[str | None, typer.Option(help="name of the company or fund; the ticker without")] = None,
    asset_class: Annotated[str | None, typer.Option(help="equity (as without), etf or crypto")] = None,
    listed_on: Annotated[str | None, typer.Option(help="first session, as 2025-03-28", metavar="DATE")] = None,
    delisted_on: Annotated[str | None, typer.Option(help="last session", metavar="DATE")] = None,
    groups: Annotated[str | None, typer.Option(help="groups it belongs to", metavar="A,B")] = None,
    timeframes: Annotated[str | None, typer.Option(help="what is kept, as 1d,1h; 1d without", metavar="A,B")] = None,
    as_json: Json = False,
) -> int:
    """Follow an instrument, or correct what is known of one: only what is given changes."""
    from abri_pipeline.ingest import instruments, ticker

    facts = instruments.Facts(
        name=name,
        asset_class=asset_class,
        listed_on=_day("--listed-on", listed_on),
        delisted_on=_day("--delisted-on", delisted_on),
        groups=_parts(groups),
        timeframes=_parts(timeframes),
    )
    ticker.canonical(symbol)  # a mistyped ticker makes no database
    change = instruments.add(house.own_books(Settings.load()), symbol, facts)
    return _tell(change, as_json=as_json)


@commands.command()
def remove(symbol: Symbol, as_json: Json = False) -> int:
    """Follow an instrument no longer; nothing stored is deleted, and `add` takes it up again."""
    from abri_pipeline.ingest import instruments, ticker

    ticker.canonical(symbol)
    change = instruments.remove(house.own_books(Settings.load()), symbol)
    return _tell(change, as_json=as_json)


@commands.command()
def rename(
    old: Annotated[str, typer.Argument(help="ticker of today", metavar="OLD", show_default=False)],
    new: Annotated[str, typer.Argument(help="its new ticker", metavar="NEW", show_default=False)],
    on: Annotated[str, typer.Option(help="first session under the new ticker", metavar="DATE")],
    as_json: Json = False,
) -> int:
    """Give an instrument a new ticker; its identity stays and its stored history follows."""
    from abri_pipeline.cli import window
    from abri_pipeline.ingest import renaming, ticker

    day = window.day("--on", on)
    ticker.canonical(old), ticker.canonical(new)
    done = renaming.rename(house.own_books(Settings.load()), old, new, day)
    if as_json:
        terminal().document(
            {"instrument_id": done.instrument_id, "old": done.old, "new": done.new, "on": done.on, "rows": done.rows}
        )
    else:
        moved = ", ".join(f"{count:,} in {table}" for table, count in done.rows.items()) or "none were stored"
        terminal().note(f"{done.old} is {done.new} since {done.on}; rows that follow: {moved}")
    return DONE


@commands.command("list")
def show_list(
    everything: Annotated[bool, typer.Option("--all", help="also those that are followed no longer")] = False,
    as_json: Json = False,
) -> int:
    """Show the watchlist, how far each history reaches, and former tickers."""
    engine = house.existing_warehouse(Settings.load())
    found = [one for one in listing(engine) if everything or one["active"]] if engine else []
    if as_json:
        terminal().document({"instruments": found})
    elif not found:
        terminal().note("no watchlist yet; the default one is written by the first backfill or `abri watch add`")
    else:
        from abri_pipeline.cli import show

        rows = [[_cell(one[column]) for column in COLUMNS] for one in found]
        terminal().show(show.table("Watchlist", [column.replace("_", " ") for column in COLUMNS], rows))
    return DONE


def listing(engine: "Engine") -> list[dict[str, Any]]:
    """Every instrument with its facts, the reach of its daily bars and its former tickers."""
    from abri_pipeline.contracts import operations
    from abri_pipeline.ingest.watchlist import as_day, carried, words
    from abri_pipeline.warehouse.reads import frame, records

    with engine.connect() as connection:
        rows = frame(connection, operations.INSTRUMENTS).sort_values("symbol")
        daily = frame(connection, operations.PROGRESS, where=[("timeframe", "=", "1d")])
        labels = carried(connection)
    reach = {row.symbol: (row.oldest_bar.date(), row.newest_bar.date()) for row in records(daily)}
    return [
        {
            "symbol": one.symbol,
            "instrument_id": one.instrument_id,
            "name": one.name,
            "asset_class": one.asset_class,
            "active": bool(one.active),
            "listed_on": as_day(one.listed_on),
            "delisted_on": as_day(one.delisted_on),
            "groups": list(words(one.groups)),
            "timeframes": list(words(one.timeframes)),
            "oldest_bar": reach.get(one.symbol, (None, None))[0],
            "newest_bar": reach.get(one.symbol, (None, None))[1],
            "formerly": [
                {"symbol": label.symbol, "from": label.first, "to": label.last}
                for label in labels
                if label.instrument_id == one.instrument_id and label.last is not None
            ],
        }
        for one in records(rows)
    ]


def _cell(value: Any) -> str:
    """A value as a person reads it; former tickers with their last day."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{v['symbol']} to {v['to']}" if isinstance(v, dict) else v for v in value)
    return "-" if value is None else str(value)


def _tell(change: "Change", *, as_json: bool) -> int:
    if as_json:
        told = {"symbol": change.symbol, "instrument_id": change.instrument_id, "did": change.did}
        terminal().document(told | {"changed": list(change.facts)})
    else:
        more = ", ".join(change.facts).replace("_", " ") if change.did == "changed" else change.symbol
        terminal().note(SAID[change.did].format(change.symbol, more))
    return DONE


def _day(option: str, text: str | None) -> date | None:
    from abri_pipeline.cli import window

    return None if text is None else window.day(option, text)


def _parts(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
