"""Screening: which rows of a load may land, and for which rule the others may not."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pandas as pd

from abri_pipeline.contracts.model import Dataset, Table
from abri_pipeline.quality.schema import conform, schema, sound


@dataclass(frozen=True)
class Screened:
    """A load split in two.

    `accepted` has the contract's columns. `rejected` has one row a broken rule: `row` (the key in words),
    `rule`, `reason`, `position` (in the load), `observed_on`. A row with several faults is listed once for each.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame

    @property
    def rows(self) -> int:
        """Rows read."""
        return len(self.accepted) + self.rejected["position"].nunique()

    @property
    def rejected_days(self) -> set[date]:
        """The days of which a row was rejected."""
        return set(pd.to_datetime(self.rejected["observed_on"]).dropna().dt.date)


def screen(table: Dataset, frame: pd.DataFrame, sessions: Collection[date] | None = None) -> Screened:
    """Split a load into rows that keep the contract and rows that break it.

    A second row with a key that was already seen breaks the rule `unique`. Where `sessions` are given, a row
    whose `date` is none of them breaks the rule `date is a session`.
    """
    rows = conform(table, frame.reset_index(drop=True))
    parts = [_duplicates(table, rows), _off_calendar(rows, sessions), faults(table, rows)]
    broken = pd.concat(parts, ignore_index=True)
    if broken.empty:
        return Screened(rows, broken.assign(row=[], observed_on=[]))
    broken["row"] = [_name(table, rows, i) for i in broken["position"]]
    broken["observed_on"] = rows[table.observed].reindex(broken["position"]).to_numpy()
    return Screened(rows.drop(index=pd.Index(broken["position"].unique())).reset_index(drop=True), broken)


def faults(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """Every bound of the contract that a row breaks, as position (in `rows`), rule and reason.

    `rows` has the contract's columns and types, as `conform` makes them.
    """
    nothing = pd.DataFrame({"position": [], "rule": [], "reason": []})
    if sound(table, rows):
        return nothing
    import pandera.errors

    try:
        schema(table).validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return _cases(error.failure_cases)
    return nothing


def _duplicates(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    again = rows.index[rows.duplicated(list(table.key), keep="first")]
    return pd.DataFrame({"position": again, "rule": "unique", "reason": "the key stands twice in the load"})


def _off_calendar(rows: pd.DataFrame, sessions: Collection[date] | None) -> pd.DataFrame:
    if sessions is None:
        return pd.DataFrame({"position": [], "rule": [], "reason": []})
    off = rows.index[~rows["date"].isin(_index(tuple(sessions)))]
    return pd.DataFrame({"position": off, "rule": "date is a session", "reason": "the exchange was closed that day"})


@lru_cache(maxsize=4)
def _index(sessions: tuple[date, ...]) -> pd.DatetimeIndex:
    """One load after another is held against the same sessions."""
    return pd.DatetimeIndex(list(sessions))


def _cases(cases: pd.DataFrame) -> pd.DataFrame:
    """pandera's failure cases as (position, rule, reason), one a row and rule."""
    located = cases[cases["index"].notna()]
    if located.empty:
        raise ValueError(f"the load does not fit its contract: {cases['failure_case'].tolist()[:3]}")
    whole_row = located["schema_context"] == "DataFrameSchema"
    rule = located["check"].astype(str)
    rule = rule.where(rule != "not_nullable", located["column"].astype(str) + " is required")
    said = (
        located["column"].astype(str)
        + " is "
        + located["failure_case"].astype("object").where(located["failure_case"].notna(), "missing").astype(str)
    )
    found = pd.DataFrame(
        {
            "position": located["index"].astype(int).to_numpy(),
            "rule": rule.to_numpy(),
            "reason": said.mask(whole_row, "breaks " + rule).to_numpy(),
        }
    )
    return found.drop_duplicates(["position", "rule"])


def _name(table: Table, rows: pd.DataFrame, position: int) -> str:
    parts = (rows.at[position, column] for column in table.key)
    return " ".join(f"{p:%Y-%m-%d}" if isinstance(p, pd.Timestamp) else str(p) for p in parts)
