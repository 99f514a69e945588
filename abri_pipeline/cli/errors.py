"""What can go wrong, as exit code and one line.

Every error that a person can mend is named here by its class. By name, not by import: a mistyped option must not
load the database layer to be told. An error that is not named is a fault of ours and keeps its traceback.
"""

import sys
from collections.abc import Sequence

from abri_pipeline.cli.terminal import terminal

DONE, FAILED, USAGE, PARTIAL = 0, 1, 2, 3

_CODES = {
    "abri_pipeline.cli.errors.UsageFault": USAGE,
    "abri_pipeline.cli.errors.CommandFailed": FAILED,
    "typer.exceptions.TyperException": USAGE,
    "abri_pipeline.ingest.watchlist.UnknownSymbol": USAGE,
    "abri_pipeline.ingest.ticker.BadSymbol": USAGE,
    "abri_pipeline.ingest.instruments.WatchlistFault": USAGE,
    "abri_pipeline.ingest.feedback_file.UnreadableFile": FAILED,
    "abri_pipeline.ingest.rebuild.NoSuchTable": USAGE,
    "abri_pipeline.ingest.rebuild.LoadedMeanwhile": FAILED,
    "abri_pipeline.ingest.upkeep.ArchiveDamaged": FAILED,
    "abri_pipeline.sandbox.faults.FaultError": USAGE,
    "abri_pipeline.sandbox.recorded.NoRecordedMarket": USAGE,
    "abri_pipeline.calendars.sessions.CalendarError": USAGE,
    "abri_pipeline.settings.SettingsError": FAILED,
    "abri_pipeline.calendars.clock.ClockError": FAILED,
    "abri_pipeline.providers.declared_section.RegistryError": FAILED,
    "abri_pipeline.warehouse.engine.DatabaseUnavailable": FAILED,
    "abri_pipeline.warehouse.migrations.SchemaTooNew": FAILED,
    "abri_pipeline.ingest.stamp.MixedMarkets": FAILED,
    "abri_pipeline.sandbox.server.NotLoopback": FAILED,
    "abri_pipeline.providers.errors.UpstreamError": FAILED,
    "sqlalchemy.exc.DBAPIError": FAILED,
    "builtins.OSError": FAILED,
}


class UsageFault(Exception):
    """The command makes no sense as typed; the message says why and what to type."""


class CommandFailed(Exception):
    """The command could not do its work; the message names the cause and the mend."""


class StoppedMidway(Exception):
    """A run was interrupted while a step was at work: its books are closed, and the process must end now."""


def expected() -> tuple[type[BaseException], ...]:
    """The classes named above, as far as their modules are loaded: what is not loaded was not raised."""
    found = []
    for name in _CODES:
        module, _, kind = name.rpartition(".")
        if (loaded := sys.modules.get(module)) is not None:
            found.append(getattr(loaded, kind))
    return tuple(found)


def explain(error: BaseException) -> tuple[int, str]:
    """Exit code and one sentence of an expected error."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    named = next((name for name in names if name in _CODES), "")
    code = _CODES.get(named, FAILED)
    if named == "sqlalchemy.exc.DBAPIError":
        said = str(getattr(error, "orig", error)).strip().splitlines()
        return code, f"the database refused ({said[0] if said else 'no answer'}); see what `abri doctor` says of it"
    if isinstance(error, OSError):
        return code, _system(error)
    if named == "typer.exceptions.TyperException" and hasattr(error, "format_message"):
        return code, f"{str(error.format_message()).rstrip('.')}; see `abri --help`"
    return code, str(error)


def _system(error: OSError) -> str:
    """The system's complaint; ours (a port in use) are whole sentences already."""
    if type(error).__module__.startswith("abri_pipeline."):
        return str(error.strerror)
    place = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{place}; see `abri doctor`, or set ABRI_HOME to a folder you may write"


def tell(code: int, message: str, typed: Sequence[str]) -> int:
    """Say one line on stderr, and to whoever asked for JSON a document on stdout; returns the code."""
    from abri_pipeline.providers import redact

    line = " ".join(redact.text(message).split())
    terminal().note(f"abri: {line}")
    if "--json" in typed:
        terminal().document({"error": line, "exit_code": code})
    return code
