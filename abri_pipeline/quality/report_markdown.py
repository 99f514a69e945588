"""A report as Markdown."""

from collections.abc import Iterable, Sequence

from abri_pipeline.quality.report_page import SYNTHETIC, Page, Section

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "[": "&#91;", "*": "&#42;"}


def markdown(page: Page) -> str:
    """The whole report; what an upstream sent can neither break a table nor become markup."""
    parts = [f"# {escaped(page.title)}"]
    if page.synthetic:
        parts.append(f"> **{SYNTHETIC}**")
    parts += [escaped(line) for line in page.lines]
    for section in page.sections:
        parts += [f"## {escaped(section.title)}", *(escaped(line) for line in section.lines)]
        if section.table is not None:
            parts.append(section_table(section))
    return "\n\n".join(parts) + "\n"


def section_table(section: Section) -> str:
    """The table of a section, and how many of its rows are left out."""
    if section.table is None or section.table.empty:
        return "none"
    found = table([str(name) for name in section.table.columns], section.cells(), section.figures)
    return found + (f"\n\nand {section.left_out:,} more" if section.left_out else "")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], figures: Sequence[bool] = ()) -> str:
    """A Markdown table; columns of figures are set to the right."""
    ruler = ["---:" if place < len(figures) and figures[place] else "---" for place in range(len(columns))]
    lines = [[escaped(name) for name in columns], ruler, *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def escaped(text: str) -> str:
    """Text that stands for itself, on one line."""
    return "".join(_MARKUP.get(sign, sign) for sign in " ".join(text.split()))
