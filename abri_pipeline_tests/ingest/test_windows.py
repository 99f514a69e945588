"""Windows loaded in any order give what one load of them all gives."""

import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abri_pipeline.calendars.sessions import sessions
from abri_pipeline.contracts import operations
from abri_pipeline.contracts.equity import BARS
from abri_pipeline.quality.ranges import days_in, ranges
from abri_pipeline_tests.postgres import engine_at

DAYS = sessions(date(2024, 6, 3), date(2024, 7, 31))
windows = st.tuples(st.integers(0, 58), st.integers(0, 25)).map(
    lambda pair: (date(2024, 6, 3) + timedelta(pair[0]), min(date(2024, 6, 3) + timedelta(sum(pair)), DAYS[-1]))
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    loads=st.lists(windows, min_size=1, max_size=4),
    holes=st.sets(st.sampled_from(DAYS), max_size=3),
    ex_dates=st.sets(st.sampled_from(DAYS[1:]), max_size=2),
)
def test_any_order_of_windows_converges(bench, sqlite_template, folder, loads, holes, ex_dates):
    path = folder / "abri.db"
    shutil.copy(sqlite_template, path)
    bench.engine = engine_at(f"sqlite:///{path}")
    bench.market.__init__()
    bench.market.holes = {("NVDA", day) for day in holes}
    bench.market.dividends = {("NVDA", day): 1.5 for day in ex_dates}
    truth = bench.market.bars("NVDA")
    try:
        for first, last in loads:
            bench.bars(str(first), str(last))
        asked = {day for day in DAYS if any(first <= day <= last for first, last in loads)}
        check(bench, truth, holes, asked, exactly=False)
        if asked:
            bench.bars(str(min(asked)), str(max(asked)))
            check(bench, truth, holes, set(days_in([(min(asked), max(asked))], DAYS)), exactly=True)
    finally:
        bench.engine.dispose()


def check(bench, truth: pd.DataFrame, holes: set[date], asked: set[date], exactly: bool) -> None:
    """Every session asked for is stored as the market has it, or is a gap; nothing else is claimed."""
    columns = ["date", "open", "high", "low", "close", "adj_close", "volume"]
    stored = bench.rows(BARS, symbol="NVDA")[columns]
    days = set(stored["date"].dt.date)
    assert asked - holes <= days
    assert days <= asked - holes if exactly else not days & holes
    pd.testing.assert_frame_equal(
        stored, truth[truth["date"].isin(stored["date"])][columns].reset_index(drop=True), check_dtype=False
    )
    gaps = {(str(first), str(last)) for first, last in ranges(asked & holes, DAYS)}
    assert {gap[:2] for gap in bench.gaps("NVDA")} == gaps
    have = bench.rows(operations.COVERAGE, symbol="NVDA", state="have")
    spans = zip(have["range_start"].dt.date, have["range_end"].dt.date, strict=True)
    assert set(days_in(spans, DAYS)) == days
