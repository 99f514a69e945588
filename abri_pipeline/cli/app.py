"""The commands and their options; what each does is in the module of its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from abri_pipeline.cli import archive, feedback, watch

app = typer.Typer(
    name="abri",
    help="ABRI, the AI Bubble Risk Index: backfill, serve, inspect. Exit codes: 0 done, 1 failed, 2 usage, 3 partial.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
reports = typer.Typer(help="What is stored, as tables.", rich_markup_mode=None)
app.add_typer(reports, name="report")
app.add_typer(watch.commands, name="watch")
app.add_typer(feedback.commands, name="feedback")
app.add_typer(archive.commands, name="archive")

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")]
Start = Annotated[str | None, typer.Option(help="first day, as 2021-01-19", metavar="DATE")]
End = Annotated[str | None, typer.Option(help="last day, as 2026-01-16; today where left out", metavar="DATE")]
Data = Annotated[Path | None, typer.Option(help="folder of recorded data to serve; synthetic without", metavar="DIR")]
FormatOf = Annotated[str | None, typer.Option("--format", help="md or html", metavar="FORMAT")]
Out = Annotated[Path | None, typer.Option(help="file to write, .md or .html", metavar="FILE")]

_INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt


def run(arguments: Sequence[str]) -> int:
    """Parse and run; the exit code. Errors are raised, not shown."""
    returned: Any = app(args=list(arguments), prog_name="abri", standalone_mode=False)
    if returned == _INTERRUPTED:
        raise KeyboardInterrupt
    return int(returned or 0)


@app.command()
def demo(as_json: Json = False) -> int:
    """Fill a home of its own with a synthetic market, 2021-01-19 to 2026-01-16, and show the index."""
    from abri_pipeline.cli import demo

    return demo.demo(as_json=as_json)


@app.command()
def up(
    on_demo: Annotated[bool, typer.Option("--demo", help="serve the demo's home and its synthetic market")] = False,
    port: Annotated[int, typer.Option(help="port of the Dagster UI", min=1, max=65535)] = 3000,
    sandbox_port: Annotated[int, typer.Option(help="port of the sandbox", min=1, max=65535)] = 8900,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Serve the Dagster UI and its daemon on this machine, with a sandbox where --demo or --data is given."""
    from abri_pipeline.cli import up

    return up.up(up.Service(port, sandbox_port, on_demo, data, as_json))


@app.command()
def backfill(
    start: Start = None,
    end: End = None,
    days: Annotated[int | None, typer.Option(help="the last N days instead of --start", metavar="N")] = None,
    symbols: Annotated[str | None, typer.Option(help="equity bars of these tickers only", metavar="A,B")] = None,
    timeframes: Annotated[str | None, typer.Option(help="bars of these timeframes only", metavar="1d,1h")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="read again what is stored")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show the plan, calls, quotas and time; ask nobody")
    ] = False,
    max_concurrent: Annotated[int | None, typer.Option(help="symbols worked on at once; 4", metavar="N")] = None,
    resume: Annotated[str | None, typer.Option(help="window and symbols of an earlier job", metavar="JOB")] = None,
    as_json: Json = False,
) -> int:
    """Fetch what a window lacks and compute the index over it: one Dagster run in the foreground."""
    from abri_pipeline.cli import backfill, errors, forecast, status_job, window

    chosen = backfill.tickers(symbols)
    if resume is None:
        span = window.asked(start, end, days)
    elif (start, end, days, symbols) != (None, None, None, None):
        raise errors.UsageFault("--resume brings its window and symbols along; give nothing else of them")
    else:
        span, chosen = status_job.resumed(resume)
    frames, at_once = backfill.timeframes(timeframes), backfill.concurrent(max_concurrent)
    wish = backfill.Wish(span, chosen, full_refresh, as_json, frames, at_once)
    return forecast.dry_run(wish) if dry_run else backfill.backfill(wish)


@app.command()
def sync(
    symbols: Annotated[str | None, typer.Option(help="equity bars of these tickers only", metavar="A,B")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="go on until interrupted")] = False,
    every: Annotated[int, typer.Option(help="seconds between two looks of --follow", metavar="S")] = 30,
    as_json: Json = False,
) -> int:
    """Read the newest seven sessions again and compute what follows: one Dagster run, or one whenever there is news."""
    from abri_pipeline.cli import backfill, sync

    wish = sync.Wish(backfill.tickers(symbols), as_json)
    return sync.follow(wish, every) if follow else sync.sync(wish)


@app.command()
def repair(
    symbols: Annotated[str | None, typer.Option(help="gaps of these tickers only", metavar="A,B")] = None,
    attempts: Annotated[int, typer.Option(help="after which a gap is given up", metavar="N")] = 3,
    as_json: Json = False,
) -> int:
    """Ask once more for what is missing, of a second provider too; prove it empty or give it up."""
    from abri_pipeline.cli import backfill, repair

    return repair.repair(backfill.tickers(symbols), attempts, as_json=as_json)


@app.command()
def status(
    providers: Annotated[bool, typer.Option("--providers", help="who is asked, quotas, circuits, choices")] = False,
    job: Annotated[
        str | None, typer.Option(help="one job: its runs and what came of each symbol", metavar="ID")
    ] = None,
    as_json: Json = False,
) -> int:
    """Show each dataset's rows, newest observation, lag and last run, open gaps, and the last prints."""
    from abri_pipeline.cli import status, status_job, status_providers

    if job is not None:
        return status_job.status(job, as_json=as_json)
    return status_providers.status(as_json=as_json) if providers else status.status(as_json=as_json)


@app.command()
def doctor(as_json: Json = False) -> int:
    """Show every setting with its origin and whether everything is in its place."""
    from abri_pipeline.cli import doctor

    return doctor.doctor(as_json=as_json)


@app.command()
def sandbox(
    data: Data = None,
    port: Annotated[int, typer.Option(help="port on loopback; 0 lets the system choose", min=0, max=65535)] = 8900,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="a fault to start with, as yahoo:status=503:times=2:match=NVDA; repeatable", metavar="SPEC"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Stand in for every upstream: a synthetic market, or the recorded one of --data."""
    from abri_pipeline.cli import sandbox

    return sandbox.sandbox(data, port, fault or [], as_json=as_json)


@reports.command("index")
def report_index(
    weeks: Annotated[int, typer.Option(help="how many of the last prints", max=10_000)] = 8, as_json: Json = False
) -> int:
    """Show the last prints of the index with their components, and why a component is missing."""
    from abri_pipeline.cli import report

    return report.index(weeks, as_json=as_json)


@reports.command("coverage")
def report_coverage(
    start: Start = None, end: End = None, kind: FormatOf = None, out: Out = None, as_json: Json = False
) -> int:
    """Show completeness of daily bars by symbol and year: expected, stored, explained, missing."""
    from abri_pipeline.cli import report, report_file, window

    form = report_file.wanted(kind, out, as_json)
    return report.coverage(*window.bounds(start, end), form)


@reports.command("validation")
def report_validation(
    start: Start = None, end: End = None, kind: FormatOf = None, out: Out = None, as_json: Json = False
) -> int:
    """Show what validation found: loads with scores, rejected rows, gaps, revisions, checks, slippage."""
    from abri_pipeline.cli import report, report_file, window

    form = report_file.wanted(kind, out, as_json)
    return report.validation(*window.bounds(start, end), form)


@app.command()
def gaps(
    matrix: Annotated[bool, typer.Option("--matrix", help="expected, stored, missing of each symbol")] = False,
    start: Start = None,
    end: End = None,
    symbols: Annotated[str | None, typer.Option(help="these tickers only", metavar="A,B")] = None,
    as_json: Json = False,
) -> int:
    """List what is missing with cause, attempts and reason, or the completeness matrix."""
    from abri_pipeline.cli import backfill, gaps, window

    chosen = backfill.tickers(symbols)
    return gaps.gaps(*window.bounds(start, end), chosen, matrix=matrix, as_json=as_json)


@app.command()
def rebuild(
    table: Annotated[str, typer.Argument(help="such as price_history_daily", metavar="TABLE", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="compare only, and write nothing")] = False,
    as_json: Json = False,
) -> int:
    """Make a table again from the archive alone, and put right what differs."""
    from abri_pipeline.cli import rebuild

    return rebuild.rebuild(table, check=check, as_json=as_json)
