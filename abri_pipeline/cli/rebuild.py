"""`abri rebuild`: a stored table against the archive it came from."""

from typing import TYPE_CHECKING, Any

from abri_pipeline.cli import house
from abri_pipeline.cli.errors import DONE, FAILED, PARTIAL, CommandFailed
from abri_pipeline.cli.terminal import terminal
from abri_pipeline.settings import Settings

if TYPE_CHECKING:
    from abri_pipeline.ingest.rebuild import Rebuilt

SHOWN = 20  # lines told to a person; --json tells all


def rebuild(table: str, *, check: bool, as_json: bool) -> int:
    """Replay what was archived, compare, and put differing rows right unless only a check was asked for.

    Returns 0 where the table equals its payloads (now), 1 where a check found otherwise, and 3 where something
    remains that no payload can settle.
    """
    from abri_pipeline.ingest import rebuild as engine_room
    from abri_pipeline.warehouse.archive import Archive

    engine_room.contract(table)  # a mistyped table opens nothing
    settings = Settings.load()
    engine = house.existing_warehouse(settings)
    if engine is None:
        raise CommandFailed("nothing is stored yet, so nothing can be rebuilt; run `abri backfill` first")
    found = engine_room.rebuild(engine, Archive(settings.home / "archive"), settings, table)
    mended = 0 if check else engine_room.put_right(engine, found)
    unproven = len(found.keys(engine_room.UNPROVEN))
    open_ends = bool(unproven or found.missing_objects or found.unlike)
    settled = PARTIAL if open_ends else DONE
    code = settled if not check or found.equal else FAILED
    if as_json:
        terminal().document(_document(found, mended, code))
    else:
        _tell(found, mended, check=check)
    return code


def _document(found: "Rebuilt", mended: int, code: int) -> dict[str, Any]:
    cells = found.differing[["row", "kind", "field", "stored", "rebuilt"]].to_dict("records")
    return {
        "table": found.table.name,
        "deliveries": found.deliveries,
        "rows": found.rows,
        "differing": cells,
        "put_right": mended,
        "missing_objects": list(found.missing_objects),
        "unlike": list(found.unlike),
        "exit_code": code,
    }


def _tell(found: "Rebuilt", mended: int, *, check: bool) -> None:
    lines = found.lines()
    for line in lines[:SHOWN]:
        terminal().note(f"{found.table.name}: {line}")
    if len(lines) > SHOWN:
        terminal().note(f"and {len(lines) - SHOWN} more; --json names them all")
    kinds = found.differing.drop_duplicates(["row", "kind"])["kind"].value_counts()
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "0 rows differ"
    done = f"; {mended} put right" if mended else "; nothing was written" if check and len(kinds) else ""
    terminal().note(f"{found.table.name}: {found.rows:,} rows from {found.deliveries:,} payloads: {told}{done}")
