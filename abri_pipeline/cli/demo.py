"""`abri demo`: the whole platform on a synthetic market, in a home of its own."""

import os
from pathlib import Path
from typing import Any

from abri_pipeline.cli import house, report, show
from abri_pipeline.cli.errors import CommandFailed
from abri_pipeline.cli.outcome import Outcome
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import PROJECT_ROOT, Settings

START, END = "2021-01-19", "2026-01-16"
NOW = "2026-01-20T02:00:00Z"
WEEKS = 8


def environment() -> Path:
    """Point this process and its children at the demo's home and clock; returns the home.

    A database named for the real platform is set aside: synthetic rows go into the demo's own SQLite.

    Raises:
        CommandFailed: Dagster's storage is named for the real platform, in a file that cannot be set aside.
    """
    settings = Settings.load()
    home = settings.home if settings.get("ABRI_HOME") else PROJECT_ROOT / "var" / "demo"
    os.environ["ABRI_HOME"] = str(home)
    os.environ["DATABASE_URL"] = f"sqlite:///{home / 'abri.db'}"
    os.environ.setdefault("ABRI_NOW", settings.get("ABRI_NOW") or NOW)
    os.environ.pop("ABRI_DAGSTER_DATABASE_URL", None)
    if Settings.load().get("ABRI_DAGSTER_DATABASE_URL"):
        raise CommandFailed(
            "the demo keeps Dagster's records in its own home; take ABRI_DAGSTER_DATABASE_URL out of .env"
        )
    return home


def demo(*, as_json: bool) -> int:
    """Run the graph over five synthetic years, then show what came of it; returns the exit code."""
    home = environment()
    _refuse_real(home)
    result = _run(as_json)
    engine = house.open_warehouse(Settings.load())
    found = report.yearly(engine, None, None)
    prints = report.prints(engine, WEEKS)
    if as_json:
        extra: dict[str, Any] = {"synthetic": True, "home": home, "prints": prints, "coverage": found["rows"]}
        terminal().document(result.document() | extra)
        return result.code
    terminal().show(*show.labelled("synthetic"), *show.outcome_tables(result))
    if found["rows"]:
        terminal().show(report.year_totals(found))
    if prints:
        terminal().show(*report.index_tables(prints))
    if result.why:
        terminal().note(f"abri: {result.why}")
    terminal().show(f"Home: {home}", "Open the UI with `make up` (or `abri up --demo`), then http://127.0.0.1:3000")
    return result.code


def _refuse_real(home: Path) -> None:
    """Before anything runs: a home with real rows is no place for invented ones."""
    if report.market_of(house.existing_warehouse(Settings.load())) == "real":
        raise CommandFailed(f"{home} holds a real market; set ABRI_HOME to another folder for the demo")


def _run(as_json: bool) -> Outcome:
    from abri_pipeline.cli import backfill, window
    from abri_pipeline.sandbox.server import running
    from abri_pipeline.sandbox.synthetic import SyntheticMarket

    with running(SyntheticMarket()) as url:
        os.environ["ABRI_UPSTREAM_URL"] = url
        return backfill.launch(backfill.Wish(window.asked(START, END, None), as_json=as_json))
