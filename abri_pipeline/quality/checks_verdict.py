"""What a check hands back, and the small pieces of SQL that every check shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa

from abri_pipeline.contracts.model import Dataset
from abri_pipeline.warehouse.tables import sql_table

Severity = Literal["warn", "error"]
Rows = list[dict[str, str]]  # a small table: one dict a row, cells as a reader wants to see them
EXAMPLES = 20  # rows a table shows at most
NOTHING = "-"

# One payload fills two tables, and the load is booked under the first of them.
BOOKED_UNDER = {"corporate_actions": "price_history_daily", "filing_facts": "filings"}


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check of one dataset.

    `severity` says how bad a failure is: `error` asks for a repair, `warn` for a look; it means nothing where
    `passed`. `summary` is one line for a person. `figures` are numbers, texts and small tables behind it.
    """

    passed: bool
    severity: Severity
    summary: str
    figures: Mapping[str, int | float | str | Rows] = field(default_factory=dict)


def judge(findings: int, severity: Severity, good: str, bad: str, **figures: int | float | str | Rows) -> Verdict:
    """The verdict that passes where nothing was found; empty tables are left out of the figures."""
    told = {name: value for name, value in figures.items() if value != []}
    return Verdict(findings == 0, severity, bad if findings else good, told)


def booked(dataset: Dataset) -> str:
    """The name under which the loads of a dataset are booked in runs and audit."""
    return BOOKED_UNDER.get(dataset.name, dataset.name)


def standing(dataset: Dataset) -> list[sa.ColumnElement[bool]]:
    """The condition that a row still stands: withdrawn rows are kept, but no longer judged."""
    columns = sql_table(dataset).c
    return [columns["withdrawn_at"].is_(None)] if "withdrawn_at" in columns else []


def cell(value: object) -> str:
    """A value as a table shows it; a null is a hyphen."""
    if value is None:
        return NOTHING
    return f"{value:.6g}" if isinstance(value, float) else str(value)
