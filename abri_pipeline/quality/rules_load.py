"""A load laid out for the rules: plain arrays, one symbol after the other, each in order of date."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

PRICES = ("open", "high", "low", "close")
CELLS = (*PRICES, "volume")
Expected = Mapping[str, int | Collection[date]]


@dataclass(frozen=True)
class Load:
    """Bars of one or many symbols, sorted by symbol and date.

    `code` numbers the symbols in `symbols`; `position` is the row in the frame that was handed in, -1 for rows that
    only give the past. `cells` holds open, high, low, close and volume; what is missing or not finite is NaN.
    """

    symbols: tuple[str, ...]
    code: Ints
    day: Days
    position: Ints
    cells: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.code)

    @property
    def judged(self) -> Bools:
        """Rows of the load itself."""
        found: Bools = self.position >= 0
        return found

    @property
    def repeated(self) -> Bools:
        """Rows whose (symbol, date) stood in the load already."""
        again = np.zeros(len(self), dtype=bool)
        again[1:] = (self.code[1:] == self.code[:-1]) & (self.day[1:] == self.day[:-1])
        return again

    def count(self, rows: Bools) -> Ints:
        """How many of the marked rows each symbol's load has."""
        return np.bincount(self.code[rows & self.judged], minlength=len(self.symbols))

    def take(self, rows: Bools) -> "Load":
        """The marked rows, under the same numbering of symbols."""
        kept = {name: values[rows] for name, values in self.cells.items()}
        return Load(self.symbols, self.code[rows], self.day[rows], self.position[rows], kept)


def lay_out(bars: pd.DataFrame, earlier: pd.DataFrame | None = None, named: Collection[str] = ()) -> Load:
    """Bars as a `Load`; `named` are symbols that were asked for and may have no row.

    Args:
        bars: symbol, date, open, high, low, close, volume; more columns are welcome.
        earlier: stored bars of the same columns, for the past that a jump is measured against. Rows that are not
            older than the symbol's first row in `bars` are left out.
    """
    names = bars["symbol"].astype(str).to_numpy(dtype=object)
    days = days_of(bars)
    position = np.arange(len(bars), dtype=np.int64)
    cells = {name: _cells(bars, name) for name in CELLS}
    if earlier is not None and len(earlier):
        first = pd.Series(days).groupby(names).min()
        past_names = earlier["symbol"].astype(str).to_numpy(dtype=object)
        past_days = days_of(earlier)
        older = past_days < first.reindex(past_names).to_numpy(dtype="datetime64[D]")  # NaT compares as False
        names = np.concatenate([past_names[older], names])
        days = np.concatenate([past_days[older], days])
        position = np.concatenate([np.full(int(older.sum()), -1, dtype=np.int64), position])
        cells = {name: np.concatenate([_cells(earlier, name)[older], values]) for name, values in cells.items()}
    code, found = pd.factorize(names)
    symbols = tuple(str(name) for name in found)
    symbols += tuple(sorted(set(named) - set(symbols)))
    order = np.lexsort((position, days, code))
    return Load(
        symbols,
        code[order].astype(np.int64),
        days[order],
        position[order],
        {name: values[order] for name, values in cells.items()},
    )


def days_of(rows: pd.DataFrame) -> Days:
    """The dates of rows, as days."""
    return pd.to_datetime(rows["date"]).to_numpy().astype("datetime64[D]")


def _cells(rows: pd.DataFrame, name: str) -> Floats:
    if name not in rows:
        return np.full(len(rows), np.nan)
    values = rows[name].to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)
