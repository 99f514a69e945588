"""A report as one self-contained HTML file: no script, nothing fetched, light or dark as the reader has it."""

from collections.abc import Sequence
from html import escape

from abri_pipeline.quality.report_page import SYNTHETIC, Page, Section

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fdfdfb; --soft: #60656b; --line: #d9dbd8; --mark: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e5e2; --paper: #17191b; --soft: #a0a4a8; --line: #35383b; --mark: #e6b450; }
}
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
p { margin: .3rem 0; color: var(--soft); }
.synthetic { color: var(--mark); border: 1px solid; padding: .4rem .7rem; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; min-width: 3rem; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
"""
# Even a cell that got past the escaping could neither run nor load anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_FIGURE = ' class="n"'


def html(page: Page) -> str:
    """The whole report; everything in it is text, addresses included."""
    label = [f'<p class="synthetic">{escape(SYNTHETIC)}</p>'] if page.synthetic else []
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(page.title)}</h1>",
            *label,
            *(f"<p>{escape(line)}</p>" for line in page.lines),
            *(line for section in page.sections for line in _section(section)),
            "</body></html>\n",
        ]
    )


def _section(section: Section) -> list[str]:
    parts = [f'<section id="{escape(section.name)}"><h2>{escape(section.title)}</h2>']
    parts += [f"<p>{escape(line)}</p>" for line in section.lines]
    if section.table is not None and section.table.empty:
        parts.append("<p>none</p>")
    elif section.table is not None:
        names = [str(name) for name in section.table.columns]
        parts.append('<div class="wide"><table><thead>' + _row("th", names, section.figures) + "</thead><tbody>")
        parts += [_row("td", cells, section.figures) for cells in section.cells()]
        parts.append("</tbody></table></div>")
        if section.left_out:
            parts.append(f"<p>and {section.left_out:,} more</p>")
    return [*parts, "</section>"]


def _row(tag: str, cells: Sequence[str], figures: Sequence[bool]) -> str:
    parts = [
        f"<{tag}{_FIGURE if figure else ''}>{escape(cell)}</{tag}>" for cell, figure in zip(cells, figures, strict=True)
    ]
    return f"<tr>{''.join(parts)}</tr>"
