"""Packed days come out of either database as they were put in."""

from datetime import date

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from abri_pipeline.contracts.equity import BARS
from abri_pipeline.warehouse.days import _from_postgres, _from_text, stored_days
from abri_pipeline.warehouse.engine import begin
from abri_pipeline.warehouse.upsert import upsert
from abri_pipeline_tests.bench.bars_upsert import bars

DATES = st.lists(st.dates(date(1583, 1, 1), date(9999, 12, 31)), min_size=1, max_size=30)


@given(DATES)
def test_both_packings_are_read_to_the_day(days: list[date]):
    wanted = np.array(days, dtype="datetime64[D]").tolist()
    assert _from_text("".join(day.isoformat() for day in days)).tolist() == wanted
    since_2000 = np.array([(day - date(2000, 1, 1)).days for day in days], dtype=">i4")
    assert _from_postgres(since_2000.tobytes()).tolist() == wanted


def test_every_pair_of_a_window_and_no_other(warehouse: Engine):
    frame = bars(symbols=3, days=40).drop(index=[0, 41, 119])
    with begin(warehouse) as connection:
        upsert(connection, BARS, frame)
    first, last = frame["date"].iloc[5].date(), frame["date"].iloc[30].date()
    inside = frame[frame["date"].between(pd.Timestamp(first), pd.Timestamp(last))]
    with warehouse.connect() as connection:
        found = stored_days(connection, BARS, first, last)
        one = stored_days(connection, BARS, first, last, ["S0001", "NOBODY"])
        none = stored_days(connection, BARS, date(2017, 1, 1), date(2017, 2, 1))
    pairs = {(found.symbols[c], day) for c, day in zip(found.code, found.day.tolist(), strict=True)}
    assert pairs == set(zip(inside["symbol"], inside["date"].dt.date, strict=True))
    assert one.symbols == ("S0001",)
    assert len(one.day) == int((inside["symbol"] == "S0001").sum())
    assert (none.symbols, len(none.code), len(none.day)) == ((), 0, 0)
