"""A report on the terminal, on stdout as text, or in a file."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from abri_pipeline.cli import show
from abri_pipeline.cli.errors import CommandFailed, UsageFault
from abri_pipeline.cli.terminal import terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from abri_pipeline.quality.report_page import Page

SUFFIXES = {".md": "md", ".html": "html", ".htm": "html"}


@dataclass(frozen=True, slots=True)
class Format:
    """How a report is wanted: `kind` is `md` or `html` where text is wanted at all, `out` a file to write it to."""

    kind: str | None = None
    out: Path | None = None
    as_json: bool = False

    @property
    def as_text(self) -> bool:
        """Whether Markdown or HTML is wanted, as opposed to tables on the terminal or JSON."""
        return self.kind is not None


def wanted(kind: str | None, out: Path | None, as_json: bool) -> Format:
    """The format of `--format`, or of the name of the file where it is left out.

    Raises:
        UsageFault: an unknown format, two formats at once, or a file whose name tells none.
    """
    if as_json and (kind or out):
        raise UsageFault("give --json or --format with --out, not both: --json writes to stdout")
    if kind is None and out is not None and (kind := SUFFIXES.get(out.suffix.lower())) is None:
        raise UsageFault(f"--out {out} tells no format; name it .md or .html, or give --format md or --format html")
    if kind not in (None, "md", "html"):
        raise UsageFault(f"--format {kind} is unknown; give md or html")
    return Format(kind, out, as_json)


def deliver(page: "Page", form: Format) -> None:
    """Show the report, or write it.

    Raises:
        CommandFailed: the file cannot be written; an older one is left as it was.
    """
    if form.as_json:
        terminal().document(page.document())
    elif not form.as_text:
        terminal().show(*_drawn(page))
    elif form.out is None:
        terminal().out.write(_text(page, form))
        terminal().out.flush()
    else:
        _write(form.out, _text(page, form))
        terminal().note(f"written to {form.out}")


def _text(page: "Page", form: Format) -> str:
    from abri_pipeline.quality.report_html import html
    from abri_pipeline.quality.report_markdown import markdown

    return html(page) if form.kind == "html" else markdown(page)


def _drawn(page: "Page") -> list["RenderableType"]:
    """The report as tables for a person."""
    from rich.text import Text

    parts: list[RenderableType] = [*show.labelled("synthetic" if page.synthetic else None)]
    parts += [Text(f"{page.title}: {' '.join(page.lines)}")]
    for section in page.sections:
        if section.table is None or section.table.empty:
            parts.append(Text(f"{section.title}: {'; '.join(section.lines) or 'none'}"))
            continue
        names = [str(name) for name in section.table.columns]
        right = [name for name, figure in zip(names, section.figures, strict=True) if figure]
        parts.append(show.table(section.title, names, section.cells(), right))
        if section.left_out:
            parts.append(Text(f"and {section.left_out:,} more"))
    return parts


def _write(out: Path, text: str) -> None:
    """Write beside the target, then rename: a reader sees the old report or the whole new one."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent, text=True)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(out)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written ({error.strerror}); give --out a file you may write") from error
