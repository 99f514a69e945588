"""`abri backfill`: one Dagster run in the foreground, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abri_pipeline.cli import house
from abri_pipeline.cli.errors import UsageFault
from abri_pipeline.cli.outcome import Outcome, outcome
from abri_pipeline.cli.show import labelled, outcome_tables
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.cli.window import Asked
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be backfilled, and for whom it is told."""

    window: Asked
    symbols: tuple[str, ...] = ()
    full_refresh: bool = False
    as_json: bool = False


def backfill(wish: Wish) -> int:
    """Run, then show the outcome; returns the exit code."""
    result = launch(wish)
    notes = [*wish.window.notes, *([_ROUNDED.format(wish.window.keys[0])] if _rounded(wish.window) else [])]
    if wish.as_json:
        window = {"start": wish.window.start, "end": wish.window.end, "weeks": len(wish.window.keys)}
        terminal().document(result.document() | {"window": window, "notes": notes})
        return result.code
    terminal().show(*labelled(result.market), *outcome_tables(result))
    for note in notes[len(wish.window.notes) :]:
        terminal().note(note)
    if result.why:
        terminal().note(f"abri: {result.why}")
    return result.code


_ROUNDED = "a launch is whole weeks: it began with the week of {}"


def _rounded(window: Asked) -> bool:
    return window.keys[0] != window.start.isoformat()


def launch(wish: Wish) -> Outcome:
    """Open the house, run, read the books.

    Raises:
        UnknownSymbol: a symbol is not on the watchlist; nothing was started.
        UpstreamError: the stand-in upstream does not answer; nothing was started.
        StoppedMidway: SIGINT or SIGTERM.
    """
    from abri_pipeline.cli import upstream

    settings = Settings.load()
    for note in wish.window.notes if not wish.as_json else ():
        terminal().note(note)
    home = house.writable_home(settings)
    house.log_to(home)
    engine = house.open_warehouse(settings)
    if wish.symbols:
        _known(engine, wish.symbols)
    upstream.reachable(settings)
    from abri_pipeline.cli.foreground import Launched, run

    with house.dagster_instance(home) as instance:
        launched = Launched(wish.window.keys, wish.symbols, wish.full_refresh)
        finished = run(instance, engine, launched, quiet=wish.as_json)
    return outcome(engine, finished, wish.window.start, wish.window.end)


def _known(engine: "Engine", symbols: Sequence[str]) -> None:
    from abri_pipeline.ingest import watchlist

    watchlist.seed(engine)
    with engine.connect() as connection:
        watchlist.followed(connection, symbols)


def tickers(text: str | None) -> tuple[str, ...]:
    """The tickers of `--symbols A,B`.

    Raises:
        UsageFault: the list is empty.
    """
    if text is None:
        return ()
    found = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    if not found:
        raise UsageFault("--symbols names nobody; write it as --symbols NVDA,MSFT")
    return found
