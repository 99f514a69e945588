"""A frame's columns as plain arrays, checked against the contract, ready to be written to either database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from abri_pipeline.contracts.model import Field, Kind, Table


class FrameError(ValueError):
    """A frame cannot be written as it stands; the message names table, column and what is wrong."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of n cells.

    `codes` picks each cell out of `distinct` and is -1 where the cell is null. Values are few where rows are many
    (a symbol, a hash, a day), so whatever a database needs is computed once a distinct value.
    `distinct` holds int64 days since 1970 (DATE), int64 microseconds since 1970 (INSTANT), float64 (NUMBER),
    int64 (COUNT), bool (FLAG) or str (TEXT, DOCUMENT). `codes` is None where `distinct` is the column itself,
    one value a row and no null among them.
    """

    kind: Kind
    distinct: npt.NDArray[Any]
    codes: npt.NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.distinct) if self.codes is None else len(self.codes)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """True where the cell holds a value."""
        return np.ones(len(self), dtype=bool) if self.codes is None else self.codes >= 0

    def identity(self) -> npt.NDArray[np.int64]:
        """A number a cell, equal exactly where the values are equal (-1 for null)."""
        return pd.factorize(self.distinct)[0].astype(np.int64) if self.codes is None else self.codes


def cells(table: Table, frame: pd.DataFrame) -> dict[str, Cells]:
    """Every column of the contract, in its order; columns the frame lacks are all null.

    Raises:
        FrameError: unknown column, wrong type, null in the key, or a key that stands twice in the frame.
    """
    if unknown := set(map(str, frame.columns)) - set(table.columns):
        raise FrameError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    found = {field.name: _column(table, field, frame) for field in table}
    _unique(table, found)
    return found


def _column(table: Table, field: Field, frame: pd.DataFrame) -> Cells:
    if field.name not in frame.columns:
        return Cells(field.kind, np.empty(0, dtype=object), np.full(len(frame), -1, dtype=np.int64))
    try:
        return _READ[field.kind](field.kind, frame[field.name])
    except (ValueError, TypeError, OverflowError) as error:
        raise FrameError(f"{table.name}.{field.name}: {error}") from error


def _coded(kind: Kind, values: pd.Series, convert: Callable[[Any], npt.NDArray[Any]]) -> Cells:
    """Factorize first, convert the distinct values only."""
    codes, distinct = pd.factorize(values)
    return Cells(kind, convert(distinct), codes.astype(np.int64))


def _plain(kind: Kind, values: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> Cells:
    """The column itself where nothing is null, else codes into what is there."""
    if not missing.any():
        return Cells(kind, values, None)
    codes = np.where(missing, -1, np.cumsum(~missing) - 1)
    return Cells(kind, values[~missing], codes)


def _texts(kind: Kind, values: pd.Series) -> Cells:
    def convert(distinct: Any) -> npt.NDArray[Any]:
        array = np.asarray(distinct, dtype=object)
        if strange := next((v for v in array if not isinstance(v, str)), None):
            raise TypeError(f"{strange!r} is not text")
        if any("\0" in v for v in array):
            raise ValueError("a text holds a NUL character, which PostgreSQL cannot store")
        return array

    return _coded(kind, values, convert)


def _dates(kind: Kind, values: pd.Series) -> Cells:
    def convert(distinct: Any) -> npt.NDArray[Any]:
        moments = pd.DatetimeIndex(pd.to_datetime(distinct))
        if moments.tz is not None or (moments != moments.normalize()).any():
            raise ValueError("a date holds a time of day or an offset")
        return moments.values.astype("datetime64[D]").astype(np.int64)

    return _coded(kind, values, convert)


def _instants(kind: Kind, values: pd.Series) -> Cells:
    def convert(distinct: Any) -> npt.NDArray[Any]:
        aware = distinct.dtype != object or all(getattr(v, "tzinfo", None) for v in distinct)
        moments = pd.DatetimeIndex(pd.to_datetime(distinct, utc=distinct.dtype == object))
        if moments.tz is None or not aware:
            raise ValueError("an instant has no offset; give it in UTC")
        return moments.tz_convert("UTC").tz_localize(None).values.astype("datetime64[us]").astype(np.int64)

    return _coded(kind, values, convert)


def _numbers(kind: Kind, values: pd.Series) -> Cells:
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return _plain(kind, array, np.isnan(array))


def _counts(kind: Kind, values: pd.Series) -> Cells:
    if pd.api.types.is_integer_dtype(values.dtype):
        missing = values.isna().to_numpy(dtype=bool)
        return _plain(kind, values.fillna(0).to_numpy(dtype=np.int64), missing)
    if values.dtype == object:  # Python integers keep their last digit; floats on the way would not
        return _counts(kind, values.astype("Int64"))
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(array)
    whole = np.where(missing, 0.0, array)
    if (whole != np.rint(whole)).any() or (np.abs(whole) > 2**53).any():
        raise ValueError("a count is not a whole number")
    return _plain(kind, whole.astype(np.int64), missing)


def _flags(kind: Kind, values: pd.Series) -> Cells:
    nullable = values.astype("boolean")
    return _plain(kind, nullable.fillna(False).to_numpy(dtype=bool), nullable.isna().to_numpy(dtype=bool))


_READ: Mapping[Kind, Callable[[Kind, pd.Series], Cells]] = {
    Kind.TEXT: _texts,
    Kind.DOCUMENT: _texts,
    Kind.DATE: _dates,
    Kind.INSTANT: _instants,
    Kind.NUMBER: _numbers,
    Kind.COUNT: _counts,
    Kind.FLAG: _flags,
}


def _unique(table: Table, found: dict[str, Cells]) -> None:
    """Refuse null and repeated keys: a second row of one key would win or lose by accident."""
    rows = len(found[table.key[0]])
    combined = np.zeros(rows, dtype=np.int64)
    for name in table.key:
        identity = found[name].identity()
        if (identity < 0).any():
            raise FrameError(f"{table.name}.{name} is part of the key and holds a null")
        # Codes are renumbered at each step, so the product stays below rows squared.
        combined = pd.factorize(combined * (int(identity.max(initial=0)) + 1) + identity)[0].astype(np.int64)
    if rows and int(combined.max()) + 1 != rows:
        twice = int(np.flatnonzero(pd.Series(combined).duplicated())[0])
        raise FrameError(f"{table.name}: row {twice} of the frame repeats a key ({', '.join(table.key)})")
