"""`abri repair`: gaps are asked for once more, of a second provider too."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from abri_pipeline.calendars import clock
from abri_pipeline.cli import backfill, house, report
from abri_pipeline.cli.errors import DONE, UsageFault
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.cli.window import Asked
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.ingest.repair import Repairable

SAID = {
    "filled": "filled",
    "verified_empty": "proved empty",
    "unfillable": "given up",
    "missing": "still missing",
}


def repair(symbols: Sequence[str], attempts: int, *, as_json: bool) -> int:
    """One run over the weeks of the gaps, then what became of each session; returns the exit code.

    Raises:
        UsageFault: no attempts.
        UnknownSymbol: a named symbol is not on the watchlist.
    """
    from abri_pipeline.cli.foreground import Launched
    from abri_pipeline.ingest.repair import standing

    if attempts < 1:
        raise UsageFault(f"--attempts {attempts} asks for nothing; give 1 or more")
    engine = house.existing_warehouse(Settings.load())
    if engine is None:
        return _nothing(report.NOTHING, [], as_json=as_json)
    found = _found(engine, symbols)
    wide = [one.text for one in found.wide]
    if not found.days:
        return _nothing(
            "nothing to repair: every open gap is explained, given up or market-wide", wide, as_json=as_json
        )
    window = _window([day for days in found.days.values() for day in days])
    if not as_json:
        for line in wide:
            terminal().note(line)
    launched = Launched(window.keys, tuple(symbols), repair=attempts)
    result = backfill.carry_out(launched, window, quiet=as_json)
    with engine.connect() as connection:
        became = standing(connection, found.days)
    if as_json:
        terminal().document(result.document() | {"sessions": became, "market_wide": wide})
        return result.code
    said = ", ".join(f"{count} {SAID[state]}" for state, count in became.items() if count)
    return backfill.told(result, window, [f"sessions asked for again: {said}"], as_json=False)


def _found(engine: "Engine", symbols: Sequence[str]) -> "Repairable":
    from abri_pipeline.ingest.repair import Repairable, repairable
    from abri_pipeline.ingest.watchlist import followed

    with engine.connect() as connection:
        named = {one.symbol for one in followed(connection, symbols)}
        found = repairable(connection, clock.now())
    return Repairable({symbol: days for symbol, days in found.days.items() if symbol in named}, found.wide)


def _window(days: Sequence[date]) -> Asked:
    return Asked(min(days), max(days))


def _nothing(said: str, wide: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        terminal().document({"status": "done", "sessions": {}, "market_wide": list(wide), "said": said})
        return DONE
    for line in (*wide, said):
        terminal().note(line)
    return DONE
