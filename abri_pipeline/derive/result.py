"""What a derivation stored."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine

from abri_pipeline.contracts.model import Dataset
from abri_pipeline.quality.screen import screen
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert


class BrokenDerivation(RuntimeError):
    """Our own formula broke its own contract: nothing is stored."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows computed, and how many of them were new or different."""

    rows: int
    inserted: int
    changed: int


def store(engine: Engine, table: Dataset, rows: pd.DataFrame) -> Derived:
    """Screen derived rows and store them in one transaction.

    Raises:
        BrokenDerivation: a row breaks the contract, which is a fault of ours and not of the data.
    """
    screened = screen(table, rows)
    if len(screened.rejected):
        first = screened.rejected.iloc[0]
        raise BrokenDerivation(f"{table.name} {first['row']}: {first['rule']} ({first['reason']})")
    with begin(engine) as connection:
        outcome = upsert(connection, table, screened.accepted)
    return Derived(len(rows), outcome.inserted, outcome.changed)
