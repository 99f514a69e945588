"""Two providers about the same closes: where they differ by more than rounding, nothing is believed unseen."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

LIMIT = 0.005  # faults.md P9: more than 0.5 %
ROUNDING = 1e-9  # 100.5 against 100 is 0.5 % exactly, and passes; in binary it is a hair more


@dataclass(frozen=True)
class Closes:
    """One provider's closes: symbol, date, close.

    `adjusted_through` is the day through which splits are worked into earlier closes: the day of the fetch for
    split-adjusted prices, None for prices as traded.
    """

    source: str
    rows: pd.DataFrame
    adjusted_through: date | None = None


@dataclass(frozen=True)
class Comparison:
    """How many closes could be compared, and those to quarantine.

    `apart` has symbol, date, first_source, first_close, second_source, second_close (as each provider sent it),
    difference (a fraction of the smaller, as traded) and reason.
    """

    compared: int
    apart: pd.DataFrame


def compare(first: Closes, second: Closes, splits: pd.DataFrame | None = None, limit: float = LIMIT) -> Comparison:
    """Compare the closes that two providers gave for the same symbol and date.

    Args:
        first, second: closes of two providers, each on its own basis.
        splits: known splits: symbol, date (ex-date), value (new shares for one old). Both sides are brought back to
            prices as traded by them, so that a difference of basis is no disagreement.
        limit: relative difference that still passes.

    A close that only one of them has, or that is missing or not above 0, is not compared.
    """
    ours, theirs = _as_traded(first, splits), _as_traded(second, splits)
    both = ours.merge(theirs, on=["symbol", "date"], suffixes=("_first", "_second"))
    one, other = both["traded_first"].to_numpy(dtype=float), both["traded_second"].to_numpy(dtype=float)
    difference = np.abs(one - other) / np.minimum(one, other)
    far = difference > limit + ROUNDING
    rows = both[far].reset_index(drop=True)
    apart = pd.DataFrame(
        {
            "symbol": rows["symbol"],
            "date": rows["date"],
            "first_source": first.source,
            "first_close": rows["close_first"],
            "second_source": second.source,
            "second_close": rows["close_second"],
            "difference": difference[far],
        }
    )
    return Comparison(len(both), apart.assign(reason=[_reason(row, limit) for row in apart.to_dict("records")]))


def _as_traded(closes: Closes, splits: pd.DataFrame | None) -> pd.DataFrame:
    """symbol, date, close as sent, and `traded`: the close as it was on the day."""
    rows = closes.rows[["symbol", "date", "close"]].assign(
        symbol=lambda f: f["symbol"].astype(str), date=lambda f: pd.to_datetime(f["date"]).astype("datetime64[s]")
    )
    rows = rows[np.isfinite(rows["close"].to_numpy(dtype=float, na_value=np.nan)) & (rows["close"] > 0)]
    factor = np.ones(len(rows))
    if splits is not None and closes.adjusted_through is not None:
        for symbol, when, value in zip(splits["symbol"], pd.to_datetime(splits["date"]), splits["value"], strict=True):
            if when <= pd.Timestamp(closes.adjusted_through):
                earlier = (rows["symbol"] == symbol) & (rows["date"] < when)
                factor[earlier.to_numpy()] *= float(value)
    found: pd.DataFrame = rows.assign(traded=rows["close"] * factor)
    return found


def _reason(row: Mapping[Hashable, Any], limit: float) -> str:
    return (
        f"{row['first_source']} says {row['first_close']:g}, {row['second_source']} says {row['second_close']:g}: "
        f"{row['difference']:.2%} apart as traded, {limit:.1%} is allowed"
    )
