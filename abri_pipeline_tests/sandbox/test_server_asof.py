"""Re-basing, as properties over random histories: nothing of tomorrow, and the same returns whenever asked."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from abri_pipeline.calendars import sessions
from abri_pipeline.sandbox import asof

DAYS = sessions.sessions(date(2024, 1, 2), date(2024, 2, 29))


def history(returns: list[float], dividends: dict[int, float], splits: dict[int, float]) -> pd.DataFrame:
    """A history as a vendor would hold it after its last day; `dividends` are shares of the price."""
    close = 100 * np.cumprod(1 + np.array(returns))
    factor = np.ones(len(close))
    paid = np.zeros(len(close))
    for row, share in dividends.items():
        paid[row] = close[row - 1] * share
        factor[:row] *= 1 - share
    ratio = np.array([splits.get(row, 0.0) for row in range(len(close))])
    cells = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "adj_close": close * factor}
    return pd.DataFrame(
        {"date": pd.to_datetime(list(DAYS)), **cells, "volume": 10**9, "dividends": paid, "splits": ratio}
    )


def rows(values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[int, float]]:
    return st.dictionaries(st.integers(1, len(DAYS) - 1), values, max_size=3)


histories = st.builds(
    history,
    st.lists(st.floats(-0.1, 0.1), min_size=len(DAYS), max_size=len(DAYS)),
    rows(st.floats(0.001, 0.05)),
    rows(st.sampled_from([2.0, 3.0, 10.0, 0.1, 1.175])),
)
rows_seen = st.integers(1, len(DAYS) - 1)


def after(row: int) -> datetime:
    """Just after the close of a session."""
    return sessions.closes_at(DAYS[row]) + timedelta(seconds=1)


@settings(max_examples=60, deadline=None)
@given(histories, rows_seen)
def test_what_is_served_does_not_depend_on_what_comes_later(bars, row):
    """Cutting the recording itself at the day gives the same prices, volumes and total returns."""
    whole = asof.daily(bars, after(row))
    later = bars["splits"].to_numpy()[row + 1 :]
    unsplit = np.prod(later[later != 0])
    assert whole["date"].tolist() == bars["date"].tolist()[: row + 1]
    np.testing.assert_allclose(whole["close"], bars["close"][: row + 1] * unsplit, rtol=1e-6)
    np.testing.assert_allclose(whole["volume"], 1e9 / unsplit, rtol=1e-6)
    expected = bars["adj_close"][: row + 1].pct_change().dropna()
    np.testing.assert_allclose(whole["adj_close"].pct_change().dropna(), expected, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(histories, rows_seen)
def test_the_newest_adj_close_is_the_close_while_an_event_is_still_to_come(bars, row):
    seen = asof.daily(bars, after(row))
    to_come = ((bars["dividends"] != 0) | (bars["splits"] != 0))[row + 1 :].any()
    if to_come:
        np.testing.assert_allclose(seen["adj_close"].iloc[-1], seen["close"].iloc[-1], atol=2e-6)
    else:
        pd.testing.assert_frame_equal(seen, bars[: row + 1])


@settings(max_examples=60, deadline=None)
@given(histories, rows_seen.filter(lambda row: row > 1))
def test_history_changes_on_ex_dates_and_only_there(bars, row):
    """A client that re-reads only after an event never holds a stale bar."""
    quiet = bars["dividends"][row] == 0 and bars["splits"][row] == 0
    if quiet:
        eve, then = asof.daily(bars, after(row - 1)), asof.daily(bars, after(row))
        pd.testing.assert_frame_equal(eve, then[:row])


def test_nothing_is_seen_before_the_first_session():
    bars = history([0.0] * len(DAYS), {5: 0.01}, {})
    assert asof.daily(bars, datetime(2023, 12, 29, tzinfo=UTC)).empty
