"""Reading: types, conditions, and the as-of reader that never looks ahead."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from abri_pipeline.contracts.credit import SPREADS
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.gpu import PRICES
from abri_pipeline.contracts.operations import STAMP
from abri_pipeline.warehouse.reads import asof, frame
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.warehouse import samples

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_types_are_the_same_with_rows_without_and_with_nulls(connection: Connection):
    expected = {"symbol": "object", "date": "datetime64[s]", "close": "float64", "pulled_at": "datetime64[us, UTC]"}
    for rows in (pd.DataFrame(columns=list(BARS.columns)), samples.rows(BARS), samples.rows(BARS, nulls=True)):
        upsert(connection, BARS, rows)
        read = frame(connection, BARS)
        assert {name: str(read[name].dtype) for name in expected} == expected
        assert str(read["volume"].dtype) == ("Int64" if read["volume"].isna().any() else "int64")


def test_columns_come_in_the_order_asked_for(connection: Connection):
    upsert(connection, BARS, samples.rows(BARS, 2))
    assert list(frame(connection, BARS, columns=["close", "symbol"]).columns) == ["close", "symbol"]
    with pytest.raises(KeyError, match="no field 'closing'"):
        frame(connection, BARS, columns=["closing"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("value", "=", "b"), "b"), (("value", "!=", "b"), "acd"), (("value", "<", "b"), "a"),
        (("value", "<=", "b"), "ab"), (("value", ">", "b"), "cd"), (("value", ">=", "b"), "bcd"),
        (("value", "in", ["a", "d", "z"]), "ad"), (("value", "in", []), ""), (("value", "is", None), ""),
        (("value", "is not", None), "abcd"), (("recorded_at", ">", NOON + timedelta(hours=1)), "cd"),
        (("recorded_at", "=", datetime.fromisoformat("2024-03-01T09:00-05:00")), "c"),
        (("value", "=", "b' OR 1=1 --"), ""),
    ],
)  # fmt: skip
def test_conditions(connection: Connection, condition: tuple, expected: str):
    stamps = [(f"name {letter}", letter, NOON + timedelta(hours=n)) for n, letter in enumerate("abcd")]
    upsert(connection, STAMP, pd.DataFrame(stamps, columns=list(STAMP.columns)))
    assert "".join(frame(connection, STAMP, where=[condition])["value"]) == expected


@pytest.mark.parametrize("condition", [("value", "like", "a"), ("value", "=", None), ("value", "; DROP", "a")])
def test_an_unknown_condition_is_refused(connection: Connection, condition: tuple):
    with pytest.raises(ValueError, match="no condition"):
        frame(connection, STAMP, where=[condition])


def test_rows_come_in_the_order_of_the_key_by_code_point(connection: Connection):
    names = ["b", "B", "ä", "a", "_", "Z"]
    upsert(connection, STAMP, pd.DataFrame({"name": names, "value": "x", "recorded_at": NOON}))
    assert frame(connection, STAMP)["name"].tolist() == sorted(names)


_hours = st.integers(-30, 30)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.dictionaries(st.integers(0, 5), st.tuples(_hours, st.booleans()), max_size=6),
    as_of=st.integers(0, 5), knowledge=_hours,
)  # fmt: skip
def test_as_of_never_sees_what_came_later(connection: Connection, rows: dict, as_of: int, knowledge: int):
    day = date(2024, 3, 1)
    point = connection.begin_nested()
    quotes = samples.rows(PRICES, len(rows))
    for number, (offset, (hours, withdrawn)) in enumerate(rows.items()):
        quotes.at[number, "observed_on"] = day + timedelta(days=offset)
        quotes.at[number, "available_at"] = NOON + timedelta(hours=hours)
        quotes.at[number, "withdrawn_at"] = NOON if withdrawn else None
    upsert(connection, PRICES, quotes)
    seen = asof(connection, PRICES, day + timedelta(days=as_of), NOON + timedelta(hours=knowledge))
    expected = {k for k, (hours, withdrawn) in rows.items() if k <= as_of and hours <= knowledge and not withdrawn}
    assert {(d.date() - day).days for d in seen["observed_on"]} == expected
    point.rollback()


def test_as_of_bounds_a_table_without_availability_by_its_day(connection: Connection):
    bars = samples.rows(BARS, 4)
    upsert(connection, BARS, bars)
    seen = asof(connection, BARS, samples.DAY + timedelta(days=1), NOON, columns=["date"])
    assert [d.date() for d in seen["date"]] == [samples.DAY, samples.DAY + timedelta(days=1)]


def test_as_of_joins_further_conditions(connection: Connection):
    upsert(connection, SPREADS, samples.rows(SPREADS, 4))
    later = NOON + timedelta(days=30)
    where = [("date", ">", samples.DAY)]
    assert len(asof(connection, SPREADS, samples.DAY + timedelta(days=2), later, where=where)) == 2


def test_as_of_needs_an_instant_with_an_offset(connection: Connection):
    with pytest.raises(ValueError, match="no offset"):
        asof(connection, BARS, samples.DAY, NOON.replace(tzinfo=None))
