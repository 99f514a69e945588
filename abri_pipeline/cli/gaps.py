"""`abri gaps`: what is missing, and the completeness matrix."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from abri_pipeline.calendars import clock
from abri_pipeline.cli import house, report
from abri_pipeline.cli.errors import DONE, UsageFault
from abri_pipeline.cli.report_file import Format, deliver
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.quality.report_page import Page


def gaps(start: date | None, end: date | None, symbols: Sequence[str], *, matrix: bool, as_json: bool) -> int:
    """Show the open gaps of a window, or its completeness matrix; all that was ever loaded where none is given.

    Raises:
        UsageFault: the window ends before it starts.
        UnknownSymbol: a named symbol is not on the watchlist.
    """
    engine = house.existing_warehouse(Settings.load())
    if engine and symbols:
        _known(engine, symbols)
    window = span(engine, start, end) if engine else None
    if engine is None or window is None:
        if as_json:
            terminal().document({"synthetic": False, "window": None, "matrix" if matrix else "gaps": []})
        else:
            terminal().note(report.NOTHING)
        return DONE
    page = (_matrix if matrix else _open)(engine, *window, symbols)
    if as_json:
        rows = page.document()
        told = {name: part["rows"] or part["lines"] for name, part in rows.items() if isinstance(part, dict)}
        where = {"start": window[0], "end": window[1]}
        terminal().document({"synthetic": page.synthetic, "window": where, **told})
    else:
        deliver(page, Format())
    return DONE


def span(engine: "Engine", start: date | None, end: date | None) -> tuple[date, date] | None:
    """The window asked for, completed by what was ever loaded; None where nothing was and a side is left open.

    Raises:
        UsageFault: it ends before it starts.
    """
    from abri_pipeline.quality.report_gaps import known_span

    first, last = start, end
    if first is None or last is None:
        if (known := known_span(engine)) is None:
            return None
        first, last = first or known[0], last or known[1]
    if last < first:
        raise UsageFault(f"the window ends on {last}, before it starts on {first}; swap --start and --end")
    return first, last


def _known(engine: "Engine", symbols: Sequence[str]) -> None:
    from abri_pipeline.ingest import watchlist

    with engine.connect() as connection:
        watchlist.followed(connection, symbols)


def _open(engine: "Engine", start: date, end: date, symbols: Sequence[str]) -> "Page":
    """The open gaps as a page."""
    from abri_pipeline.calendars.sessions import closed_sessions
    from abri_pipeline.quality.report_gaps import open_gaps
    from abri_pipeline.quality.report_page import Page, Section

    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    with engine.connect() as connection:
        found = open_gaps(connection, days, symbols)
    sections = (
        Section("market_wide", "Market-wide misses", lines=tuple(one.text for one in found.wide)),
        Section("gaps", "Open gaps, the unexplained first", found.rows, most=1_000),
    )
    return Page("Gaps", (f"{start} to {end}.",), report.market_of(engine) == "synthetic", sections)


def _matrix(engine: "Engine", start: date, end: date, symbols: Sequence[str]) -> "Page":
    """The completeness matrix as a page."""
    from abri_pipeline.calendars.sessions import closed_sessions
    from abri_pipeline.quality.matrix import completeness_matrix, totals
    from abri_pipeline.quality.report_page import Page, Section

    days = [day for day in closed_sessions(clock.now()) if start <= day <= end]
    with engine.connect() as connection:
        found = completeness_matrix(connection, days, symbols)
    sections = (
        Section("totals", "All instruments", totals(found), percent=("share",)),
        Section("matrix", "Completeness matrix, in sessions", found, percent=("share",), most=1_000),
    )
    return Page("Completeness", (f"{start} to {end}.",), report.market_of(engine) == "synthetic", sections)
