"""A report before it has a format: sections of a title, a few lines and a table.

Belongs here: how a value is written for a reader, once for all formats. Does not belong here: what is reported,
and any markup (`report_markdown`, `report_html`).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

NOTHING = "-"
SYNTHETIC = "SYNTHETIC market: invented by the sandbox, not a quote of anything"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with these a spreadsheet takes a pasted text for a formula


@dataclass(frozen=True)
class Section:
    """One part of a report.

    `name` is its key in JSON; `percent` names columns that hold shares of 1; a reader is shown the first `most`
    rows of the table and told how many more there are. `lines` stand above the table.
    """

    name: str
    title: str
    table: pd.DataFrame | None = None
    lines: tuple[str, ...] = ()
    percent: tuple[str, ...] = ()
    most: int = 300

    @property
    def left_out(self) -> int:
        """Rows of the table that a reader is not shown."""
        return 0 if self.table is None else max(0, len(self.table) - self.most)

    @property
    def figures(self) -> tuple[bool, ...]:
        """Of each column whether it holds figures, which stand to the right."""
        if self.table is None:
            return ()
        return tuple(
            pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in self.table.dtypes
        )

    def cells(self) -> list[list[str]]:
        """The rows that are shown, each value as a reader sees it, without markup."""
        if self.table is None:
            return []
        share = [column in self.percent for column in self.table.columns]
        shown = self.table.head(self.most).itertuples(index=False)
        return [[written(value, as_share) for value, as_share in zip(row, share, strict=True)] for row in shown]


@dataclass(frozen=True)
class Page:
    """A whole report; `synthetic` labels it wherever it is shown."""

    title: str
    lines: tuple[str, ...]
    synthetic: bool
    sections: tuple[Section, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """The report for JSON: of each section its lines and all its rows."""
        parts = {s.name: {"lines": list(s.lines), "rows": _rows(s.table)} for s in self.sections}
        return {"title": self.title, "synthetic": self.synthetic, "lines": list(self.lines), **parts}


def written(value: Any, as_share: bool = False) -> str:
    """One value for a reader: 1,256 · 99.84% · 0.6123 · 2026-01-16 · yes; what is absent is a hyphen.

    Shares are cut, not rounded, so that only a whole one reads 100.00%. A text that a spreadsheet would run as a
    formula gets an apostrophe in front.
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return NOTHING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{np.floor(value * 10_000 + 1e-9) / 100:.2f}%" if as_share else f"{value:.6g}"
    if isinstance(value, datetime) and (value.hour or value.minute or value.second):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(FORMULA) and text != NOTHING else text


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    """A value as JSON knows it; what is absent is null."""
    if not isinstance(value, str) and pd.isna(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.tzinfo is None else value.isoformat()
    return value.isoformat() if isinstance(value, date) else value
