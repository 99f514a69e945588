"""Deal rulings: which announced amounts must not be summed, applied to whatever copy of the ledger is loaded."""

import io
from functools import lru_cache

import pandas as pd

from abri_pipeline.reference.tables import packaged

KEY = ["announced_date", "company", "amount_usd_millions"]


@lru_cache(maxsize=1)
def _rulings() -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(packaged("deal_rulings")))
    return table.assign(
        announced_date=pd.to_datetime(table["announced_date"]), ruling=table["ruling"] + ": " + table["reason"]
    )


def ruled(deals: pd.DataFrame) -> pd.DataFrame:
    """The deals with `scored` and `ruling`: nested, commitment-only, intended or terminated amounts are not scored.

    A deal without a published amount is not scored either; it stays in the ledger.
    """
    dated = deals.assign(announced_date=pd.to_datetime(deals["announced_date"]))
    merged = dated.merge(_rulings()[[*KEY, "ruling"]], on=KEY, how="left")
    unknown = merged["amount_usd_millions"].isna()
    ruling = merged["ruling"].mask(unknown & merged["ruling"].isna(), "no amount: none was published")
    return merged.assign(ruling=ruling, scored=ruling.isna())
