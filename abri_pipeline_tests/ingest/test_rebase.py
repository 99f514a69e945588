"""A new dividend or split re-bases the stored history in full: nothing is ever appended on another basis."""

from datetime import date

import numpy as np
import pytest

from abri_pipeline.contracts.equity import ACTIONS, BARS
from abri_pipeline_tests.ingest.small_market import close_on

EARLY = ("2024-06-03", "2024-07-12")
EX_DATE = date(2024, 7, 16)


def test_a_dividend_moves_every_stored_adjusted_close(bench):
    bench.market.dividends = {("NVDA", EX_DATE): 2.0}
    bench.move("2024-07-13T12:00:00Z")  # before the ex-date: the market knows of no dividend yet
    bench.bars(*EARLY)
    before = bench.rows(BARS, symbol="NVDA")
    assert (before["adj_close"] == before["close"]).all()
    bench.move("2024-07-20T12:00:00Z")
    load = bench.bars("2024-07-15", "2024-07-19")
    assert load.calls == 2  # the overlap showed the dividend, then the history was read in full
    after = bench.rows(BARS, symbol="NVDA").set_index("date")
    eve = close_on(date(2024, 7, 15))
    old = after[after.index < "2024-07-16"]
    assert np.allclose(old["adj_close"], old["close"] * (1 - 2.0 / eve), rtol=1e-6)
    new = after[after.index >= "2024-07-16"]
    assert (new["adj_close"] == new["close"]).all()
    # the return of the ex-date counts the dividend in
    total = after["adj_close"].pct_change(fill_method=None)["2024-07-16"]
    assert total == pytest.approx((eve + 1) / (eve * (1 - 2.0 / eve)) - 1, rel=1e-6)
    assert bench.rows(ACTIONS, symbol="NVDA")[["action", "value"]].values.tolist() == [["dividend", 2.0]]


def test_a_split_moves_every_stored_price(bench):
    bench.market.splits = {("NVDA", EX_DATE): 10.0}
    bench.move("2024-07-13T12:00:00Z")
    bench.bars(*EARLY)
    assert bench.rows(BARS, date=date(2024, 6, 3))["close"].tolist() == [100.0]
    bench.move("2024-07-20T12:00:00Z")
    bench.bars("2024-07-15", "2024-07-19")
    after = bench.rows(BARS, symbol="NVDA").set_index("date")
    assert after.loc["2024-06-03", ["open", "high", "low", "close", "volume"]].tolist() == [
        9.9,
        10.1,
        9.9,
        10.0,
        10_000,
    ]
    # the price as traded stands on one basis throughout, so no return shows the split
    traded = np.array([close_on(day.date()) for day in after.index])
    assert np.allclose(after["close"], np.where(after.index < "2024-07-16", traded / 10, traded), rtol=1e-6)
    assert np.allclose(after["adj_close"], after["close"], rtol=1e-6)


def test_an_unchanged_overlap_is_not_read_twice(bench):
    bench.bars(*EARLY)
    assert bench.bars("2024-07-15", "2024-07-19").calls == 1


def test_a_history_before_a_split_joins_the_basis_of_what_is_stored(bench):
    bench.market.splits = {("NVDA", EX_DATE): 10.0}
    bench.bars("2024-07-22", "2024-07-26")
    load = bench.bars("2024-06-03", "2024-06-07")
    assert load.calls == 1  # both come from the same day's basis
    assert bench.rows(BARS, date=date(2024, 6, 3))["close"].tolist() == [10.0]


def test_a_failed_second_read_leaves_the_old_basis_whole(bench):
    bench.market.dividends = {("NVDA", EX_DATE): 2.0}
    bench.move("2024-07-13T12:00:00Z")
    bench.bars(*EARLY)
    before = bench.rows(BARS)
    bench.move("2024-07-20T12:00:00Z")
    # the first request of the new week is answered, the second one (the whole history) is not
    bench.fault("yahoo", "status", value="503", match="period1=1717387200")
    load = bench.bars("2024-07-15", "2024-07-19")
    assert [r.outcome for r in load.results] == ["transient"]
    assert bench.rows(BARS).equals(before)
    bench.faults.switches.clear()
    bench.bars("2024-07-15", "2024-07-19")
    assert len(bench.rows(BARS)) == len(before) + 5
