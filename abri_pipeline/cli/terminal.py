"""The terminal of this process: one stream for results, one for what is said on the way.

Dagster points the process's own stdout and stderr at log files while a step runs. The streams here are copies
made before that, so that progress stays visible and an interruption can still be told.
"""

import json
import os
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@dataclass(frozen=True)
class Terminal:
    """`out` carries results only, `err` everything else."""

    out: TextIO
    err: TextIO

    @cached_property
    def results(self) -> "Console":
        """Where tables are drawn; as wide as needed where nobody watches."""
        return _console(self.out)

    @cached_property
    def remarks(self) -> "Console":
        """Where progress and notes are drawn."""
        return _console(self.err)

    def document(self, content: dict[str, Any]) -> None:
        """Write the one JSON document of a `--json` command."""
        self.out.write(json.dumps(content, indent=2, default=str, allow_nan=False) + "\n")
        self.out.flush()

    def show(self, *parts: "RenderableType") -> None:
        """Draw results for a person."""
        for part in parts:
            self.results.print(part)
        self.out.flush()

    def note(self, line: str) -> None:
        """Say one line on the way; brackets in it are text, not markup."""
        self.err.write(line + "\n")
        self.err.flush()


@cache
def terminal() -> Terminal:
    """The terminal, kept at the first call."""
    return Terminal(_kept(sys.stdout), _kept(sys.stderr))


def _kept(stream: TextIO) -> TextIO:
    try:
        return os.fdopen(os.dup(stream.fileno()), "w", buffering=1, encoding="utf-8", errors="replace")
    except (UnsupportedOperation, ValueError, OSError, AttributeError):
        return stream  # no file of its own, as under a test runner, or closed


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    watched = stream.isatty()
    return Console(file=stream, highlight=False, soft_wrap=not watched, width=None if watched else 160)
