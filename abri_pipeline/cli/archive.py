"""`abri archive`: whether every payload is there and whole, and room made where nobody needs one."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from abri_pipeline.cli import house
from abri_pipeline.cli.errors import DONE, FAILED, PARTIAL, CommandFailed, UsageFault
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from abri_pipeline.ingest.upkeep import Loss, Verified
    from abri_pipeline.warehouse.archive import Archive

commands = typer.Typer(help="The archive of raw payloads.", rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")]
LONGEST = 36_500  # days; a hundred years is as good as never


@commands.command()
def verify(
    refetch: Annotated[
        bool, typer.Option("--refetch", help="drop damaged payloads and let the next backfill read them again")
    ] = False,
    as_json: Json = False,
) -> int:
    """Read every payload, compare it with its name, and resolve every hash that a table names."""
    engine, archive = _opened()
    from abri_pipeline.ingest import upkeep

    found = upkeep.verify(engine, archive)
    losses = upkeep.reopen(engine, archive, found) if refetch and found.lost else []
    code = DONE if not found.lost else FAILED if found.unproven and not refetch else PARTIAL
    if as_json:
        terminal().document(
            {
                "objects": found.objects,
                "corrupt": found.corrupt,
                "missing": sorted(found.missing),
                "needed_by": {digest: sorted(tables) for digest, tables in found.needed_by.items()},
                "read_again": [str(loss) for loss in losses],
                "run": _next(losses),
                "exit_code": code,
            }
        )
        return code
    for line in found.lines():
        terminal().note(line)
    terminal().note(f"{found.objects:,} payloads, {len(found.corrupt)} damaged, {len(found.missing)} missing")
    _advise(found, losses, refetched=refetch)
    return code


def _advise(found: "Verified", losses: "list[Loss]", *, refetched: bool) -> None:
    """What to do about what was found."""
    if found.lost and not refetched:
        terminal().note("`abri archive verify --refetch` drops what is damaged and has the rest read again")
    for loss in losses:
        terminal().note(f"will be read again: {loss}")
    for command in _next(losses):
        terminal().note(f"now run: {command}")


def _next(losses: "list[Loss]") -> list[str]:
    """The commands that read again what was lost, and then move the rows to the payloads that are there."""
    from abri_pipeline.ingest.replay import FILLS

    if not losses:
        return []
    bounded = [(loss.start, loss.end) for loss in losses if loss.start and loss.end]
    first = min((start for start, _ in bounded), default=None)
    last = max((end for _, end in bounded), default=None)
    span = (
        f"--start {first} --end {last}" if first else "--days 30"
    )  # what comes whole is read whole, whatever the window
    names = sorted({loss.dataset for loss in losses})
    tables = [table.name for name in names for table in FILLS.get(name, ())]
    return [f"abri backfill {span}", *(f"abri rebuild {table}" for table in tables)]


@commands.command()
def gc(
    older_than: Annotated[
        float, typer.Option("--older-than", help="leave what was put less than this many days ago", metavar="DAYS")
    ] = 1.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would go, and remove nothing")] = False,
    as_json: Json = False,
) -> int:
    """Remove payloads that no table names, and files of writers that were killed."""
    if not 0 <= older_than <= LONGEST:
        raise UsageFault(f"--older-than {older_than:g} is no number of days from 0 to {LONGEST}")
    engine, archive = _opened()
    from abri_pipeline.ingest import upkeep

    found = upkeep.collect(engine, archive, timedelta(days=older_than), dry_run=dry_run)
    if as_json:
        terminal().document(
            {
                "objects": list(found.objects),
                "temporaries": found.temporaries,
                "bytes": found.bytes,
                "dry_run": dry_run,
                "exit_code": DONE,
            }
        )
    else:
        would = "would go" if dry_run else "removed"
        files = f"{len(found.objects):,} payloads nobody needs and {found.temporaries:,} unfinished files"
        terminal().note(f"{files} {would}: {found.bytes:,} bytes")
    return DONE


def _opened() -> "tuple[Engine, Archive]":
    """The warehouse and its archive.

    Raises:
        CommandFailed: nothing is stored yet.
    """
    settings = Settings.load()
    engine = house.existing_warehouse(settings)
    if engine is None:
        raise CommandFailed("nothing is stored yet, so there is no archive; run `abri backfill` first")
    from abri_pipeline.warehouse.archive import Archive

    return engine, Archive(settings.home / "archive")
