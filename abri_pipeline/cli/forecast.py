"""`abri backfill --dry-run`: what would be asked for, of whom, and how long it would take."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abri_pipeline.cli import house, report, show
from abri_pipeline.cli.backfill import Wish
from abri_pipeline.cli.errors import DONE
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.ingest.forecast import Forecast, ProviderForecast

OTHERS = "other datasets come whole, with one request each where anything new can have been published"


def dry_run(wish: Wish) -> int:
    """Show the plan of a backfill; no upstream is asked and nothing is stored."""
    from abri_pipeline.ingest.desk import FETCHERS, Window
    from abri_pipeline.ingest.forecast import forecast
    from abri_pipeline.providers.registry import Registry

    settings = Settings.load()
    registry = Registry.load(settings)
    with _books(settings) as engine:
        found = forecast(
            engine,
            registry,
            Window(wish.window.start, wish.window.end),
            wish.symbols,
            timeframes=_timeframes(wish),
            full_refresh=wish.full_refresh,
            fetchers=wish.max_concurrent or FETCHERS,
        )
        market = report.market_of(engine)
    if wish.as_json:
        terminal().document(_document(found, wish))
    else:
        _draw(found, wish, market)
    return DONE


def _timeframes(wish: Wish) -> tuple[str, ...]:
    """Those named; a launch of named symbols asks for days only."""
    return wish.timeframes or (("1d",) if wish.symbols else ())


@contextmanager
def _books(settings: Settings) -> Iterator["Engine"]:
    """The warehouse, or an empty one that is thrown away: looking ahead must not make a database."""
    from sqlalchemy import select

    from abri_pipeline.contracts import operations
    from abri_pipeline.ingest import watchlist
    from abri_pipeline.warehouse.engine import open_engine
    from abri_pipeline.warehouse.migrations import upgrade
    from abri_pipeline.warehouse.tables import metadata

    engine = house.existing_warehouse(settings)
    if engine is not None:
        with engine.connect() as connection:
            listed = connection.execute(select(metadata.tables[operations.INSTRUMENTS.name].c.symbol).limit(1)).first()
        if listed:
            yield engine
            return
    with tempfile.TemporaryDirectory(prefix="abri-forecast-") as folder:
        scratch = open_engine(Settings({"DATABASE_URL": f"sqlite:///{Path(folder) / 'abri.db'}"}, {}))
        try:
            upgrade(scratch)
            watchlist.seed(scratch)
            yield scratch
        finally:
            scratch.dispose()


def _document(found: "Forecast", wish: Wish) -> dict[str, Any]:
    return {
        "window": {"start": found.window.start, "end": found.window.end},
        "notes": list(wish.window.notes),
        "sessions": found.sessions,
        "providers": [asdict(one) | {"eta_seconds": math.ceil(one.seconds)} for one in found.providers],
        "symbols": [asdict(one) for one in found.symbols],
    }


def _draw(found: "Forecast", wish: Wish, market: str | None) -> None:
    for note in wish.window.notes:
        terminal().note(note)
    asked = [one for one in found.symbols if one.asked]
    rows = [(o.symbol, o.timeframe, o.expected, o.stored, o.waiting, o.asked, o.start, o.end) for o in asked]
    figures = ("expected", "stored", "waiting", "asked for")
    title = f"Bars {found.window.start} to {found.window.end}: {found.sessions:,} sessions to ask for"
    columns = ("provider", "symbols", "requests", "quota used", "quota left", "frees at", "takes at least")
    right = ("symbols", "requests", "takes at least")
    lines = [_line(one) for one in found.providers]
    terminal().show(
        *show.labelled(market),
        show.table(title, ("symbol", "timeframe", *figures, "from", "to"), rows, figures),
        show.table("Requests, were one provider asked for all that it reaches", columns, lines, right),
    )
    terminal().note(OTHERS)


def _line(one: "ProviderForecast") -> tuple[Any, ...]:
    used = ", ".join(f"{s.used} of {s.limit.amount} a {s.limit.period}" for s in one.limits) or "no limit is stated"
    left = ", ".join(str(s.left) for s in one.limits) or "-"
    frees = ", ".join(f"{s.frees_at:%Y-%m-%d %H:%M:%S} UTC" for s in one.limits if s.frees_at) or "now"
    return one.provider, one.symbols, one.requests, used, left, frees, str(timedelta(seconds=math.ceil(one.seconds)))
