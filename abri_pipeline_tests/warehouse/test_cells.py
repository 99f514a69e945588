"""What a frame must be before it is written."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.model import Field, Kind, Table
from abri_pipeline.warehouse.cells import FrameError, cells
from abri_pipeline.warehouse.literals import literals

ONE = Table(
    name="one",
    meaning="A table of every kind.",
    key=("id",),
    fields=(
        Field("id", Kind.COUNT, "key"), Field("day", Kind.DATE, "day"), Field("at", Kind.INSTANT, "moment"),
        Field("text", Kind.TEXT, "text"), Field("number", Kind.NUMBER, "number"), Field("count", Kind.COUNT, "count"),
        Field("flag", Kind.FLAG, "flag"),
    ),
)  # fmt: skip


def read(column: str, values: Any) -> list[Any]:
    values = values if isinstance(values, pd.Series) else pd.Series(values)
    return literals(cells(ONE, pd.DataFrame({"id": np.arange(len(values)), column: values}))[column])


DAYS = ["2024-02-29", None, "2024-02-29"]
MOMENTS = ["2024-02-29T23:00:00.000000Z", None]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("day", [date(2024, 2, 29), None, date(2024, 2, 29)], DAYS),
        ("day", pd.to_datetime(pd.Series(DAYS)), DAYS),
        ("day", pd.to_datetime(pd.Series(DAYS)).astype("datetime64[s]"), DAYS),
        ("day", pd.Series(DAYS, dtype=object), DAYS),
        ("at", [datetime(2024, 2, 29, 23, tzinfo=UTC), None], MOMENTS),
        ("at", pd.to_datetime(pd.Series(["2024-02-29T18:00-05:00", None])), MOMENTS),
        ("at", pd.Series([pd.Timestamp("2024-02-29T23:00Z"), pd.NaT], dtype=object), MOMENTS),
        ("text", ["a", None, "a", ""], ["a", None, "a", ""]),
        ("text", pd.Series(["a", None, np.nan], dtype="str"), ["a", None, None]),
        ("text", pd.Categorical(["b", None, "a"]), ["b", None, "a"]),
        ("number", [1, 2], [1.0, 2.0]),
        ("number", [1.5, np.nan, None], [1.5, None, None]),
        ("number", pd.array([1.5, None], dtype="Float64"), [1.5, None]),
        ("count", [1.0, np.nan], [1, None]),
        ("count", pd.array([2**62 + 1, None], dtype="Int64"), [2**62 + 1, None]),
        ("count", pd.Series([2**62 + 1, None], dtype=object), [2**62 + 1, None]),
        ("flag", [True, False], [True, False]),
        ("flag", pd.Series([True, None], dtype=object), [True, None]),
    ],
)
def test_every_common_spelling_is_understood(column: str, values: Any, expected: list[Any]):
    assert read(column, values) == expected


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("day", [pd.Timestamp("2024-02-29 09:30")], "one.day: a date holds a time of day"),
        ("day", [pd.Timestamp("2024-02-29", tz="UTC")], "one.day: a date holds a time of day or an offset"),
        ("at", [datetime(2024, 2, 29)], "one.at: an instant has no offset"),  # noqa: DTZ001 - that is the fault
        ("at", pd.Series([datetime(2024, 2, 29)], dtype=object), "one.at: an instant has no offset"),  # noqa: DTZ001 - the fault
        ("text", [3], "one.text: 3 is not text"),
        ("text", ["a\0b"], "one.text: a text holds a NUL"),
        ("number", ["12,5"], "one.number: "),
        ("count", [1.5], "one.count: a count is not a whole number"),
        ("count", [2.0**60], "one.count: a count is not a whole number"),
        ("flag", ["yes"], "one.flag: "),
        ("colour", ["red"], "one has no column colour"),
        ("id", pd.array([1, None], dtype="Int64"), "one.id is part of the key and holds a null"),
        ("id", [1, 2, 1], "row 2 of the frame repeats a key"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(column: str, values: Any, complaint: str):
    with pytest.raises(FrameError, match=complaint):
        read(column, values)


def test_no_rows_are_no_rows():
    assert all(len(column) == 0 for column in cells(BARS, pd.DataFrame()).values())
