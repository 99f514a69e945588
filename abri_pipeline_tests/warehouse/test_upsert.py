"""Upserts: exact counts, untouched rows, a dict as the model, writers that meet."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from abri_pipeline.contracts.abri import HISTORY
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.contracts.operations import COVERAGE
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.locks import unit_lock
from abri_pipeline.warehouse.reads import frame
from abri_pipeline.warehouse.upsert import Outcome, upsert
from abri_pipeline_tests.warehouse import samples


def bars(days: int, symbol: str = "NVDA", close: float = 100.0) -> pd.DataFrame:
    """Bars with every third volume missing, enough of them to be staged on PostgreSQL."""
    frame = pd.DataFrame({
        "symbol": symbol, "date": pd.date_range("2020-01-01", periods=days), "instrument_id": symbol,
        "close": close + np.arange(days) / 7, "volume": pd.array([None, 2**53 + 1, 3] * days, dtype="Int64")[:days],
        "bar_status": "final", "source_provider": "yahoo", "raw_hash": "a" * 64,
        "pulled_at": pd.Timestamp("2026-01-20T02:00:00.000001Z"),
    })  # fmt: skip
    return frame.sample(frac=1, random_state=7)


@pytest.mark.parametrize("days", [3, 199, 200, 4000])
def test_counts_are_exact_at_every_size(connection: Connection, days: int):
    first = bars(days)
    assert upsert(connection, BARS, first) == Outcome(inserted=days)
    later = bars(days + 5)
    later.loc[later["date"] == "2020-01-02", "close"] += 0.01
    later["raw_hash"] = "b" * 64
    assert upsert(connection, BARS, later) == Outcome(inserted=5, changed=1, unchanged=days - 1)
    stored = frame(connection, BARS)
    assert stored["raw_hash"].value_counts().to_dict() == {"a" * 64: days - 1, "b" * 64: 6}
    assert stored["close"].tolist() == later.sort_values("date")["close"].tolist()
    assert stored["volume"].tolist() == later.sort_values("date")["volume"].tolist()
    assert upsert(connection, BARS, later) == Outcome(unchanged=days + 5)


def test_a_value_that_becomes_null_or_known_is_a_change(connection: Connection):
    upsert(connection, BARS, bars(300).assign(market_cap=1.0))
    assert upsert(connection, BARS, bars(300)) == Outcome(changed=300)
    assert upsert(connection, BARS, bars(300)) == Outcome(unchanged=300)
    assert upsert(connection, BARS, bars(300).assign(market_cap=1.0)) == Outcome(changed=300)


@pytest.mark.parametrize("days", [20, 1000])
def test_a_bad_row_stores_nothing_and_names_its_check(warehouse: Engine, days: int):
    bad = bars(days)
    bad.iloc[7, bad.columns.get_loc("close")] = -1.0
    with pytest.raises(IntegrityError, match="ck_price_history_daily_close_above"), begin(warehouse) as connection:
        upsert(connection, BARS, bad)
    with warehouse.connect() as connection:
        assert frame(connection, BARS).empty


@pytest.mark.postgres
@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("days", [100, 1000])
def test_an_unchanged_row_gets_no_new_version(warehouse: Engine, days: int):
    # xmax too: an upsert that only locks the row it leaves alone still dirties its page.
    query = "SELECT date, ctid::text, xmin::text, xmax::text FROM price_history_daily ORDER BY date"
    with begin(warehouse) as connection:
        upsert(connection, BARS, bars(days))
    with begin(warehouse) as connection:
        before = connection.exec_driver_sql(query).fetchall()
        changed = bars(days).assign(raw_hash="c" * 64)
        changed.loc[changed["date"] == "2020-01-31", "close"] += 1
        assert upsert(connection, BARS, changed) == Outcome(changed=1, unchanged=days - 1)
    with warehouse.connect() as connection:
        after = connection.exec_driver_sql(query).fetchall()
    assert [new[0] for old, new in zip(before, after, strict=True) if old != new] == [date(2020, 1, 31)]


def test_one_table_may_be_written_twice_in_a_transaction(connection: Connection):
    assert upsert(connection, BARS, bars(500)).inserted == 500
    assert upsert(connection, BARS, bars(500, "AMD")).inserted == 500
    assert upsert(connection, BARS, bars(0)) == Outcome()


def test_outcomes_add_up():
    assert Outcome(1, 2, 3) + Outcome(10, 20, 30) == Outcome(11, 22, 33)


def test_writers_that_meet_count_every_row_once(warehouse: Engine):
    def write(number: int) -> Outcome:
        with begin(warehouse) as connection:
            unit_lock(connection, "NVDA 1d")
            return upsert(connection, BARS, bars(300 + number))

    with ThreadPoolExecutor(4) as threads:
        total = sum(threads.map(write, range(4)), Outcome())
    assert (total.inserted, total.changed) == (303, 0)
    with warehouse.connect() as connection:
        assert len(frame(connection, BARS)) == 303


def test_writers_without_a_lock_neither_fail_nor_repeat(warehouse: Engine):
    def write(number: int) -> Outcome:
        with begin(warehouse) as connection:
            return upsert(connection, BARS, bars(1000, close=100.0 + number))

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(write, range(4)))
    assert sum(o.inserted for o in outcomes) == 1000
    with warehouse.connect() as connection:
        assert len(frame(connection, BARS)) == 1000


def test_an_append_only_print_stays_as_it_was(connection: Connection):
    first = samples.rows(HISTORY, 2)
    upsert(connection, HISTORY, first)
    assert upsert(connection, HISTORY, first.assign(composite_score=99.0)) == Outcome(unchanged=2)
    assert 99.0 not in frame(connection, HISTORY)["composite_score"].tolist()


_days = st.integers(0, 6)
_state = st.sampled_from(["have", "missing"])
_writes = st.lists(
    st.tuples(st.dictionaries(st.tuples(st.sampled_from(["A", "B", "ü"]), _days), st.tuples(_days, _state),
                              max_size=8), st.booleans(), st.booleans()),
    max_size=4,
)  # fmt: skip
_FILLER = [("filler", number) for number in range(200)]  # makes PostgreSQL stage the frame


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=_writes)
def test_a_dict_says_the_same(connection: Connection, writes: list[tuple[dict, bool, bool]]):
    model: dict[tuple[str, int], tuple[int, str]] = {}
    point = connection.begin_nested()
    for rows, update, filled in writes:
        given_rows = {**rows, **dict.fromkeys(_FILLER, (0, "have"))} if filled else rows
        new = {k: v for k, v in given_rows.items() if k not in model}
        changed = {k: v for k, v in given_rows.items() if k in model and model[k] != v} if update else {}
        outcome = upsert(connection, COVERAGE, _coverage(given_rows), update=update)
        assert outcome == Outcome(len(new), len(changed), len(given_rows) - len(new) - len(changed))
        model |= new | changed
    stored = frame(connection, COVERAGE)
    days = (stored["range_end"] - stored["range_start"]).dt.days
    starts = (stored["range_start"] - pd.Timestamp("2024-01-01")).dt.days
    assert (
        dict(zip(zip(stored["symbol"], starts, strict=True), zip(days, stored["state"], strict=True), strict=True))
        == model
    )
    assert stored["symbol"].tolist() == sorted(stored["symbol"])
    point.rollback()


def _coverage(rows: dict[tuple[str, int], tuple[int, str]]) -> pd.DataFrame:
    start = date(2024, 1, 1)
    return pd.DataFrame(
        [
            (symbol, "1d", start + timedelta(first), start + timedelta(first + length), state, samples.MOMENT)
            for (symbol, first), (length, state) in rows.items()
        ],
        columns=["symbol", "timeframe", "range_start", "range_end", "state", "updated_at"],
    )
