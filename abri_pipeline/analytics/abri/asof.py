"""Observations sorted once, then read as known at any date and instant.

The index asks the same tables hundreds of times, once a week of history. Sorting and converting happen
here once; a read is a binary search and a mask over the rows that can matter.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]


class InputError(ValueError):
    """A frame handed to the index lacks a column or holds something that is no date, instant or number."""


def known_through(knowledge_at: datetime) -> np.datetime64:
    """The instant of knowledge as numpy sees it, in UTC.

    Raises:
        ValueError: the instant has no time zone.
    """
    if knowledge_at.tzinfo is None:
        raise ValueError(f"knowledge_at {knowledge_at} has no time zone; give it in UTC")
    return np.datetime64(knowledge_at.astimezone(UTC).replace(tzinfo=None), "us")


class AsOfTable:
    """One dataset as arrays, ordered by observation, then by when each version became known.

    The order is total over every column used, so the order of the rows handed in never matters. Rows
    without an observation date or an instant of availability were never knowable and are left out.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        name: str,
        observed: str,
        numbers: tuple[str, ...],
        texts: tuple[str, ...] = (),
        days: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        wanted = (observed, *days, "available_at", *texts, *numbers)
        if len(frame) == 0:
            frame = pd.DataFrame(columns=list(wanted))
        if absent := [column for column in wanted if column not in frame.columns]:
            raise InputError(f"{name} has no column {', '.join(absent)}")
        plain = pd.DataFrame({
            observed: self._days(frame[observed]),
            **{column: self._days(frame[column]) for column in days},
            "available_at": self._instants(frame["available_at"]),
            **{column: frame[column].astype(object).where(frame[column].notna(), "") for column in texts},
            **{column: self._numbers(frame[column]) for column in numbers},
        })  # fmt: skip
        plain = plain.dropna(subset=[observed, "available_at"]).sort_values(list(wanted), kind="stable")
        self.observed: NDArray[np.datetime64] = plain[observed].to_numpy("datetime64[D]")
        self.available: NDArray[np.datetime64] = plain["available_at"].to_numpy("datetime64[us]")
        self._day = {column: plain[column].to_numpy("datetime64[D]") for column in days}
        self._text = {column: plain[column].to_numpy(object) for column in texts}
        self._number = {column: plain[column].to_numpy(np.float64) for column in numbers}
        self._matches: dict[tuple[str, str], NDArray[np.bool_]] = {}

    def _days(self, column: pd.Series) -> pd.Series:
        days: pd.Series = self._converted(column, "a date").dt.normalize()
        return days

    def _instants(self, column: pd.Series) -> pd.Series:
        return self._converted(column, "an instant")

    def _converted(self, column: pd.Series, what: str) -> pd.Series:
        """Dates and instants in UTC, whichever way the warehouse hands them over (text, date, timestamp)."""
        mixed = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        try:
            converted = pd.to_datetime(column, utc=True, format="ISO8601" if mixed else None)
        except (ValueError, TypeError) as error:
            raise InputError(f"{self.name}.{column.name} holds a value that is not {what}: {error}") from error
        plain: pd.Series = converted.dt.tz_localize(None).dt.as_unit("us")
        return plain

    def _numbers(self, column: pd.Series) -> pd.Series:
        try:
            numbers = pd.to_numeric(column).astype("float64")
        except (ValueError, TypeError) as error:
            raise InputError(f"{self.name}.{column.name} holds a value that is no number: {error}") from error
        return numbers.where(np.isfinite(numbers))  # an infinite value is as absent as a null one

    def known(self, as_of: date, knowledge_at: datetime, after: date | None = None) -> Rows:
        """Rows observed in (after, as_of] and available by `knowledge_at`, oldest first, every version."""
        start = 0 if after is None else int(np.searchsorted(self.observed, np.datetime64(after, "D"), "right"))
        stop = int(np.searchsorted(self.observed, np.datetime64(as_of, "D"), "right"))
        rows = np.arange(start, max(start, stop), dtype=np.intp)
        return rows[self.available[rows] <= known_through(knowledge_at)]

    def latest_versions(self, rows: Rows) -> Rows:
        """Of rows from `known`, the last known version of each observation date."""
        if len(rows) == 0:
            return rows
        dates = self.observed[rows]
        last = np.ones(len(rows), dtype=bool)
        last[:-1] = dates[1:] != dates[:-1]
        return rows[last]

    def where(self, rows: Rows, column: str, *values: str) -> Rows:
        """The rows whose text `column` is one of `values`."""
        keep = np.zeros(len(rows), dtype=bool)
        for value in values:
            keep |= self._match(column, value)[rows]
        return rows[keep]

    def _match(self, column: str, value: str) -> NDArray[np.bool_]:
        # Comparing texts is the slow part of a read, and every read asks for the same few.
        if (column, value) not in self._matches:
            self._matches[column, value] = np.array([text == value for text in self._text[column]], dtype=bool)
        return self._matches[column, value]

    def number(self, column: str, rows: Rows) -> NDArray[np.float64]:
        """Values of a numeric column; NaN where absent."""
        return self._number[column][rows]

    def text(self, column: str, row: int) -> str:
        """One text, '' where absent."""
        return str(self._text[column][row])

    def day(self, row: int, column: str | None = None) -> date:
        """Observation date of a row, or another date column of it."""
        days = self.observed if column is None else self._day[column]
        return date.fromisoformat(str(days[row]))

    def days(self, column: str, rows: Rows) -> NDArray[np.datetime64]:
        """Values of a further date column."""
        return self._day[column][rows]

    def available_at(self, rows: Iterable[int]) -> datetime:
        """The newest instant of availability among rows, in UTC."""
        newest = max(self.available[row] for row in rows)
        return datetime.fromisoformat(str(newest)).replace(tzinfo=UTC)
