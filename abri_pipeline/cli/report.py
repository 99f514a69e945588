"""`abri report`: the last prints of the index, completeness by symbol and year, and what validation found."""

from datetime import date
from typing import TYPE_CHECKING, Any

from abri_pipeline.cli import house, show
from abri_pipeline.cli.errors import DONE, CommandFailed, UsageFault
from abri_pipeline.cli.report_file import Format, deliver
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from sqlalchemy import Engine

NOTHING = "nothing is stored yet; run `abri backfill --start ... --end ...`, or `abri demo`"


def index(weeks: int, *, as_json: bool) -> int:
    """Show the last official prints, newest last."""
    if weeks < 1:
        raise UsageFault(f"--weeks {weeks} shows nothing; give 1 or more")
    engine = house.existing_warehouse(Settings.load())
    found = prints(engine, weeks) if engine else []
    market = market_of(engine)
    if as_json:
        terminal().document({"synthetic": market == "synthetic", "market": market, "prints": found})
    elif not found:
        terminal().note(NOTHING)
    else:
        terminal().show(*show.labelled(market), *index_tables(found))
    return DONE


def coverage(start: date | None, end: date | None, form: Format) -> int:
    """Show expected, stored, explained and missing sessions of each instrument, a year at a time.

    As Markdown or HTML with the completeness matrix and what the last load changed.
    """
    engine = house.existing_warehouse(Settings.load())
    if form.as_text:
        from abri_pipeline.quality.report_coverage import coverage_page

        reader, first, last = _held(engine, start, end)
        deliver(coverage_page(reader, first, last, synthetic=market_of(engine) == "synthetic"), form)
        return DONE
    found = yearly(engine, start, end) if engine else {"window": None, "rows": []}
    market = market_of(engine)
    if form.as_json:
        terminal().document({"synthetic": market == "synthetic", "market": market, **found})
    elif not found["rows"]:
        terminal().note(NOTHING)
    else:
        terminal().show(*show.labelled(market), coverage_table(found))
    return DONE


def validation(start: date | None, end: date | None, form: Format) -> int:
    """Show what validation found in the loads of a window; a report of failures is no failure of the command.

    Raises:
        CommandFailed: nothing is stored.
    """
    from abri_pipeline.ingest.feedback import slippage_summary
    from abri_pipeline.quality.report_validation import validation_page

    engine, first, last = _held(house.existing_warehouse(Settings.load()), start, end)
    synthetic = market_of(engine) == "synthetic"
    slippage = slippage_summary(engine, first, last)
    deliver(validation_page(engine, first, last, synthetic=synthetic, slippage=slippage), form)
    return DONE


def _held(engine: "Engine | None", start: date | None, end: date | None) -> tuple["Engine", date, date]:
    """A warehouse with something in it, and the window to report on.

    Raises:
        CommandFailed: nothing is stored, so there is no report.
    """
    from abri_pipeline.cli import gaps

    window = gaps.span(engine, start, end) if engine else None
    if engine is None or window is None:
        raise CommandFailed(NOTHING)
    return engine, *window


def market_of(engine: "Engine | None") -> str | None:
    """`real`, `synthetic`, or None where nothing is stored."""
    from abri_pipeline.ingest.stamp import held

    if engine is None:
        return None
    with engine.connect() as connection:
        return held(connection)


def prints(engine: "Engine", weeks: int) -> list[dict[str, Any]]:
    """The last official prints, oldest first; a missing score is None."""
    from sqlalchemy import text

    from abri_pipeline.contracts.abri import COMPONENTS

    scores = ", ".join(f"{name}_score" for name in COMPONENTS)
    query = text(
        f"SELECT as_of, method, kind, status, composite_score, level, coverage, {scores}, reason "
        "FROM abri_latest ORDER BY as_of DESC, method LIMIT :weeks"
    )
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query, {"weeks": weeks}).mappings()]
    for row in rows:
        row["components"] = {name: row.pop(f"{name}_score") for name in COMPONENTS}
        row["as_of"] = str(row["as_of"])
    return rows[::-1]


def index_tables(found: list[dict[str, Any]]) -> list["RenderableType"]:
    """The prints, their components, and why a component is missing."""
    names = list(found[-1]["components"])
    short = [name.split("_")[0] for name in names]
    rows = [
        (
            p["as_of"], p["method"], p["kind"], p["status"], show.score(p["composite_score"]), p["level"] or "-",
            *(show.score(p["components"][name]) for name in names),
        )
        for p in found
    ]  # fmt: skip
    head = ("as of", "method", "kind", "status", "ABRI", "level", *short)
    shown: list[RenderableType] = [show.table("AI Bubble Risk Index", head, rows, ("ABRI", *short))]
    reasons = {p["reason"]: p["as_of"] for p in found if p["reason"]}
    if reasons:
        shown.append(show.table("Missing components", ("as of", "why"), [(day, why) for why, day in reasons.items()]))
    return shown


def yearly(engine: "Engine", start: date | None, end: date | None) -> dict[str, Any]:
    """Completeness by symbol and year, over the stored span where no window is given."""
    from abri_pipeline.quality.yearly import stored_span, yearly_coverage

    span = stored_span(engine)
    if span is None:
        return {"window": None, "rows": []}
    first, last = start or span[0], end or span[1]
    if last < first:
        raise UsageFault(f"the window ends on {last}, before it starts on {first}; swap --start and --end")
    rows = yearly_coverage(engine, first, last).to_dict("records")
    return {"window": {"start": first, "end": last}, "rows": rows}


def coverage_table(found: dict[str, Any]) -> "RenderableType":
    """One line a symbol and year; what is missing without an explanation stands out by being not 0."""
    figures = ("expected", "stored", "explained", "missing")
    rows = [(r["symbol"], r["year"], *(r[f] for f in figures)) for r in found["rows"]]
    window = found["window"]
    title = f"Daily bars by symbol and year, {window['start']} to {window['end']}"
    return show.table(title, ("symbol", "year", *figures), rows, ("year", *figures))


def year_totals(found: dict[str, Any]) -> "RenderableType":
    """The same, all symbols together."""
    figures = ("expected", "stored", "explained", "missing")
    totals: dict[int, list[int]] = {}
    for row in found["rows"]:
        held = totals.setdefault(row["year"], [0, 0, 0, 0])
        for place, figure in enumerate(figures):
            held[place] += row[figure]
    rows = [
        (year, *counts, f"{(counts[1] + counts[2]) / counts[0]:.2%}" if counts[0] else "-")
        for year, counts in sorted(totals.items())
    ]
    return show.table(
        "Completeness of daily bars", ("year", *figures, "complete"), rows, ("year", *figures, "complete")
    )
