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

    from abri_pipeline.cli.foreground import Launched


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be backfilled, and for whom it is told."""

    window: Asked
    symbols: tuple[str, ...] = ()
    full_refresh: bool = False
    as_json: bool = False
    timeframes: tuple[str, ...] = ()
    max_concurrent: int | None = None


def backfill(wish: Wish) -> int:
    """Run, then show the outcome; returns the exit code."""
    result = launch(wish)
    rounded = [_ROUNDED.format(wish.window.keys[0])] if _rounded(wish.window) else []
    return told(result, wish.window, rounded, as_json=wish.as_json)


def told(result: Outcome, window: Asked, notes: Sequence[str] = (), *, as_json: bool) -> int:
    """Show how a run ended; its exit code. The notes of the window were told before it where no JSON is asked for."""
    if as_json:
        days = {"start": window.start, "end": window.end, "weeks": len(window.keys)}
        terminal().document(result.document() | {"window": days, "notes": [*window.notes, *notes]})
        return result.code
    terminal().show(*labelled(result.market), *outcome_tables(result))
    for note in notes:
        terminal().note(note)
    if result.why:
        terminal().note(f"abri: {result.why}")
    return result.code


_ROUNDED = "a launch is whole weeks: it began with the week of {}"


def _rounded(window: Asked) -> bool:
    return window.keys[0] != window.start.isoformat()


def launch(wish: Wish) -> Outcome:
    """Open the house, run, read the books; raises what `carry_out` does."""
    from abri_pipeline.cli.foreground import Launched

    launched = Launched(
        wish.window.keys,
        wish.symbols,
        wish.full_refresh,
        timeframes=wish.timeframes,
        max_concurrent=wish.max_concurrent,
    )
    return carry_out(launched, wish.window, quiet=wish.as_json)


def carry_out(launched: "Launched", window: Asked, *, quiet: bool) -> Outcome:
    """Open the house, run, read the books.

    Raises:
        UnknownSymbol: a symbol is not on the watchlist; nothing was started.
        RegistryError: `providers.yaml` cannot be used; nothing was started.
        UpstreamError: the stand-in upstream does not answer; nothing was started.
        StoppedMidway: SIGINT or SIGTERM.
    """
    from abri_pipeline.cli import upstream
    from abri_pipeline.providers.registry import Registry

    settings = Settings.load()
    for note in window.notes if not quiet else ():
        terminal().note(note)
    home = house.writable_home(settings)
    house.log_to(home)
    Registry.load(settings)  # a mistake in its file is told before anything starts
    engine = house.open_warehouse(settings)
    if launched.symbols:
        _known(engine, launched.symbols)
    upstream.reachable(settings)
    from abri_pipeline.cli.foreground import run

    with house.dagster_instance(home) as instance:
        finished = run(instance, engine, launched, quiet=quiet)
    return outcome(engine, finished, window.start, window.end)


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


def timeframes(text: str | None) -> tuple[str, ...]:
    """The timeframes of `--timeframes 1d,1h`.

    Raises:
        UsageFault: one is not kept, or none is named.
    """
    if text is None:
        return ()
    from abri_pipeline.contracts.intraday import MINUTES

    found = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    kept = ("1d", *MINUTES)
    if not found or (unknown := [one for one in found if one not in kept]):
        said = f"{unknown[0]} is not kept" if found else "--timeframes names none"
        more = "; weeks are put together from days" if "1w" in found else ""
        raise UsageFault(f"{said}; choose of {', '.join(kept)}{more}")
    return found


def concurrent(count: int | None) -> int | None:
    """How many symbols are to be worked on at once.

    Raises:
        UsageFault: fewer than one, or more than a database has connections for.
    """
    from abri_pipeline.ingest.desk import MOST_FETCHERS

    if count is not None and not 1 <= count <= MOST_FETCHERS:
        raise UsageFault(f"--max-concurrent {count} cannot be; give 1 to {MOST_FETCHERS}")
    return count
