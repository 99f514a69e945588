"""`abri feedback`: filled orders brought in, and taken out again."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abri_pipeline.cli import house
from abri_pipeline.cli.errors import DONE, FAILED, PARTIAL, UsageFault
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from abri_pipeline.ingest.feedback import Imported

commands = typer.Typer(help="Filled orders, as evidence of slippage.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")]
SHOWN = 20  # refused rows told to a person; --json tells all


@commands.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="orders as .csv or .json", metavar="FILE", show_default=False)],
    as_json: Json = False,
) -> int:
    """Store filled orders from a file; bad rows are named with their line and left out."""
    from abri_pipeline.ingest import feedback, feedback_file

    rows = list(feedback_file.read(file))
    result = feedback.store(house.own_books(Settings.load()), rows)
    code = (FAILED if len(result.rejected) == result.read else PARTIAL) if result.rejected else DONE
    if as_json:
        terminal().document({"file": str(file), **_document(result), "exit_code": code})
        return code
    done = result.stored
    terminal().note(
        f"{result.read} orders read: {done.inserted} new, {done.changed} corrected, {len(result.rejected)} refused"
    )
    for one in result.rejected[:SHOWN]:
        terminal().note(f"{one.place}: {one.reason}")
    if len(result.rejected) > SHOWN:
        terminal().note(f"and {len(result.rejected) - SHOWN} more; --json names them all")
    return code


def _document(result: "Imported") -> dict[str, Any]:
    stored = asdict(result.stored)
    return {"read": result.read, **stored, "rejected": [asdict(one) for one in result.rejected]}


@commands.command("export")
def take(
    form: Annotated[str, typer.Option("--format", help="csv or json", metavar="FORMAT")] = "csv",
    as_json: Json = False,
) -> int:
    """Write every stored order to stdout, in a form that `import` reads back the same."""
    if form not in ("csv", "json"):
        raise UsageFault(f"--format {form!r} is neither csv nor json")
    engine = house.existing_warehouse(Settings.load())
    from abri_pipeline.ingest import feedback, feedback_file

    orders = feedback.orders(engine) if engine else feedback.none()
    if as_json or form == "json":
        terminal().document({"orders": feedback_file.as_records(orders)})
    else:
        terminal().out.write(feedback_file.as_csv(orders))
        terminal().out.flush()
    return DONE
